//! `rules/procedures.toml` as written, and everything that can be wrong with it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{ClockStart, Length, Limits, Procedure, Procedures, Stage, Suspension, Temporary};
use crate::casework::deadline::StartRule;
use crate::casework::vocabulary::RecordType;
use crate::fault::Fault;

/// A year: more working days than any procedure gives, so a slip of the keyboard.
const MOST_DAYS: u16 = 260;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    start_rule: StartRule,
    procedure: Vec<ProcedureEntry>,
    #[serde(default)]
    suspension: Vec<SuspensionEntry>,
    #[serde(default)]
    temporary: Vec<TemporaryEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuspensionEntry {
    procedure: Spanned<String>,
    stage: Spanned<u8>,
    from: Spanned<Datetime>,
    to: Spanned<Datetime>,
    because: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemporaryEntry {
    name: Spanned<String>,
    procedure: Spanned<String>,
    stage: Spanned<u8>,
    from: Spanned<Datetime>,
    to: Spanned<Datetime>,
    months: Option<Spanned<u8>>,
    days: Option<Spanned<u16>>,
    because: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcedureEntry {
    id: Spanned<String>,
    label: String,
    basis: String,
    #[serde(default)]
    record_types: Vec<Spanned<RecordType>>,
    replaces: Option<Spanned<String>>,
    from: Option<Spanned<Datetime>>,
    start_rule: Option<StartRule>,
    #[serde(default)]
    stage: Vec<StageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageEntry {
    number: Spanned<u8>,
    label: String,
    clock_starts: ClockStart,
    limits: Spanned<Vec<LimitsEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsEntry {
    from: Spanned<Datetime>,
    acknowledge: Spanned<u16>,
    target: Option<Spanned<u16>>,
    latest: Option<Spanned<u16>>,
    ask_next_within: Option<Spanned<u16>>,
    panel_report: Option<Spanned<u16>>,
    council_response: Option<Spanned<u16>>,
    start_rule: Option<StartRule>,
    because: String,
}

/// What the file says, or everything that is wrong with it.
pub(super) fn read(file: &str, text: &str) -> Result<Procedures, Vec<Fault>> {
    let mut entries: File =
        toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
    let suspensions = std::mem::take(&mut entries.suspension);
    let temporary = std::mem::take(&mut entries.temporary);
    let mut reader = Reader { file, text, faults: Vec::new() };
    let procedures = reader.procedures(entries);
    let suspensions = reader.suspensions(suspensions, &procedures);
    let temporary = reader.temporary(temporary, &procedures);
    if reader.faults.is_empty() {
        Ok(Procedures { all: procedures, suspensions, temporary })
    } else {
        Err(reader.faults)
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, what: impl Into<String>, cure: impl Into<String>) {
        self.faults.push(Fault::new(self.file, what, cure).at_offset(self.text, offset));
    }

    fn procedures(&mut self, file: File) -> Vec<Procedure> {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        let mut procedures = Vec::new();
        let mut replaced = Vec::new();
        for entry in file.procedure {
            if !ids.insert(entry.id.get_ref().clone()) {
                let what = format!("procedure `{}` is there twice", entry.id.get_ref());
                self.fault(entry.id.span().start, what, "give each procedure its own id");
            }
            self.record_types(&entry, &mut taken);
            replaced.extend(
                entry.replaces.as_ref().map(|one| (one.span().start, one.get_ref().clone())),
            );
            procedures.push(self.procedure(entry, file.start_rule));
        }
        for (at, replaced) in replaced {
            let own: Option<&Procedure> =
                procedures.iter().find(|one: &&Procedure| one.id == replaced);
            if own.is_none_or(|own| own.replaces.is_some()) {
                let what = format!("no procedure `{replaced}` to take the place of");
                self.fault(at, what, "name one that has record types of its own");
            }
        }
        for record_type in RecordType::ALL {
            if record_type.opens_case() && !taken.contains(record_type) {
                self.faults.push(Fault::new(
                    self.file,
                    format!("no procedure takes `{record_type}`"),
                    "add it to the `record_types` of one procedure",
                ));
            }
        }
        procedures
    }

    fn record_types(&mut self, entry: &ProcedureEntry, taken: &mut BTreeSet<RecordType>) {
        for written in &entry.record_types {
            let record_type = *written.get_ref();
            let at = written.span().start;
            if !record_type.opens_case() {
                let what = format!("`{record_type}` opens no case, so no procedure takes it");
                self.fault(at, what, "take it out");
            } else if !taken.insert(record_type) {
                let what = format!("`{record_type}` already goes through another procedure");
                self.fault(at, what, "keep it in one procedure only");
            }
        }
    }

    /// What a procedure takes the place of. That it exists is checked when all are read.
    fn replaces(&mut self, entry: &ProcedureEntry) -> Option<(String, Option<Date>)> {
        let from = entry.from.as_ref();
        let Some(replaced) = &entry.replaces else {
            if entry.record_types.is_empty() {
                let what = format!("procedure `{}` takes no record type", entry.id.get_ref());
                let cure = "add `record_types`, or `replaces`";
                self.fault(entry.id.span().start, what, cure);
            }
            if let Some(from) = from {
                let what =
                    "`from` says since when a procedure takes another's place, and it takes none";
                self.fault(from.span().start, what, "add `replaces`, or take `from` out");
            }
            return None;
        };
        if let Some(own) = entry.record_types.first() {
            let what =
                format!("it takes the place of `{}`, and its record types", replaced.get_ref());
            self.fault(own.span().start, what, "leave `record_types` out");
        }
        let day = from.and_then(|from| self.day(from));
        Some((replaced.get_ref().clone(), day))
    }

    fn procedure(&mut self, entry: ProcedureEntry, start_rule: StartRule) -> Procedure {
        let replaces = self.replaces(&entry);
        if entry.stage.is_empty() {
            let what = format!("procedure `{}` has no stage", entry.id.get_ref());
            self.fault(entry.id.span().start, what, "add a [[procedure.stage]] with number = 1");
        }
        let mut stages = Vec::new();
        for (expected, stage) in (1_u8..).zip(entry.stage) {
            if *stage.number.get_ref() != expected {
                let what = format!("stage {} where {expected} should be", stage.number.get_ref());
                self.fault(stage.number.span().start, what, format!("write number = {expected}"));
            }
            stages.push(self.stage(stage));
        }
        Procedure {
            id: entry.id.into_inner(),
            label: entry.label,
            basis: entry.basis,
            record_types: entry.record_types.into_iter().map(Spanned::into_inner).collect(),
            replaces,
            start_rule: entry.start_rule.unwrap_or(start_rule),
            stages,
        }
    }

    fn stage(&mut self, entry: StageEntry) -> Stage {
        if entry.limits.get_ref().is_empty() {
            let cure = "write one line like { from = 2026-04-01, acknowledge = 3, target = 20, latest = 20, because = \"…\" }";
            self.fault(entry.limits.span().start, "the stage has no time limits", cure);
        }
        let mut limits: Vec<Limits> = Vec::new();
        for line in entry.limits.into_inner() {
            let at = line.from.span().start;
            let Some(line) = self.limits(line) else { continue };
            if let Some(earlier) = limits.last().filter(|earlier| earlier.from >= line.from) {
                let what = format!("limits from {} follow those from {}", line.from, earlier.from);
                self.fault(at, what, "put the oldest first, each day once");
            }
            limits.push(line);
        }
        Stage {
            number: entry.number.into_inner(),
            label: entry.label,
            clock_starts: entry.clock_starts,
            limits,
        }
    }

    fn limits(&mut self, entry: LimitsEntry) -> Option<Limits> {
        if let (Some(target), Some(latest)) = (&entry.target, &entry.latest)
            && target.get_ref() > latest.get_ref()
        {
            let what =
                format!("the target {} is after the latest {}", target.get_ref(), latest.get_ref());
            self.fault(target.span().start, what, "make `target` no more than `latest`");
        }
        if let (Some(target), None) = (&entry.target, &entry.latest) {
            let cure = "add `latest`, the same number if there is no other";
            self.fault(target.span().start, "a target without an outer limit", cure);
        }
        Some(Limits {
            from: self.day(&entry.from)?,
            acknowledge: self.days(&entry.acknowledge),
            target: entry.target.map(|days| self.days(&days)),
            latest: entry.latest.map(|days| self.days(&days)),
            ask_next_within: entry.ask_next_within.map(|days| self.days(&days)),
            panel_report: entry.panel_report.map(|days| self.days(&days)),
            council_response: entry.council_response.map(|days| self.days(&days)),
            start_rule: entry.start_rule,
            because: entry.because,
        })
    }

    fn suspensions(
        &mut self,
        entries: Vec<SuspensionEntry>,
        procedures: &[Procedure],
    ) -> Vec<Suspension> {
        let mut suspensions = Vec::new();
        for entry in entries {
            self.known_stage(procedures, &entry.procedure, &entry.stage, "suspend");
            if entry.because.get_ref().trim().is_empty() {
                let what = "a suspension needs a reason";
                self.fault(entry.because.span().start, what, "say why, as customers may be told");
            }
            let (Some(from), Some(to)) = (self.day(&entry.from), self.day(&entry.to)) else {
                continue;
            };
            if to <= from {
                let what = format!("the suspension ends on {to}, before it begins");
                let cure = "`to` is the first day that counts again";
                self.fault(entry.to.span().start, what, cure);
            }
            suspensions.push(Suspension {
                procedure: entry.procedure.into_inner(),
                stage: entry.stage.into_inner(),
                from,
                to,
                because: entry.because.into_inner(),
            });
        }
        suspensions
    }

    /// Whether an entry names a stage that there is.
    fn known_stage(
        &mut self,
        procedures: &[Procedure],
        id: &Spanned<String>,
        stage: &Spanned<u8>,
        to_do: &str,
    ) {
        let Some(procedure) = procedures.iter().find(|one| one.id == *id.get_ref()) else {
            let ids: Vec<&str> = procedures.iter().map(|one| one.id.as_str()).collect();
            let cure = format!("write one of {}", ids.join(", "));
            let what = format!("no procedure `{}` to {to_do}", id.get_ref());
            return self.fault(id.span().start, what, cure);
        };
        if let Err(fault) = procedure.stage(*stage.get_ref()) {
            let cure = "name a stage that it has";
            self.fault(stage.span().start, fault.to_string(), cure);
        }
    }

    fn temporary(
        &mut self,
        entries: Vec<TemporaryEntry>,
        procedures: &[Procedure],
    ) -> Vec<Temporary> {
        let mut temporary: Vec<Temporary> = Vec::new();
        for entry in entries {
            self.known_stage(procedures, &entry.procedure, &entry.stage, "give more time");
            self.name_of(&entry.name, &temporary);
            if entry.because.get_ref().trim().is_empty() {
                let what = "more time needs a reason";
                self.fault(entry.because.span().start, what, "say why, as customers may be told");
            }
            let length = self.length(&entry);
            let (Some(from), Some(to)) = (self.day(&entry.from), self.day(&entry.to)) else {
                continue;
            };
            if to <= from {
                let what = format!("the policy ends on {to}, before it begins");
                let cure = "`to` is the first day on which a clock may start that it is not for";
                self.fault(entry.to.span().start, what, cure);
            }
            temporary.extend(length.map(|length| Temporary {
                name: entry.name.into_inner(),
                procedure: entry.procedure.into_inner(),
                stage: entry.stage.into_inner(),
                from,
                to,
                length,
                because: entry.because.into_inner(),
            }));
        }
        temporary
    }

    /// What officers type: one word, of one policy.
    fn name_of(&mut self, name: &Spanned<String>, known: &[Temporary]) {
        let (at, text) = (name.span().start, name.get_ref());
        let plain = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '-';
        if text.is_empty() || !text.chars().all(plain) {
            let what = format!("`{text}` is no name that an officer can type");
            self.fault(at, what, "write letters, digits and `_`: longer_2020");
        }
        if known.iter().any(|one| one.name == *text) {
            let what = format!("the name `{text}` is there twice");
            self.fault(at, what, "give each policy its own name");
        }
    }

    fn length(&mut self, entry: &TemporaryEntry) -> Option<Length> {
        match (&entry.months, &entry.days) {
            (Some(months), None) => {
                if !(1..=12).contains(months.get_ref()) {
                    let what = format!("{} is no number of months", months.get_ref());
                    self.fault(months.span().start, what, "write 1 to 12");
                }
                Some(Length::Months(*months.get_ref()))
            }
            (None, Some(days)) => Some(Length::Days(self.days(days))),
            (None, None) | (Some(_), Some(_)) => {
                let what = format!("`{}` has one length", entry.name.get_ref());
                let cure = "write `months`, or `days` for working days: one of them";
                self.fault(entry.name.span().start, what, cure);
                None
            }
        }
    }

    fn days(&mut self, written: &Spanned<u16>) -> u16 {
        let days = *written.get_ref();
        if days == 0 || days > MOST_DAYS {
            let what = format!("{days} is no number of working days for a limit");
            self.fault(written.span().start, what, format!("write 1 to {MOST_DAYS}"));
        }
        days
    }

    fn day(&mut self, written: &Spanned<Datetime>) -> Option<Date> {
        let value = written.get_ref();
        let day = match value {
            Datetime { date: Some(_), time: None, offset: None } => value.to_string().parse().ok(),
            Datetime { .. } => None,
        };
        if day.is_none() {
            let what = format!("`{value}` is not a day");
            self.fault(written.span().start, what, "write a day without a time: from = 2026-04-01");
        }
        day
    }
}
