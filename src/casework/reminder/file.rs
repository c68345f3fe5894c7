//! `rules/reminders.toml` as written, and everything that can be wrong with it.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::{Anchor, Ladder, Offset, OnlyWhile, Role, Step, Steps, Via};
use crate::fault::Fault;

/// More working days than any limit has, so a slip of the keyboard.
const FARTHEST: i32 = 260;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    send_at: Spanned<String>,
    checking_margin: Spanned<u16>,
    short_up_to: u16,
    long_from: Option<Spanned<u16>>,
    step: Vec<StepEntry>,
    #[serde(default)]
    action: Vec<ActionEntry>,
    ombudsman: Option<Vec<OmbudsmanEntry>>,
}

/// A step of the Ombudsman's ladder. All of them go in the one mail that a person gets a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OmbudsmanEntry {
    id: Spanned<String>,
    at: Spanned<String>,
    to: Spanned<Vec<Role>>,
    repeat_every: Option<Spanned<u16>>,
}

/// The shipped file: a council's own from before there were steps for the Ombudsman goes on with these.
const SHIPPED: &str = include_str!("../../../rules/reminders.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    id: Spanned<String>,
    at: Spanned<String>,
    at_short: Option<Spanned<String>>,
    to: Spanned<Vec<Role>>,
    asks: Option<String>,
    repeat_every: Option<Spanned<u16>>,
    until: Option<Spanned<String>>,
    only_while: Option<Spanned<Only>>,
    via: Option<Via>,
}

/// `only_while`, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    NotAccepted,
    Long,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionEntry {
    id: Spanned<String>,
    at: Spanned<String>,
    to: Spanned<Vec<Role>>,
    asks: Option<String>,
    repeat_every: Option<Spanned<u16>>,
}

pub(super) fn read(file: &str, text: &str) -> Result<Ladder, Vec<Fault>> {
    let entries: File =
        toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
    let mut reader = Reader { file, text, faults: Vec::new() };
    let ladder = reader.ladder(entries);
    if reader.faults.is_empty() { Ok(ladder) } else { Err(reader.faults) }
}

/// The steps of the Ombudsman's dates, and of what was agreed without one.
#[derive(Default)]
struct OfOmbudsman {
    dated: Vec<Step>,
    undated: Vec<Step>,
}

/// The shipped ones.
fn shipped() -> OfOmbudsman {
    let entries = toml::from_str::<File>(SHIPPED).ok().and_then(|file| file.ombudsman);
    let mut reader = Reader { file: "reminders.toml", text: SHIPPED, faults: Vec::new() };
    entries.map(|entries| reader.ombudsman(entries)).unwrap_or_default()
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault<T>(&mut self, place: &Spanned<T>, what: impl Into<String>, cure: &str) {
        let fault = Fault::new(self.file, what, cure);
        self.faults.push(fault.at_offset(self.text, place.span().start));
    }

    fn ladder(&mut self, file: File) -> Ladder {
        let send_at = file.send_at.get_ref().parse().unwrap_or_else(|_| {
            let what = format!("`{}` is not a time of day", file.send_at.get_ref());
            self.fault(&file.send_at, what, "write it as \"08:30\"");
            jiff::civil::Time::midnight()
        });
        if i32::from(*file.checking_margin.get_ref()) > FARTHEST {
            self.fault(&file.checking_margin, "a margin of more than a year", "write 0 to 260");
        }
        let long_from = file.long_from.map(|from| self.long_from(&from, file.short_up_to));
        let mut ids = BTreeSet::new();
        let mut steps = Vec::new();
        for entry in file.step {
            self.id(&entry.id, &mut ids);
            steps.push(self.step(entry, long_from));
        }
        let mut ids = BTreeSet::new();
        let mut actions = Vec::new();
        for entry in file.action {
            self.id(&entry.id, &mut ids);
            actions.push(self.action(entry));
        }
        let ombudsman = file.ombudsman.map_or_else(shipped, |entries| self.ombudsman(entries));
        Ladder {
            send_at,
            checking_margin: file.checking_margin.into_inner(),
            short_up_to: file.short_up_to,
            steps: Steps(steps),
            actions: Steps(actions),
            ombudsman: Steps(ombudsman.dated),
            undated: Steps(ombudsman.undated),
        }
    }

    fn long_from(&mut self, from: &Spanned<u16>, short_up_to: u16) -> u16 {
        if *from.get_ref() <= short_up_to {
            let what =
                format!("a limit of {} working days would be both short and long", from.get_ref());
            self.fault(from, what, &format!("write more than short_up_to, which is {short_up_to}"));
        } else if i32::from(*from.get_ref()) > FARTHEST {
            let cure = format!("write at most {FARTHEST}");
            self.fault(from, "no answer takes more than a year", &cure);
        }
        *from.get_ref()
    }

    fn ombudsman(&mut self, entries: Vec<OmbudsmanEntry>) -> OfOmbudsman {
        let mut ids = BTreeSet::new();
        let mut all = OfOmbudsman::default();
        for entry in entries {
            self.id(&entry.id, &mut ids);
            if let Some(at) = offset(entry.at.get_ref(), &OF_UNDATED) {
                if at.working_days < 0 {
                    let cure = "write decided, with + working days: \"decided + 10\"";
                    self.fault(&entry.at, "nothing is agreed before the decision", cure);
                }
                all.undated.push(self.of_ombudsman(entry, at));
                continue;
            }
            let at = offset(entry.at.get_ref(), &OF_REQUESTS);
            if at.is_some_and(|at| at.anchor == Anchor::DraftDue) {
                let cure = "count from due, the day that the Ombudsman gives, from opened, or from decided";
                self.fault(&entry.at, "the Ombudsman waits for no draft", cure);
            }
            let at = self.offset(&entry.at);
            all.dated.push(self.of_ombudsman(entry, at));
        }
        if all.undated.is_empty() && self.text != SHIPPED {
            // A council's own file from before there were steps for these.
            all.undated = shipped().undated;
        }
        all
    }

    fn of_ombudsman(&mut self, entry: OmbudsmanEntry, at: Offset) -> Step {
        if entry.to.get_ref().contains(&Role::ActionOwner) {
            let cure = "write it in an [[action]], and here who answers to the Ombudsman";
            self.fault(&entry.to, "no action is reminded of here", cure);
        }
        self.sent_to_somebody(&entry.to, entry.repeat_every.as_ref());
        Step {
            id: entry.id.into_inner(),
            at,
            at_short: None,
            to: entry.to.into_inner(),
            asks: None,
            repeat_every: entry.repeat_every.map(Spanned::into_inner),
            until: None,
            only_while: None,
            via: Via::Digest,
        }
    }

    fn id(&mut self, id: &Spanned<String>, ids: &mut BTreeSet<String>) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if id.get_ref().is_empty() || !id.get_ref().chars().all(plain) {
            let what = format!("`{}` is no id", id.get_ref());
            self.fault(id, what, "write small letters, digits and _ only");
        } else if !ids.insert(id.get_ref().clone()) {
            let what = format!("step `{}` is there twice", id.get_ref());
            self.fault(id, what, "give each step its own id: what was sent is remembered by it");
        }
    }

    fn step(&mut self, entry: StepEntry, long_from: Option<u16>) -> Step {
        if entry.to.get_ref().contains(&Role::ActionOwner) {
            let cure = "write it in an [[action]], and here who answers for the request";
            self.fault(&entry.to, "no action is reminded of here", cure);
        }
        self.sent_to_somebody(&entry.to, entry.repeat_every.as_ref());
        Step {
            id: entry.id.into_inner(),
            at: self.offset(&entry.at),
            at_short: entry.at_short.map(|at| self.offset(&at)),
            to: entry.to.into_inner(),
            asks: entry.asks,
            repeat_every: entry.repeat_every.map(Spanned::into_inner),
            until: entry.until.map(|until| self.offset(&until)),
            only_while: entry.only_while.and_then(|only| self.only_while(&only, long_from)),
            via: entry.via.unwrap_or(Via::Digest),
        }
    }

    fn only_while(&mut self, only: &Spanned<Only>, long_from: Option<u16>) -> Option<OnlyWhile> {
        match (only.get_ref(), long_from) {
            (Only::NotAccepted, _) => Some(OnlyWhile::NotAccepted),
            (Only::Long, Some(from)) => Some(OnlyWhile::Long(from)),
            (Only::Long, None) => {
                let cure = "write `long_from = 45` above the steps, or leave this step out";
                self.fault(only, "nothing says how many working days are long", cure);
                None
            }
        }
    }

    fn action(&mut self, entry: ActionEntry) -> Step {
        self.sent_to_somebody(&entry.to, entry.repeat_every.as_ref());
        let at = offset(entry.at.get_ref(), &OF_ACTIONS).unwrap_or_else(|| {
            let what = format!("`{}` is no day of an action", entry.at.get_ref());
            let cure = "write agreed or due, with + or - working days: \"due + 5\"";
            self.fault(&entry.at, what, cure);
            NOWHERE
        });
        Step {
            id: entry.id.into_inner(),
            at,
            at_short: None,
            to: entry.to.into_inner(),
            asks: entry.asks,
            repeat_every: entry.repeat_every.map(Spanned::into_inner),
            until: None,
            only_while: None,
            via: Via::Digest,
        }
    }

    fn sent_to_somebody(&mut self, to: &Spanned<Vec<Role>>, every: Option<&Spanned<u16>>) {
        if to.get_ref().is_empty() {
            self.fault(to, "the step goes to nobody", "name at least one role");
        }
        if let Some(every) = every.filter(|every| *every.get_ref() == 0) {
            self.fault(
                every,
                "a step cannot repeat every 0 days",
                "write 1 or more, or leave it out",
            );
        }
    }

    fn offset(&mut self, written: &Spanned<String>) -> Offset {
        offset(written.get_ref(), &OF_REQUESTS).unwrap_or_else(|| {
            let what = format!("`{}` is no day of a request", written.get_ref());
            let cure = "write opened, draft_due or due, with + or - working days: \"due + 5\"";
            self.fault(written, what, cure);
            NOWHERE
        })
    }
}

/// Stands for a day that could not be read.
const NOWHERE: Offset = Offset { anchor: Anchor::Due, working_days: 0 };

/// The days of a request.
const OF_REQUESTS: [(&str, Anchor); 3] =
    [("opened", Anchor::Opened), ("draft_due", Anchor::DraftDue), ("due", Anchor::Due)];

/// The day of what was agreed with the Ombudsman without a date.
const OF_UNDATED: [(&str, Anchor); 1] = [("decided", Anchor::Opened)];

/// The days of an action.
const OF_ACTIONS: [(&str, Anchor); 2] = [("agreed", Anchor::Opened), ("due", Anchor::Due)];

/// Reads `draft_due - 8`.
fn offset(text: &str, days_of: &[(&str, Anchor)]) -> Option<Offset> {
    let (name, sign, days) = match (text.split_once('+'), text.split_once('-')) {
        (Some((name, days)), None) => (name, 1, days),
        (None, Some((name, days))) => (name, -1, days),
        (None, None) => (text, 1, "0"),
        (Some(_), Some(_)) => return None,
    };
    let (_, anchor) = *days_of.iter().find(|(known, _)| *known == name.trim())?;
    let days = days.trim();
    let digits = days.bytes().all(|byte| byte.is_ascii_digit());
    let days = days.parse::<i32>().ok().filter(|days| digits && *days <= FARTHEST)?;
    Some(Offset { anchor, working_days: sign * days })
}
