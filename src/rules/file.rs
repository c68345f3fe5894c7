//! `rules/*.toml` as people write it: read whole, every fault named with its place and cure.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::label::{Label, Names};
use super::lists::Lists;
use super::text::Place;
use crate::fault::Fault;

/// One `[[rule]]`: which words speak for which label, and how strongly.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    pub(crate) id: Spanned<String>,
    pub(crate) why: Spanned<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "written for the people who read the file")]
    pub(crate) source: String,
    pub(crate) label: Spanned<String>,
    pub(crate) weight: Spanned<f64>,
    #[serde(default)]
    pub(crate) words: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) regex: Vec<Spanned<String>>,
    #[serde(default, rename = "where")]
    pub(crate) places: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) near: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) unless: Vec<Spanned<String>>,
    /// `near` within so many words, not only in the same sentence.
    #[serde(default)]
    pub(crate) within: Option<Spanned<u32>>,
    /// In so many different sentences.
    #[serde(default)]
    pub(crate) at_least: Option<Spanned<u32>>,
    #[serde(default)]
    pub(crate) example: Vec<Spanned<ExampleText>>,
}

/// A text that must, or must not, make its rule fire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleText {
    pub(crate) text: String,
    pub(crate) fires: bool,
}

/// One `[[fact]]`: the name of something that the decision table asks about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactText {
    pub(crate) id: Spanned<String>,
    pub(crate) what: Spanned<String>,
}

/// One `[[decision]]`: a row of the decision table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionText {
    pub(crate) id: Spanned<String>,
    pub(crate) why: Spanned<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "written for the people who read the file")]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) all: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) any: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) none: Vec<Spanned<String>>,
    pub(crate) then: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) sure: Option<Spanned<f64>>,
}

/// `[officer]`: when a person looks before anything is done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfficerText {
    pub(crate) below: Spanned<f64>,
}

/// A rule, a fact or a decision with the file and place it was written at.
pub(crate) struct Written<T> {
    pub(crate) file: usize,
    pub(crate) at: usize,
    pub(crate) text: T,
}

/// Everything that the numbered files hold, in their order.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) rules: Vec<Written<RuleText>>,
    pub(crate) facts: Vec<Written<FactText>>,
    pub(crate) decisions: Vec<Written<DecisionText>>,
    pub(crate) officer: Vec<Written<OfficerText>>,
}

/// Reads the numbered files. Faults are added to `faults`; what could be read is returned.
pub(crate) fn read(files: &[(String, String)], faults: &mut Vec<Fault>) -> Contents {
    let mut all = Contents::default();
    for (number, (file, text)) in files.iter().enumerate() {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            faults.extend(errors.iter().map(|error| Fault::from_toml(file, text, error)));
            continue;
        }
        for (key, value) in root.into_inner() {
            let at = key.span().start;
            let name = key.into_inner();
            match name.as_ref() {
                "rule" => items(value, (number, file, text), faults, &mut all.rules),
                "fact" => items(value, (number, file, text), faults, &mut all.facts),
                "decision" => items(value, (number, file, text), faults, &mut all.decisions),
                "officer" => item(value, (number, file, text), faults, &mut all.officer),
                other => faults.push(
                    Fault::new(
                        file,
                        format!("unknown section `{other}`"),
                        "write [[rule]], [[fact]], [[decision]] or [officer]",
                    )
                    .at_offset(text, at),
                ),
            }
        }
    }
    all
}

/// Reads each table of an array by itself, so that one bad rule hides no other.
fn items<'a, T: Deserialize<'a>>(
    value: Spanned<DeValue<'a>>,
    (number, file, text): (usize, &str, &'a str),
    faults: &mut Vec<Fault>,
    into: &mut Vec<Written<T>>,
) {
    let at = value.span().start;
    let DeValue::Array(array) = value.into_inner() else {
        let fault =
            Fault::new(file, "a single table", "write the name in double brackets: [[rule]]");
        faults.push(fault.at_offset(text, at));
        return;
    };
    for one in array {
        item(one, (number, file, text), faults, into);
    }
}

fn item<'a, T: Deserialize<'a>>(
    item: Spanned<DeValue<'a>>,
    (number, file, text): (usize, &str, &'a str),
    faults: &mut Vec<Fault>,
    into: &mut Vec<Written<T>>,
) {
    let span = item.span();
    match T::deserialize(ValueDeserializer::from(item)) {
        Ok(read) => into.push(Written { file: number, at: span.start, text: read }),
        Err(error) => {
            let mut fault = Fault::from_toml(file, text, &error);
            if fault.at.is_none() {
                fault = fault.at_offset(text, span.start);
            }
            faults.push(fault);
        }
    }
}

/// Checks words of one file against the vocabulary, gathering faults with their places.
pub(crate) struct Checker<'a> {
    pub(crate) files: &'a [(String, String)],
    pub(crate) names: &'a Names,
    pub(crate) lists: &'a Lists,
    pub(crate) faults: &'a mut Vec<Fault>,
}

impl Checker<'_> {
    /// Adds a fault at a byte offset of a file.
    pub(crate) fn fault(
        &mut self,
        file: usize,
        at: usize,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) {
        if let Some((name, text)) = self.files.get(file) {
            self.faults.push(Fault::new(name, what, cure).at_offset(text, at));
        }
    }

    /// A label, or a fault that lists what it could have been.
    pub(crate) fn label(&mut self, file: usize, word: &Spanned<String>) -> Option<Label> {
        match self.names.label(word.get_ref()) {
            Ok(label) => Some(label),
            Err((what, cure)) => {
                self.fault(file, word.span().start, what, cure);
                None
            }
        }
    }

    /// The places of a `where`.
    pub(crate) fn places(&mut self, file: usize, words: &[Spanned<String>]) -> Vec<Place> {
        let mut places = Vec::new();
        for word in words {
            let found = match word.get_ref().strip_prefix("form:") {
                Some(asked) => {
                    self.names.asked.iter().position(|word| word == asked).map(Place::Form)
                }
                None => Place::ALL.into_iter().find(|place| place.id() == word.get_ref()),
            };
            match found {
                Some(place) => places.push(place),
                None => self.fault(
                    file,
                    word.span().start,
                    format!("unknown place `{}`", word.get_ref()),
                    format!("write one of: {}", self.all_places()),
                ),
            }
        }
        places
    }

    fn all_places(&self) -> String {
        let asked = self.names.asked.iter().map(|word| format!("form:{word}"));
        let plain = Place::ALL.map(Place::id).map(str::to_owned);
        plain.into_iter().chain(asked).collect::<Vec<_>>().join(", ")
    }

    /// Text that must not be empty.
    pub(crate) fn filled(&mut self, file: usize, word: &Spanned<String>, name: &str) {
        if word.get_ref().trim().is_empty() {
            let what = format!("`{name}` is empty");
            self.fault(file, word.span().start, what, "say it in a few words");
        }
    }
}
