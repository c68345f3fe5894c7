//! `rules/officers.toml` as written, and everything that can be wrong with it.

use serde::Deserialize;
use toml::Spanned;

use super::{Absence, AwayEntry, Officer, Officers, OnAbsence, OnReturn, Rule, Weights};
use crate::casework::case::OfficerId;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::fault::Fault;

/// What nobody can be called: commands and histories use these words.
const TAKEN: [&str; 2] = ["nobody", "gateway"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    absence_days: Option<u16>,
    on_absence: Option<OnAbsence>,
    on_return: Option<OnReturn>,
    #[serde(default)]
    load: LoadEntry,
    #[serde(default)]
    officer: Vec<OfficerEntry>,
    #[serde(default)]
    allocate: Vec<RuleEntry>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadEntry {
    case: Option<Spanned<u16>>,
    later_stage: Option<u16>,
    overdue: Option<u16>,
    safeguarding: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficerEntry {
    id: Spanned<String>,
    name: Spanned<String>,
    address: Spanned<String>,
    share: Option<Spanned<f64>>,
    #[serde(default)]
    record_types: Vec<Spanned<RecordType>>,
    #[serde(default)]
    services: Vec<Spanned<String>>,
    #[serde(default)]
    not_flags: Vec<Flag>,
    most_open: Option<Spanned<u32>>,
    #[serde(default)]
    away: Vec<AwayEntry>,
    deputy: Option<Spanned<String>>,
    takes_new: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    #[serde(default)]
    record_types: Vec<Spanned<RecordType>>,
    #[serde(default)]
    services: Vec<Spanned<String>>,
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    customers: Vec<CustomerType>,
    to: Spanned<Vec<Spanned<String>>>,
    why: Spanned<String>,
}

pub(super) fn read(
    file: &str,
    text: &str,
    services: Option<&[&str]>,
) -> Result<Officers, Vec<Fault>> {
    let entries: File =
        toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
    let mut reader = Reader { file, text, services, faults: Vec::new() };
    let officers = reader.officers(entries);
    if reader.faults.is_empty() { Ok(officers) } else { Err(reader.faults) }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    services: Option<&'a [&'a str]>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault<T>(&mut self, place: &Spanned<T>, what: impl Into<String>, cure: impl Into<String>) {
        let fault = Fault::new(self.file, what, cure);
        self.faults.push(fault.at_offset(self.text, place.span().start));
    }

    fn officers(&mut self, file: File) -> Officers {
        let shipped = Officers::default();
        let ids: Vec<String> = file.officer.iter().map(|one| one.id.get_ref().clone()).collect();
        let weights = self.weights(file.load);
        let mut all: Vec<Officer> = Vec::new();
        for entry in file.officer {
            let id = entry.id.get_ref();
            if all.iter().any(|one| one.id.0 == *id) {
                let what = format!("officer `{id}` is there twice");
                self.fault(&entry.id, what, "give each their own id: cases remember it");
            }
            let officer = self.officer(entry, &ids);
            all.push(officer);
        }
        let rules = file.allocate.into_iter().map(|entry| self.rule(entry, &ids)).collect();
        Officers {
            all,
            rules,
            weights,
            absence_days: file.absence_days.unwrap_or(shipped.absence_days),
            on_absence: file.on_absence.unwrap_or(shipped.on_absence),
            on_return: file.on_return.unwrap_or(shipped.on_return),
        }
    }

    fn weights(&mut self, entry: LoadEntry) -> Weights {
        let shipped = Weights::default();
        if let Some(case) = entry.case.as_ref().filter(|case| *case.get_ref() == 0) {
            self.fault(
                case,
                "a case that weighs nothing is given to one officer for ever",
                "write 1 or more",
            );
        }
        Weights {
            case: entry.case.map_or(shipped.case, Spanned::into_inner),
            later_stage: entry.later_stage.unwrap_or(shipped.later_stage),
            overdue: entry.overdue.unwrap_or(shipped.overdue),
            safeguarding: entry.safeguarding.unwrap_or(shipped.safeguarding),
        }
    }

    fn officer(&mut self, entry: OfficerEntry, ids: &[String]) -> Officer {
        self.id(&entry.id);
        if entry.name.get_ref().trim().is_empty() {
            self.fault(&entry.name, "the officer has no name", "write how mail greets them");
        }
        if !looks_like_address(entry.address.get_ref()) {
            let what = format!("`{}` is not an e-mail address", entry.address.get_ref());
            self.fault(&entry.address, what, "write name@domain");
        }
        if let Some(most) = entry.most_open.as_ref().filter(|most| *most.get_ref() == 0) {
            self.fault(
                most,
                "nobody can have fewer than 0 cases",
                "write takes_new = false instead",
            );
        }
        if let Some(deputy) = &entry.deputy {
            self.known(deputy, ids);
            if deputy.get_ref() == entry.id.get_ref() {
                self.fault(deputy, "nobody stands in for themselves", "name another officer");
            }
        }
        Officer {
            share: self.share(entry.share.as_ref()),
            record_types: self.record_types(entry.record_types),
            services: self.services(entry.services),
            not_flags: entry.not_flags,
            most_open: entry.most_open.map(Spanned::into_inner),
            away: entry.away.iter().filter_map(|away| self.away(away)).collect(),
            deputy: entry.deputy.map(|deputy| OfficerId(deputy.into_inner())),
            takes_new: entry.takes_new.unwrap_or(true),
            id: OfficerId(entry.id.into_inner()),
            name: entry.name.into_inner(),
            address: entry.address.into_inner(),
        }
    }

    fn id(&mut self, id: &Spanned<String>) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
        let text = id.get_ref();
        if text.is_empty() || !text.chars().all(plain) {
            let cure = "write small letters, digits, _, - and . only";
            self.fault(id, format!("`{text}` is no id"), cure);
        } else if TAKEN.contains(&text.as_str()) {
            self.fault(id, format!("`{text}` is nobody's id"), "choose another");
        }
    }

    fn known(&mut self, id: &Spanned<String>, ids: &[String]) {
        if !ids.contains(id.get_ref()) {
            let what = format!("no officer has the id `{}`", id.get_ref());
            let cure = match ids {
                [] => "add an [[officer]] first".to_owned(),
                ids => format!("write one of: {}", ids.join(", ")),
            };
            self.fault(id, what, cure);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    fn share(&mut self, share: Option<&Spanned<f64>>) -> u32 {
        let Some(share) = share else { return 1000 };
        let thousandths = (*share.get_ref() * 1000.0).round();
        if (1.0..=1000.0).contains(&thousandths) {
            return thousandths as u32;
        }
        let what = format!("`{}` is no share of the work", share.get_ref());
        self.fault(share, what, "write more than 0 and at most 1: 0.6 for three days of five");
        1000
    }

    fn record_types(&mut self, listed: Vec<Spanned<RecordType>>) -> Vec<RecordType> {
        for one in listed.iter().filter(|one| !one.get_ref().opens_case()) {
            let what = format!("`{}` is no case of its own", one.get_ref());
            self.fault(one, what, "name a type that opens one");
        }
        listed.into_iter().map(Spanned::into_inner).collect()
    }

    fn services(&mut self, listed: Vec<Spanned<String>>) -> Vec<ServiceId> {
        for one in &listed {
            let Some(known) = self.services else { break };
            // What nobody answers can be somebody's too.
            if one.get_ref() != "none" && !known.contains(&one.get_ref().as_str()) {
                let what = format!("services.toml has no service `{}`", one.get_ref());
                self.fault(one, what, format!("write one of: {}", known.join(", ")));
            }
        }
        listed.into_iter().map(|one| ServiceId(one.into_inner())).collect()
    }

    fn away(&mut self, entry: &AwayEntry) -> Option<Absence> {
        let read = entry.read();
        for wrong in read.as_ref().err().into_iter().flatten() {
            let fault = Fault::new(self.file, &wrong.what, &wrong.cure);
            self.faults.push(fault.at_offset(self.text, wrong.at));
        }
        read.ok()
    }

    fn rule(&mut self, entry: RuleEntry, ids: &[String]) -> Rule {
        if entry.to.get_ref().is_empty() {
            self.fault(
                &entry.to,
                "the rule gives its cases to nobody",
                "name at least one officer",
            );
        }
        for id in entry.to.get_ref() {
            self.known(id, ids);
        }
        if entry.why.get_ref().trim().is_empty() {
            self.fault(
                &entry.why,
                "the rule has no reason",
                "say why in a few words: cases show it",
            );
        }
        Rule {
            record_types: self.record_types(entry.record_types),
            services: self.services(entry.services),
            flags: entry.flags,
            customers: entry.customers,
            to: entry.to.into_inner().into_iter().map(|id| OfficerId(id.into_inner())).collect(),
            why: entry.why.into_inner().trim().to_owned(),
        }
    }
}

fn looks_like_address(text: &str) -> bool {
    let mut sides = text.split('@');
    matches!(
        (sides.next(), sides.next(), sides.next()),
        (Some(local), Some(domain), None)
            if !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
    )
}
