//! A part of a case: what one service answers of it, by when, and who there. The customer has one answer and one
//! date all the same (issues are counted one by one, report 4.2).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Case;
use crate::casework::vocabulary::{Outcome, ServiceId, SubTheme, Theme, UnknownValue};
use crate::private::Private;

/// One point that a service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Its theme.
    pub theme: Theme,
    /// What exactly, where an officer said.
    pub part: Option<SubTheme>,
}

impl Point {
    /// What staff read. It names nobody.
    pub fn label(self) -> &'static str {
        self.part.map_or_else(|| self.theme.label(), SubTheme::label)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "{part}"),
            None => write!(f, "{}", self.theme),
        }
    }
}

impl FromStr for Point {
    type Err = UnknownValue;

    /// A theme, or what exactly within one, which names the theme too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(part) = text.parse::<SubTheme>() {
            return Ok(Self { theme: part.theme(), part: Some(part) });
        }
        let theme = text.parse().map_err(|fault: UnknownValue| {
            let parts: Vec<&str> = SubTheme::ALL.iter().map(|part| part.id()).collect();
            UnknownValue {
                what: "point".to_owned(),
                expected: format!("{}, {}", fault.expected, parts.join(", ")),
                got: fault.got,
            }
        })?;
        Ok(Self { theme, part: None })
    }
}

/// Who answers a part, where that is not whom the services' file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Responder {
    /// As mails greet them.
    pub name: Private<String>,
    /// Where they are written to, in lower case.
    pub address: Private<String>,
}

/// What one service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Part {
    /// Which service.
    pub service: ServiceId,
    /// What of the case; nothing while nobody has said.
    pub points: Vec<Point>,
    /// By when it is with the complaints team, where that is not counted back from the customer's date.
    pub due_on: Option<Date>,
    /// Who there.
    pub responder: Option<Responder>,
}

impl Part {
    /// The part of a service of which nothing was said.
    pub fn plain(service: ServiceId) -> Self {
        Self { service, points: Vec::new(), due_on: None, responder: None }
    }
}

/// What findings come to together: upheld or not where all agree, partly where some are (report 4.2 and the
/// glossary). None where nothing was found.
pub fn together(outcomes: impl IntoIterator<Item = Outcome>) -> Option<Outcome> {
    outcomes.into_iter().reduce(|so_far, next| match (so_far, next) {
        (one, other) if one == other => one,
        (Outcome::Upheld | Outcome::PartlyUpheld, _)
        | (_, Outcome::Upheld | Outcome::PartlyUpheld) => Outcome::PartlyUpheld,
        (Outcome::NotUpheld, _) | (_, Outcome::NotUpheld) => Outcome::NotUpheld,
        (Outcome::NoFinding, _) | (_, Outcome::NoFinding) => Outcome::NoFinding,
        (Outcome::Withdrawn, Outcome::Withdrawn) => Outcome::Withdrawn,
    })
}

impl Case {
    /// What a service answers of the case.
    pub fn part(&self, service: &ServiceId) -> Part {
        let said = self.parts.iter().find(|part| part.service == *service);
        said.cloned().unwrap_or_else(|| Part::plain(service.clone()))
    }

    /// What was found of one service's part.
    pub fn outcome_of(&self, service: &ServiceId) -> Option<Outcome> {
        let findings = self.findings.iter();
        let theirs = findings.filter(|(issue, _)| issue.service.as_ref() == Some(service));
        together(theirs.map(|(_, outcome)| *outcome))
    }

    /// What was found of the whole case.
    pub fn outcome(&self) -> Option<Outcome> {
        together(self.findings.iter().map(|(_, outcome)| *outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_to_one_outcome_whatever_their_order() {
        use Outcome::{NoFinding, NotUpheld, PartlyUpheld, Upheld, Withdrawn};
        let rows = [
            (vec![], None),
            (vec![Upheld], Some(Upheld)),
            (vec![Upheld, Upheld], Some(Upheld)),
            (vec![Upheld, NotUpheld], Some(PartlyUpheld)),
            (vec![NotUpheld, NotUpheld, Upheld], Some(PartlyUpheld)),
            (vec![NotUpheld, NoFinding], Some(NotUpheld)),
            (vec![Withdrawn, NotUpheld], Some(NotUpheld)),
            (vec![Withdrawn, NoFinding], Some(NoFinding)),
            (vec![PartlyUpheld, Withdrawn], Some(PartlyUpheld)),
        ];
        for (outcomes, expected) in rows {
            assert_eq!(together(outcomes.clone()), expected, "{outcomes:?}");
            assert_eq!(together(outcomes.iter().rev().copied()), expected, "{outcomes:?} reversed");
        }
    }

    #[test]
    fn a_point_is_a_theme_or_what_exactly_within_one() {
        let delay: Point = "delay".parse().expect("a part of a theme");
        assert_eq!((delay.theme, delay.part), (Theme::ServiceIssue, Some(SubTheme::Delay)));
        assert_eq!(delay.to_string(), "delay");
        let conduct: Point = "staff_conduct".parse().expect("a theme");
        assert_eq!((conduct.theme, conduct.part), (Theme::StaffConduct, None));
        let fault = "rudeness".parse::<Point>().expect_err("unknown").to_string();
        assert!(
            fault.starts_with("unknown point `rudeness`; expected one of: communication, "),
            "{fault}"
        );
        assert!(fault.contains("not_followed"), "{fault}");
    }
}
