//! How right the rules have been, by what officers decided: by rule, by label, by month.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Classification;
use super::classify::SECOND_OPINION;
use super::compare::{Field, Truth, value};

/// A rule that fired on fewer decided messages tells nothing.
const FEWEST: usize = 3;
/// The second opinion spoke for what it found at least this likely.
const SPOKE_FOR: f64 = 0.5;

/// A message that officers decided.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The month of its receipt, as `2026-03`.
    pub month: String,
    /// What was made of it.
    pub found: Classification,
    /// What officers decided.
    pub truth: Truth,
}

/// How often a rule was part of what officers overruled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfRule {
    /// The rule, or the row of the decision table.
    pub rule: String,
    /// What it speaks for, as `field:value`.
    pub label: String,
    /// Decided messages on which it fired for the value that was chosen.
    pub fired: usize,
    /// Those of them where officers chose another.
    pub overruled: usize,
}

/// How often a value was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfLabel {
    /// The value, as `field:value`.
    pub label: String,
    /// Decided messages for which it was chosen.
    pub chosen: usize,
    /// Those of them where officers said the same.
    pub right: usize,
    /// Messages that officers say are this, and for which another was chosen.
    pub missed: usize,
}

/// How right a month was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfMonth {
    /// The month of receipt, as `2026-03`.
    pub month: String,
    /// Messages of it that officers decided.
    pub decided: usize,
    /// Those of them that were right in record type, lead service and customer type.
    pub right: usize,
}

/// How right the rules have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// By rule, the most overruled first.
    pub rules: Vec<OfRule>,
    /// By record type, service and customer type.
    pub labels: Vec<OfLabel>,
    /// By month, oldest first.
    pub months: Vec<OfMonth>,
}

/// The fields that every decided message has an answer for, with what their labels begin with.
const FIELDS: [(Field, &str); 3] = [
    (Field::RecordType, "record_type"),
    (Field::Services, "service"),
    (Field::CustomerType, "customer"),
];
/// The fields that hold any number of values, and are decided only where officers put them right.
const SETS: [(Field, &str); 2] = [(Field::Themes, "theme"), (Field::Flags, "flag")];

/// The first of a field's values: what leads.
fn lead(value: &str) -> &str {
    value.split(',').next().map_or("", str::trim)
}

/// The labels that hold for a message and on which officers decided, and whether they agreed.
fn chosen(one: &Answered) -> BTreeMap<String, bool> {
    let mut chosen = BTreeMap::new();
    for (field, word) in FIELDS {
        let Some(truth) = one.truth.get(&field) else { continue };
        let found = value(&one.found, field);
        chosen.insert(format!("{word}:{}", lead(&found)), lead(&found) == lead(&truth.value));
    }
    for (field, word) in SETS {
        let Some(truth) = one.truth.get(&field) else { continue };
        let said: BTreeSet<&str> = truth.value.split(',').map(str::trim).collect();
        let found = value(&one.found, field);
        for value in found.split(',').filter(|value| !value.is_empty()) {
            chosen.insert(format!("{word}:{value}"), said.contains(value));
        }
    }
    chosen
}

/// Adds up what officers said of each rule, label and month.
pub fn accuracy(answered: &[Answered]) -> Accuracy {
    let mut rules: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    let mut labels: BTreeMap<(usize, String), OfLabel> = BTreeMap::new();
    let mut months: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in answered {
        let chosen = chosen(one);
        for (rule, label) in speakers(one) {
            let Some(agreed) = chosen.get(label) else { continue };
            let (fired, overruled) = rules.entry((rule.to_owned(), label.to_owned())).or_default();
            *fired += 1;
            *overruled += usize::from(!agreed);
        }
        let mut all_right = true;
        for (order, (field, word)) in FIELDS.into_iter().enumerate() {
            let Some(truth) = one.truth.get(&field) else {
                all_right = false;
                continue;
            };
            let found = value(&one.found, field);
            let right = lead(&found) == lead(&truth.value);
            all_right &= right;
            let mut of = |value: &str, count: fn(&mut OfLabel)| {
                let label = format!("{word}:{value}");
                let new = || OfLabel { label: label.clone(), chosen: 0, right: 0, missed: 0 };
                count(labels.entry((order, label.clone())).or_insert_with(new));
            };
            of(lead(&found), |label| label.chosen += 1);
            if right {
                of(lead(&found), |label| label.right += 1);
            } else {
                of(lead(&truth.value), |label| label.missed += 1);
            }
        }
        let (decided, right) = months.entry(&one.month).or_default();
        *decided += 1;
        *right += usize::from(all_right);
    }
    let mut rules: Vec<OfRule> = rules
        .into_iter()
        .filter(|(_, (fired, _))| *fired >= FEWEST)
        .map(|((rule, label), (fired, overruled))| OfRule { rule, label, fired, overruled })
        .collect();
    // The greater share first, and of equal shares the one that is better founded.
    rules.sort_by(|a, b| {
        let (one, other) = (b.overruled * a.fired, a.overruled * b.fired);
        one.cmp(&other).then(b.fired.cmp(&a.fired)).then(a.rule.cmp(&b.rule))
    });
    let months = months.into_iter().map(|(month, (decided, right))| OfMonth {
        month: month.to_owned(),
        decided,
        right,
    });
    Accuracy { rules, labels: labels.into_values().collect(), months: months.collect() }
}

/// Each rule with each label that it spoke for, once.
fn speakers(one: &Answered) -> BTreeSet<(&str, &str)> {
    let spoke = one.found.evidence.iter().filter(|evidence| {
        let least = if evidence.rule == SECOND_OPINION { SPOKE_FOR } else { f64::MIN_POSITIVE };
        evidence.weight >= least
    });
    spoke.map(|evidence| (evidence.rule.as_str(), evidence.label.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
    use crate::private::Private;
    use crate::rules::Evidence;
    use crate::rules::compare::{Decided, How};

    fn speaks(rule: &str, label: &str, weight: f64) -> Evidence {
        let (rule, label) = (rule.to_owned(), label.to_owned());
        Evidence { label, rule, weight, place: "text".to_owned(), text: Private(String::new()) }
    }

    /// A message that was taken for one about SEN, and is about `service`.
    fn about(service: &str, month: &str) -> Answered {
        let found = Classification {
            record_type: RecordType::CorporateComplaint,
            services: vec![ServiceId("sen".to_owned()), ServiceId("fair_access".to_owned())],
            customer_type: CustomerType::Parent,
            themes: Vec::new(),
            flags: vec![Flag::Safeguarding],
            confidence: 0.9,
            needs_officer: false,
            evidence: vec![
                speaks("sen.plan", "service:sen", 5.0),
                speaks("sen.not", "service:sen", -2.0),
                speaks("access", "service:fair_access", 1.0),
                speaks("D30", "record_type:corporate_complaint", 0.8),
                speaks(SECOND_OPINION, "service:sen", 0.4),
                speaks("risk", "flag:safeguarding", 1.0),
            ],
        };
        let said = |value: &str| Decided { value: value.to_owned(), how: How::Left };
        let truth = Truth::from([
            (Field::RecordType, said("corporate_complaint")),
            (Field::Services, said(service)),
            (Field::CustomerType, said("parent")),
        ]);
        Answered { month: month.to_owned(), found, truth }
    }

    #[test]
    fn a_rule_is_overruled_where_officers_chose_another_value() {
        let months = ["2026-02", "2026-03", "2026-03", "2026-03"];
        let services = ["sen", "transport", "transport,sen", "sen,transport"];
        let all: Vec<_> =
            services.iter().zip(months).map(|(service, month)| about(service, month)).collect();
        let Accuracy { rules, labels, months } = accuracy(&all);
        let rules: Vec<_> =
            rules.iter().map(|one| (one.rule.as_str(), one.overruled, one.fired)).collect();
        // Not the rule against, nor for what was only beside it, nor what was undecided.
        assert_eq!(rules, [("sen.plan", 2, 4), ("D30", 0, 4)]);
        let of = |label: &str| {
            let found = labels.iter().find(|one| one.label == label).unwrap();
            (found.chosen, found.right, found.missed)
        };
        assert_eq!(of("service:sen"), (4, 2, 0));
        assert_eq!(of("service:transport"), (0, 0, 2));
        assert_eq!(of("record_type:corporate_complaint"), (4, 4, 0));
        assert_eq!(labels[0].label, "record_type:corporate_complaint", "record types first");
        let months: Vec<_> =
            months.iter().map(|one| (one.month.as_str(), one.decided, one.right)).collect();
        assert_eq!(months, [("2026-02", 1, 1), ("2026-03", 3, 1)]);
    }

    #[test]
    fn flags_count_where_officers_put_them_right() {
        let mut all =
            vec![about("sen", "2026-03"), about("sen", "2026-03"), about("sen", "2026-03")];
        for (one, value) in all.iter_mut().zip(["", "safeguarding", "anonymous"]) {
            let decided = Decided { value: value.to_owned(), how: How::Corrected };
            one.truth.insert(Field::Flags, decided);
        }
        let rules = accuracy(&all).rules;
        assert_eq!((rules[0].rule.as_str(), rules[0].overruled, rules[0].fired), ("risk", 2, 3));
    }

    #[test]
    fn few_messages_tell_nothing_of_a_rule() {
        let found = accuracy(&[about("transport", "2026-03"), about("transport", "2026-03")]);
        assert!(found.rules.is_empty());
        assert_eq!(found.months[0].decided, 2);
        assert_eq!(accuracy(&[]), Accuracy::default());
    }
}
