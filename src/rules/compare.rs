//! What another set of rules makes otherwise of a message, and whether that comes nearer to what
//! officers decided.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::trial::Labels;
use super::{Classification, Evidence};
use crate::casework::case::{Actor, CaseField, Event, Recorded};
use crate::casework::vocabulary::{ServiceId, vocabulary};

/// Weights that differ by less are the same: they are kept to the hundredth.
const SAME_WEIGHT: f64 = 0.005;

vocabulary! {
    /// A part of a result that can change.
    Field {
        /// What it is registered as.
        RecordType = "record_type", "record type";
        /// Who answers, lead first.
        Services = "services", "services";
        /// Who writes.
        CustomerType = "customer_type", "customer type";
        /// What is alleged.
        Themes = "themes", "themes";
        /// What to know or check.
        Flags = "flags", "flags";
        /// Whether an officer looks first.
        NeedsOfficer = "needs_officer", "needs an officer";
    }
}

vocabulary! {
    /// Whether a change comes nearer to what officers decided.
    Move {
        /// Nearer.
        Towards = "towards", "towards what officers decided";
        /// Farther.
        Away = "away", "away from what officers decided";
        /// One thing of the message nearer, another farther.
        BothWays = "both_ways", "both ways";
        /// Wrong before, and as wrong after.
        NoNearer = "no_nearer", "no nearer";
        /// No officer has decided it.
        Undecided = "undecided", "undecided by officers";
    }
}

vocabulary! {
    /// How an officer decided a value.
    How {
        /// They put it right.
        Corrected = "corrected", "corrected";
        /// They acted on the case and left it as it was.
        Left = "left", "left as it was";
    }
}

/// What an officer holds to be true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The value, several separated by commas.
    pub value: String,
    /// How they said so.
    pub how: How,
}

/// What officers decided of one case, by field.
pub type Truth = BTreeMap<Field, Decided>;

/// One field of one message that would be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    pub field: Field,
    /// What it was, several values separated by commas.
    pub before: String,
    /// What it would be.
    pub after: String,
    /// What an officer decided, where one did.
    pub officer: Option<Decided>,
    /// Whether it comes nearer to that.
    pub moves: Move,
    /// The rules that made the difference: `+id` fires now, `-id` no longer, `~id` with another weight.
    pub rules: Vec<String>,
}

/// How many results changed, and whither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Messages judged again.
    pub messages: usize,
    /// Those of them whose result changes.
    pub changed: usize,
    /// Those of them that no longer could be read as they were kept.
    pub unreadable: usize,
    /// The changed ones by where they move.
    pub moves: BTreeMap<Move, usize>,
}

/// What officers decided of a case. Its type, service and customer are decided when an officer
/// corrects, answers or ends the case: whoever does that has looked at them. Themes and flags are
/// decided only where they were corrected.
pub fn decided(events: &[Recorded]) -> Truth {
    let mut opened: Vec<(Field, String)> = Vec::new();
    let mut truth = Truth::new();
    let mut looked_at = false;
    for recorded in events {
        let by_officer = matches!(recorded.by, Actor::Officer(_));
        if let Event::Received { record_type, services, customer_type, .. } = &recorded.event {
            opened = vec![
                (Field::RecordType, record_type.to_string()),
                (Field::Services, listed(services)),
                (Field::CustomerType, customer_type.to_string()),
            ];
        } else if let Event::Corrected { field, after, .. } = &recorded.event {
            looked_at |= by_officer;
            let corrected = Decided { value: after.clone(), how: How::Corrected };
            truth.insert(field_of(*field), corrected);
        } else {
            looked_at |= by_officer && ends(&recorded.event);
        }
    }
    if looked_at {
        for (field, value) in opened {
            truth.entry(field).or_insert(Decided { value, how: How::Left });
        }
    }
    truth
}

/// What officers decided, as an example tells it. Themes and flags that they left are as they were
/// found. Nothing where the type, the service or the customer is undecided or no longer known.
pub fn labels(truth: &Truth, found: &Classification) -> Option<Labels> {
    fn each<T: std::str::FromStr>(value: &str) -> Option<Vec<T>> {
        let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| word.parse().ok()).collect()
    }
    let said = |field| truth.get(&field).map(|decided| decided.value.as_str());
    let service = said(Field::Services)?.split(',').map(str::trim);
    Some(Labels {
        record_type: said(Field::RecordType)?.parse().ok()?,
        service: service.map(|id| ServiceId(id.to_owned())).collect(),
        customer_type: said(Field::CustomerType)?.parse().ok()?,
        themes: said(Field::Themes).map_or_else(|| Some(found.themes.clone()), each)?,
        flags: said(Field::Flags).map_or_else(|| Some(found.flags.clone()), each)?,
    })
}

fn ends(event: &Event) -> bool {
    matches!(
        event,
        Event::Responded { .. }
            | Event::Closed { .. }
            | Event::Withdrawn { .. }
            | Event::Rejected { .. }
    )
}

fn field_of(field: CaseField) -> Field {
    match field {
        CaseField::RecordType => Field::RecordType,
        CaseField::Services => Field::Services,
        CaseField::CustomerType => Field::CustomerType,
        CaseField::Themes => Field::Themes,
        CaseField::Flags => Field::Flags,
    }
}

/// What one set of rules makes otherwise than another did, field by field.
pub fn compare(before: &Classification, after: &Classification, truth: &Truth) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in Field::ALL.iter().copied() {
        let (was, is) = (value(before, field), value(after, field));
        if distance(field, &was, &is) == 0 {
            continue;
        }
        let officer = truth.get(&field).cloned();
        let moves = officer.as_ref().map_or(Move::Undecided, |officer| {
            let far = |value| distance(field, value, &officer.value);
            match far(&is).cmp(&far(&was)) {
                std::cmp::Ordering::Less => Move::Towards,
                std::cmp::Ordering::Greater => Move::Away,
                std::cmp::Ordering::Equal => Move::NoNearer,
            }
        });
        let rules = difference(&before.evidence, &after.evidence, field);
        changes.push(Change { field, before: was, after: is, officer, moves, rules });
    }
    changes
}

/// Where a message moves as a whole.
pub fn whither(changes: &[Change]) -> Move {
    let any = |wanted| changes.iter().any(|change| change.moves == wanted);
    match (any(Move::Towards), any(Move::Away)) {
        (true, true) => Move::BothWays,
        (true, false) => Move::Towards,
        (false, true) => Move::Away,
        (false, false) if any(Move::NoNearer) => Move::NoNearer,
        (false, false) => Move::Undecided,
    }
}

impl Tally {
    /// Counts one message that was judged again.
    pub fn add(&mut self, changes: &[Change]) {
        self.messages += 1;
        if !changes.is_empty() {
            self.changed += 1;
            *self.moves.entry(whither(changes)).or_default() += 1;
        }
    }
}

/// A field of a result as text, several values separated by commas.
pub(super) fn value(classification: &Classification, field: Field) -> String {
    match field {
        Field::RecordType => classification.record_type.to_string(),
        Field::Services => listed(&classification.services),
        Field::CustomerType => classification.customer_type.to_string(),
        Field::Themes => listed(&classification.themes),
        Field::Flags => listed(&classification.flags),
        Field::NeedsOfficer => if classification.needs_officer { "yes" } else { "no" }.to_owned(),
    }
}

fn listed(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// How far two values of a field are apart: what stands in one of them only, and whether another
/// service leads. The order is nothing else.
fn distance(field: Field, one: &str, other: &str) -> usize {
    let words = |text| -> BTreeSet<&str> {
        str::split(text, ',').map(str::trim).filter(|word| !word.is_empty()).collect()
    };
    let lead = |text| str::split(text, ',').next().map(str::trim);
    let leads_otherwise = field == Field::Services && lead(one) != lead(other);
    words(one).symmetric_difference(&words(other)).count() + usize::from(leads_otherwise)
}

/// The rules and rows whose part in two results differs: those that speak for the field itself, or
/// all where none does.
fn difference(before: &[Evidence], after: &[Evidence], field: Field) -> Vec<String> {
    let weights = |evidence: &[Evidence]| -> BTreeMap<(String, String), f64> {
        let pair = |one: &Evidence| ((one.rule.clone(), one.label.clone()), one.weight);
        evidence.iter().map(pair).collect()
    };
    let (before, after) = (weights(before), weights(after));
    let mut differ: Vec<(&str, &str, char)> = Vec::new();
    for ((rule, label), weight) in &after {
        match before.get(&(rule.clone(), label.clone())) {
            None => differ.push((label, rule, '+')),
            Some(was) if (was - weight).abs() > SAME_WEIGHT => differ.push((label, rule, '~')),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    differ.extend(gone.map(|(rule, label)| (label.as_str(), rule.as_str(), '-')));
    let prefix = match field {
        Field::Services => "service:",
        Field::CustomerType => "customer:",
        Field::Themes => "theme:",
        Field::Flags => "flag:",
        // They follow from facts, customers and services too.
        Field::RecordType | Field::NeedsOfficer => "",
    };
    let own = |label: &str| label.trim_start_matches('!').starts_with(prefix);
    if differ.iter().any(|(label, ..)| own(label)) {
        differ.retain(|(label, ..)| own(label));
    }
    let ids: BTreeSet<(&str, char)> =
        differ.into_iter().map(|(_, rule, how)| (rule, how)).collect();
    ids.into_iter().map(|(rule, how)| format!("{how}{rule}")).collect()
}

#[cfg(test)]
mod tests;
