//! Finds what every rule looks for in one pass over the folded text.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::text::{Haystack, Place, fold};
use crate::email::ascii_boundaries;

/// What one rule's pattern may compile to, in bytes.
const REGEX_BYTES: usize = 1 << 20;
/// What all together may.
const ALL_REGEXES_BYTES: usize = 10 << 20;
/// Hits counted of one regular expression in one message.
const HITS_PER_REGEX: usize = 20;

/// What a phrase is to its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Fires,
    Near,
    Unless,
}

/// A phrase of a rule.
struct Use {
    rule: usize,
    role: Role,
    /// Written with `*` at the end: the last word may go on.
    open: bool,
}

/// Where one rule's words stand.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) rule: usize,
    pub(crate) range: Range<usize>,
    pub(crate) place: Place,
    pub(crate) sentence: usize,
}

/// A rule as the matcher needs it.
pub(crate) struct Pattern {
    pub(crate) words: Vec<String>,
    pub(crate) regex: Vec<Regex>,
    pub(crate) near: Vec<String>,
    pub(crate) unless: Vec<String>,
    pub(crate) places: Vec<Place>,
}

/// All rules' phrases and expressions, compiled.
pub(crate) struct Matcher {
    literals: AhoCorasick,
    uses: Vec<Vec<Use>>,
    set: RegexSet,
    /// The rule and the expression behind each member of `set`.
    regexes: Vec<(usize, Regex)>,
    /// By rule: where it looks, and whether it has a `near`.
    rules: Vec<(Vec<Place>, bool)>,
}

impl Matcher {
    /// Compiles all rules.
    ///
    /// # Errors
    /// In words, if all together are too large.
    pub(crate) fn new(patterns: &[Pattern]) -> Result<Self, String> {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut uses: Vec<Vec<Use>> = Vec::new();
        let mut regexes = Vec::new();
        for (rule, pattern) in patterns.iter().enumerate() {
            let roles = [
                (&pattern.words, Role::Fires),
                (&pattern.near, Role::Near),
                (&pattern.unless, Role::Unless),
            ];
            for (phrases, role) in roles {
                for phrase in phrases {
                    let number = *numbers.entry(fold(phrase)).or_insert(uses.len());
                    if number == uses.len() {
                        uses.push(Vec::new());
                    }
                    if let Some(uses) = uses.get_mut(number) {
                        uses.push(Use { rule, role, open: phrase.trim_end().ends_with('*') });
                    }
                }
            }
            regexes.extend(pattern.regex.iter().map(|regex| (rule, regex.clone())));
        }
        let mut literals = vec![""; numbers.len()];
        for (literal, &number) in &numbers {
            if let Some(slot) = literals.get_mut(number) {
                *slot = literal;
            }
        }
        let literals = AhoCorasick::new(&literals).map_err(|error| error.to_string())?;
        let set = RegexSetBuilder::new(regexes.iter().map(|(_, regex)| regex.as_str()))
            .size_limit(ALL_REGEXES_BYTES)
            .build()
            .map_err(|error| error.to_string())?;
        let rules = patterns
            .iter()
            .map(|pattern| (pattern.places.clone(), !pattern.near.is_empty()))
            .collect();
        Ok(Self { literals, uses, set, regexes, rules })
    }

    /// Every place where a rule's words stand, in the order of the text, with `where`, `near` and
    /// `unless` already applied.
    pub(crate) fn hits(&self, haystack: &Haystack) -> Vec<Hit> {
        let text = haystack.folded.as_str();
        let mut fired = Vec::new();
        let mut near: Vec<(usize, usize)> = Vec::new();
        let mut unless: Vec<(usize, usize)> = Vec::new();
        for found in self.literals.find_overlapping_iter(text) {
            let range = found.start()..found.end();
            if !starts_word(text, range.start) {
                continue;
            }
            let whole = ends_word(text, range.end);
            for used in self.uses.get(found.pattern().as_usize()).into_iter().flatten() {
                if !whole && !used.open {
                    continue;
                }
                let sentence = haystack.sentence_at(range.start);
                match used.role {
                    Role::Near => near.push((used.rule, sentence)),
                    Role::Unless => unless.push((used.rule, sentence)),
                    Role::Fires => {
                        let range = range.start..end_of_word(text, range.end);
                        fired.push((used.rule, range, sentence));
                    }
                }
            }
        }
        for number in self.set.matches(text) {
            let Some((rule, regex)) = self.regexes.get(number) else { continue };
            for found in regex.find_iter(text).take(HITS_PER_REGEX) {
                fired.push((*rule, found.range(), haystack.sentence_at(found.start())));
            }
        }
        near.sort_unstable();
        unless.sort_unstable();
        let mut hits: Vec<Hit> = fired
            .into_iter()
            .filter_map(|(rule, range, sentence)| {
                let place = haystack.place_at(range.start);
                let (places, needs_near) = self.rules.get(rule)?;
                let here = (rule, sentence);
                let kept = places.contains(&place)
                    && (!needs_near || near.binary_search(&here).is_ok())
                    && unless.binary_search(&here).is_err();
                kept.then_some(Hit { rule, range, place, sentence })
            })
            .collect();
        hits.sort_by_key(|hit| (hit.range.start, hit.rule));
        hits
    }
}

/// Compiles one expression of a rule.
///
/// # Errors
/// The reader's own words, on one line.
pub(crate) fn compile(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(&ascii_boundaries(expression))
        .size_limit(REGEX_BYTES)
        .build()
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

fn starts_word(text: &str, at: usize) -> bool {
    !text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric)
}

fn ends_word(text: &str, at: usize) -> bool {
    !text.get(at..).and_then(|after| after.chars().next()).is_some_and(char::is_alphanumeric)
}

fn end_of_word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())
}
