//! Which area of a service a message speaks of, as far as its writer says where they live. Pure.
//!
//! Only what they newly wrote counts, with what stands below their name and what they filled into the council's
//! form: never what they quote or pass on. A postcode may all the same be a school's or a taxi firm's, so a choice
//! says what it rests on and whether that is sure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Service, Services};
use crate::casework::case::{AreaFrom, AreaWords};
use crate::email::Email;
use crate::private::Private;
use crate::rules::text::own_words;

/// The words for questions of a web form that ask where somebody lives.
const HOME: [&str; 2] = ["home", "postcode"];

/// Words beside a postcode that is hardly anybody's home. Whole words, in small letters.
const NOT_A_HOME: [&str; 22] = [
    "school",
    "academy",
    "college",
    "nursery",
    "preschool",
    "university",
    "office",
    "offices",
    "council",
    "hospital",
    "surgery",
    "clinic",
    "tribunal",
    "solicitor",
    "solicitors",
    "ltd",
    "limited",
    "llp",
    "taxi",
    "taxis",
    "firm",
    "company",
];

/// Words that make a place's name that of something in it, where one of them stands among the next words.
const OF_A_PLACE: [&str; 6] = ["high", "primary", "junior", "infant", "centre", "court"];
const NEXT_WORDS: usize = 4;

/// Lines at the end of a letter that are looked upon as what stands below a name, and how long such a line is.
const LAST_LINES: usize = 4;
const ADDRESS_CHARS: usize = 60;

/// Words kept for one area: they are shown to a person.
const KEPT: usize = 3;

/// What a message says of a service's areas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaFound {
    /// The one that it names; none where it names several.
    pub area: Option<String>,
    /// Whether it names it as the writer's own: in the form, or below their name.
    pub is_sure: bool,
    /// The words that name it, or each of them.
    pub words: Vec<AreaWords>,
}

/// One text of a message, and what a postcode in it is worth at most.
struct Part<'a> {
    text: &'a str,
    from: AreaFrom,
}

impl Services {
    /// Which area of a service a message speaks of; none where it names no area of it.
    pub fn area_of(&self, service: &Service, email: &Email) -> Option<AreaFound> {
        if service.areas.is_empty() {
            return None;
        }
        if let Some(form) = &email.form {
            let asked = |(word, _): &&(String, Private<String>)| HOME.contains(&word.as_str());
            let home: Vec<&str> =
                form.answers.iter().filter(asked).map(|(_, said)| said.as_str()).collect();
            let parts: Vec<Part<'_>> =
                home.iter().map(|text| Part { text, from: AreaFrom::Home }).collect();
            let is_given = home.iter().any(|text| !postcodes(text).is_empty());
            let found = found(service, &parts);
            // Whoever gave their postcode lives there, and nowhere else that they write of.
            if is_given || found.is_some() {
                return found;
            }
        } else if email.from.as_ref().is_some_and(|from| {
            self.is_council_address(&from.address) || self.is_ombudsman(&from.address)
        }) {
            // What a colleague passes on stands below their own office's address.
            return None;
        }
        let (text, signature) = own_words(email);
        let parts = [
            Part { text: &text, from: AreaFrom::Text },
            Part { text: &signature, from: AreaFrom::Signature },
        ];
        found(service, &parts)
    }
}

fn found(service: &Service, parts: &[Part<'_>]) -> Option<AreaFound> {
    let claims = Claims::of(service);
    let mut named = Named::default();
    for part in parts {
        claims.by_postcode(part, &mut named);
    }
    if named.0.is_empty() {
        for part in parts {
            claims.by_district(part.text, &mut named);
        }
    }
    let only = match named.0.keys().collect::<Vec<_>>().as_slice() {
        [] => return None,
        [only] => Some((*only).clone()),
        _ => None,
    };
    let words: Vec<AreaWords> = named.0.into_values().flatten().collect();
    let is_home = |one: &AreaWords| matches!(one.from, AreaFrom::Home | AreaFrom::Signature);
    Some(AreaFound { is_sure: only.is_some() && words.iter().any(is_home), area: only, words })
}

/// The areas named so far, each with the words that name it.
#[derive(Default)]
struct Named(BTreeMap<String, Vec<AreaWords>>);

impl Named {
    fn add(&mut self, area: &str, words: &str, from: AreaFrom) {
        let known = self.0.entry(area.to_owned()).or_default();
        if known.len() < KEPT && !known.iter().any(|one| one.words.0 == words && one.from == from) {
            known.push(AreaWords { area: area.to_owned(), words: words.to_owned().into(), from });
        }
    }
}

/// A place: all its words, its name, its area.
type District<'a> = (Vec<String>, &'a str, &'a str);

/// Which area has which beginnings of postcodes, and which places.
struct Claims<'a> {
    postcodes: BTreeMap<&'a str, &'a str>,
    /// By the first word of a place; the longest first.
    districts: BTreeMap<String, Vec<District<'a>>>,
    /// Outward codes of which some area has a sector only.
    split: BTreeSet<&'a str>,
}

impl<'a> Claims<'a> {
    fn of(service: &'a Service) -> Self {
        let (mut postcodes, mut districts, mut split) =
            (BTreeMap::new(), BTreeMap::<String, Vec<_>>::new(), BTreeSet::new());
        for area in &service.areas {
            for prefix in &area.postcodes {
                postcodes.insert(prefix.as_str(), area.id.as_str());
                split.extend(prefix.split_once(' ').map(|(outward, _)| outward));
            }
            for name in &area.districts {
                let all = words(name);
                if let Some(first) = all.first().cloned() {
                    let place = (all, name.as_str(), area.id.as_str());
                    districts.entry(first).or_default().push(place);
                }
            }
        }
        for places in districts.values_mut() {
            places.sort_by_key(|(words, ..)| std::cmp::Reverse(words.len()));
        }
        Self { postcodes, districts, split }
    }

    fn by_postcode(&self, part: &Part<'_>, named: &mut Named) {
        let lines: Vec<&str> = part.text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.len().saturating_sub(LAST_LINES);
        for (number, line) in lines.into_iter().enumerate() {
            for code in postcodes(line) {
                let Some(area) = self.of_postcode(&code) else { continue };
                let is_below = number >= last && is_address(line);
                let from = match part.from {
                    AreaFrom::Home => AreaFrom::Home,
                    _ if is_no_home(line) => AreaFrom::Elsewhere,
                    // A part of a postcode is how people say where something is.
                    _ if code.sector.is_none() => AreaFrom::Text,
                    AreaFrom::Text if is_below => AreaFrom::Signature,
                    AreaFrom::Signature => AreaFrom::Signature,
                    AreaFrom::Text | AreaFrom::Elsewhere | AreaFrom::District => AreaFrom::Text,
                };
                named.add(area, &code.written(), from);
            }
        }
    }

    /// The longest beginning of it that an area has.
    fn of_postcode(&self, code: &Postcode) -> Option<&'a str> {
        let outward = code.outward.as_str();
        match code.sector {
            Some(sector) => {
                let whole = self.postcodes.get(format!("{outward} {sector}").as_str());
                whole.or_else(|| self.postcodes.get(outward)).copied()
            }
            // Where an outward code is shared, it alone says nothing.
            None if self.split.contains(outward) => None,
            None => self.postcodes.get(outward).copied(),
        }
    }

    fn by_district(&self, text: &str, named: &mut Named) {
        for line in text.lines().filter(|line| !is_reordered(line)) {
            let written = as_written(line);
            let folded: Vec<String> = written.iter().map(|word| word.to_lowercase()).collect();
            let mut at = 0;
            while let (Some(rest), Some(first)) = (folded.get(at..), written.get(at)) {
                let places = rest.first().and_then(|word| self.districts.get(word));
                let place = places.into_iter().flatten().find(|(words, ..)| {
                    // One word in small letters is rarely a place's name.
                    rest.starts_with(words)
                        && (words.len() > 1 || first.starts_with(char::is_uppercase))
                });
                at += match place {
                    Some((words, name, area)) => {
                        let next = rest.iter().skip(words.len()).take(NEXT_WORDS);
                        // Whoever writes of Stanbrook Academy may live anywhere.
                        if !next.map(String::as_str).any(is_institution) {
                            named.add(area, name, AreaFrom::District);
                        }
                        words.len()
                    }
                    None => 1,
                };
            }
        }
    }
}

/// Whether a line looks like one of an address: short, and every word of it a name or a number.
fn is_address(line: &str) -> bool {
    let words = as_written(line);
    let is_name = |word: &String| word.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    line.chars().count() <= ADDRESS_CHARS && words.iter().all(is_name)
}

fn is_no_home(line: &str) -> bool {
    words(line).iter().any(|word| NOT_A_HOME.contains(&word.as_str()))
}

fn is_institution(word: &str) -> bool {
    NOT_A_HOME.contains(&word) || OF_A_PLACE.contains(&word)
}

/// The words of a text in small letters, without their marks.
pub(super) fn words(text: &str) -> Vec<String> {
    as_written(text).into_iter().map(|word| word.to_lowercase()).collect()
}

fn as_written(text: &str) -> Vec<String> {
    let shown: String =
        text.chars().filter(|c| !is_invisible(*c) && !matches!(c, '\'' | '\u{2019}')).collect();
    let words = shown.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Characters that show nothing and stand between others.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{61C}')
}

/// Whether a line is shown in another order than it is written in: what a person reads there is not what stands there.
fn is_reordered(line: &str) -> bool {
    line.contains(['\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}'])
        || line.contains(['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'])
}

/// A postcode, or its outward code alone.
#[derive(Debug, PartialEq, Eq)]
struct Postcode {
    outward: String,
    sector: Option<char>,
    unit: String,
}

impl Postcode {
    fn written(&self) -> String {
        match self.sector {
            Some(sector) => format!("{} {sector}{}", self.outward, self.unit),
            None => self.outward.clone(),
        }
    }
}

/// Every postcode of a line: written in small letters, or without its space, too. An outward code alone counts in
/// capitals only, and where no number follows it.
fn postcodes(line: &str) -> Vec<Postcode> {
    if is_reordered(line) {
        return Vec::new();
    }
    let shown: Vec<char> = line.chars().filter(|c| !is_invisible(*c)).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < shown.len() {
        let begins = at.checked_sub(1).and_then(|before| shown.get(before));
        let begins =
            begins.is_none_or(|before| before.is_whitespace() || "(,;:\"'[“‘".contains(*before));
        let read = if begins { shown.get(at..).and_then(read_at) } else { None };
        at += match read {
            Some((code, length)) => {
                found.push(code);
                length
            }
            None => 1,
        };
    }
    found
}

/// A postcode at the beginning of some characters, and how many it takes.
fn read_at(rest: &[char]) -> Option<(Postcode, usize)> {
    for length in [4, 3, 2] {
        let Some((head, tail)) = rest.split_at_checked(length) else { continue };
        let written: String = head.iter().collect();
        let outward = written.to_ascii_uppercase();
        if !is_outward(&outward) {
            continue;
        }
        let blanks = tail.iter().take_while(|c| c.is_whitespace()).count();
        if let Some([sector, one, two, behind @ ..]) = tail.get(blanks..).filter(|_| blanks <= 2)
            && sector.is_ascii_digit()
            && is_unit(*one)
            && is_unit(*two)
            && ends(behind)
        {
            let unit = [one, two].iter().map(|c| c.to_ascii_uppercase()).collect();
            return Some((Postcode { outward, sector: Some(*sector), unit }, length + blanks + 3));
        }
        let next = tail.get(blanks);
        if outward == written && ends(tail) && !next.is_some_and(char::is_ascii_digit) {
            return Some((Postcode { outward, sector: None, unit: String::new() }, length));
        }
    }
    None
}

/// Whether something ends before these characters: a mark that joins words leads on.
fn ends(rest: &[char]) -> bool {
    match rest {
        [first, ..] if first.is_alphanumeric() || matches!(first, '@' | '_') => false,
        ['-' | '/' | '.' | '\'' | '’', next, ..] => !next.is_alphanumeric(),
        _ => true,
    }
}

/// Whether a letter may stand in the last two of a postcode (C, I, K, M, O and V never do).
fn is_unit(c: char) -> bool {
    let c = c.to_ascii_uppercase();
    c.is_ascii_uppercase() && !matches!(c, 'C' | 'I' | 'K' | 'M' | 'O' | 'V')
}

/// Whether a word, in capitals, has the form of an outward code: `N1`, `N1C`, `NM12`, `NM1W`.
pub(super) fn is_outward(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = word.as_bytes().get(letters..).unwrap_or_default();
    (1..=2).contains(&letters)
        && match rest {
            [digit] => digit.is_ascii_digit(),
            [digit, last] => {
                digit.is_ascii_digit() && (last.is_ascii_digit() || last.is_ascii_uppercase())
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests;
