//! How dates and sums read to people.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::deadline::{Deadline, Step};

/// A day in words, as letters give it: `Wednesday 23 December 2026`.
pub fn in_words(day: Date) -> String {
    day.strftime("%A %-d %B %Y").to_string()
}

/// A day in words without its weekday, for running text and tables: `4 December 2026`.
pub fn short_words(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// The sum of a deadline for a terminal: a line for each day, with the reason for each day that
/// was passed over, and the answer last.
///
/// ```text
/// Fri 11 Jun 2021  received, day 0
/// Sat 12 Jun 2021  -  Saturday
/// Sun 13 Jun 2021  -  Sunday
/// Mon 14 Jun 2021  day 1
/// due by the end of Mon 14 Jun 2021
/// 1 working day by the rule day_after, calendar 2f5d8a1c90be
/// ```
pub fn working(deadline: &Deadline) -> String {
    let mut text = String::new();
    for step in &deadline.steps {
        line(&mut text, step, deadline.received_on);
    }
    let days = if deadline.working_days == 1 { "day" } else { "days" };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "due by the end of {}", brief(deadline.due_on));
    let _ = writeln!(
        text,
        "{} working {days} by the rule {}, calendar {}",
        deadline.working_days, deadline.start_rule, deadline.calendar_version
    );
    text
}

fn line(text: &mut String, step: &Step, received_on: Date) {
    let day = brief(step.date);
    let _ = match (step.counted, step.date == received_on) {
        (Some(n), true) => writeln!(text, "{day}  received, day {n}"),
        (Some(0), false) => writeln!(text, "{day}  {}, day 0", step.why),
        (Some(n), false) => writeln!(text, "{day}  day {n}"),
        (None, _) => writeln!(text, "{day}  -  {}", step.why),
    };
}

fn brief(day: Date) -> String {
    day.strftime("%a %e %b %Y").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::casework::calendar::WorkingCalendar;
    use crate::casework::deadline::{StartRule, due_from};

    const ENGLAND: &str = include_str!("../../rules/calendar/bank-holidays-england.json");

    fn shown(received: &str, rule: StartRule, n: u16) -> String {
        let calendar = WorkingCalendar::from_json("days.json", ENGLAND).unwrap();
        let text = working(&due_from(&calendar, received.parse().unwrap(), rule, n).unwrap());
        text.replace(calendar.version(), "VERSION")
    }

    #[test]
    fn dates_read_as_letters_give_them() {
        assert_eq!(in_words(date(2026, 12, 23)), "Wednesday 23 December 2026");
        assert_eq!(short_words(date(2026, 12, 4)), "4 December 2026");
    }

    #[test]
    fn the_sum_names_every_day_it_passes_over() {
        assert_eq!(
            shown("2023-05-05T12:00", StartRule::DayAfter, 2),
            "Fri  5 May 2023  received, day 0\n\
             Sat  6 May 2023  -  Saturday\n\
             Sun  7 May 2023  -  Sunday\n\
             Mon  8 May 2023  -  Bank holiday for the coronation of King Charles III\n\
             Tue  9 May 2023  day 1\n\
             Wed 10 May 2023  day 2\n\
             due by the end of Wed 10 May 2023\n\
             2 working days by the rule day_after, calendar VERSION\n"
        );
    }

    #[test]
    fn the_sum_shows_a_later_start() {
        assert_eq!(
            shown("2021-06-01T17:00", StartRule::DeemedNextWd1700, 1),
            "Tue  1 Jun 2021  -  received at or after 17:00\n\
             Wed  2 Jun 2021  taken as received, day 0\n\
             Thu  3 Jun 2021  day 1\n\
             due by the end of Thu  3 Jun 2021\n\
             1 working day by the rule deemed_next_wd_1700, calendar VERSION\n"
        );
        assert!(
            shown("2021-06-05T09:00", StartRule::DeemedNextWd, 1)
                .starts_with("Sat  5 Jun 2021  -  received on a Saturday\nSun")
        );
        assert!(
            shown("2021-06-04T09:00", StartRule::Inclusive, 2)
                .starts_with("Fri  4 Jun 2021  received, day 1\nSat")
        );
    }
}
