//! What officers' corrections suggest: rules that would have said the same, as drafts in the language
//! of the rules. Nothing here decides whether a draft is any good: a replay does, and then a person.

mod edit;
mod phrases;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::classify::SECOND_OPINION;
use super::compare::{Field, How, Truth, value};
use super::file::{self, Contents};
use super::text::Haystack;
use super::{Classification, RuleSet};
use crate::casework::vocabulary::vocabulary;
use crate::email::Email;
use edit::{Edit, edited};
use phrases::{Writing, names, phrases};

/// Fewer corrected messages than this suggest nothing.
const FEWEST: usize = 3;
/// Nor do the messages of fewer senders.
const FEWEST_SENDERS: usize = 2;
/// Of the messages with a phrase, this share must be what it speaks for, in tenths.
const SHARE: usize = 8;
/// How far the messages with a phrase must differ from those without, as Dunning's log-likelihood ratio
/// (1993): chance alone gets here once in a thousand phrases.
const TELLING: f64 = 10.83;
/// The same for what tells two kinds of messages apart that one rule fired on, of which there are few:
/// once in a hundred.
const TELLING_APART: f64 = 6.63;
/// The greatest weight of the rules that name a service, and the greatest that is suggested.
const USUAL_WEIGHT: f64 = 5.0;
const MOST_WEIGHT: f64 = 15.0;
/// Phrases that are tried for one value or rule.
const MOST_PHRASES: usize = 5;
/// The file that a new rule is tried in.
const LEARNED: &str = "rules/90-learned.toml";

vocabulary! {
    /// What a draft does.
    Kind {
        /// Adds a rule.
        NewRule = "new_rule", "new rule";
        /// Changes a rule.
        ChangedRule = "changed_rule", "changed rule";
        /// Changes a row of the decision table.
        ChangedRow = "changed_row", "changed row";
    }
}

/// A past message: what the rules make of it now, and what officers decided.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    /// The message.
    pub email: &'a Email,
    /// What the rules make of it.
    pub found: &'a Classification,
    /// What officers decided.
    pub truth: &'a Truth,
}

impl std::fmt::Debug for Past<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Past({} decided)", self.truth.len())
    }
}

/// A rule or row that could be added or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it does.
    pub kind: Kind,
    /// The rule's or row's id.
    pub id: String,
    /// What it speaks for.
    pub label: String,
    /// Why it is suggested.
    pub why: String,
    /// The rule or row, as it would stand in its file.
    pub toml: String,
    /// The file that would change.
    pub file: String,
    /// That file's whole new text.
    text: String,
    /// Drafts of which one is enough have the same: the best by their replays is suggested.
    pub one_of: usize,
}

impl Draft {
    /// The files of a rule set with this draft in them.
    pub fn applied(&self, files: &[(String, String)]) -> Vec<(String, String)> {
        let others = files.iter().filter(|(name, _)| *name != self.file).cloned();
        others.chain([(self.file.clone(), self.text.clone())]).collect()
    }
}

/// The fields that rules can speak for, with what their labels begin with.
const FIELDS: [(Field, &str); 4] = [
    (Field::Services, "service"),
    (Field::CustomerType, "customer"),
    (Field::Themes, "theme"),
    (Field::Flags, "flag"),
];

/// The values of a field that count: of services only the lead.
fn values(field: Field, text: &str) -> BTreeSet<String> {
    let most = if matches!(field, Field::Themes | Field::Flags) { usize::MAX } else { 1 };
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.take(most).map(str::to_owned).collect()
}

/// What a message is in a field: what officers decided, or what was found.
fn want(one: &Past<'_>, field: Field) -> BTreeSet<String> {
    match one.truth.get(&field) {
        Some(decided) => values(field, &decided.value),
        None => have(one, field),
    }
}

fn have(one: &Past<'_>, field: Field) -> BTreeSet<String> {
    values(field, &value(one.found, field))
}

fn sender(one: &Past<'_>) -> String {
    one.email.from.as_ref().map_or_else(String::new, |from| from.address.to_lowercase())
}

/// Whether enough messages of enough senders are among these.
fn enough(past: &[Past<'_>], numbers: &[usize]) -> bool {
    let senders: HashSet<String> =
        numbers.iter().filter_map(|number| past.get(*number)).map(sender).collect();
    numbers.len() >= FEWEST && senders.len() >= FEWEST_SENDERS
}

/// What the corrections among past messages suggest.
pub fn drafts(rules: &RuleSet, files: &[(String, String)], past: &[Past<'_>]) -> Vec<Draft> {
    let haystacks: Vec<Haystack> =
        past.iter().map(|one| Haystack::of(one.email, one.email.form.as_ref(), &[])).collect();
    let mut writing = Writing::default();
    for haystack in &haystacks {
        writing.add(haystack);
    }
    let files: Vec<(String, String)> =
        files.iter().filter(|(name, _)| super::load::is_numbered(name)).cloned().collect();
    let contents = file::read(&files, &mut Vec::new());
    let mut workshop =
        Workshop { rules, files: &files, past, haystacks, writing, made: Vec::new() };
    workshop.new_rules();
    workshop.changed_rules(&contents);
    workshop.changed_rows(&contents);
    workshop.made
}

/// How many messages officers put into another record type, whatever the rules make of them now.
pub fn other_record_types(past: &[Past<'_>]) -> usize {
    let corrected = past.iter().filter(|one| {
        let decided = one.truth.get(&Field::RecordType);
        decided.is_some_and(|decided| {
            decided.how == How::Corrected && decided.value != one.found.record_type.to_string()
        })
    });
    corrected.count()
}

/// A value that officers gave to messages, and that no rule would.
#[derive(Debug, Clone, PartialEq)]
pub struct Beyond {
    /// The value, as a label.
    pub label: String,
    /// How many messages.
    pub messages: usize,
    /// What most of them come out as instead, and how likely the second opinion finds that on average.
    pub instead: Option<(String, f64)>,
}

/// The services and customers that officers gave to messages, other than those that a draft puts right (`helped`: their
/// numbers).
pub fn beyond_rules(past: &[Past<'_>], helped: &BTreeSet<usize>) -> Vec<Beyond> {
    let one_value = |field| matches!(field, Field::Services | Field::CustomerType);
    let all = missed(past).into_iter().filter(|((field, ..), _)| one_value(*field));
    let beyond = all.filter_map(|((_, word, value), mut numbers)| {
        numbers.retain(|number| !helped.contains(number));
        if !enough(past, &numbers) {
            return None;
        }
        let mut instead: BTreeMap<&str, (u32, f64)> = BTreeMap::new();
        for said in numbers.iter().filter_map(|number| past.get(*number)).flat_map(|one| {
            let of_it = one.found.evidence.iter().filter(|said| said.rule == SECOND_OPINION);
            of_it.filter(|said| said.label.split_once(':').is_some_and(|(start, _)| start == word))
        }) {
            let (times, chances) = instead.entry(said.label.as_str()).or_default();
            *times += 1;
            *chances += said.weight;
        }
        let most = instead.into_iter().max_by_key(|(_, (times, _))| *times);
        let instead =
            most.map(|(label, (times, chances))| (label.to_owned(), chances / f64::from(times)));
        Some(Beyond { label: format!("{word}:{value}"), messages: numbers.len(), instead })
    });
    beyond.collect()
}

/// The values that officers gave to messages of several senders and that were not found, with the messages.
fn missed(past: &[Past<'_>]) -> BTreeMap<Given, Vec<usize>> {
    let mut missed: BTreeMap<Given, Vec<usize>> = BTreeMap::new();
    for (number, one) in past.iter().enumerate() {
        for (field, word) in FIELDS {
            let corrected =
                one.truth.get(&field).is_some_and(|decided| decided.how == How::Corrected);
            let has = have(one, field);
            for value in want(one, field).into_iter().filter(|value| !has.contains(value)) {
                if corrected && value != "none" && value != "unknown" {
                    missed.entry((field, word, value)).or_default().push(number);
                }
            }
        }
    }
    missed.retain(|_, numbers| enough(past, numbers));
    missed
}

struct Workshop<'a> {
    rules: &'a RuleSet,
    files: &'a [(String, String)],
    past: &'a [Past<'a>],
    haystacks: Vec<Haystack>,
    writing: Writing,
    made: Vec<Draft>,
}

/// A value that officers gave to messages: field, word of the label, value.
type Given = (Field, &'static str, String);

/// The decided messages on which a rule or row fired for the value that was chosen.
#[derive(Default)]
struct Verdicts {
    /// Officers chose another.
    wrong: Vec<usize>,
    /// They agreed.
    right: Vec<usize>,
}

impl Workshop<'_> {
    /// Words for the values that officers gave and that the rules did not find.
    fn new_rules(&mut self) {
        let missed = missed(self.past);
        let wanted: Vec<HashSet<String>> =
            missed.values().map(|group| self.shared(group)).collect();
        let all: HashSet<&str> = wanted.iter().flatten().map(String::as_str).collect();
        let places = self.places(&all);
        for ((given, group), phrases) in missed.iter().zip(&wanted) {
            let is: Vec<bool> =
                self.past.iter().map(|one| want(one, given.0).contains(&given.2)).collect();
            for phrase in best(phrases, &places, &is, group, TELLING) {
                self.draft_rule(given, group, &phrase, &places);
            }
        }
    }

    /// The phrases that stand in enough of some messages, and hold no name.
    fn shared(&self, group: &[usize]) -> HashSet<String> {
        let mut stands: HashMap<String, Vec<usize>> = HashMap::new();
        let mut people: HashSet<String> = HashSet::new();
        for number in group {
            let (Some(one), Some(haystack)) = (self.past.get(*number), self.haystacks.get(*number))
            else {
                continue;
            };
            people.extend(names(one.email));
            for phrase in phrases(haystack, None) {
                stands.entry(phrase).or_default().push(*number);
            }
        }
        stands
            .retain(|phrase, numbers| enough(self.past, numbers) && self.is_free(phrase, &people));
        stands.into_keys().collect()
    }

    fn is_free(&self, phrase: &str, people: &HashSet<String>) -> bool {
        !phrase.split(' ').any(|word| people.contains(word)) && !self.writing.has_a_name(phrase)
    }

    /// The messages that each of these phrases stands in.
    fn places<'p>(&self, wanted: &HashSet<&'p str>) -> HashMap<&'p str, Vec<usize>> {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        if wanted.is_empty() {
            return places;
        }
        for (number, haystack) in self.haystacks.iter().enumerate() {
            for phrase in phrases(haystack, None) {
                if let Some(phrase) = wanted.get(phrase.as_str()) {
                    places.entry(phrase).or_default().push(number);
                }
            }
        }
        places
    }

    fn draft_rule(
        &mut self,
        (field, word, value): &Given,
        group: &[usize],
        phrase: &str,
        places: &HashMap<&str, Vec<usize>>,
    ) {
        let stands = places.get(phrase).map(Vec::as_slice).unwrap_or_default();
        let times = group.iter().filter(|number| stands.contains(number)).count();
        let label = format!("{word}:{value}");
        let id = format!("learned.{value}.{}", phrase.replace(' ', "_"));
        let why = format!("officers corrected {times} messages with these words to {label}");
        let one_of = self.made.len();
        // As much as is needed: what stands alone in a theme or flag holds at 1.
        let weights = match field {
            Field::Themes | Field::Flags => vec![1.0],
            Field::RecordType | Field::Services | Field::CustomerType | Field::NeedsOfficer => {
                let outweighing = self.outweighing(&format!("{word}:"), &label, group);
                [3.0, USUAL_WEIGHT].into_iter().chain(outweighing).collect()
            }
        };
        for weight in weights {
            let toml = format!(
                "[[rule]]\nid     = \"{id}\"\nwhy    = \"{why}\"\nsource = \"corrections by officers\"\n\
                 label  = \"{label}\"\nweight = {weight:?}\nwords  = [\"{phrase}\"]\n"
            );
            // A live file of that name keeps what it holds.
            let held = self.files.iter().find(|(name, _)| name.ends_with("90-learned.toml"));
            let (file, held) =
                held.map_or((LEARNED.to_owned(), ""), |(name, text)| (name.clone(), text.as_str()));
            let text = format!("{held}\n{toml}");
            let (id, label, why) = (id.clone(), label.clone(), why.clone());
            self.made.push(Draft { kind: Kind::NewRule, id, label, why, toml, file, text, one_of });
        }
    }

    /// What a rule must weigh to outweigh, in most messages of a group, all that the others say for another value
    /// of the field. Nothing where the usual weights do, or where so much speaks for the other that it is for a
    /// person to look at those rules.
    fn outweighing(&self, field: &str, label: &str, group: &[usize]) -> Option<f64> {
        let short_of = |one: &Past<'_>| {
            let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
            let of_rules = one.found.evidence.iter().filter(|said| said.rule != SECOND_OPINION);
            for said in of_rules.filter(|said| said.label.starts_with(field)) {
                *sums.entry(said.label.as_str()).or_default() += said.weight;
            }
            let own = sums.remove(label).unwrap_or_default();
            sums.into_values().fold(0.0_f64, f64::max) - own
        };
        let mut short: Vec<f64> =
            group.iter().filter_map(|number| self.past.get(*number)).map(short_of).collect();
        short.sort_by(f64::total_cmp);
        let most = short.get((short.len() * SHARE / 10).min(short.len().saturating_sub(1)))?;
        let weight = most.floor() + 1.0;
        (weight > USUAL_WEIGHT && weight <= MOST_WEIGHT).then_some(weight)
    }

    /// The messages on which each rule or row fired for a value that was chosen and that officers
    /// decided: overruled, and agreed with.
    fn fired(&self) -> BTreeMap<(&str, &str), Verdicts> {
        let mut fired: BTreeMap<(&str, &str), Verdicts> = BTreeMap::new();
        let fields = FIELDS.into_iter().chain([(Field::RecordType, "record_type")]);
        for (field, word) in fields {
            for (number, one) in self.past.iter().enumerate() {
                if !one.truth.contains_key(&field) {
                    continue;
                }
                let (want, have) = (want(one, field), have(one, field));
                let mut seen = BTreeSet::new();
                for evidence in one.found.evidence.iter().filter(|evidence| evidence.weight > 0.0) {
                    let Some((start, value)) = evidence.label.split_once(':') else { continue };
                    if start == word && have.contains(value) && seen.insert(&evidence.rule) {
                        let of = fired.entry((&evidence.rule, &evidence.label)).or_default();
                        (if want.contains(value) { &mut of.right } else { &mut of.wrong })
                            .push(number);
                    }
                }
            }
        }
        fired.retain(|_, of| enough(self.past, &of.wrong) && of.wrong.len() >= of.right.len());
        fired
    }

    /// For rules that were overruled on most of what they fired on: less weight, or words that keep
    /// them quiet.
    fn changed_rules(&mut self, contents: &Contents) {
        let mut made = Vec::new();
        for ((rule, label), Verdicts { wrong, right }) in self.fired() {
            let written = contents.rules.iter().find(|written| written.text.id.get_ref() == rule);
            // Nobody but the safeguarding lead takes words for a child at risk out.
            let Some(written) = written.filter(|_| label != "flag:safeguarding") else { continue };
            let Some((file, text)) = self.files.get(written.file) else { continue };
            let one_of = self.made.len() + made.len();
            let overruled = format!(
                "officers overruled it on {} of {}",
                wrong.len(),
                wrong.len() + right.len()
            );
            let mut add = |edit: &Edit<'_>, how: &str| {
                let Some((text, toml)) = edited(text, written.at, edit) else { return };
                let (id, label, why) =
                    (rule.to_owned(), label.to_owned(), format!("{overruled}: {how}"));
                let (kind, file) = (Kind::ChangedRule, file.clone());
                made.push(Draft { kind, id, label, why, toml, file, text, one_of });
            };
            for phrase in self.telling_apart(rule, &wrong, &right) {
                add(&Edit::Unless(&phrase), "these words tell those apart");
            }
            for share in [0.5, 0.2] {
                let weight = (written.text.weight.get_ref() * share * 10.0).round() / 10.0;
                if weight > 0.0 {
                    add(&Edit::Number("weight", weight), "less weight");
                }
            }
        }
        self.made.append(&mut made);
    }

    /// Words of the sentences that a rule fired in, which stand where it was wrong and hardly where it
    /// was right.
    fn telling_apart(&self, rule: &str, wrong: &[usize], right: &[usize]) -> Vec<String> {
        let Some(rule) = self.rules.rules.iter().position(|one| one.id == rule) else {
            return Vec::new();
        };
        let mut found: Vec<HashSet<String>> = Vec::new();
        let mut people = HashSet::new();
        for one in wrong.iter().chain(right).filter_map(|number| self.past.get(*number)) {
            people.extend(names(one.email));
            let seen = self.rules.find(one.email);
            let hits = seen.hits.iter().filter(|hit| hit.rule == rule);
            let sentences: HashSet<usize> = hits.map(|hit| hit.sentence).collect();
            found.push(phrases(&seen.haystack, Some(&sentences)));
        }
        let is: Vec<bool> = (0..found.len()).map(|number| number < wrong.len()).collect();
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, phrases) in found.iter().enumerate() {
            for phrase in phrases.iter().filter(|phrase| self.is_free(phrase, &people)) {
                places.entry(phrase).or_default().push(number);
            }
        }
        let group: Vec<usize> = (0..wrong.len()).collect();
        let wrong_of = |numbers: &[usize]| -> Vec<usize> {
            numbers.iter().filter_map(|number| wrong.get(*number).copied()).collect()
        };
        let wanted = places.iter().filter(|(_, numbers)| enough(self.past, &wrong_of(numbers)));
        let wanted: HashSet<String> = wanted.map(|(phrase, _)| (*phrase).to_owned()).collect();
        best(&wanted, &places, &is, &group, TELLING_APART)
    }

    /// For rows whose record type was overruled mostly: as sure as they have been right.
    fn changed_rows(&mut self, contents: &Contents) {
        let mut made = Vec::new();
        for ((row, label), Verdicts { wrong, right }) in self.fired() {
            let is_it = |id: &str| id == row && label.starts_with("record_type:");
            let written = contents.decisions.iter().find(|one| is_it(one.text.id.get_ref()));
            let Some(written) = written else { continue };
            let Some((file, text)) = self.files.get(written.file) else { continue };
            let fired = wrong.len() + right.len();
            let sure =
                f64::from(u32::try_from(20 * right.len() / fired).unwrap_or(0).max(1)) / 20.0;
            if written.text.sure.as_ref().is_some_and(|now| *now.get_ref() <= sure) {
                continue;
            }
            let edit = Edit::Number("sure", sure);
            let Some((text, toml)) = edited(text, written.at, &edit) else { continue };
            let why =
                format!("officers overruled it on {} of {fired}: it is less sure", wrong.len());
            let one_of = self.made.len() + made.len();
            let (kind, id, label) = (Kind::ChangedRow, row.to_owned(), label.to_owned());
            made.push(Draft { kind, id, label, why, toml, file: file.clone(), text, one_of });
        }
        self.made.append(&mut made);
    }
}

/// The most telling of some phrases, one of those that stand in the same messages of the group. `is` says of every message whether it is what they should speak for.
fn best(
    phrases: &HashSet<String>,
    places: &HashMap<&str, Vec<usize>>,
    is: &[bool],
    group: &[usize],
    floor: f64,
) -> Vec<String> {
    let all = is.iter().filter(|is| **is).count();
    let mut told: Vec<(f64, usize, &String, &[usize])> = Vec::new();
    for phrase in phrases {
        let stands = places.get(phrase.as_str()).map(Vec::as_slice).unwrap_or_default();
        let here = stands.iter().filter(|number| is.get(**number) == Some(&true)).count();
        let ratio = likelihood_ratio([
            [here, stands.len() - here],
            [all - here, is.len() - all - (stands.len() - here)],
        ]);
        if here * 10 >= stands.len() * SHARE && ratio >= floor {
            told.push((ratio, phrase.split(' ').count(), phrase, stands));
        }
    }
    told.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(b.2)));
    let mut seen: HashSet<Vec<usize>> = HashSet::new();
    let of_group = |stands: &[usize]| -> Vec<usize> {
        group.iter().copied().filter(|number| stands.contains(number)).collect()
    };
    told.retain(|(_, _, _, stands)| seen.insert(of_group(stands)));
    told.into_iter().take(MOST_PHRASES).map(|(_, _, phrase, _)| phrase.clone()).collect()
}

/// Dunning's log-likelihood ratio of a table of two by two: 0 where the rows are alike.
fn likelihood_ratio(table: [[usize; 2]; 2]) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let rows = table.map(|row| row.into_iter().sum::<usize>());
    let columns: [usize; 2] =
        std::array::from_fn(|at| table.iter().filter_map(|row| row.get(at)).sum());
    let all = number(rows.into_iter().sum());
    let mut ratio = 0.0;
    for (row, of_row) in table.iter().zip(rows) {
        for (count, of_column) in row.iter().zip(columns).filter(|(count, _)| **count > 0) {
            let expected = number(of_row) * number(of_column) / all;
            ratio += 2.0 * number(*count) * (number(*count) / expected).ln();
        }
    }
    ratio
}

#[cfg(test)]
mod tests;
