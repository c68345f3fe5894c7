//! The fields of a form, with their labels, hints and faults. Pure.

use std::fmt::Write as _;

use super::act::Shape;
use super::check::named;
use super::form::{Act, Faults, Typed};
use super::page::escaped;
use crate::casework::answer::FINDINGS;
use crate::casework::case::Point;
use crate::casework::vocabulary::Outcome;
use crate::store::drafts::DraftFile;

/// The field of the files.
pub(super) const FILE: &str = "file";

/// A finding, as the page says it.
pub(super) fn finding_words(finding: Outcome) -> &'static str {
    FINDINGS
        .iter()
        .find(|(known, _)| *known == finding)
        .map_or_else(|| finding.label(), |(_, words)| words)
}

/// The fields of an act's form, filled with what was typed, its faults beside them.
pub(super) fn fields(shape: &Shape, typed: &Typed, faults: &Faults) -> String {
    let act = shape.act;
    let form = Form { typed, faults };
    let mut html = match act {
        Act::Accept => form.line("who", "Who will answer, if it is not you", None),
        Act::MoreTime => {
            form.date("until", "By when can you answer?", "For example 4 12 2026")
                + &form.text(
                    "why",
                    "Why do you need longer?",
                    Some("Do not name the customer or a child."),
                )
        }
        Act::NotOurs => {
            form.text("why", "Why is it not yours?", Some("Do not name the customer or a child."))
                + &form.line("whose", "Whose is it, if you know?", None)
        }
        Act::Away => {
            form.date(
                "until",
                "Until when are they away?",
                "For example 4 12 2026. Leave it empty if nobody knows.",
            ) + &form.line("who", "Who has it meanwhile?", None)
        }
        Act::Answer => answer_fields(&form, &shape.points),
    };
    html.push_str(&form.line("name", "Your name", Some("We keep it with what you send.")));
    if act == Act::Answer {
        html.push_str(&chosen(&shape.files));
    }
    if act == Act::Answer && shape.megabytes > 0 {
        html.push_str(&form.files(shape.megabytes));
    }
    let _ = write!(html, "<div class=\"buttons\"><button>{}</button>", act.button());
    if act == Act::Answer {
        html.push_str(
            "<button class=\"other\" name=\"do\" value=\"save\">Save and come back later</button>",
        );
    }
    html.push_str("</div>");
    html
}

/// The files that were chosen already, each of which may be taken away.
fn chosen(files: &[DraftFile]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let mut items = String::new();
    for DraftFile { id, file } in files {
        let name = escaped(named(file.name.as_deref().map(String::as_str)));
        let _ = write!(
            items,
            "<label for=\"drop-{id}\"><input type=\"checkbox\" id=\"drop-{id}\" name=\"drop-{id}\" value=\"1\">\
             Take {name} away</label>"
        );
    }
    format!("<fieldset class=\"field radios\"><legend>Attached so far</legend>{items}</fieldset>")
}

fn answer_fields(form: &Form<'_>, points: &[Point]) -> String {
    let mut html = String::new();
    for (at, point) in points.iter().enumerate() {
        let label = format!("{}. {}: what did you find?", at + 1, point.label());
        html.push_str(&form.radios(&format!("finding-{at}"), &label));
        html.push_str(&form.text(&format!("why-{at}"), &format!("Why? ({})", point.label()), None));
    }
    let (label, hint) = if points.is_empty() {
        (
            "What happened, and what did you find?",
            "In your own words. We check it and write to the customer.",
        )
    } else {
        ("Anything else that happened", "Leave it empty if the points say all.")
    };
    html.push_str(&form.text("what", label, Some(hint)));
    html.push_str(&form.text(
        "remedy",
        "What will be put right?",
        Some("Leave it empty if there is nothing to put right."),
    ));
    html.push_str(&form.line("by-whom", "Who sees to that?", None));
    html.push_str(&form.date("by", "By when?", "For example 4 12 2026"));
    html
}

/// What stands with a field.
struct Around {
    /// Its hint and its fault.
    notes: String,
    /// What ties them to it.
    described: String,
    /// That it is wrong, as a field says it; a group of fields does not.
    invalid: &'static str,
    class: &'static str,
}

struct Form<'a> {
    typed: &'a Typed,
    faults: &'a Faults,
}

impl Form<'_> {
    /// What is wrong with a field, as it stands beside it, and the words that tie it to the field.
    fn around(&self, field: &str, hint: Option<&str>) -> Around {
        let fault = self.faults.iter().find(|(of, _)| of == field);
        let mut notes = String::new();
        let mut described = Vec::new();
        if let Some(hint) = hint {
            let _ = write!(notes, "<p class=\"hint\" id=\"{field}-hint\">{}</p>", escaped(hint));
            described.push(format!("{field}-hint"));
        }
        if let Some((_, words)) = fault {
            let _ = write!(
                notes,
                "<p class=\"error\" id=\"{field}-error\">Error: {}</p>",
                escaped(words)
            );
            described.push(format!("{field}-error"));
        }
        let invalid = if fault.is_some() { " aria-invalid=\"true\"" } else { "" };
        let described = if described.is_empty() {
            String::new()
        } else {
            format!(" aria-describedby=\"{}\"", described.join(" "))
        };
        let class = if fault.is_some() { "field wrong" } else { "field" };
        Around { notes, described, invalid, class }
    }

    fn line(&self, field: &str, label: &str, hint: Option<&str>) -> String {
        let Around { notes, described, invalid, class } = self.around(field, hint);
        let (label, value) = (escaped(label), escaped(&self.typed.get(field)));
        // Only a person's own name is theirs to be filled in by the browser.
        let auto = if field == "name" { "name" } else { "off" };
        format!(
            "<div class=\"{class}\"><label for=\"{field}\">{label}</label>{notes}\
             <input type=\"text\" id=\"{field}\" name=\"{field}\" value=\"{value}\" autocomplete=\"{auto}\"{described}{invalid}></div>"
        )
    }

    /// Last in its form: whatever is too large is cut where it begins, and what was typed is whole.
    fn files(&self, megabytes: u32) -> String {
        let hint = format!(
            "A draft letter or a document, {megabytes} MB at most together. It may be all of your answer: leave the \
             boxes above empty then. We keep it as it is, and nothing opens it but a person.",
        );
        let Around { notes, described, invalid, class } = self.around(FILE, Some(&hint));
        format!(
            "<div class=\"{class}\"><label for=\"{FILE}\">Attach a draft or a document</label>{notes}\
             <input type=\"file\" id=\"{FILE}\" name=\"{FILE}\" multiple{described}{invalid}></div>"
        )
    }

    fn text(&self, field: &str, label: &str, hint: Option<&str>) -> String {
        let Around { notes, described, invalid, class } = self.around(field, hint);
        let (label, value) = (escaped(label), escaped(&self.typed.get(field)));
        // A browser leaves out the first line's end.
        format!(
            "<div class=\"{class}\"><label for=\"{field}\">{label}</label>{notes}\
             <textarea id=\"{field}\" name=\"{field}\" rows=\"7\"{described}{invalid}>\n{value}</textarea></div>"
        )
    }

    fn radios(&self, field: &str, legend: &str) -> String {
        let Around { notes, described, class, .. } = self.around(field, None);
        let chosen = self.typed.get(field);
        let mut items = String::new();
        for (at, (finding, words)) in FINDINGS.iter().enumerate() {
            let id = if at == 0 { field.to_owned() } else { format!("{field}-{at}") };
            let checked = if chosen == finding.id() { " checked" } else { "" };
            let _ = write!(
                items,
                "<label for=\"{id}\"><input type=\"radio\" id=\"{id}\" name=\"{field}\" value=\"{}\"{checked}>{words}</label>",
                finding.id()
            );
        }
        let legend = escaped(legend);
        format!(
            "<fieldset class=\"{class} radios\"{described}><legend>{legend}</legend>{notes}{items}</fieldset>"
        )
    }

    fn date(&self, field: &str, legend: &str, hint: &str) -> String {
        let first = format!("{field}-day");
        let Around { notes, described, class, .. } = self.around(&first, Some(hint));
        let mut parts = String::new();
        for (part, label) in [("day", "Day"), ("month", "Month"), ("year", "Year")] {
            let id = format!("{field}-{part}");
            let value = escaped(&self.typed.get(&id));
            let _ = write!(
                parts,
                "<div><label for=\"{id}\">{label}</label><input type=\"text\" inputmode=\"numeric\" id=\"{id}\" \
                 name=\"{id}\" value=\"{value}\" autocomplete=\"off\"></div>"
            );
        }
        let legend = escaped(legend);
        format!(
            "<fieldset class=\"{class}\"{described}><legend>{legend}</legend>{notes}<div class=\"dates\">{parts}</div></fieldset>"
        )
    }
}
