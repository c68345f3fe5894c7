//! Finds what every rule looks for in one pass over the folded text.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use postern_words::{Expression, Literals, Needs, Room};

use super::text::{Haystack, Phrase, Place};

/// What a phrase is to its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Fires,
    Near,
    Unless,
    /// What expressions need stands here: the number of the set.
    Needed(u32),
}

/// A phrase of a rule.
#[derive(Clone, Copy)]
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
    pub(crate) words: Vec<Phrase>,
    pub(crate) regex: Vec<Arc<Expression>>,
    pub(crate) near: Vec<Phrase>,
    pub(crate) unless: Vec<Phrase>,
    /// How many words may stand between, where the same sentence is not near enough.
    pub(crate) within: Option<u32>,
    /// In how many sentences its words must stand.
    pub(crate) at_least: u32,
    pub(crate) places: Vec<Place>,
}

/// All rules' phrases and expressions, compiled.
pub(crate) struct Matcher {
    /// What stands at the beginning of a word.
    literals: Literals,
    uses: Vec<Use>,
    /// By literal: where its uses end.
    ends: Vec<usize>,
    /// What expressions need that may stand within a word, with the sets of each.
    within: AhoCorasick,
    sets_within: Vec<Vec<u32>>,
    expressions: Vec<Tried>,
    /// By set of literals: which expressions need it first.
    first: Vec<Vec<u32>>,
    /// Which expressions need none.
    always: Vec<u32>,
    rules: Vec<Conditions>,
}

/// An expression of a rule, and the numbers of the sets that it needs.
struct Tried {
    rule: usize,
    expression: Arc<Expression>,
    sets: Vec<u32>,
}

/// What was found in the order of the text, put together by its set or rule.
struct Grouped<T> {
    /// By group: where it ends in `all`. Empty where nothing was found.
    ends: Vec<u32>,
    all: Vec<T>,
}

impl<T: Clone + Default> Grouped<T> {
    /// Puts pairs of group and what was found together; what is found of one group stays in its order.
    fn of(found: &[(u32, T)], groups: usize) -> Self {
        if found.is_empty() {
            return Self { ends: Vec::new(), all: Vec::new() };
        }
        let mut ends = vec![0_u32; groups + 1];
        for (group, _) in found {
            if let Some(next) = ends.get_mut(*group as usize + 1) {
                *next += 1;
            }
        }
        let mut before = 0;
        for end in &mut ends {
            before += *end;
            *end = before;
        }
        // Each now says where its group begins, and moves on with everything that is put there.
        let mut all = vec![T::default(); found.len()];
        for (group, one) in found {
            if let Some(next) = ends.get_mut(*group as usize) {
                if let Some(slot) = all.get_mut(*next as usize) {
                    slot.clone_from(one);
                }
                *next += 1;
            }
        }
        Self { ends, all }
    }

    fn range(&self, group: usize) -> Range<usize> {
        let end = |group: usize| self.ends.get(group).map_or(0, |end| *end as usize);
        group.checked_sub(1).map_or(0, end)..end(group)
    }

    fn get(&self, group: usize) -> &[T] {
        self.all.get(self.range(group)).unwrap_or_default()
    }
}

/// Where the literals of each set begin, ascending.
fn places(found: &[(u32, u32)], sets: usize) -> Grouped<u32> {
    let mut places = Grouped::of(found, sets);
    for set in 0..sets {
        let range = places.range(set);
        // Found in the order of their ends: longer ones begin sooner.
        if let Some(of_one) = places.all.get_mut(range).filter(|one| !one.is_sorted()) {
            of_one.sort_unstable();
        }
    }
    places
}

/// What else must be so before a rule's words count.
struct Conditions {
    places: Vec<Place>,
    needs_near: bool,
    within: Option<u32>,
    at_least: u32,
}

/// Where words stand that a rule wants near: the sentence, the place in the text.
type Near = (usize, Range<usize>);

impl Conditions {
    /// Whether `near` is fulfilled for words at a place. `near` is what stands in the same sentence.
    fn near_enough(&self, text: &str, words: &Range<usize>, near: &[Near]) -> bool {
        let Some(most) = self.within else { return !self.needs_near || !near.is_empty() };
        near.iter().any(|(_, other)| {
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
        let mut sought: Vec<(&str, Use)> = Vec::new();
        let mut within: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut expressions = Vec::new();
        let mut sets: HashMap<&Needs, u32> = HashMap::new();
        for (rule, pattern) in patterns.iter().enumerate() {
            let roles = [
                (&pattern.words, Role::Fires),
                (&pattern.near, Role::Near),
                (&pattern.unless, Role::Unless),
            ];
            for (phrases, role) in roles {
                for phrase in phrases {
                    sought.push((phrase.folded.as_str(), Use { rule, role, open: phrase.open }));
                }
            }
            for expression in &pattern.regex {
                let needed = expression.needs().iter().map(|needs| {
                    let new = u32::try_from(sets.len()).unwrap_or(u32::MAX);
                    let set = *sets.entry(needs).or_insert(new);
                    if set == new {
                        for literal in &needs.literals {
                            if needs.at_word {
                                let role = Role::Needed(set);
                                sought.push((literal.as_str(), Use { rule, role, open: true }));
                            } else {
                                within.entry(literal.as_str()).or_default().push(set);
                            }
                        }
                    }
                    set
                });
                let sets = needed.collect();
                expressions.push(Tried { rule, expression: Arc::clone(expression), sets });
            }
        }
        sought.sort_by_key(|(literal, _)| *literal);
        let (mut literals, mut uses, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for same in sought.chunk_by(|(one, _), (other, _)| one == other) {
            literals.extend(same.first().map(|(literal, _)| *literal));
            uses.extend(same.iter().map(|(_, used)| *used));
            ends.push(uses.len());
        }
        let literals = Literals::new(&literals)?;
        let (within, sets_within): (Vec<_>, Vec<_>) = within.into_iter().unzip();
        let within = AhoCorasick::new(&within).map_err(|error| error.to_string())?;
        let rules = patterns
            .iter()
            .map(|pattern| Conditions {
                places: pattern.places.clone(),
                needs_near: !pattern.near.is_empty(),
                within: pattern.within.filter(|_| !pattern.near.is_empty()),
                at_least: pattern.at_least,
            })
            .collect();
        let (mut first, mut always) = (vec![Vec::new(); sets.len()], Vec::new());
        for (tried, number) in expressions.iter().zip(0_u32..) {
            let set = tried.sets.first().and_then(|set| first.get_mut(*set as usize));
            set.unwrap_or(&mut always).push(number);
        }
        Ok(Self { literals, uses, ends, within, sets_within, expressions, first, always, rules })
    }

    /// Every place where a rule's words stand, in the order of the text, with `where`, `near` and
    /// `unless` already applied.
    pub(crate) fn hits(&self, haystack: &Haystack) -> Vec<Hit> {
        self.hits_of(haystack, |_| true)
    }

    /// The same for some rules alone: what expressions look for is sought of those only.
    pub(crate) fn hits_of(&self, haystack: &Haystack, asked: impl Fn(usize) -> bool) -> Vec<Hit> {
        let text = haystack.folded.as_str();
        let mut fired = Vec::new();
        let mut near: Vec<(u32, Near)> = Vec::new();
        let mut unless: Vec<(u32, usize)> = Vec::new();
        let mut needed: Vec<(u32, u32)> = Vec::new();
        for (start, literal, length) in self.at_words(text) {
            let (end, mut whole, mut sentence) = (start + length, None, None);
            for used in self.uses_of(literal) {
                if let Role::Needed(set) = used.role {
                    needed.push((set, u32::try_from(start).unwrap_or(u32::MAX)));
                    continue;
                }
                if !used.open && !*whole.get_or_insert_with(|| ends_word(text, end)) {
                    continue;
                }
                let sentence = *sentence.get_or_insert_with(|| haystack.sentence_at(start));
                let group = u32::try_from(used.rule).unwrap_or(u32::MAX);
                match used.role {
                    Role::Near => near.push((group, (sentence, start..end))),
                    Role::Unless => unless.push((group, sentence)),
                    Role::Fires => {
                        fired.push((used.rule, start..end_of_word(text, end), sentence));
                    }
                    Role::Needed(_) => {}
                }
            }
        }
        for found in self.within.find_overlapping_iter(text) {
            let at = u32::try_from(found.start()).unwrap_or(u32::MAX);
            let sets = self.sets_within.get(found.pattern().as_usize());
            needed.extend(sets.into_iter().flatten().map(|set| (*set, at)));
        }
        let near = Grouped::of(&near, self.rules.len());
        let unless = Grouped::of(&unless, self.rules.len());
        // What a rule wants near stands nowhere: its expressions need not be tried.
        let alone = |rule: usize| {
            !asked(rule)
                || self.rules.get(rule).is_some_and(|asked| asked.needs_near)
                    && near.get(rule).is_empty()
        };
        let places = places(&needed, self.first.len());
        self.try_expressions(haystack, &places, alone, &mut fired);
        let mut hits: Vec<Hit> = fired
            .into_iter()
            .filter(|(rule, _, _)| asked(*rule))
            .filter_map(|(rule, range, sentence)| {
                let place = haystack.place_at(range.start);
                let asked = self.rules.get(rule)?;
                let near = near.get(rule);
                let same = near.partition_point(|(other, _)| *other < sentence)
                    ..near.partition_point(|(other, _)| *other <= sentence);
                let kept = asked.places.contains(&place)
                    && asked.near_enough(text, &range, near.get(same).unwrap_or_default())
                    && unless.get(rule).binary_search(&sentence).is_err();
                kept.then_some(Hit { rule, range, place, sentence })
            })
            .collect();
        self.leave_out_the_seldom(&mut hits);
        // Of words that begin together phrases come first, and of those the longest: the first is shown.
        hits.sort_by_key(|hit| (hit.range.start, hit.rule));
        hits
    }

    /// The literals that stand where words begin: where, their numbers and lengths.
    fn at_words<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
        let mut in_word = false;
        let starts = text.char_indices().filter_map(move |(at, letter)| {
            let starts = !in_word;
            in_word = letter.is_alphanumeric();
            starts.then_some(at)
        });
        starts.flat_map(move |at| {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let found = self.literals.beginning(rest);
            found.map(move |(literal, length)| (at, literal, length))
        })
    }

    fn uses_of(&self, literal: usize) -> &[Use] {
        let end = |literal: usize| self.ends.get(literal).copied().unwrap_or_default();
        let start = literal.checked_sub(1).map_or(0, end);
        self.uses.get(start..end(literal)).unwrap_or_default()
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

    /// Tries every expression of which one of each set stands here, but not those of rules that are
    /// `spared`.
    fn try_expressions(
        &self,
        haystack: &Haystack,
        places: &Grouped<u32>,
        spared: impl Fn(usize) -> bool,
        fired: &mut Vec<(usize, Range<usize>, usize)>,
    ) {
        let here = self.first.iter().enumerate().filter(|(set, _)| !places.get(*set).is_empty());
        let mut here: Vec<u32> =
            here.flat_map(|(_, numbers)| numbers).chain(&self.always).copied().collect();
        here.sort_unstable();
        let here = here.iter().filter_map(|number| self.expressions.get(*number as usize));
        let (mut needed, mut room): (Vec<&[u32]>, _) = (Vec::new(), Room::default());
        for Tried { rule, expression, sets } in here {
            needed.clear();
            needed.extend(sets.iter().map(|set| places.get(*set as usize)));
            if needed.iter().any(|places| places.is_empty()) || spared(*rule) {
                continue;
            }
            // Only where the rule looks: parts of a message are kept apart by a line's end.
            let asked = self.rules.get(*rule).map_or(&[][..], |asked| &asked.places);
            let looks = |at: usize| asked.contains(&haystack.place_at(at));
            for range in expression.matches(&haystack.folded, &needed, looks, &mut room) {
                let sentence = haystack.sentence_at(range.start);
                fired.push((*rule, range, sentence));
            }
        }
    }
}

fn ends_word(text: &str, at: usize) -> bool {
    !text.get(at..).and_then(|after| after.chars().next()).is_some_and(char::is_alphanumeric)
}

fn end_of_word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())
}
