//! Working days, by a list and nothing else.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday, date, time};
use jiff::tz::TimeZone;

/// The bank holidays of England on weekdays from April 2026 to December 2027.
const HOLIDAYS: [Date; 15] = [
    date(2026, 4, 3),
    date(2026, 4, 6),
    date(2026, 5, 4),
    date(2026, 5, 25),
    date(2026, 8, 31),
    date(2026, 12, 25),
    date(2026, 12, 28),
    date(2027, 1, 1),
    date(2027, 3, 26),
    date(2027, 3, 29),
    date(2027, 5, 3),
    date(2027, 5, 31),
    date(2027, 8, 30),
    date(2027, 12, 27),
    date(2027, 12, 28),
];

pub(crate) fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !HOLIDAYS.contains(&day)
}

/// The day so many working days after one; before it, where the number is negative.
pub(crate) fn plus(day: Date, working_days: i32) -> Date {
    let mut day = day;
    for _ in 0..working_days.abs() {
        loop {
            day = if working_days > 0 { day.tomorrow().unwrap() } else { day.yesterday().unwrap() };
            if is_working_day(day) {
                break;
            }
        }
    }
    day
}

/// Working days after the one up to the other.
pub(crate) fn between(from: Date, to: Date) -> i32 {
    let (mut day, mut count) = (from, 0);
    while day < to {
        day = day.tomorrow().unwrap();
        count += i32::from(is_working_day(day));
    }
    count
}

/// Whether no day of its week before it is a working day.
pub(crate) fn is_first_of_week(day: Date) -> bool {
    let mut before = day;
    while before.weekday() != Weekday::Monday {
        before = before.yesterday().unwrap();
        if is_working_day(before) {
            return false;
        }
    }
    true
}

fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

pub(crate) fn london_day(milliseconds: i64) -> Date {
    Timestamp::from_millisecond(milliseconds).unwrap().to_zoned(london()).date()
}

/// The day, and the minute of the day.
pub(crate) fn london_minute(milliseconds: i64) -> (Date, i32) {
    let at = Timestamp::from_millisecond(milliseconds).unwrap().to_zoned(london());
    (at.date(), i32::from(at.hour()) * 60 + i32::from(at.minute()))
}

/// Half past eight of a day, in milliseconds.
pub(crate) fn half_past_eight(day: Date) -> i64 {
    let at = day.to_datetime(time(8, 30, 0, 0)).to_zoned(london()).unwrap();
    at.timestamp().as_millisecond()
}
