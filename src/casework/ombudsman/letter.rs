//! What can be read off a letter from the Ombudsman. All of it is a suggestion: an officer reads the letter.

use jiff::civil::Date;

use super::ContactKind;

/// The Ombudsman's references in a text, as they print them (`23 001 234`), each once.
pub fn references(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<String> = Vec::new();
    for at in 0..chars.len() {
        if let Some(reference) = reference_at(&chars, at)
            && !found.contains(&reference)
        {
            found.push(reference);
        }
    }
    found
}

/// Two, three and three digits with one separator between them, and no digit beside them.
fn reference_at(chars: &[char], at: usize) -> Option<String> {
    let is_gap = |c: char| matches!(c, ' ' | '\u{a0}' | '-');
    let get = |at: usize| chars.get(at).copied();
    // `020 12 345 678` is no reference, and neither is `1-23 001 234`.
    let before = at.checked_sub(1).and_then(get);
    let stands_alone = match before {
        Some(c) if is_gap(c) => at.checked_sub(2).and_then(get).is_none_or(|c| !c.is_ascii_digit()),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    };
    if !stands_alone {
        return None;
    }
    let mut reference = String::new();
    let mut next = at;
    for (group, length) in [2, 3, 3].into_iter().enumerate() {
        if group > 0 {
            get(next).filter(|c| is_gap(*c))?;
            reference.push(' ');
            next += 1;
        }
        for _ in 0..length {
            reference.push(get(next).filter(char::is_ascii_digit)?);
            next += 1;
        }
    }
    let ends = match get(next) {
        Some(c) if is_gap(c) => get(next + 1).is_none_or(|c| !c.is_ascii_digit()),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    };
    ends.then_some(reference)
}

/// Words that make a letter of each kind, the surest first.
const TELLING: &[(ContactKind, &[&str])] = &[
    (
        ContactKind::Premature,
        &[
            "premature",
            "not completed your complaints",
            "has not yet completed",
            "through your complaints procedure",
        ],
    ),
    (ContactKind::Provisional, &["draft decision", "provisional view", "provisional decision"]),
    (ContactKind::Remedy, &["remedy", "agreed action", "evidence of compliance"]),
    (
        ContactKind::Decision,
        &["final decision", "decision statement", "our decision", "has decided"],
    ),
    (ContactKind::Documents, &["copies of", "please send us", "send us your file", "documents"]),
];

/// What a letter seems to be; an enquiry where nothing tells.
pub fn kind_of(text: &str) -> ContactKind {
    let text = text.to_lowercase();
    let told = TELLING.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    told.map_or(ContactKind::Enquiry, |(kind, _)| *kind)
}

/// Words before a date that make it the one by which something is wanted.
const BY: [&str; 6] = ["by", "before", "until", "than", "deadline", "due"];
/// How many words may stand between such a word and the date: `by 5pm on Friday 14 April`.
const BETWEEN: usize = 5;

/// The first day that a letter seems to ask for something by, on or after the day it came.
pub fn suggested_date(text: &str, received_on: Date) -> Option<Date> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (0..words.len()).find_map(|at| {
        let before = words.get(at.saturating_sub(BETWEEN + 1)..at)?;
        before.iter().any(|word| BY.contains(&bare(word).as_str())).then_some(())?;
        date_at(words.get(at..)?, received_on).filter(|day| *day >= received_on)
    })
}

/// A word in small letters, without what stands around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// `14 April 2026`, `14th April`, `14/04/2026`. A day without a year is the next one.
fn date_at(words: &[&str], received_on: Date) -> Option<Date> {
    let first = bare(words.first()?);
    let parts: Vec<&str> = first.split(['/', '.']).collect();
    if let [day, month, year] = parts.as_slice() {
        let year: i16 = year.parse().ok()?;
        let year = if year < 100 { 2000 + year } else { year };
        return Date::new(year, month.parse().ok()?, day.parse().ok()?).ok();
    }
    let day: i8 = first.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
    let month = month_of(&bare(words.get(1)?))?;
    let year = words.get(2).and_then(|word| bare(word).parse::<i16>().ok());
    match year.filter(|year| *year >= 2000) {
        Some(year) => Date::new(year, month, day).ok(),
        None => [received_on.year(), received_on.year() + 1]
            .into_iter()
            .filter_map(|year| Date::new(year, month, day).ok())
            .find(|date| *date >= received_on),
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month_of(word: &str) -> Option<i8> {
    let is = |month: &&str| *month == word || (word.len() == 3 && month.starts_with(word));
    let at = MONTHS.iter().position(is)?;
    i8::try_from(at + 1).ok()
}
