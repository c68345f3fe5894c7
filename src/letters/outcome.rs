//! What is wrong with a letter as written: its size, its words, what it must and must not say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::edition::Edition;
use super::letter::LetterId;
use super::{Written, page, reading};

/// The largest HTML part, in bytes: more is cut off by some mail programs.
const HTML_BYTES: usize = 30_000;
/// The largest text part, in bytes.
const TEXT_BYTES: usize = 8_000;
/// The longest subject, in characters: what a mail program shows of one.
const SUBJECT_LENGTH: usize = 78;
/// The most words to a child.
const CHILD_WORDS: usize = 120;

/// The part, what is wrong with it, and the cure.
pub(super) type Outcome = (&'static str, String, String);

/// What is wrong with a letter as written, by its part; the fields as its edition says them.
pub(super) fn outcome(
    edition: &Edition,
    letter: LetterId,
    fields: &Value,
    written: &Written,
) -> Vec<Outcome> {
    let mut found = Vec::new();
    sizes(written, &mut found);
    same_words(written, &mut found);
    if letter.is_to_customer() {
        plain_words(edition, fields, written, &mut found);
        must_lines(edition, letter, fields, written, &mut found);
    }
    found
}

fn sizes(written: &Written, found: &mut Vec<Outcome>) {
    let length = written.subject.chars().count();
    if length > SUBJECT_LENGTH {
        let cure = format!("keep it to {SUBJECT_LENGTH}");
        found.push(("subject.txt", format!("{length} characters long"), cure));
    }
    let html = written.html.as_ref().map_or(0, |html| html.len());
    let parts = [("body.txt", written.text.len(), TEXT_BYTES), ("body.html", html, HTML_BYTES)];
    for (part, length, most) in parts.into_iter().filter(|(_, length, most)| length > most) {
        found.push((part, format!("{length} bytes long"), format!("keep it below {most}")));
    }
}

/// Both parts must say the same: some people see one, some the other.
fn same_words(written: &Written, found: &mut Vec<Outcome>) {
    let Some(html) = &written.html else { return };
    let mut text = page::words_of_text(&written.text);
    let mut html = page::words_of_html(html);
    text.sort_unstable();
    html.sort_unstable();
    for (part, wanted, shown) in [("body.html", &text, &html), ("body.txt", &html, &text)] {
        let lacking = missing_words(wanted, shown);
        if !lacking.is_empty() {
            let what = format!("lacks words that the other part has: {}", lacking.join(", "));
            found.push((part, what, "say the same in body.txt and body.html".to_owned()));
        }
    }
}

/// The first few words of `wanted` that `shown` has not, counting repeats; both are sorted.
fn missing_words(wanted: &[String], shown: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, isize> = BTreeMap::new();
    for word in wanted {
        *counts.entry(word).or_default() += 1;
    }
    for word in shown {
        *counts.entry(word).or_default() -= 1;
    }
    let lacking = counts.into_iter().filter(|&(_, count)| count > 0);
    lacking.map(|(word, _)| format!("`{word}`")).take(8).collect()
}

/// Bars of plain language: a reading age of about 11, for children about 9. Of other languages only the length of
/// sentences can be told.
fn plain_words(edition: &Edition, fields: &Value, written: &Written, found: &mut Vec<Outcome>) {
    let child = is_set(fields, "is_child");
    let hardest = edition.grade.unwrap_or(6.0).min(if child { 4.0 } else { 6.0 });
    let reading = reading::read(&written.text);
    let mut fail = |what: String, cure: &str| found.push(("body.txt", what, cure.to_owned()));
    if edition.is_english() && reading.grade > hardest {
        fail(
            format!("reading grade {:.1}, above {hardest}", reading.grade),
            "use shorter words and sentences",
        );
    }
    if reading.mean_sentence > 15.0 {
        fail(format!("sentences of {:.0} words", reading.mean_sentence), "keep the mean below 15");
    }
    if reading.longest_sentence > 25 {
        fail(
            format!("a sentence of {} words", reading.longest_sentence),
            "write at most 25 words in one",
        );
    }
    if child && is_set(fields, "aim_by") && reading.words > CHILD_WORDS {
        fail(format!("{} words to a child", reading.words), "write at most 120");
    }
}

fn is_set(fields: &Value, field: &str) -> bool {
    match fields.get(field) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    }
}

fn words_at<'a>(fields: &'a Value, pointer: &str) -> Option<&'a str> {
    fields.pointer(pointer).and_then(Value::as_str)
}

/// Words of the law, and others that a customer's letter may not use.
const FORBIDDEN: [&str; 12] = [
    "statutory",
    "representation",
    "adjudicat",
    "concurrent",
    "escalat",
    "sla",
    "ticket",
    "triage",
    "breach",
    "court",
    "police",
    "pursuant",
];

/// What every customer's letter says, and what none does.
fn must_lines(
    edition: &Edition,
    letter: LetterId,
    fields: &Value,
    written: &Written,
    found: &mut Vec<Outcome>,
) {
    let mut needs = vec!["/reference", "/received_on", "/answer_by", "/aim_by"];
    needs.push("/council/out_of_hours_phone");
    if letter.is_acknowledgement() {
        needs.push("/council/privacy_url");
    }
    let complaint = ["children_act_complaint", "corporate_complaint"]
        .contains(&words_at(fields, "/record_type").unwrap_or_default());
    if letter.is_acknowledgement() && complaint {
        needs.push("/council/ombudsman_url");
    }
    if letter == LetterId::AcknowledgementChild || letter == LetterId::AcknowledgementCareLeaver {
        needs.extend(["/council/advocate_name", "/council/advocate_phone"]);
    }
    for field in needs {
        if let Some(words) = words_at(fields, field).filter(|words| !written.text.contains(words)) {
            let name = field.trim_start_matches('/').replace('/', ".");
            let what = format!("does not say `{name}` ({words})");
            found.push(("body.txt", what, format!("put {{{{ {name} }}}} where it fits")));
        }
    }
    let lower = written.text.to_lowercase();
    let mut say = vec![(edition.danger.as_str(), "what to do in danger")];
    if letter.is_acknowledgement() {
        let offers = edition.offers.iter().map(String::as_str);
        say.extend(offers.map(|words| (words, "other formats and languages")));
    }
    for (words, about) in say {
        if !lower.contains(words) {
            let cure = format!("add the line about {about}");
            found.push(("body.txt", format!("does not say `{words}`"), cure));
        }
    }
    let danger_first = is_set(fields, "is_child") || is_set(fields, "safeguarding");
    if danger_first && !lower.lines().next().is_some_and(|line| line.contains(&edition.danger)) {
        let cure = "put the line about danger first for a child or someone at risk";
        found.push((
            "body.txt",
            format!("does not begin with `{}`", edition.danger),
            cure.to_owned(),
        ));
    }
    if edition.is_english() {
        must_not_lines(letter, &lower, found);
    }
}

fn must_not_lines(letter: LetterId, lower: &str, found: &mut Vec<Outcome>) {
    let thanks =
        [LetterId::AcknowledgementComment, LetterId::AcknowledgementCompliment].contains(&letter);
    let words = page::words_of_text(lower);
    let extra: &[&str] = if thanks {
        &["ombudsman"]
    } else if letter == LetterId::AcknowledgementEnquiry {
        &["complaint"]
    } else {
        &[]
    };
    for &forbidden in FORBIDDEN.iter().chain(extra) {
        // Other words of the trade begin with these: a prefix is enough, "court" is not "courteous".
        let hit = words.iter().any(|word| match forbidden {
            "adjudicat" | "escalat" => word.starts_with(forbidden),
            // The team's own name has it in the plural.
            "complaint" => word == forbidden,
            _ => word == forbidden || word.trim_end_matches('s') == forbidden,
        });
        if hit {
            let what = format!("says `{forbidden}`");
            found.push(("body.txt", what, "say it in everyday words, or not at all".to_owned()));
        }
    }
}
