//! Why a message was classified as it was, as a table that people read.

use std::fmt::Write as _;

use super::{Classification, Evidence};

/// Which words, where, by which rule, gave what.
///
/// Holds words of the message: for the officer who may see it, never for a log.
pub fn explain(classification: &Classification) -> String {
    let Classification { record_type, services, customer_type, themes, flags, .. } = classification;
    let list =
        |items: Vec<&str>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let mut text = String::new();
    let rows = [
        ("record type", record_type.label().to_owned()),
        (
            "services",
            list(
                services
                    .iter()
                    .map(super::super::casework::vocabulary::ServiceId::as_str)
                    .collect(),
            ),
        ),
        ("customer", customer_type.label().to_owned()),
        ("themes", list(themes.iter().map(|theme| theme.label()).collect())),
        ("flags", list(flags.iter().map(|flag| flag.label()).collect())),
        ("confidence", format!("{:.0} in 100", classification.confidence * 100.0)),
        (
            "an officer",
            if classification.needs_officer { "must look first" } else { "need not look first" }
                .to_owned(),
        ),
    ];
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<12} {value}");
    }
    if classification.evidence.is_empty() {
        text.push_str("\nNo rule found any of its words.\n");
        return text;
    }
    let (decided, words): (Vec<&Evidence>, Vec<&Evidence>) =
        classification.evidence.iter().partition(|evidence| evidence.place == "decision");
    table(&mut text, "words found", &words);
    table(&mut text, "rows of the decision table that applied, in order", &decided);
    text
}

fn table(text: &mut String, title: &str, evidence: &[&Evidence]) {
    if evidence.is_empty() {
        return;
    }
    let width = |get: fn(&Evidence) -> &str, least: usize| {
        evidence.iter().map(|row| get(row).chars().count()).fold(least, usize::max)
    };
    let label = width(|row| &row.label, 5);
    let rule = width(|row| &row.rule, 4);
    let place = width(|row| &row.place, 5);
    let _ = writeln!(text, "\n{title}");
    let _ = writeln!(
        text,
        "  {:<label$}  {:>6}  {:<rule$}  {:<place$}  words",
        "label", "weight", "rule", "where"
    );
    for row in evidence {
        let line = format!(
            "  {:<label$}  {:>6.2}  {:<rule$}  {:<place$}  {}",
            row.label, row.weight, row.rule, row.place, *row.text
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::vocabulary::{CustomerType, RecordType, ServiceId};
    use crate::private::Private;

    #[test]
    fn each_rule_is_named_with_its_words() {
        let evidence = |label: &str, rule: &str, place: &str, text: &str| Evidence {
            label: label.to_owned(),
            rule: rule.to_owned(),
            weight: 4.0,
            place: place.to_owned(),
            text: Private(text.to_owned()),
        };
        let classification = Classification {
            record_type: RecordType::CorporateComplaint,
            services: vec![ServiceId("sen".to_owned())],
            customer_type: CustomerType::Parent,
            themes: Vec::new(),
            flags: Vec::new(),
            confidence: 0.93,
            needs_officer: false,
            evidence: vec![
                evidence("service:sen", "sen.plan", "subject", "EHC Plan"),
                evidence("record_type:corporate_complaint", "D24", "decision", ""),
            ],
        };
        let text = explain(&classification);
        for wanted in ["93 in 100", "sen.plan", "EHC Plan", "D24", "Corporate complaint"] {
            assert!(text.contains(wanted), "{wanted} missing in:\n{text}");
        }
    }
}
