//! What can be wrong with a set of templates, with the place and the cure.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Error, ErrorKind};
use serde_json::Value;

use super::edition::{self, Edition};
use super::letter::{ContextKind, LetterId};
use super::outcome::outcome;
use super::sample::{self, Sample};
use super::{Letters, key, within};
use crate::casework::adjustment::Adjustment;
use crate::fault::Fault;

/// One template as it was given.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its name in faults.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
}

/// Templates by their place below `letters/`.
pub(super) type Set = BTreeMap<String, File>;

const SHARED: [&str; 8] = [
    "base.txt",
    "base.html",
    "staff.txt",
    "staff.html",
    "sections.txt",
    "sections.html",
    FRAME[0],
    FRAME[1],
];
/// What stands around those: sets from before there was such a file hold all of it in their own.
const FRAME: [&str; 2] = ["frame.txt", "frame.html"];
/// Those around letters to customers, which an edition may have in its own words.
const BASE: [&str; 2] = ["base.txt", "base.html"];
const PARTS: [&str; 3] = ["subject.txt", "body.txt", "body.html"];

/// Finds each file's place; faults are files that have none, and places that have no file.
pub(super) fn sort_out(files: &[(String, String)]) -> Result<Set, Vec<Fault>> {
    let mut set = Set::new();
    let mut faults = Vec::new();
    let editions: BTreeSet<&str> = files.iter().filter_map(|(name, _)| edition_of(name)).collect();
    for (name, text) in files.iter().filter(|(name, _)| !is_note(name)) {
        match place_of(name, &editions) {
            Ok(key) => {
                set.insert(key, File { name: name.clone(), text: text.clone() });
            }
            Err(fault) => faults.push(fault),
        }
    }
    let root = files
        .iter()
        .find_map(|(name, _)| Some(name.split_at(key_start(name)?).0.to_owned()))
        .unwrap_or_else(|| "templates/letters/".to_owned());
    let missing = |key: &String| !set.contains_key(key);
    for key in places().chain(begun(&set, &editions)).filter(missing) {
        faults.push(Fault::new(
            &format!("{root}{key}"),
            "this file is missing",
            "put it back, or copy it from the shipped templates",
        ));
    }
    if faults.is_empty() { Ok(set) } else { Err(faults) }
}

/// A set with the shipped files of those letters that it has no file of, and which these are; and with the shipped
/// frame, where it has none. A set without any letter stays as it is: somebody has named the wrong folder.
pub(super) fn completed(files: &[(String, String)]) -> (Vec<(String, String)>, Vec<LetterId>) {
    let key = |name: &str| key_start(name).and_then(|start| name.get(start..).map(str::to_owned));
    let of_letter = |name: &str| {
        let key = key(name)?;
        key.split_once('/').and_then(|(folder, _)| folder.parse::<LetterId>().ok())
    };
    let there: BTreeSet<LetterId> = files.iter().filter_map(|(name, _)| of_letter(name)).collect();
    let mut files = files.to_vec();
    if there.is_empty() {
        return (files, Vec::new());
    }
    let lacking: Vec<LetterId> =
        LetterId::ALL.iter().copied().filter(|letter| !there.contains(letter)).collect();
    let own: BTreeSet<String> = files.iter().filter_map(|(name, _)| key(name)).collect();
    let is_lacking = |name: &str| {
        of_letter(name).is_some_and(|id| lacking.contains(&id))
            || key(name).is_some_and(|key| FRAME.contains(&key.as_str()) && !own.contains(&key))
    };
    files.extend(Letters::shipped().into_iter().filter(|(name, _)| is_lacking(name)));
    (files, lacking)
}

/// The folder that a file makes an edition.
fn edition_of(name: &str) -> Option<&str> {
    let (id, file) = name.get(key_start(name)?..)?.split_once('/')?;
    (file == edition::FILE && id.parse::<LetterId>().is_err()).then_some(id)
}

/// The parts of every letter, and of the page around it, of which an edition has one.
fn begun(set: &Set, editions: &BTreeSet<&str>) -> Vec<String> {
    let folders = set.keys().filter_map(|key| {
        let (id, file) = key.split_once('/').filter(|(id, _)| editions.contains(id))?;
        Some((id, file.split_once('/').map(|(letter, _)| letter)))
    });
    let folders: BTreeSet<_> = folders.collect();
    let parts = |(id, letter): (&str, Option<&str>)| -> Vec<String> {
        match letter {
            Some(letter) => PARTS.iter().map(|part| format!("{id}/{letter}/{part}")).collect(),
            // edition.toml stands there; a page of its own is whole or not at all.
            None if BASE.iter().any(|part| set.contains_key(&within(id, part))) => {
                BASE.iter().map(|part| within(id, part)).collect()
            }
            None => Vec::new(),
        }
    };
    folders.into_iter().flat_map(parts).collect()
}

/// Whether a file is a note for whoever edits templates, and no template.
pub(crate) fn is_note(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("md"))
}

fn places() -> impl Iterator<Item = String> {
    let parts = LetterId::ALL
        .iter()
        .flat_map(|letter| PARTS.iter().map(move |part| format!("{}/{part}", letter.id())));
    SHARED.iter().map(|&file| file.to_owned()).chain(parts)
}

/// Where the place below `letters/` begins; the last such folder counts, whatever is above it.
fn key_start(name: &str) -> Option<usize> {
    match name.rfind("/letters/") {
        Some(at) => Some(at + "/letters/".len()),
        None => name.starts_with("letters/").then_some("letters/".len()),
    }
}

/// A file's place below `letters/`.
pub(super) fn key_of(name: &str) -> Option<&str> {
    name.get(key_start(name)?..)
}

fn place_of(name: &str, editions: &BTreeSet<&str>) -> Result<String, Fault> {
    let unknown = |what: String, cure: String| Err(Fault::new(name, what, cure));
    let Some(key) = key_start(name).and_then(|start| name.get(start..)) else {
        return unknown("not a template".to_owned(), "templates are below letters/".to_owned());
    };
    let (own, file) = match key.split_once('/') {
        Some((id, file)) if editions.contains(id) => (true, file),
        _ => (false, key),
    };
    let shared: &[&str] = if own { &[edition::FILE, BASE[0], BASE[1]] } else { &SHARED };
    match file.split_once('/') {
        None if shared.contains(&file) => Ok(key.to_owned()),
        None => unknown(
            format!("unknown shared file `{file}`"),
            format!("use one of: {}", shared.join(", ")),
        ),
        Some((folder, part)) => match folder.parse::<LetterId>() {
            Err(error) => unknown(
                format!("unknown letter `{folder}`"),
                format!(
                    "name the folder after one of: {}; a folder of letters in another language needs its {}",
                    error.expected,
                    edition::FILE
                ),
            ),
            Ok(letter) if own && !letter.is_to_customer() => unknown(
                format!("`{folder}` goes to staff"),
                "take it out: only letters to customers are written in other editions".to_owned(),
            ),
            Ok(_) if PARTS.contains(&part) => Ok(key.to_owned()),
            Ok(_) => unknown(
                format!("unknown file `{part}`"),
                format!("a letter's files are {}", PARTS.join(", ")),
            ),
        },
    }
}

/// Everything that is wrong with a set whose files are all there and can be parsed.
pub(super) fn faults(letters: &Letters, set: &Set) -> Vec<Fault> {
    let mut faults = forbidden_tags(set);
    faults.extend(unknown_in_shared(letters, set, "", &["base", "frame"], true));
    faults.extend(unknown_in_shared(letters, set, "", &["staff", "sections"], false));
    for edition in letters.editions() {
        faults.extend(unknown_in_shared(letters, set, &edition.id, &["base"], true));
    }
    let all = std::iter::once(&letters.usual).chain(letters.editions());
    for (edition, &letter) in all.flat_map(|one| LetterId::ALL.iter().map(move |id| (one, id))) {
        if !letters.has(letter, edition) {
            continue;
        }
        let samples = sample::samples(letter);
        let mut of_letter = unknown_fields(letters, set, (edition, letter), &samples);
        of_letter.extend(private_in_subject(letters, set, (edition, letter)));
        of_letter.extend(other_words(letters, set, (edition, letter)));
        // A letter with a misspelt field cannot be tried: it would only say so again.
        if of_letter.is_empty() {
            for sample in &samples {
                of_letter.extend(tried(letters, set, (edition, letter), sample));
            }
        }
        for fault in of_letter {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    faults
}

/// Escaping cannot be switched off, and a subject draws on no other file.
fn forbidden_tags(set: &Set) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, file) in set {
        let mut forbidden = vec![("autoescape", "values are always escaped; take this tag out")];
        if key.ends_with("subject.txt") {
            let cure = "a subject stands alone; write its words here";
            forbidden.extend(["extends", "include", "import", "from"].map(|tag| (tag, cure)));
        }
        for (tag, cure) in forbidden {
            if let Some(at) = find_tag(&file.text, tag) {
                let what = format!("the tag `{tag}` is not allowed here");
                faults.push(Fault::new(&file.name, what, cure).at_offset(&file.text, at));
            }
        }
    }
    faults
}

/// Parts of a letter of an edition that go on from a letter which the edition has not: half of what they say would be
/// in the usual words.
fn other_words(
    letters: &Letters,
    set: &Set,
    (edition, letter): (&Edition, LetterId),
) -> Vec<Fault> {
    let files = PARTS.iter().filter_map(|part| set.get(&key(edition, letter, part)));
    let fault = |file: &File| {
        let at = find_tag(&file.text, "extends")?;
        let tag = file.text.get(at..)?.split("%}").next()?;
        let (named, _) = tag.split(['"', '\'']).nth(1)?.split_once('/')?;
        if letters.has(named.parse().ok()?, edition) {
            return None;
        }
        let id = &edition.id;
        let what = format!("it goes on from `{named}`, which is not written in `{id}`");
        let cure = format!("write {id}/{named}/ too, or all of this letter here");
        Some(Fault::new(&file.name, what, cure).at_offset(&file.text, at))
    };
    files.filter_map(fault).collect()
}

fn find_tag(text: &str, tag: &str) -> Option<usize> {
    text.match_indices("{%").map(|(at, _)| at).find(|&at| {
        text.get(at + 2..)
            .map(|rest| rest.trim_start_matches(['-', '+']).trim_start())
            .and_then(|rest| rest.strip_prefix(tag))
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Fields that a letter has not, in any branch of its own files.
fn unknown_fields(
    letters: &Letters,
    set: &Set,
    (edition, letter): (&Edition, LetterId),
    samples: &[Sample],
) -> Vec<Fault> {
    let known: BTreeSet<String> = samples.iter().flat_map(|sample| paths(&sample.fields)).collect();
    let keys = PARTS.iter().map(|part| key(edition, letter, part));
    keys.flat_map(|key| unknown_in(letters, set, &key, &known)).collect()
}

/// Fields that no letter around which a shared file stands has. That each letter has those which
/// it comes to is seen when it is tried.
fn unknown_in_shared(
    letters: &Letters,
    set: &Set,
    edition: &str,
    shared: &[&str],
    to_customer: bool,
) -> Vec<Fault> {
    let known: BTreeSet<String> = LetterId::ALL
        .iter()
        .filter(|letter| letter.is_to_customer() == to_customer)
        .flat_map(|&letter| sample::samples(letter))
        .flat_map(|sample| paths(&sample.fields))
        .collect();
    let files = shared.iter().flat_map(|one| ["txt", "html"].map(|end| format!("{one}.{end}")));
    let keys: Vec<String> = files.map(|file| within(edition, &file)).collect();
    keys.iter().flat_map(|key| unknown_in(letters, set, key, &known)).collect()
}

fn unknown_in(letters: &Letters, set: &Set, key: &str, known: &BTreeSet<String>) -> Vec<Fault> {
    let Some(file) = set.get(key) else { return Vec::new() };
    fields_used(letters, key)
        .iter()
        .filter(|field| !known.contains(*field) && !is_below(field, known))
        .map(|field| misspelt(file, field, known))
        .collect()
}

fn fields_used(letters: &Letters, key: &str) -> BTreeSet<String> {
    let ours = ["loop", "super", "self"];
    letters.environment.get_template(key).map_or_else(
        |_| BTreeSet::new(),
        |template| {
            let used = template.undeclared_variables(true);
            used.into_iter().filter(|field| !ours.contains(&root_of(field))).collect()
        },
    )
}

fn root_of(field: &str) -> &str {
    field.split('.').next().unwrap_or(field)
}

/// `rows.0.reference` is below `rows`, whose insides are tried by rendering them.
fn is_below(field: &str, known: &BTreeSet<String>) -> bool {
    let list = format!("{}[]", root_of(field));
    known.contains(&list)
}

/// Every field of a context as a template writes it: `council.phone`; a list also as `rows[]`.
pub(super) fn paths(fields: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        found.insert(name.clone());
        if value.is_array() {
            found.insert(format!("{name}[]"));
        }
        found.extend(paths(value).into_iter().map(|path| format!("{name}.{path}")));
    }
    found
}

fn misspelt(file: &File, field: &str, known: &BTreeSet<String>) -> Fault {
    let listed: Vec<&str> =
        known.iter().map(String::as_str).filter(|path| !path.ends_with("[]")).collect();
    let fault = Fault::new(
        &file.name,
        format!("unknown field `{field}`"),
        match nearest(field, &listed) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use one of: {}", listed.join(", ")),
        },
    );
    match find_word(&file.text, field.rsplit('.').next().unwrap_or(field)) {
        Some(at) => fault.at_offset(&file.text, at),
        None => fault,
    }
}

/// Where a word stands inside a tag, or else anywhere.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |&at: &usize| {
        !text.get(..at).is_some_and(|before| before.ends_with(is_name))
            && !text.get(at + word.len()..).is_some_and(|after| after.starts_with(is_name))
    };
    let in_tag = |&at: &usize| {
        let before = text.get(..at).unwrap_or_default();
        before.rfind('{') > before.rfind('}')
    };
    let places: Vec<usize> = text.match_indices(word).map(|(at, _)| at).filter(whole).collect();
    places.iter().copied().find(in_tag).or_else(|| places.first().copied())
}

/// The known field that differs least, if it differs by little.
fn nearest<'a>(field: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (distance(field, candidate), candidate))
        .min()
        .filter(|&(distance, _)| distance <= 1 + field.len() / 5)
        .map(|(_, candidate)| candidate)
}

/// Letters to add, leave out or change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), after) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let change = above + usize::from(x != *y);
            let add = next.last().map_or(change, |left| left + 1);
            next.push(change.min(after + 1).min(add));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// What a subject may name: everything else is private, or becomes so in company.
fn open_fields(kind: ContextKind) -> &'static [&'static str] {
    match kind {
        ContextKind::Customer
        | ContextKind::Holding
        | ContextKind::Asking
        | ContextKind::Rejection
        | ContextKind::Interest
        | ContextKind::AnswerCopy => &["reference"],
        ContextKind::ServiceRequest | ContextKind::SentBack => {
            &["reference", "answer_by", "time_left"]
        }
        ContextKind::Reminder => &["reference", "due_words", "due"],
        ContextKind::Digest => &["how_many", "service", "headline", "counts.open", "counts.late"],
        ContextKind::OverdueDigest => &[
            "area",
            "is_weekly",
            "oldest_words",
            "counts.overdue",
            "counts.over_20",
            "counts.open",
        ],
        ContextKind::OfficerNotice => &["reference", "act", "by"],
        ContextKind::DutyAlert => &["message_number", "reference", "is_second_call"],
        ContextKind::AnswerCode | ContextKind::AnswerLink => &[],
    }
}

fn private_in_subject(
    letters: &Letters,
    set: &Set,
    (edition, letter): (&Edition, LetterId),
) -> Vec<Fault> {
    let key = key(edition, letter, "subject.txt");
    let Some(file) = set.get(&key) else { return Vec::new() };
    let open = open_fields(letter.context());
    fields_used(letters, &key)
        .into_iter()
        .filter(|field| !open.contains(&field.as_str()))
        .map(|field| {
            let what = format!("`{field}` may not stand in a subject: other people see subjects");
            let fault = Fault::new(&file.name, what, format!("use only: {}", open.join(", ")));
            let word = field.rsplit('.').next().unwrap_or(&field);
            match find_word(&file.text, word) {
                Some(at) => fault.at_offset(&file.text, at),
                None => fault,
            }
        })
        .collect()
}

/// Writes a letter from one sample and looks at what came out.
fn tried(
    letters: &Letters,
    set: &Set,
    (edition, letter): (&Edition, LetterId),
    sample: &Sample,
) -> Vec<Fault> {
    let mut said = sample.fields.clone();
    edition.say(&mut said);
    let fields = super::fields(&said);
    // By its own parts first, so that the fault has its column.
    for part in PARTS {
        let key = key(edition, letter, part);
        let rendered = letters
            .environment
            .get_template(&key)
            .and_then(|template| template.render(fields.clone()));
        if let Err(error) = rendered {
            return vec![fault_of(&error, set, &key)];
        }
    }
    let place = |part: &str| name_of(set, &key(edition, letter, part));
    let as_read = Adjustment { edition: Some(edition.id.clone()), ..Adjustment::NONE };
    match letters.fill_in(letter, sample.fields.clone(), &as_read) {
        Err(fault) => {
            vec![Fault::new(
                &place("subject.txt"),
                fault.to_string(),
                "write what the subject says",
            )]
        }
        Ok(written) => outcome(edition, letter, &said, &written)
            .into_iter()
            .map(|(part, what, cure)| {
                let what = format!("{what} (tried with: {})", sample.name);
                Fault::new(&place(part), what, cure)
            })
            .collect(),
    }
}

fn name_of(set: &Set, key: &str) -> String {
    set.get(key).map_or_else(|| key.to_owned(), |file| file.name.clone())
}

/// How a fault ends that says that a field is printed which may have no value.
pub(super) const CAN_BE_EMPTY: &str = "can be empty";

/// What the template engine found, with its place and a cure.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "another crate's enum, which may grow; the last arm says what there is to say"
)]
pub(super) fn fault_of(error: &Error, set: &Set, key: &str) -> Fault {
    let error = deepest(error);
    let key = error.name().filter(|name| set.contains_key(*name)).unwrap_or(key);
    let (name, text) =
        set.get(key).map_or((key, ""), |file| (file.name.as_str(), file.text.as_str()));
    let range = error.range().filter(|range| range.end <= text.len());
    let word = range.clone().and_then(|range| text.get(range)).unwrap_or_default().trim();
    let quoted = if word.is_empty() { String::new() } else { format!(" `{word}`") };
    let (what, cure) = match error.kind() {
        ErrorKind::UndefinedError => (
            format!("unknown field{quoted}"),
            "correct its name; README.md lists the fields".to_owned(),
        ),
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest => {
            (format!("{}{quoted}", error.kind()), "use the ones that README.md lists".to_owned())
        }
        ErrorKind::TemplateNotFound => {
            (format!("there is no such file{quoted}"), format!("use one of: {}", SHARED.join(", ")))
        }
        ErrorKind::OutOfFuel => {
            ("this goes on for ever".to_owned(), "take the loop out".to_owned())
        }
        ErrorKind::SyntaxError => (
            format!("not a template: {}", error.detail().unwrap_or("cannot be read")),
            "correct the tag; each {% if %}, {% for %} and {% block %} needs its end".to_owned(),
        ),
        _ if error.detail() == Some(super::EMPTY_FIELD) => (
            format!("the field{quoted} {CAN_BE_EMPTY}"),
            "put it inside {% if … %} … {% endif %}".to_owned(),
        ),
        _ => (
            format!("{}{quoted}", error.kind()),
            "correct this; README.md shows what a template may do".to_owned(),
        ),
    };
    let fault = Fault::new(name, what, cure);
    match (range, error.line()) {
        (Some(range), _) => fault.at_offset(text, range.start),
        (None, Some(line)) => Fault { at: Some((line, 1)), ..fault },
        (None, None) => fault,
    }
}

/// An error inside an included file hides behind the tag that includes it.
fn deepest(error: &Error) -> &Error {
    let mut deepest = error;
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<Error>() {
            deepest = inner;
        }
        source = inner.source();
    }
    deepest
}
