//! Rules and rows that cannot both be meant: found when the files are read, before a message is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::file::{Checker, Contents, DecisionText, RuleText, Written};
use super::lists::MARK;
use super::matcher::Pattern;
use super::text::Phrase;

/// Adds a fault for each contradiction.
pub(crate) fn find(contents: &Contents, patterns: &[Pattern], mut checker: Checker<'_>) {
    words(&contents.rules, patterns, &mut checker);
    for row in &contents.decisions {
        row_against_itself(row, &mut checker);
    }
    rows(&contents.decisions, &mut checker);
}

/// The same words in the same places under the same conditions speak for a label in one rule and
/// against it in another.
fn words(rules: &[Written<RuleText>], patterns: &[Pattern], checker: &mut Checker<'_>) {
    let mut seen: HashMap<(&Phrase, &str, usize), (f64, &str)> = HashMap::new();
    let mut all_conditions: HashMap<String, usize> = HashMap::new();
    for (rule, pattern) in rules.iter().zip(patterns) {
        let (weight, id) = (*rule.text.weight.get_ref(), rule.text.id.get_ref().as_str());
        let new = all_conditions.len();
        let conditions = *all_conditions.entry(conditions(&rule.text)).or_insert(new);
        for phrase in &pattern.words {
            let key = (phrase, rule.text.label.get_ref().as_str(), conditions);
            let (before, other) = *seen.entry(key).or_insert((weight, id));
            if before * weight < 0.0 {
                // An entry of a list stands in no rule itself.
                let words = rule.text.words.iter();
                let word = words.clone().find(|word| Phrase::new(word.get_ref()) == *phrase);
                let list = words.clone().find(|word| word.get_ref().starts_with(MARK));
                let written = word.or(list);
                let at = written.map_or(rule.at, |word| word.span().start);
                let what = format!(
                    "`{}` speaks for {} in one rule and against it in another (`{other}`)",
                    word.map_or(phrase.folded.as_str(), |word| word.get_ref()),
                    rule.text.label.get_ref()
                );
                let cure =
                    "take it out of one of them, or say by near, unless or where when which holds";
                checker.fault(rule.file, at, what, cure);
            }
        }
    }
}

/// What else must be so for a rule's words to count, as one text.
fn conditions(rule: &RuleText) -> String {
    let sorted = |words: &[toml::Spanned<String>]| -> String {
        let words: BTreeSet<&str> = words.iter().map(|word| word.get_ref().as_str()).collect();
        words.into_iter().collect::<Vec<_>>().join("|")
    };
    let lists = [sorted(&rule.near), sorted(&rule.unless), sorted(&rule.places)];
    let number = |number: &Option<toml::Spanned<u32>>| number.as_ref().map(|n| *n.get_ref());
    format!("{lists:?}{:?}{:?}", number(&rule.within), number(&rule.at_least))
}

/// A row that asks for what it also forbids can never fit.
fn row_against_itself(row: &Written<DecisionText>, checker: &mut Checker<'_>) {
    let asked: BTreeSet<&str> = row.text.all.iter().map(|word| word.get_ref().as_str()).collect();
    for word in row.text.none.iter().filter(|word| asked.contains(word.get_ref().as_str())) {
        let what = format!("the row asks for `{}` and forbids it", word.get_ref());
        checker.fault(row.file, word.span().start, what, "take it out of all or of none");
    }
    let then: BTreeMap<&str, usize> =
        row.text.then.iter().map(|word| (word.get_ref().as_str(), word.span().start)).collect();
    for (word, at) in &then {
        if then.contains_key(format!("!{word}").as_str()) {
            let what = format!("the row sets `{word}` and takes it off");
            checker.fault(row.file, *at, what, "keep one of the two");
        }
    }
}

/// A row whose conditions are those of an earlier one and more, and which decides the same question,
/// is never reached.
fn rows(rows: &[Written<DecisionText>], checker: &mut Checker<'_>) {
    let list = |words: &[toml::Spanned<String>]| -> BTreeSet<String> {
        words.iter().map(|word| word.get_ref().clone()).collect()
    };
    let question = |row: &DecisionText| -> Option<String> {
        let decides = |word: &&str| {
            ["record_type:", "customer:", "service:"].iter().any(|field| word.starts_with(field))
        };
        let mut settled = row.then.iter().map(|word| word.get_ref().as_str()).filter(decides);
        let field = settled.next()?.split(':').next()?.to_owned();
        settled.all(|word| word.starts_with(&field)).then_some(field)
    };
    let read: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = &row.text;
            (row, question(text), list(&text.all), list(&text.any), list(&text.none))
        })
        .collect();
    for (number, (row, decides, all, any, none)) in read.iter().enumerate() {
        let Some(decides) = decides else { continue };
        // What an earlier row sets or takes off may be what a later one asks about.
        let before =
            read.iter().take(number).find(|(_, also, sooner_all, sooner_any, sooner_none)| {
                also.as_ref() == Some(decides)
                    && sooner_all.is_subset(all)
                    && sooner_none.is_subset(none)
                    && (sooner_any.is_empty() || !any.is_empty() && any.is_subset(sooner_any))
            });
        if let Some((earlier, ..)) = before {
            let what = format!(
                "the row is never reached: `{}` fits whenever it does, and stands before it",
                earlier.text.id.get_ref()
            );
            let cure = "put it before that row, or say what is different";
            checker.fault(row.file, row.at, what, cure);
        }
    }
}
