//! Finds what every rule looks for in one pass over the folded text.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::expression::Expression;
use super::text::{Haystack, Place, fold};

/// What a phrase is to its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Fires,
    Near,
    Unless,
    /// One of its expressions is worth trying here.
    Tries {
        expression: usize,
        at_word: bool,
    },
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
    pub(crate) regex: Vec<Expression>,
    pub(crate) near: Vec<String>,
    pub(crate) unless: Vec<String>,
    /// How many words may stand between, where the same sentence is not near enough.
    pub(crate) within: Option<u32>,
    /// In how many sentences its words must stand.
    pub(crate) at_least: u32,
    pub(crate) places: Vec<Place>,
}

/// All rules' phrases and expressions, compiled.
pub(crate) struct Matcher {
    literals: AhoCorasick,
    uses: Vec<Vec<Use>>,
    /// Expressions with their rules.
    expressions: Vec<(usize, Expression)>,
    /// The expressions that are tried in every text.
    always: Vec<usize>,
    rules: Vec<Conditions>,
}

/// What else must be so before a rule's words count.
struct Conditions {
    places: Vec<Place>,
    needs_near: bool,
    within: Option<u32>,
    at_least: u32,
}

/// Where words stand that a rule wants near: the rule, the sentence, the place in the text.
type Near = (usize, usize, Range<usize>);

impl Conditions {
    /// Whether `near` is fulfilled for words at a place. `near` is what stands in the same sentence.
    fn near_enough(&self, text: &str, words: &Range<usize>, near: &[Near]) -> bool {
        let Some(most) = self.within else { return !self.needs_near || !near.is_empty() };
        near.iter().any(|(_, _, other)| {
            let (from, to) = if other.start >= words.end {
                (words.end, other.start)
            } else {
                (other.end, words.start.max(other.end))
            };
            let between = text.get(from..to).unwrap_or_default();
            let between = between.split_ascii_whitespace().count();
            u32::try_from(between).is_ok_and(|between| between <= most)
        })
    }
}

impl Matcher {
    /// Compiles all rules.
    ///
    /// # Errors
    /// In words, if all together are too large.
    pub(crate) fn new(patterns: &[Pattern]) -> Result<Self, String> {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut uses: Vec<Vec<Use>> = Vec::new();
        let mut add = |literal: String, used: Use| {
            let number = *numbers.entry(literal).or_insert(uses.len());
            if number == uses.len() {
                uses.push(Vec::new());
            }
            if let Some(uses) = uses.get_mut(number) {
                uses.push(used);
            }
        };
        let mut expressions = Vec::new();
        for (rule, pattern) in patterns.iter().enumerate() {
            let roles = [
                (&pattern.words, Role::Fires),
                (&pattern.near, Role::Near),
                (&pattern.unless, Role::Unless),
            ];
            for (phrases, role) in roles {
                for phrase in phrases {
                    let open = phrase.trim_end().ends_with('*');
                    add(fold(phrase), Use { rule, role, open });
                }
            }
            for expression in &pattern.regex {
                if let Some(needs) = expression.needs() {
                    let (expression, at_word) = (expressions.len(), needs.at_word);
                    let role = Role::Tries { expression, at_word };
                    for literal in &needs.literals {
                        add(literal.clone(), Use { rule, role, open: true });
                    }
                }
                expressions.push((rule, expression.clone()));
            }
        }
        let mut literals = vec![""; numbers.len()];
        for (literal, &number) in &numbers {
            if let Some(slot) = literals.get_mut(number) {
                *slot = literal;
            }
        }
        let literals = AhoCorasick::new(&literals).map_err(|error| error.to_string())?;
        let rules = patterns
            .iter()
            .map(|pattern| Conditions {
                places: pattern.places.clone(),
                needs_near: !pattern.near.is_empty(),
                within: pattern.within.filter(|_| !pattern.near.is_empty()),
                at_least: pattern.at_least,
            })
            .collect();
        let always = (0..expressions.len())
            .filter(|at| expressions.get(*at).is_some_and(|(_, one)| one.needs().is_none()))
            .collect();
        Ok(Self { literals, uses, expressions, always, rules })
    }

    /// Every place where a rule's words stand, in the order of the text, with `where`, `near` and
    /// `unless` already applied.
    pub(crate) fn hits(&self, haystack: &Haystack) -> Vec<Hit> {
        let text = haystack.folded.as_str();
        let mut fired = Vec::new();
        let mut near: Vec<Near> = Vec::new();
        let mut unless: Vec<(usize, usize)> = Vec::new();
        let mut tries: Vec<(usize, Range<usize>)> = Vec::new();
        for found in self.literals.find_overlapping_iter(text) {
            let range = found.start()..found.end();
            let starts = starts_word(text, range.start);
            let whole = ends_word(text, range.end);
            for used in self.uses.get(found.pattern().as_usize()).into_iter().flatten() {
                if let Role::Tries { expression, at_word } = used.role {
                    // Only where the rule looks: parts of a message are kept apart by a line's end.
                    let near = haystack.place_at(range.start);
                    let looks = self.rules.get(used.rule).is_some_and(|r| r.places.contains(&near));
                    if looks && (starts || !at_word) {
                        tries.push((expression, range.clone()));
                    }
                    continue;
                }
                if !starts || !(whole || used.open) {
                    continue;
                }
                let sentence = haystack.sentence_at(range.start);
                match used.role {
                    Role::Near => near.push((used.rule, sentence, range.clone())),
                    Role::Unless => unless.push((used.rule, sentence)),
                    Role::Fires => {
                        let range = range.start..end_of_word(text, range.end);
                        fired.push((used.rule, range, sentence));
                    }
                    Role::Tries { .. } => {}
                }
            }
        }
        self.try_expressions(haystack, tries, &mut fired);
        near.sort_unstable_by_key(|(rule, sentence, range)| (*rule, *sentence, range.start));
        unless.sort_unstable();
        let mut hits: Vec<Hit> = fired
            .into_iter()
            .filter_map(|(rule, range, sentence)| {
                let place = haystack.place_at(range.start);
                let asked = self.rules.get(rule)?;
                let here = (rule, sentence);
                let same = near.partition_point(|(rule, sentence, _)| (*rule, *sentence) < here)
                    ..near.partition_point(|(rule, sentence, _)| (*rule, *sentence) <= here);
                let kept = asked.places.contains(&place)
                    && asked.near_enough(text, &range, near.get(same).unwrap_or_default())
                    && unless.binary_search(&here).is_err();
                kept.then_some(Hit { rule, range, place, sentence })
            })
            .collect();
        self.leave_out_the_seldom(&mut hits);
        hits.sort_by_key(|hit| (hit.range.start, hit.rule));
        hits
    }

    /// Takes out what does not stand in as many sentences as its rule asks for.
    fn leave_out_the_seldom(&self, hits: &mut Vec<Hit>) {
        let asks = |rule: usize| self.rules.get(rule).map_or(1, |asked| asked.at_least);
        let mut sentences: HashMap<usize, HashSet<usize>> = HashMap::new();
        for hit in hits.iter().filter(|hit| asks(hit.rule) > 1) {
            sentences.entry(hit.rule).or_default().insert(hit.sentence);
        }
        hits.retain(|hit| {
            let often = sentences.get(&hit.rule).map_or(1, HashSet::len);
            u32::try_from(often).is_ok_and(|often| often >= asks(hit.rule))
        });
    }

    /// Runs every expression that has a literal here, and those that have none anywhere.
    fn try_expressions(
        &self,
        haystack: &Haystack,
        mut tries: Vec<(usize, Range<usize>)>,
        fired: &mut Vec<(usize, Range<usize>, usize)>,
    ) {
        tries.sort_unstable_by_key(|(expression, range)| (*expression, range.start, range.end));
        let mut run = |number: usize, literals: &[Range<usize>]| {
            let Some((rule, expression)) = self.expressions.get(number) else { return };
            for range in expression.matches(&haystack.folded, literals) {
                let sentence = haystack.sentence_at(range.start);
                fired.push((*rule, range, sentence));
            }
        };
        for number in &self.always {
            run(*number, &[]);
        }
        for one in tries.chunk_by(|(one, _), (other, _)| one == other) {
            let literals: Vec<Range<usize>> = one.iter().map(|(_, range)| range.clone()).collect();
            if let Some((number, _)) = one.first() {
                run(*number, &literals);
            }
        }
    }
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
