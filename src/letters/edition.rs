//! The same letters for readers who need them otherwise: in another language, in easy read.
//!
//! An edition is a folder of `templates/letters/` with an `edition.toml` and those letters that somebody has
//! written in it; what it lacks goes out in the usual words. The gateway's own words (dates, "a complaint",
//! the names of services) are said as `edition.toml` says them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::letter::{record_words, step_words};
use super::words::InFull;
use crate::casework::vocabulary::RecordType;
use crate::fault::Fault;

/// The file that makes a folder an edition.
pub(super) const FILE: &str = "edition.toml";

/// What an edition says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    /// Its folder: `cy`, `easy-read`.
    pub id: String,
    /// As officers choose it: `Cymraeg (Welsh)`.
    pub name: String,
    /// Its language, as mail and HTML name it (BCP 47).
    pub lang: String,
    /// The highest reading grade of its letters; none where nobody can compute it (another language).
    pub(super) grade: Option<f64>,
    /// The words of its line about danger, in small letters.
    pub(super) danger: String,
    /// Words by which an acknowledgement offers other formats and languages, in small letters.
    pub(super) offers: Vec<String>,
    dates: Option<Dates>,
    words: BTreeMap<String, String>,
}

/// How days are written in a language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dates {
    /// `{weekday} {day} {month} {year}`.
    pattern: String,
    /// From Monday.
    weekdays: [String; 7],
    months: [String; 12],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    lang: Spanned<String>,
    grade: Option<Spanned<f64>>,
    #[serde(default = "danger")]
    danger: Spanned<String>,
    #[serde(default = "offers")]
    offers: Vec<String>,
    dates: Option<Spanned<Dates>>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    services: BTreeMap<String, String>,
}

/// More than the number: a telephone number may end in it.
const DANGER: &str = "call 999";

fn danger() -> Spanned<String> {
    Spanned::new(0..0, DANGER.to_owned())
}

fn offers() -> Vec<String> {
    vec!["large print".to_owned(), "language".to_owned()]
}

/// Fields that hold what an officer or the settings say: never translated by a table.
const AS_THEY_ARE: [&str; 5] = ["greeting_name", "why", "note", "council", "contact"];

impl Edition {
    /// The letters that everybody gets for whom nothing is recorded.
    pub(super) fn usual() -> Self {
        Self {
            id: String::new(),
            name: "English".to_owned(),
            lang: "en-GB".to_owned(),
            grade: None,
            danger: DANGER.to_owned(),
            offers: offers(),
            dates: None,
            words: BTreeMap::new(),
        }
    }

    /// Reads `edition.toml`.
    ///
    /// # Errors
    /// Every [`Fault`]: words of the gateway that are not said, a date without its parts.
    pub(super) fn from_toml(id: &str, file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let written: Written =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let faults = faults(file, text, &written);
        if !faults.is_empty() {
            return Err(faults);
        }
        let lower = |words: String| words.to_lowercase();
        let mut words = written.words;
        words.extend(written.services);
        Ok(Self {
            id: id.to_owned(),
            name: written.name.into_inner(),
            lang: written.lang.into_inner(),
            grade: written.grade.map(Spanned::into_inner),
            danger: lower(written.danger.into_inner()),
            offers: written.offers.into_iter().map(lower).collect(),
            dates: written.dates.map(Spanned::into_inner),
            words,
        })
    }

    /// Whether its letters are English, so that what is known of English can be asked of them.
    pub(super) fn is_english(&self) -> bool {
        is_english(&self.lang)
    }

    /// The fields of a letter as this edition says them.
    pub(super) fn say(&self, fields: &mut Value) {
        let Some(fields) = fields.as_object_mut() else { return };
        for (name, value) in
            fields.iter_mut().filter(|(name, _)| !AS_THEY_ARE.contains(&name.as_str()))
        {
            // What a record is stays the id that templates ask for.
            if name != "record_type" && name != "needed" {
                self.say_value(value);
            }
        }
    }

    fn say_value(&self, value: &mut Value) {
        match value {
            Value::String(words) => {
                if let Some(said) = self.said(words) {
                    *words = said;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.say_value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
    }

    fn said(&self, words: &str) -> Option<String> {
        if let Some(said) = self.words.get(words) {
            return Some(said.clone());
        }
        let dates = self.dates.as_ref()?;
        let day = jiff::civil::Date::strptime("%A %d %B %Y", words).ok()?;
        // Nothing but a day as the gateway writes it.
        (InFull(day).to_string() == words).then(|| dates.write(day))
    }
}

impl Dates {
    fn write(&self, day: jiff::civil::Date) -> String {
        let of = |list: &[String], at: i8| {
            usize::try_from(at).ok().and_then(|at| list.get(at)).cloned().unwrap_or_default()
        };
        let weekday = of(&self.weekdays, day.weekday().to_monday_zero_offset());
        self.pattern
            .replace("{weekday}", &weekday)
            .replace("{month}", &of(&self.months, day.month() - 1))
            .replace("{day}", &day.day().to_string())
            .replace("{year}", &day.year().to_string())
    }
}

fn is_english(lang: &str) -> bool {
    lang == "en" || lang.starts_with("en-")
}

fn faults(file: &str, text: &str, written: &Written) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |what: String, cure: &str, at: usize| {
        faults.push(Fault::new(file, what, cure).at_offset(text, at));
    };
    if written.name.get_ref().trim().is_empty() {
        let cure = "write the name by which officers choose it";
        fault("`name` is empty".to_owned(), cure, written.name.span().start);
    }
    let lang = written.lang.get_ref();
    let is_tag = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if !lang.split('-').all(is_tag) {
        let cure = "write a language tag, such as \"cy\", \"pl\" or \"en-GB\"";
        fault(format!("`{lang}` is no language"), cure, written.lang.span().start);
    }
    if !written.danger.get_ref().contains("999") {
        let cure = "write the words that tell to call 999, as the letters have them";
        fault("`danger` does not say 999".to_owned(), cure, written.danger.span().start);
    }
    if let Some(dates) = &written.dates {
        for part in ["{weekday}", "{day}", "{month}", "{year}"] {
            if !dates.get_ref().pattern.contains(part) {
                let cure = "write weekday, day, month and year: a day is never given in part";
                fault(format!("`pattern` lacks `{part}`"), cure, dates.span().start);
            }
        }
    }
    if is_english(lang) {
        return faults;
    }
    if written.dates.is_none() {
        fault("`[dates]` is missing".to_owned(), "write pattern, weekdays and months", 0);
    }
    for words in own_words().into_iter().filter(|words| !written.words.contains_key(words)) {
        let cure = "add it to [words], with what this language says";
        fault(format!("nothing is said for \"{words}\""), cure, 0);
    }
    if let Some(grade) = &written.grade {
        let cure = "leave `grade` out: it can be computed for English only";
        fault("no grade can be computed".to_owned(), cure, grade.span().start);
    }
    faults
}

/// Every phrase that the gateway itself puts into letters to customers.
fn own_words() -> Vec<String> {
    let types = RecordType::ALL.iter().copied();
    let mut all: Vec<String> =
        types.clone().map(|one| record_words(Some(one)).to_owned()).collect();
    all.extend(types.flat_map(|one| (1..=3).filter_map(move |stage| step_words(one, stage))));
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn polish(more: &str) -> Result<Edition, Vec<Fault>> {
        let words: Vec<String> =
            own_words().iter().map(|words| format!("\"{words}\" = \"[{words}]\"")).collect();
        let text = format!(
            "name = \"Polski\"\nlang = \"pl\"\ndanger = \"zadzwoń pod 999\"\noffers = [\"duży druk\"]\n{more}\n\
             [dates]\npattern = \"{{weekday}}, {{day}} {{month}} {{year}}\"\n\
             weekdays = [\"poniedziałek\", \"wtorek\", \"środa\", \"czwartek\", \"piątek\", \"sobota\", \"niedziela\"]\n\
             months = [\"stycznia\", \"lutego\", \"marca\", \"kwietnia\", \"maja\", \"czerwca\", \"lipca\", \
             \"sierpnia\", \"września\", \"października\", \"listopada\", \"grudnia\"]\n\
             [words]\n{}\n[services]\n\"Fair access\" = \"Rekrutacja\"\n",
            words.join("\n")
        );
        Edition::from_toml("pl", "letters/pl/edition.toml", &text)
    }

    #[test]
    fn the_gateways_own_words_are_said_in_the_language_and_nobody_elses() {
        let mut fields = json!({
            "received_on": "Friday 4 December 2026", "record_words": "a complaint", "lead": "Fair access",
            "helpers": ["School transport", "Fair access"], "why": "a complaint",
            "record_type": "comment", "is_child": false, "reference": "NCC-2026-00431-5",
            "greeting_name": "Fair access", "contact": {"name": "Fair access"},
        });
        polish("").unwrap().say(&mut fields);
        assert_eq!(
            fields,
            json!({
                "received_on": "piątek, 4 grudnia 2026", "record_words": "[a complaint]", "lead": "Rekrutacja",
                "helpers": ["School transport", "Rekrutacja"], "why": "a complaint",
                "record_type": "comment", "is_child": false, "reference": "NCC-2026-00431-5",
                "greeting_name": "Fair access", "contact": {"name": "Fair access"},
            })
        );
    }

    #[test]
    fn every_day_of_a_year_is_found_and_nothing_else() {
        let edition = polish("").unwrap();
        let first = jiff::civil::date(2027, 1, 1);
        let days: Vec<_> = first.series(jiff::ToSpan::days(1)).take(365).collect();
        let said: std::collections::BTreeSet<String> =
            days.iter().filter_map(|day| edition.said(&InFull(*day).to_string())).collect();
        assert_eq!(said.len(), 365);
        for other in ["Friday 4 December", "Thursday 4 December 2026", "4 December 2026", "Friday"]
        {
            assert_eq!(edition.said(other), None, "{other}");
        }
    }

    #[test]
    fn faults_have_a_place_and_a_cure() {
        let said = |text: &str| -> String {
            let faults = Edition::from_toml("x", "x/edition.toml", text).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let bare = said("name = \"Polski\"\nlang = \"pl\"\n");
        assert!(bare.contains("`[dates]` is missing"), "{bare}");
        assert!(bare.contains("nothing is said for \"the first of three stages\""), "{bare}");
        let odd = said("name = \" \"\nlang = \"po lish\"\ndanger = \"dzwoń\"\n");
        for words in
            ["x/edition.toml, line 1, column 8", "`po lish` is no language", "does not say 999"]
        {
            assert!(odd.contains(words), "{words}: {odd}");
        }
        assert!(said("name = \"E\"\nlang = \"en\"\nsize = 3\n").contains("size"));
        assert!(polish("grade = 4.0").unwrap_err()[0].to_string().contains("no grade"));
        assert!(
            Edition::from_toml("e", "e", "name = \"Easy\"\nlang = \"en\"\ngrade = 4.0\n").is_ok()
        );
    }
}
