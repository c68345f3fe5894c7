//! What a service answers of a complaint, point by point, and how long its link to answer by lasts.

mod time;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::{NotCovered, WorkingCalendar};
use super::case::{CaseStatus, Point};
use super::vocabulary::Outcome;
use crate::private::Private;

pub use time::{MoreTime, TimeDecided, more_time};

/// A service's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What happened, in the service's own words; by mail, all that it newly wrote.
    pub what: Private<String>,
    /// Its points, each with what was found.
    #[serde(default)]
    pub points: Vec<PointAnswered>,
    /// What will be put right.
    #[serde(default)]
    pub remedy: Option<Remedy>,
}

/// What a service found of one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointAnswered {
    /// Which.
    pub point: Point,
    /// What was found; "no finding" where they cannot say.
    pub finding: Outcome,
    /// Why.
    pub why: Private<String>,
}

/// What a service will put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What.
    pub what: Private<String>,
    /// Who sees to it.
    pub by_whom: Option<Private<String>>,
    /// By when.
    pub by: Option<Date>,
}

/// What a service may find of a point: a finding of "withdrawn" is the customer's, not theirs.
pub const FINDINGS: [(Outcome, &str); 4] = [
    (Outcome::Upheld, "Upheld"),
    (Outcome::PartlyUpheld, "Partly upheld"),
    (Outcome::NotUpheld, "Not upheld"),
    (Outcome::NoFinding, "We cannot say"),
];

/// What an officer looks for in an answer, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it is there; none where only a reader can tell.
    pub met: Option<bool>,
}

impl Given {
    /// All its words, in their order.
    pub fn words(&self) -> String {
        let points = self.points.iter().map(|one| one.why.as_str());
        let remedy = self.remedy.iter().map(|remedy| remedy.what.as_str());
        let all = std::iter::once(self.what.as_str()).chain(points).chain(remedy);
        all.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// What can be told of its quality without reading it (console 3.9). `asked` is what the service was asked.
    pub fn checks(&self, asked: &[Point], by_mail: bool) -> Vec<Check> {
        let answered = |point: &Point| self.points.iter().find(|one| one.point == *point);
        let said = |one: &PointAnswered| !one.why.trim().is_empty();
        let known = |met: bool| if by_mail { None } else { Some(met) };
        let mut checks = Vec::new();
        if !asked.is_empty() {
            let every = asked.iter().all(|point| answered(point).is_some_and(said));
            let found = asked.iter().all(|point| answered(point).is_some());
            checks.push(Check { what: "every point answered".to_owned(), met: known(every) });
            checks.push(Check { what: "a finding for each".to_owned(), met: known(found) });
        }
        let owed = asked.is_empty()
            || self
                .points
                .iter()
                .any(|one| matches!(one.finding, Outcome::Upheld | Outcome::PartlyUpheld));
        if owed || by_mail {
            let remedy = self.remedy.as_ref();
            let whole = remedy.is_some_and(|one| one.by.is_some() && one.by_whom.is_some());
            let what = "what will be put right, by whom, by when".to_owned();
            checks.push(Check { what, met: known(whole) });
        }
        checks
    }
}

/// How many working days a link lasts after the last day of what it opens (console 3.13).
pub const LINK_DAYS: i32 = 15;

/// The last day of a link: so long after the day of the customer's answer, or after its letter where that is
/// later: a letter about what is late long since opens something too.
///
/// # Errors
/// [`NotCovered`] if the calendar does not reach so far.
pub fn last_day(
    made_on: Date,
    due_on: Date,
    calendar: &WorkingCalendar,
) -> Result<Date, NotCovered> {
    calendar.add_working_days(made_on.max(due_on), LINK_DAYS)
}

/// How a request stands that a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is waited for.
    Open,
    /// It is waited for, and its day has passed.
    Late,
    /// The clock stands still: no day now.
    Paused,
    /// The service answered.
    Answered,
    /// It is not with this service any more.
    Moved,
    /// The customer has been answered.
    Done,
    /// The case is over.
    Closed,
}

impl Standing {
    /// How a request stands: by its own state and day, and by its case.
    pub fn of(
        state: &str,
        case: CaseStatus,
        has_date: bool,
        due: Option<Date>,
        today: Date,
    ) -> Self {
        match (case, state) {
            (CaseStatus::Answered, _) => Self::Done,
            (CaseStatus::Closed | CaseStatus::Withdrawn | CaseStatus::Rejected, _) => Self::Closed,
            (CaseStatus::Open, "answered") => Self::Answered,
            (CaseStatus::Open, "asked" | "accepted") if !has_date => Self::Paused,
            (CaseStatus::Open, "asked" | "accepted") => {
                if due.is_some_and(|due| due < today) {
                    Self::Late
                } else {
                    Self::Open
                }
            }
            (CaseStatus::Open, _) => Self::Moved,
        }
    }

    /// Whether something is still asked of the service.
    pub fn is_waited_for(self) -> bool {
        matches!(self, Self::Open | Self::Late | Self::Paused)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::casework::vocabulary::{SubTheme, Theme};

    fn calendar() -> WorkingCalendar {
        let text = include_str!("../../rules/calendar/bank-holidays-england.json");
        WorkingCalendar::from_json("calendar", text).expect("the shipped calendar")
    }

    #[test]
    fn a_link_lasts_fifteen_working_days_from_the_later_day() {
        let calendar = calendar();
        for (made_on, due_on, last) in [
            // Across Christmas 2026: the 25th, the 28th and New Year's Day are no working days.
            (date(2026, 11, 25), date(2026, 12, 16), date(2027, 1, 11)),
            // Late already when it was made.
            (date(2026, 11, 25), date(2026, 10, 7), date(2026, 12, 16)),
        ] {
            assert_eq!(last_day(made_on, due_on, &calendar), Ok(last), "{made_on} {due_on}");
        }
    }

    #[test]
    fn how_a_request_stands_is_its_case_first() {
        let today = date(2026, 11, 25);
        let of =
            |state, case, due: Option<Date>| Standing::of(state, case, due.is_some(), due, today);
        let (open, tomorrow) = (CaseStatus::Open, Some(date(2026, 11, 26)));
        for (standing, expected) in [
            (of("asked", open, tomorrow), Standing::Open),
            (of("accepted", open, Some(today)), Standing::Open),
            (of("accepted", open, Some(date(2026, 11, 24))), Standing::Late),
            (of("asked", open, None), Standing::Paused),
            (of("answered", open, None), Standing::Answered),
            (of("declined", open, tomorrow), Standing::Moved),
            (of("cancelled", open, tomorrow), Standing::Moved),
            (of("answered", CaseStatus::Answered, tomorrow), Standing::Done),
            (of("asked", CaseStatus::Withdrawn, tomorrow), Standing::Closed),
            (of("cancelled", CaseStatus::Closed, tomorrow), Standing::Closed),
        ] {
            assert_eq!(standing, expected);
        }
    }

    #[test]
    fn what_lacks_in_an_answer_is_told() {
        let delay = Point { theme: Theme::ServiceIssue, part: Some(SubTheme::Delay) };
        let conduct = Point { theme: Theme::StaffConduct, part: None };
        let one = |point, finding, why: &str| PointAnswered {
            point,
            finding,
            why: Private(why.to_owned()),
        };
        let met = |given: &Given, by_mail| -> Vec<Option<bool>> {
            given.checks(&[delay, conduct], by_mail).into_iter().map(|check| check.met).collect()
        };
        let mut given =
            Given { points: vec![one(delay, Outcome::Upheld, "It was late.")], ..Given::default() };
        assert_eq!(met(&given, false), [Some(false), Some(false), Some(false)]);
        given.points.push(one(conduct, Outcome::NotUpheld, " "));
        assert_eq!(met(&given, false), [Some(false), Some(true), Some(false)]);
        given.points.pop();
        given.points.push(one(conduct, Outcome::NotUpheld, "We listened to the call."));
        given.remedy = Some(Remedy {
            what: Private("Write.".to_owned()),
            by_whom: Some(Private("Jo".to_owned())),
            by: Some(date(2026, 12, 1)),
        });
        assert_eq!(met(&given, false), [Some(true), Some(true), Some(true)]);
        assert_eq!(met(&given, true), [None, None, None], "of a mail only a reader can tell");
        // Nothing is owed where nothing was upheld.
        given.points.remove(0);
        assert_eq!(given.checks(&[conduct], false).len(), 2);
        assert_eq!(given.words(), "We listened to the call.\n\nWrite.");
    }
}
