//! What differs between two sets of rules, by rule, row and service, not by line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use toml::{Table, Value};

use super::load::{SERVICES, base, is_of_a_set};
use crate::casework::vocabulary::vocabulary;
use crate::fault::Fault;

vocabulary! {
    /// What a set is made of.
    Part {
        /// Words that speak for something.
        Rule = "rule", "rule";
        /// A name that rows ask about.
        Fact = "fact", "fact";
        /// A row of the decision table.
        Decision = "decision", "decision";
        /// When a person looks first.
        Officer = "officer", "officer";
        /// A service of the directory.
        Service = "service", "service";
        /// An area of a service.
        Area = "area", "area";
        /// Words that rules use by one name.
        List = "list", "list";
        /// How a web form looks.
        Form = "form", "form";
        /// Anything else of the directory.
        Directory = "directory", "directory";
    }
}

vocabulary! {
    /// How a part differs.
    How {
        /// Only the second set has it.
        Added = "added", "new";
        /// Only the first set has it.
        Removed = "removed", "gone";
        /// Both have it, otherwise.
        Changed = "changed", "changed";
    }
}

/// A rule, fact, row or service that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is.
    pub part: Part,
    /// Its id.
    pub id: String,
    /// How it differs.
    pub how: How,
    /// Field by field.
    pub fields: Vec<FieldDifference>,
}

/// A field that differs: another value, or members of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// Its name.
    pub field: String,
    /// What it was, where it is one value or its order counts.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// What the list has now.
    pub added: Vec<String>,
    /// What the list has no longer.
    pub removed: Vec<String>,
}

/// The fields of rules, facts and rows as they are usually written; others come after them.
const FIELDS: [&str; 17] = [
    "why", "what", "source", "label", "weight", "words", "regex", "where", "near", "unless", "all",
    "any", "none", "then", "sure", "example", "name",
];

/// The parts of one kind, in the order of the files.
type Parts = Vec<(String, Table)>;

/// What differs between two sets, in the order of [`Part`].
///
/// # Errors
/// Files that are not TOML.
pub fn differences<'a>(
    before: impl IntoIterator<Item = (&'a String, &'a String)>,
    after: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<Difference>, Vec<Fault>> {
    let (before, after) = (parts(before)?, parts(after)?);
    let none = Parts::new();
    let mut all = Vec::new();
    for part in Part::ALL.iter().copied() {
        let of = |parts: &BTreeMap<Part, Parts>| parts.get(&part).unwrap_or(&none).clone();
        all.extend(between(part, &of(&before), &of(&after)));
    }
    Ok(all)
}

/// Reads a set's files into its parts.
fn parts<'a>(
    files: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<BTreeMap<Part, Parts>, Vec<Fault>> {
    let mut files: Vec<_> = files.into_iter().filter(|(name, _)| is_of_a_set(name)).collect();
    files.sort_by(|(a, _), (b, _)| base(a).cmp(base(b)));
    let (mut parts, mut faults) = (BTreeMap::<Part, Parts>::new(), Vec::new());
    for (name, text) in files {
        let table = match toml::from_str::<Table>(text) {
            Ok(table) => table,
            Err(error) => {
                faults.push(Fault::from_toml(name, text, &error));
                continue;
            }
        };
        let mut directory = Table::new();
        for (key, value) in table {
            let part = Part::ALL.iter().copied().find(|part| part.id() == key);
            match (part, value) {
                (Some(part), Value::Array(items)) => {
                    for (id, mut table) in items.into_iter().filter_map(table_of).map(with_id) {
                        if part == Part::Service {
                            parts.entry(Part::Area).or_default().extend(areas(&id, &mut table));
                        }
                        parts.entry(part).or_default().push((id, table));
                    }
                }
                (Some(Part::Officer), Value::Table(table)) => {
                    parts.entry(Part::Officer).or_default().push(("below".to_owned(), table));
                }
                (_, value) => drop(directory.insert(key, value)),
            }
        }
        if base(name) == SERVICES {
            parts.entry(Part::Directory).or_default().extend(by_table(directory));
        }
    }
    if faults.is_empty() { Ok(parts) } else { Err(faults) }
}

fn table_of(value: Value) -> Option<Table> {
    if let Value::Table(table) = value { Some(table) } else { None }
}

fn with_id(mut table: Table) -> (String, Table) {
    let id = table.remove("id").map(|id| shown(&id)).unwrap_or_default();
    (id, table)
}

/// Takes the areas of a service out of it, each by the service's name and its own.
fn areas(service: &str, table: &mut Table) -> Parts {
    let Some(Value::Array(items)) = table.remove("area") else { return Parts::new() };
    let all = items.into_iter().filter_map(table_of).map(with_id);
    all.map(|(id, table)| (format!("{service} {id}"), table)).collect()
}

/// The directory's own settings: each of its tables, and what stands by itself.
fn by_table(directory: Table) -> Parts {
    let mut parts = Parts::new();
    let mut rest = Table::new();
    for (key, value) in directory {
        if let Value::Table(table) = value {
            parts.push((key, table));
        } else {
            rest.insert(key, value);
        }
    }
    parts.push((SERVICES.to_owned(), rest));
    parts
}

fn between(part: Part, before: &Parts, after: &Parts) -> Vec<Difference> {
    let find = |parts: &Parts, id: &str| {
        parts.iter().find(|(other, _)| other == id).map(|(_, table)| table.clone())
    };
    let nothing = Table::new();
    let moved = if part == Part::Decision { moved(before, after) } else { Vec::new() };
    let mut all = Vec::new();
    for (id, table) in before {
        let (how, mut fields) = match find(after, id) {
            None => (How::Removed, fields(table, &nothing)),
            Some(now) => (How::Changed, fields(table, &now)),
        };
        if moved.contains(id) {
            fields.push(FieldDifference {
                field: "place".to_owned(),
                before: Some(place(before, id)),
                after: Some(place(after, id)),
                ..FieldDifference::default()
            });
        }
        if how == How::Removed || !fields.is_empty() {
            all.push(Difference { part, id: id.clone(), how, fields });
        }
    }
    let new = after.iter().filter(|(id, _)| find(before, id).is_none());
    all.extend(new.map(|(id, table)| Difference {
        part,
        id: id.clone(),
        how: How::Added,
        fields: fields(&nothing, table),
    }));
    all
}

/// Field by field, in the order in which people write them.
fn fields(before: &Table, after: &Table) -> Vec<FieldDifference> {
    let mut names: Vec<&String> = before.keys().collect();
    names.extend(after.keys().filter(|name| !before.contains_key(*name)));
    names.sort_by_key(|name| {
        FIELDS.iter().position(|field| *field == name.as_str()).unwrap_or(FIELDS.len())
    });
    names.into_iter().filter_map(|name| field(name, before.get(name), after.get(name))).collect()
}

fn field(name: &str, before: Option<&Value>, after: Option<&Value>) -> Option<FieldDifference> {
    if before == after {
        return None;
    }
    let mut differs = FieldDifference { field: name.to_owned(), ..FieldDifference::default() };
    let list = |value: Option<&Value>| match value {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.iter().map(shown).collect()),
        Some(_) => None,
    };
    if let (Some(was), Some(is)) = (list(before), list(after)) {
        differs.added = is.iter().filter(|item| !was.contains(item)).cloned().collect();
        differs.removed = was.iter().filter(|item| !is.contains(item)).cloned().collect();
        if !differs.added.is_empty() || !differs.removed.is_empty() {
            return Some(differs);
        }
        (differs.before, differs.after) = (Some(was.join(", ")), Some(is.join(", ")));
        return Some(differs);
    }
    (differs.before, differs.after) = (before.map(shown), after.map(shown));
    Some(differs)
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    let text = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => {
            if let (Some(name), Some(address)) = (text(table, "name"), text(table, "address")) {
                return format!("{name} <{address}>");
            }
            let fires = table.get("fires").and_then(Value::as_bool);
            if let (Some(text), Some(fires)) = (text(table, "text"), fires) {
                return format!("“{text}” {}", if fires { "fires" } else { "does not fire" });
            }
            value.to_string()
        }
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_) => value.to_string(),
    }
}

/// The rows that stand at another place among those that both sets have: the fewest that must be
/// moved to make one order the other. The first row that fits decides, so the order is part of the set.
fn moved(before: &Parts, after: &Parts) -> Vec<String> {
    let at = |id: &str| after.iter().position(|(other, _)| other == id);
    let common: Vec<(&String, usize)> =
        before.iter().filter_map(|(id, _)| Some((id, at(id)?))).collect();
    // The longest rising sequence stays; what is not of it was moved.
    let mut longest: Vec<Vec<usize>> = Vec::new();
    for (number, (_, place)) in common.iter().enumerate() {
        let rising = |sequence: &&Vec<usize>| {
            let last = sequence.last().and_then(|last| common.get(*last));
            last.is_some_and(|(_, before)| before < place)
        };
        let mut sequence =
            longest.iter().filter(rising).max_by_key(|one| one.len()).cloned().unwrap_or_default();
        sequence.push(number);
        longest.push(sequence);
    }
    let stays = longest.into_iter().max_by_key(Vec::len).unwrap_or_default();
    let moved = common.iter().enumerate().filter(|(number, _)| !stays.contains(number));
    moved.map(|(_, (id, _))| (*id).clone()).collect()
}

/// After which row a row stands.
fn place(parts: &Parts, id: &str) -> String {
    let before = parts.iter().take_while(|(other, _)| other != id).last();
    before.map_or_else(|| "first".to_owned(), |(other, _)| format!("after {other}"))
}

/// Differences in words, a block a part. Of what is gone only the name is told.
pub fn in_words(differences: &[Difference]) -> String {
    let mut text = String::new();
    for one in differences {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}: {}", one.part.label(), one.id, one.how.label());
        if one.how == How::Removed {
            continue;
        }
        for field in &one.fields {
            let mut line = |words: &str| {
                let _ = writeln!(text, "    {}: {words}", field.field);
            };
            match (&field.before, &field.after) {
                (None, Some(after)) => line(after),
                (Some(before), Some(after)) => line(&format!("{before} → {after}")),
                (Some(before), None) => line(&format!("{before} → nothing")),
                (None, None) => {}
            }
            for item in &field.removed {
                line(&format!("without {item}"));
            }
            for item in &field.added {
                line(&format!("with {item}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[[rule]]\nid = \"sen.ehcp\"\nwhy = \"their work\"\nlabel = \"service:sen\"\nweight = 5.0\n\
        words = [\"ehc plan*\", \"ehcp\"]\nexample = [{ text = \"the EHCP\", fires = true }]\n";
    const ROWS: &str = "[[decision]]\nid = \"D1\"\nwhy = \"a\"\nthen = [\"record_type:enquiry\"]\n\
        [[decision]]\nid = \"D2\"\nwhy = \"b\"\nthen = [\"record_type:comment\"]\n\
        [[decision]]\nid = \"D3\"\nwhy = \"c\"\nthen = [\"record_type:enquiry\"]\n";
    const DIRECTORY: &str = "council_domains = [\"a.example\"]\n\
        [complaints_team]\ninbox = { name = \"Team\", address = \"t@a.example\" }\n\
        [[service]]\nid = \"sen\"\ntable = 9\ninbox = { name = \"SEN\", address = \"sen@a.example\" }\n";

    fn files(rules: &str, rows: &str, directory: &str) -> BTreeMap<String, String> {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        BTreeMap::from([
            file("30-service.toml", rules),
            file("20-rows.toml", rows),
            file("services.toml", directory),
            file("procedures.toml", "not of the set"),
        ])
    }

    fn told(rules: &str, rows: &str, directory: &str) -> String {
        let before = files(RULE, ROWS, DIRECTORY);
        in_words(&differences(&before, &files(rules, rows, directory)).unwrap())
    }

    #[test]
    fn a_comment_or_another_file_is_no_difference() {
        assert_eq!(told(&format!("# words\n{RULE}"), ROWS, DIRECTORY), "");
        assert_eq!(told(ROWS, RULE, DIRECTORY), "");
    }

    #[test]
    fn another_confidence_below_which_an_officer_looks_is_told() {
        let told = told(RULE, &format!("{ROWS}[officer]\nbelow = 0.8\n"), DIRECTORY);
        assert_eq!(told, "officer below: new\n    below: 0.8\n");
    }

    #[test]
    fn a_rule_is_told_field_by_field() {
        let changed = RULE
            .replace("5.0", "4.0")
            .replace("\"ehcp\"", "\"e.h.c.p.\"")
            .replace("fires = true", "fires = false");
        assert_eq!(
            told(&changed, ROWS, DIRECTORY),
            "rule sen.ehcp: changed\n    weight: 5.0 → 4.0\n    words: without ehcp\n    words: with e.h.c.p.\n\
             \x20   example: without “the EHCP” fires\n    example: with “the EHCP” does not fire\n"
        );
        let renamed = RULE.replace("sen.ehcp", "sen.plan");
        let words = told(&renamed, ROWS, DIRECTORY);
        assert!(
            words.starts_with("rule sen.ehcp: gone\nrule sen.plan: new\n    why: their work\n")
        );
        assert!(words.contains("    words: with ehcp\n"), "{words}");
        let turned = RULE.replace("[\"ehc plan*\", \"ehcp\"]", "[\"ehcp\", \"ehc plan*\"]");
        let words = told(&turned, ROWS, DIRECTORY);
        assert!(words.contains("    words: ehc plan*, ehcp → ehcp, ehc plan*\n"), "{words}");
    }

    #[test]
    fn a_row_that_moved_is_told_once() {
        let (first, rest) = ROWS.split_at(ROWS.find("[[decision]]\nid = \"D2\"").unwrap());
        let turned = format!("{rest}{first}");
        let expected = "decision D1: changed\n    place: first → after D3\n";
        assert_eq!(told(RULE, &turned, DIRECTORY), expected);
        let without = ROWS.replace(
            "[[decision]]\nid = \"D2\"\nwhy = \"b\"\nthen = [\"record_type:comment\"]\n",
            "",
        );
        assert_eq!(told(RULE, &without, DIRECTORY), "decision D2: gone\n", "the others stay");
    }

    #[test]
    fn the_directory_is_told_by_service() {
        let changed = DIRECTORY
            .replace("sen@a.example", "sen@b.example")
            .replace("\"a.example\"", "\"a.example\", \"b.example\"")
            .replace("t@a", "team@a");
        assert_eq!(
            told(RULE, ROWS, &changed),
            "service sen: changed\n    inbox: SEN <sen@a.example> → SEN <sen@b.example>\n\
             directory complaints_team: changed\n    inbox: Team <t@a.example> → Team <team@a.example>\n\
             directory services.toml: changed\n    council_domains: with b.example\n"
        );
    }

    #[test]
    fn what_is_not_toml_is_named() {
        let broken = files("[[rule]", ROWS, DIRECTORY);
        let faults = differences(&broken, &broken).unwrap_err();
        assert!(faults.iter().all(|fault| fault.file == "30-service.toml"), "{faults:?}");
    }
}
