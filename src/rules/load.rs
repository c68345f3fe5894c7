//! Files in, a [`RuleSet`] or every fault out.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use postern_words::Expression;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::contradiction;
use super::decision::{Condition, Decision, Effect, KnownFact};
use super::file::{self, Checker, Contents, DecisionText, RuleText, Written};
use super::forms::{FORMS, Forms, SERVICE};
use super::label::{Label, Names};
use super::lists::{LISTS, Lists, MARK};
use super::matcher::{Matcher, Pattern};
use super::services::Services;
use super::text::{Haystack, Phrase, Place};
use super::trial;
use super::{Examples, Rule, RuleSet};
use crate::casework::vocabulary::Theme;
use crate::fault::Fault;

/// The directory's file name.
pub(super) const SERVICES: &str = "services.toml";
/// More rules than this are a mistake, not a rule set.
const MOST_RULES: usize = 20_000;

pub(super) fn load(files: &[(String, String)]) -> Result<RuleSet, Vec<Fault>> {
    let mut files: Vec<(String, String)> = files.to_vec();
    files.sort_by(|(a, _), (b, _)| base(a).cmp(base(b)));
    let services = services(&files)?;
    let forms = one(&files, FORMS, Forms::from_toml)?;
    let lists = one(&files, LISTS, Lists::from_toml)?;
    let version = version(files.iter().map(|(name, text)| (name, text)));
    let learns_from = hashed(
        files
            .iter()
            .filter(|(name, _)| is_of_a_set(name) || is_examples(name))
            .map(|(name, text)| (name, text)),
    );
    let mut faults = Vec::new();
    let examples = examples(&files, &mut faults);
    files.retain(|(name, _)| is_numbered(name));
    let contents = file::read(&files, &mut faults);
    let facts = contents.facts.iter().map(|fact| fact.text.id.get_ref().clone()).collect();
    let names = Names::new(&services, facts, forms.words().to_vec());
    let mut checker = Checker { files: &files, names: &names, lists: &lists, faults: &mut faults };
    check_ids(&contents, &mut checker);
    let read = expressions(&contents.rules);
    let (rules, patterns) = rules(&contents.rules, &read, &mut checker);
    let mut contradictions = Vec::new();
    let matcher = std::thread::scope(|scope| {
        let checker =
            Checker { files: &files, names: &names, lists: &lists, faults: &mut contradictions };
        let (contents, patterns) = (&contents, &patterns);
        scope.spawn(move || contradiction::find(contents, patterns, checker));
        Matcher::new(patterns)
    });
    checker.faults.append(&mut contradictions);
    let decisions: Vec<Decision> =
        contents.decisions.iter().filter_map(|row| decision(row, &mut checker)).collect();
    let officer_below = officer_below(&contents, &mut checker);
    if !faults.is_empty() {
        return Err(faults);
    }
    let whole = |what: String| vec![Fault::new("rules", what, "make rules fewer or shorter")];
    if rules.len() > MOST_RULES {
        return Err(whole(format!("{} rules are more than {MOST_RULES}", rules.len())));
    }
    let matcher = matcher.map_err(whole)?;
    let mut checker = Checker { files: &files, names: &names, lists: &lists, faults: &mut faults };
    try_examples(&contents.rules, &rules, &matcher, &mut checker);
    if faults.is_empty() {
        let (opinion, spelling, used) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let phrases = phrases_of(patterns);
        Ok(RuleSet {
            services,
            forms,
            names,
            rules,
            matcher,
            decisions,
            officer_below,
            phrases,
            spelling,
            used,
            examples,
            opinion,
            kept_on: None,
            version,
            learns_from,
        })
    } else {
        Err(faults)
    }
}

/// Below this confidence an officer looks first, where the set says nothing else.
const OFFICER_BELOW: f64 = 0.9;

/// Below which confidence an officer looks first.
fn officer_below(contents: &Contents, checker: &mut Checker<'_>) -> f64 {
    if let Some(second) = contents.officer.get(1) {
        checker.fault(second.file, second.at, "[officer] stands twice", "take one of them out");
    }
    let Some(officer) = contents.officer.first() else { return OFFICER_BELOW };
    let below = *officer.text.below.get_ref();
    if !(0.0..=1.0).contains(&below) {
        let cure = "write a number from 0, nobody looks, to 1, an officer looks at everything";
        let at = officer.text.below.span().start;
        checker.fault(officer.file, at, "`below` is no confidence", cure);
    }
    below
}

/// The phrases of all rules, folded.
fn phrases_of(patterns: Vec<Pattern>) -> Vec<String> {
    let of = |pattern: Pattern| [pattern.words, pattern.near, pattern.unless];
    patterns.into_iter().flat_map(of).flatten().map(|phrase| phrase.folded).collect()
}

/// A file's own name.
pub(super) fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// Files of rules begin with a digit; the others of the folder have readers of their own.
pub(super) fn is_numbered(name: &str) -> bool {
    base(name).starts_with(|c: char| c.is_ascii_digit())
        && std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// Files of labelled messages, which the second opinion learns from.
fn is_examples(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "jsonl")
}

fn examples(files: &[(String, String)], faults: &mut Vec<Fault>) -> Examples {
    let mut examples = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| is_examples(name)) {
        for (line, read) in trial::written(text) {
            match read {
                Ok(example) => examples.push(example),
                Err(fault) => {
                    let cure = "write one labelled message a line";
                    let fault = Fault::new(name, fault.to_string(), cure);
                    faults.push(Fault { at: Some((line, 1)), ..fault });
                }
            }
        }
    }
    Examples::Written(examples)
}

fn services(files: &[(String, String)]) -> Result<Services, Vec<Fault>> {
    match files.iter().find(|(name, _)| base(name) == SERVICES) {
        Some((name, text)) => Services::from_toml(name, text),
        None => Err(vec![Fault::new(
            SERVICES,
            "the directory of services is missing",
            "put services.toml beside the rules",
        )]),
    }
}

/// What a file of the set holds that a council may do without.
fn one<T: Default>(
    files: &[(String, String)],
    wanted: &str,
    read: fn(&str, &str) -> Result<T, Vec<Fault>>,
) -> Result<T, Vec<Fault>> {
    let file = files.iter().find(|(name, _)| base(name) == wanted);
    file.map_or_else(|| Ok(T::default()), |(name, text)| read(name, text))
}

/// Whether a file of the rules folder is of the set that decides a classification: numbered, or the
/// directory, the lists or the forms. The others (procedures, reminders, calendar, examples) have readers of their own.
pub fn is_of_a_set(name: &str) -> bool {
    is_numbered(name) || [SERVICES, FORMS, LISTS].contains(&base(name))
}

/// Which rules files make: twelve hexadecimal digits over what decides a classification. The same as
/// [`RuleSet::version`] of what is loaded from them, also where they are not valid.
pub fn version<'a>(files: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut files: Vec<_> = files.into_iter().filter(|(name, _)| is_of_a_set(name)).collect();
    files.sort_by(|(a, _), (b, _)| base(a).cmp(base(b)));
    hashed(files).get(..12).unwrap_or_default().to_owned()
}

/// The hash of files, in hexadecimal digits.
fn hashed<T: AsRef<str>>(files: impl IntoIterator<Item = (T, T)>) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        for part in [base(name.as_ref()), text.as_ref()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Each id once; every rule, fact and row says why it is there.
fn check_ids(contents: &Contents, checker: &mut Checker<'_>) {
    let rules = contents.rules.iter().map(|rule| (rule.file, &rule.text.id, &rule.text.why));
    let facts = contents.facts.iter().map(|fact| (fact.file, &fact.text.id, &fact.text.what));
    let rows = contents.decisions.iter().map(|row| (row.file, &row.text.id, &row.text.why));
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let kinds = [
        ("rule", rules.collect::<Vec<_>>()),
        ("fact", facts.collect()),
        ("decision", rows.collect()),
    ];
    for (kind, items) in &kinds {
        for (file, id, why) in items {
            checker.filled(*file, id, "id");
            checker.filled(*file, why, if *kind == "fact" { "what" } else { "why" });
            if !seen.insert((kind, id.get_ref())) {
                let what = format!("{kind} `{}` stands twice", id.get_ref());
                checker.fault(*file, id.span().start, what, "give each its own id");
            }
        }
    }
}

/// What every expression of the rules is, or why it is none: there are hundreds.
fn expressions(written: &[Written<RuleText>]) -> HashMap<&str, Result<Arc<Expression>, String>> {
    let all: Vec<&str> = written
        .iter()
        .flat_map(|rule| rule.text.regex.iter().map(|expression| expression.get_ref().as_str()))
        .collect();
    let read = on_all_cores(&all, |expression| Expression::new(expression).map(Arc::new));
    all.into_iter().zip(read).collect()
}

/// The same work for each of many, on all cores; in their order.
fn on_all_cores<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(cores).max(1);
    let work = |share: &[T]| share.iter().map(&work).collect::<Vec<R>>();
    std::thread::scope(|scope| {
        let shares: Vec<_> =
            all.chunks(share).map(|share| (share, scope.spawn(|| work(share)))).collect();
        // One whose thread died is done here, where its panic is seen.
        let joined =
            shares.into_iter().map(|(share, thread)| thread.join().unwrap_or_else(|_| work(share)));
        joined.flatten().collect()
    })
}

fn rules(
    written: &[Written<RuleText>],
    read: &HashMap<&str, Result<Arc<Expression>, String>>,
    checker: &mut Checker<'_>,
) -> (Vec<Rule>, Vec<Pattern>) {
    let mut rules = Vec::new();
    let mut patterns = Vec::new();
    for rule in written {
        let Written { file, at, text } = rule;
        let label = checker.label(*file, &text.label);
        let weight = *text.weight.get_ref();
        if !weight.is_finite() || weight.abs() > 20.0 || weight == 0.0 {
            checker.fault(
                *file,
                text.weight.span().start,
                "the weight is out of range",
                "write -20 to 20, but not 0",
            );
        }
        if text.words.is_empty() && text.regex.is_empty() {
            checker.fault(*file, *at, "the rule looks for nothing", "add words or regex");
        }
        if let Some(within) = text.within.as_ref().filter(|_| text.near.is_empty()) {
            let cure = "add near, or take within out";
            checker.fault(*file, within.span().start, "within without near", cure);
        }
        if let Some(least) = text.at_least.as_ref().filter(|least| *least.get_ref() < 2) {
            let cure = "write 2 or more, or take it out";
            checker.fault(*file, least.span().start, "at_least changes nothing", cure);
        }
        let mut places = checker.places(*file, &text.places);
        if text.places.is_empty() {
            places = default_places(label, checker.names);
        }
        let regex = text
            .regex
            .iter()
            .filter_map(|expression| regex(*file, expression, read, checker))
            .collect();
        patterns.push(Pattern {
            words: phrases(*file, &text.words, checker),
            regex,
            near: phrases(*file, &text.near, checker),
            unless: phrases(*file, &text.unless, checker),
            within: text.within.as_ref().map(|within| *within.get_ref()),
            at_least: text.at_least.as_ref().map_or(1, |least| *least.get_ref()).max(1),
            places,
        });
        rules.push(Rule {
            id: text.id.get_ref().clone(),
            label: label.unwrap_or(Label::Aside),
            weight,
        });
    }
    (rules, patterns)
}

/// What is looked through where a rule does not say: what the sender wrote, and for services also
/// what tells what the message belongs to, and what they chose where a form asks for it.
fn default_places(label: Option<Label>, names: &Names) -> Vec<Place> {
    let mut places = vec![Place::Subject, Place::Text, Place::Signature, Place::Forwarded];
    if matches!(label, Some(Label::Service(_))) {
        places.extend([Place::Quoted, Place::Attachment]);
        places.extend(names.asked.iter().position(|word| word == SERVICE).map(Place::Form));
    }
    places
}

fn phrases(file: usize, words: &[Spanned<String>], checker: &mut Checker<'_>) -> Vec<Phrase> {
    let mut phrases: Vec<Phrase> = Vec::with_capacity(words.len());
    for word in words {
        if let Some(list) = word.get_ref().strip_prefix(MARK) {
            if let Some(entries) = checker.lists.get(list) {
                phrases.extend(entries.iter().cloned());
            } else {
                let cure = format!("write one of: {}", checker.lists.names());
                let what = format!("unknown list `{}`", word.get_ref());
                checker.fault(file, word.span().start, what, cure);
            }
            continue;
        }
        let phrase = Phrase::new(word.get_ref());
        let bare = word.get_ref().trim_end().trim_end_matches('*');
        if bare.contains('*') {
            checker.fault(
                file,
                word.span().start,
                "`*` stands inside the phrase",
                "put it at the end, or use regex",
            );
        }
        if phrase.folded.chars().count() < 2 {
            checker.fault(
                file,
                word.span().start,
                "the phrase is too short",
                "write two letters or more",
            );
        }
        phrases.push(phrase);
    }
    phrases
}

fn regex(
    file: usize,
    expression: &Spanned<String>,
    read: &HashMap<&str, Result<Arc<Expression>, String>>,
    checker: &mut Checker<'_>,
) -> Option<Arc<Expression>> {
    let at = expression.span().start;
    match read.get(expression.get_ref().as_str())? {
        Ok(regex) if regex.fits_nothing() => {
            checker.fault(
                file,
                at,
                "the expression fits nothing at all",
                "make it ask for at least one letter",
            );
            None
        }
        Ok(regex) => Some(regex.clone()),
        Err(error) => {
            checker.fault(file, at, format!("not a regular expression: {error}"), "correct it");
            None
        }
    }
}

fn decision(row: &Written<DecisionText>, checker: &mut Checker<'_>) -> Option<Decision> {
    let Written { file, at, text } = row;
    let mut read = |words: &[Spanned<String>]| -> Option<Vec<Condition>> {
        words.iter().map(|word| condition(*file, word, checker)).collect()
    };
    let (all, any, none) = (read(&text.all), read(&text.any), read(&text.none));
    let then: Option<Vec<Effect>> =
        text.then.iter().map(|word| effect(*file, word, checker)).collect();
    if text.then.is_empty() {
        checker.fault(*file, *at, "the row decides nothing", "write what follows in `then`");
    }
    let sure = text.sure.as_ref().map_or(0.8, |sure| *sure.get_ref());
    if !(0.0..=1.0).contains(&sure) {
        checker.fault(*file, *at, "`sure` is out of range", "write a share from 0 to 1");
    }
    Some(Decision {
        id: text.id.get_ref().clone(),
        all: all?,
        any: any?,
        none: none?,
        then: then?,
        sure,
    })
}

fn condition(file: usize, word: &Spanned<String>, checker: &mut Checker<'_>) -> Option<Condition> {
    let text = word.get_ref().as_str();
    match text.split_once(':') {
        Some(("known", what)) => {
            let known = KnownFact::ALL.into_iter().find(|known| known.id() == what);
            if known.is_none() {
                let cure = KnownFact::ALL.map(KnownFact::id).join(", ");
                checker.fault(
                    file,
                    word.span().start,
                    format!("unknown `{text}`"),
                    format!("write known: and one of: {cure}"),
                );
            }
            known.map(Condition::Known)
        }
        Some(("table", "6")) => Some(Condition::Table(6)),
        Some(("table", "9")) => Some(Condition::Table(9)),
        Some(("theme", "*")) => Some(Condition::AnyTheme),
        Some(("service", "*")) => Some(Condition::AnyService),
        _ => checker.label(file, word).map(Condition::Holds),
    }
}

fn effect(file: usize, word: &Spanned<String>, checker: &mut Checker<'_>) -> Option<Effect> {
    let text = word.get_ref().as_str();
    if text == "!theme:*" {
        return Some(Effect::ClearThemes(None));
    }
    if let Some(kept) = text.strip_prefix("only theme:") {
        let theme: Option<Theme> = kept.parse().ok();
        if theme.is_none() {
            checker.fault(
                file,
                word.span().start,
                format!("unknown theme `{kept}`"),
                "write a theme's id",
            );
        }
        return theme.map(|theme| Effect::ClearThemes(Some(theme)));
    }
    let (bare, clears) = text.strip_prefix('!').map_or((text, false), |bare| (bare, true));
    let label = checker.label(file, &Spanned::new(word.span(), bare.to_owned()))?;
    match (clears, label) {
        (_, Label::Aside)
        | (true, Label::RecordType(_) | Label::Service(_) | Label::Customer(_)) => {
            checker.fault(
                file,
                word.span().start,
                format!("a row cannot set `{text}`"),
                "set a label, or clear a theme, flag or fact with !",
            );
            None
        }
        (true, label) => Some(Effect::Clear(label)),
        (false, label) => Some(Effect::Set(label)),
    }
}

/// Runs every example through its own rule.
fn try_examples(
    written: &[Written<RuleText>],
    rules: &[Rule],
    matcher: &Matcher,
    checker: &mut Checker<'_>,
) {
    let mut examples = Vec::new();
    for (number, rule) in written.iter().enumerate() {
        let places = checker.places(rule.file, &rule.text.places);
        let place = places.first().copied().unwrap_or(Place::Text);
        examples.extend(rule.text.example.iter().map(|example| (number, rule, place, example)));
    }
    let fires = on_all_cores(&examples, |(number, _, place, example)| {
        let haystack = Haystack::of_example(*place, &example.get_ref().text);
        !matcher.hits_of(&haystack, |rule| rule == *number).is_empty()
    });
    for ((number, rule, _, example), fires) in examples.into_iter().zip(fires) {
        if fires != example.get_ref().fires {
            let what = if fires {
                "fires on an example that it must leave alone"
            } else {
                "does not fire on its example"
            };
            let id = rules.get(number).map_or("", |rule| rule.id.as_str());
            checker.fault(
                rule.file,
                example.span().start,
                format!("rule `{id}` {what}"),
                "correct the words, or the example",
            );
        }
    }
}
