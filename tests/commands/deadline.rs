//! `postern deadline`.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Desk, root};

#[test]
fn the_program_agrees_with_six_hundred_due_dates() {
    let rows = std::fs::read_to_string(root().join("tests/working-day-cases.csv")).unwrap();
    let rows: Vec<&str> = rows.lines().skip(1).collect();
    assert_eq!(rows.len(), 600);
    let (desk, next) = (Desk::new(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let columns: Vec<&str> = row.split(',').collect();
                    let told = desk.objects(&[
                        "deadline",
                        "--received",
                        columns[0],
                        "--rule",
                        columns[1],
                        "--days",
                        columns[2],
                        "--json",
                    ]);
                    assert_eq!(told[0]["due"], columns[3], "{row}");
                    assert!(!told[0]["steps"].as_array().unwrap().is_empty(), "{row}");
                }
            });
        }
    });
}

#[test]
fn a_stage_of_a_procedure_has_its_dates_with_their_steps() {
    let desk = Desk::new();
    let asked = [
        "deadline",
        "--received",
        "2026-03-16T09:30",
        "--procedure",
        "children_act",
        "--stage",
        "1",
    ];
    let told = &desk.objects(&[&asked[..], &["--json"]].concat())[0];
    assert_eq!(told["procedure"], "children_act");
    assert_eq!(told["stage"], 1);
    assert_eq!(told["due"], "2026-04-15", "twenty working days across Easter");
    assert_eq!(told["dates"]["acknowledge"]["due"], "2026-03-19");
    assert_eq!(told["dates"]["target"]["due"], "2026-03-30");
    assert_eq!(told["dates"]["latest"]["due"], "2026-04-15");
    let steps = told["steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step["why"].as_str().unwrap().contains("Good Friday")),
        "{told}"
    );
    let words = desk.data(&asked);
    for line in ["Acknowledge by", "Aim to answer by", "Answer at the latest by", "Wed 15 Apr 2026"]
    {
        assert!(words.contains(line), "{words}");
    }
}

#[test]
fn wrong_usage_says_what_to_write_instead() {
    let desk = Desk::new();
    let base = ["deadline", "--received", "2026-03-16"];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    desk.refused(&["deadline", "--days", "3"], 2, "--received <WHEN>");
    desk.refused(&["deadline", "--received", "16/3/26", "--days", "3"], 2, "(2026-12-24)");
    desk.refused(&base, 2, "<--procedure <P>|--days <N>>");
    desk.refused(&with(&["--procedure", "children_act"]), 2, "--stage <N>");
    desk.refused(&with(&["--days", "3", "--stage", "1"]), 2, "cannot be used");
    desk.refused(&with(&["--days", "3", "--procedure", "x", "--stage", "1"]), 2, "cannot be used");
    desk.refused(&with(&["--days", "many"]), 2, "invalid value 'many'");
    desk.refused(
        &with(&["--days", "3", "--rule", "next_day"]),
        2,
        "unknown start rule `next_day`; expected one of: day_after",
    );
    desk.refused(&with(&["--procedure", "nope", "--stage", "1"]), 2, "write one of: children_act");
    desk.refused(&with(&["--procedure", "corporate", "--stage", "9"]), 2, "no stage 9");
    let past = ["deadline", "--received", "2036-03-17", "--days", "3"];
    desk.refused(&past, 1, "outside the bank holiday calendar");
}

#[test]
fn no_settings_are_needed_but_those_named_must_be_right() {
    let desk = Desk::with("rules = \"nowhere\"\n");
    desk.data(&["deadline", "--received", "2026-03-16", "--days", "3"]);
    let named = ["--config", "postern.toml", "deadline", "--received", "2026-03-16", "--days", "3"];
    desk.refused(&named, 2, "nowhere: cannot be read: there is no such file or folder");
}
