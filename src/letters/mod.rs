//! What we write: a letter and what it is about in, its subject, text and HTML out.
//!
//! The templates are the council's (`templates/letters/<id>/{subject.txt, body.txt, body.html}`,
//! around the shared `base.*` and `staff.*`), and the same in other languages or in easy read
//! ([`edition`]). They are tried whole when they are loaded: a
//! misspelt field, a missing file, a subject that would give a person away, words that are too
//! hard, is a [`Fault`] at nine in the morning by the editor, not at three to a parent.

pub mod context;
pub mod digest;
pub mod edition;
pub mod letter;
pub mod reading;
pub mod sample;
pub mod words;

mod check;
mod mended;
mod outcome;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{
    AutoEscape, Environment, ErrorKind, UndefinedBehavior, escape_formatter, syntax::SyntaxConfig,
};
use sha2::{Digest as _, Sha256};

pub(crate) use check::is_note;
pub use context::{
    AnswerCode, AnswerCopy, AnswerLink, AskingLetter, Contact, Context, Council, CustomerLetter,
    DutyAlert, HoldingLetter, InterestLetter, OfficerNotice, PointCopy, RejectionLetter, Reminder,
    SentBack, ServiceRequest,
};
pub use digest::{
    ActionRow, Actions, Counts, Digest, ManagerRow, OmbudsmanLine, OverdueCounts, OverdueDigest,
    Row,
};
pub use edition::Edition;
pub use letter::{
    ContextKind, LetterId, acknowledgement_for, is_written_by_child, record_words, stage_words,
    step_words,
};
pub use words::{InFull, InList};

use crate::casework::adjustment::{Adjustment, Format};
use crate::fault::Fault;

/// The most that one template may do: some thirty times what the longest digest needs.
const FUEL: u64 = 200_000;

/// Templates as shipped, compiled in; the same that `templates/` holds.
#[derive(rust_embed::RustEmbed)]
#[folder = "templates/"]
struct Shipped;

/// A letter, written: what the outbox keeps and sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which letter it is, as the outbox keeps it.
    pub letter: &'static str,
    /// One line, with nothing personal in it.
    pub subject: String,
    /// The plain text, complete in itself; paragraphs are single lines, for the mailer to wrap.
    pub text: crate::private::Private<String>,
    /// The same words as HTML; none for whoever asked for plain text.
    pub html: Option<crate::private::Private<String>>,
    /// Its language, as mail names it: `en-GB`.
    pub language: String,
    /// The form in which a person has to send it, where it does not leave as mail.
    pub by_hand: Option<Format>,
    /// What somebody else wrote, as a file beside the letter.
    pub attached: Option<Attached>,
}

/// A text that goes with a letter as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The file's name, with nothing personal in it.
    pub name: &'static str,
    /// What stands in it.
    pub text: crate::private::Private<String>,
}

/// Why a letter could not be written. Names fields and places, never what stands in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterFault {
    /// The letter is written from something else.
    #[error("the letter `{letter}` is written from a {needs:?}, not a {got:?}")]
    WrongContext {
        /// Which letter.
        letter: LetterId,
        /// What it is written from.
        needs: ContextKind,
        /// What was given.
        got: ContextKind,
    },
    /// The template stopped.
    #[error("{file}, line {line}: {what}")]
    Template {
        /// The template.
        file: String,
        /// Where it stopped; 0 where unknown.
        line: usize,
        /// What stopped it.
        what: String,
    },
    /// The subject came out empty.
    #[error("the subject of `{letter}` is empty")]
    Subject {
        /// Which letter.
        letter: LetterId,
    },
}

/// A set of templates that has been tried and found good.
#[derive(Debug)]
pub struct Letters {
    environment: Environment<'static>,
    version: String,
    usual: Edition,
    editions: BTreeMap<String, Edition>,
    /// The place of every template.
    places: BTreeSet<String>,
    /// Letters that the set has nothing of, so that the shipped ones serve.
    from_shipped: Vec<LetterId>,
    /// Faults of letters in whose place the shipped ones stand.
    replaced: Vec<Fault>,
}

impl Letters {
    /// Loads a set of templates and tries every letter on invented cases; but not the shipped ones, with
    /// which the program's own tests have done so.
    ///
    /// Each file comes as its name and its text; a name ends in `letters/<folder>/<file>` or
    /// `letters/<shared file>`, and faults repeat it as given. Notes (`*.md`) are left alone.
    ///
    /// # Errors
    /// Every [`Fault`] of the set, not only the first.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        if files == Self::shipped() {
            Self::read(files).map(|(letters, _)| letters)
        } else {
            Self::tried(files)
        }
    }

    /// Loads the set that is at work. Where the only fault is that a letter prints a field that can be empty, as after a
    /// change of the program, what is shipped stands in the place of that letter, and [`Self::replaced`] says so.
    ///
    /// # Errors
    /// As [`Self::load`], for every other fault.
    pub fn load_live(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let faults = match Self::load(files) {
            Ok(letters) => return Ok(letters),
            Err(faults) => faults,
        };
        match mended::mended(files, &faults).map(|files| Self::tried(&files)) {
            Some(Ok(letters)) => Ok(Self { replaced: faults, ..letters }),
            Some(Err(_)) | None => Err(faults),
        }
    }

    fn tried(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let (files, from_shipped) = check::completed(files);
        let (letters, set) = Self::read(&files)?;
        let letters = Self { from_shipped, ..letters };
        let faults = check::faults(&letters, &set);
        if faults.is_empty() { Ok(letters) } else { Err(faults) }
    }

    fn read(files: &[(String, String)]) -> Result<(Self, check::Set), Vec<Fault>> {
        let set = check::sort_out(files)?;
        let mut faults = Vec::new();
        let mut editions = BTreeMap::new();
        for (key, file) in &set {
            let Some(id) = key.strip_suffix(edition::FILE) else { continue };
            let id = id.trim_end_matches('/');
            match Edition::from_toml(id, &file.name, &file.text) {
                Ok(edition) => drop(editions.insert(id.to_owned(), edition)),
                Err(mut more) => faults.append(&mut more),
            }
        }
        let places: BTreeSet<String> =
            set.keys().filter(|key| !key.ends_with(edition::FILE)).cloned().collect();
        let mut environment = environment(places.clone());
        for (key, file) in set.iter().filter(|(key, _)| places.contains(*key)) {
            if let Err(error) = environment.add_template_owned(key.clone(), file.text.clone()) {
                faults.push(check::fault_of(&error, &set, key));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let named = set.iter().map(|(key, file)| (format!("letters/{key}"), file.text.clone()));
        let (version, usual) = (version(&named.collect()), Edition::usual());
        let (from_shipped, replaced) = (Vec::new(), Vec::new());
        Ok((Self { environment, version, usual, editions, places, from_shipped, replaced }, set))
    }

    /// The templates that come with the program, as [`Letters::load`] takes them.
    pub fn shipped() -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = Shipped::iter()
            .filter_map(|name| {
                let file = Shipped::get(&name)?;
                let text = String::from_utf8(file.data.into_owned()).ok()?;
                Some((format!("templates/{name}"), text))
            })
            .collect();
        files.sort();
        files
    }

    /// Twelve hexadecimal digits that change with any change of a template: what the audit keeps
    /// with each letter.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many letters there are, each in each edition that has it.
    pub fn len(&self) -> usize {
        self.places.iter().filter(|place| place.ends_with("/subject.txt")).count()
    }

    /// Whether there are none: never, in a set that was read.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Letters that the set has nothing of: templates from before there were such letters go on with the shipped
    /// words of those.
    pub fn from_shipped(&self) -> &[LetterId] {
        &self.from_shipped
    }

    /// What is wrong with letters of the set in whose place the shipped ones stand: each with its file, line and cure.
    pub fn replaced(&self) -> &[Fault] {
        &self.replaced
    }

    /// What there is beside the usual letters, by its id.
    pub fn editions(&self) -> impl Iterator<Item = &Edition> {
        self.editions.values()
    }

    /// Whether a letter is written in an edition; what is not goes out in the usual words.
    pub fn is_in(&self, letter: LetterId, edition: &str) -> bool {
        self.editions.get(edition).is_some_and(|edition| self.has(letter, edition))
    }

    fn has(&self, letter: LetterId, edition: &Edition) -> bool {
        self.places.contains(&key(edition, letter, "subject.txt"))
    }

    /// Writes a letter as everybody gets it.
    ///
    /// # Errors
    /// [`LetterFault`]; not expected for a context of the letter's own kind, since each letter has
    /// been tried.
    pub fn write<C: Context>(&self, letter: LetterId, context: &C) -> Result<Written, LetterFault> {
        self.write_as(letter, context, &Adjustment::NONE)
    }

    /// Writes a letter as its reader needs it. An edition that lacks the letter, or is no longer there, leaves
    /// the usual words: a letter in the wrong words is mended by the next, one that was never sent by nothing.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_as<C: Context>(
        &self,
        letter: LetterId,
        context: &C,
        adjustment: &Adjustment,
    ) -> Result<Written, LetterFault> {
        if letter.context() != C::KIND {
            let (needs, got) = (letter.context(), C::KIND);
            return Err(LetterFault::WrongContext { letter, needs, got });
        }
        // The contexts are plain structs: they cannot fail to become JSON.
        let fields = serde_json::to_value(context).unwrap_or_default();
        self.fill_in(letter, fields, adjustment)
    }

    /// A letter for invented people, in every branch that it can take, each with what is particular about it.
    pub fn samples(
        &self,
        letter: LetterId,
        adjustment: &Adjustment,
    ) -> Vec<(&'static str, Written)> {
        let written = |one: sample::Sample| {
            // Each was tried when the set was loaded.
            Some((one.name, self.fill_in(letter, one.fields, adjustment).ok()?))
        };
        sample::samples(letter).into_iter().filter_map(written).collect()
    }

    /// The same from fields, as samples have them.
    fn fill_in(
        &self,
        letter: LetterId,
        mut fields: serde_json::Value,
        adjustment: &Adjustment,
    ) -> Result<Written, LetterFault> {
        let edition = adjustment.edition.as_ref().and_then(|id| self.editions.get(id));
        let edition = edition.filter(|one| self.has(letter, one)).unwrap_or(&self.usual);
        edition.say(&mut fields);
        let fields = self::fields(&fields);
        let render = |part: &str| self.render(&key(edition, letter, part), &fields);
        // Whatever a field holds, a subject is one line: a second would be a header of its own.
        let subject = render("subject.txt")?;
        let subject = subject.split(|c: char| c.is_whitespace() || c.is_control());
        let subject = subject.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if subject.is_empty() {
            return Err(LetterFault::Subject { letter });
        }
        let text = page::tidy(&render("body.txt")?);
        let html = page::style(&page::tidy(&render("body.html")?));
        let format = adjustment.format;
        let html = if format == Format::LargePrint { page::enlarge(&html) } else { html };
        Ok(Written {
            letter: letter.id(),
            subject,
            text: text.into(),
            html: (format != Format::PlainText).then(|| html.into()),
            language: edition.lang.clone(),
            by_hand: Some(format).filter(|format| format.is_by_hand()),
            attached: None,
        })
    }

    fn render(&self, key: &str, fields: &minijinja::Value) -> Result<String, LetterFault> {
        self.environment.get_template(key).and_then(|template| template.render(fields)).map_err(
            |error| LetterFault::Template {
                file: error.name().unwrap_or(key).to_owned(),
                line: error.line().unwrap_or(0),
                what: error.kind().to_string(),
            },
        )
    }
}

/// The place of a letter's part in an edition.
fn key(edition: &Edition, letter: LetterId, part: &str) -> String {
    within(&edition.id, &format!("{}/{part}", letter.id()))
}

/// The place of a file in an edition, or in the usual set.
fn within(edition: &str, file: &str) -> String {
    if edition.is_empty() { file.to_owned() } else { format!("{edition}/{file}") }
}

/// A context as templates see it.
fn fields(context: &serde_json::Value) -> minijinja::Value {
    use serde_json::Value as Json;
    match context {
        Json::Null => ().into(),
        Json::Bool(answer) => (*answer).into(),
        Json::Number(number) => number.as_i64().unwrap_or(i64::MAX).into(),
        Json::String(words) => words.as_str().into(),
        Json::Array(list) => list.iter().map(fields).collect::<Vec<_>>().into(),
        Json::Object(parts) => minijinja::Value::from_pairs(
            parts.iter().map(|(name, value)| (name.clone(), fields(value))),
        ),
    }
}

/// What templates can do: their fields, a few filters, nothing that reaches outside.
fn environment(places: BTreeSet<String>) -> Environment<'static> {
    // Empty, not `new`: `safe` would let a value write HTML, `debug` shows every field.
    let mut environment = Environment::empty();
    // With the place of each error, in release builds too.
    environment.set_debug(true);
    environment.set_auto_escape_callback(|name| {
        if name.rsplit_once('.').is_some_and(|(_, ending)| ending == "html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    // What a letter of an edition stands in is the edition's own, where it has one.
    environment.set_path_join_callback(move |name, parent| {
        let edition = parent.split('/').next().unwrap_or_default();
        let own = within(edition, name);
        if places.contains(&own) { own.into() } else { name.into() }
    });
    // A field that is empty prints as "none", and a list as its insides: neither is meant.
    environment.set_formatter(|out, state, value| {
        if value.is_none()
            || matches!(
                value.kind(),
                minijinja::value::ValueKind::Map | minijinja::value::ValueKind::Seq
            )
        {
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, EMPTY_FIELD));
        }
        escape_formatter(out, state, value)
    });
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("lower", minijinja::filters::lower);
    environment.add_filter("upper", minijinja::filters::upper);
    environment.add_filter("without_year", |words: String| words::without_year(&words));
    environment.add_filter("sentence", sentence);
    environment.add_filter("and_list", |parts: Vec<String>, and: Option<String>| {
        digest::and_list(&parts, and.as_deref().unwrap_or("and"))
    });
    environment
}

const EMPTY_FIELD: &str = "a field without a value is printed";

/// The same words with a capital at the start.
#[expect(clippy::needless_pass_by_value, reason = "a template hands its values over")]
fn sentence(words: String) -> String {
    let mut characters = words.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Twelve hexadecimal digits over templates, by their names below the templates folder.
pub fn version(files: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for text in files.iter().flat_map(|(name, text)| [name, text]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digits =
        hash.finalize().iter().take(6).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    format!("{digits:012x}")
}

#[cfg(test)]
mod tests;
