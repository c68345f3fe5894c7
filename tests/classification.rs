//! The rules that ship, over the labelled messages that ship.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::Path;

use postern::rules::trial::{self, Labelled, Report};
use postern::rules::{RuleSet, explain};

/// Every rule file, as the gateway reads them.
fn shipped_rules() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = format!("rules/{}", path.file_name().unwrap().to_string_lossy());
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    RuleSet::load(&files).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// The labelled messages; every fifth line of a file was kept unseen while rules were written.
fn corpus() -> Vec<(bool, Labelled)> {
    let mut all = Vec::new();
    for file in ["dev.jsonl", "dev-b.jsonl"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/complaints").join(file);
        for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
            all.push(((number + 1) % 5 == 0, Labelled::from_json(line).unwrap()));
        }
    }
    assert_eq!(all.len(), 220);
    all
}

fn report(rules: &RuleSet, messages: &[&Labelled]) -> Report {
    let pairs: Vec<_> = messages
        .iter()
        .map(|line| {
            (line.labels.clone(), rules.classify(&line.email, &line.known(rules.services())))
        })
        .collect();
    trial::score(&pairs)
}

#[test]
fn the_shipped_rules_are_as_right_as_they_were() {
    let rules = shipped_rules();
    let corpus = corpus();
    let part = |unseen: bool| -> Vec<&Labelled> {
        corpus.iter().filter(|(held, _)| *held == unseen).map(|(_, line)| line).collect()
    };
    let seen = report(&rules, &part(false));
    println!("seen while writing\n{seen}");
    if let Ok(wanted) = std::env::var("EXPLAIN") {
        for line in part(false) {
            let got = rules.classify(&line.email, &line.known(rules.services()));
            if wanted.split(',').any(|id| id == line.id) {
                println!("=== {} wanted {:?}\n{}", line.id, line.labels, explain(&got));
            }
        }
    }
}
