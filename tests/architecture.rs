//! The borders between modules. A new edge is a decision: it stands in this table with its reason, or
//! the test says who crossed where.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom, in the order of the walk. The table is exact: an edge that nobody uses any more is
/// struck out.
const MAY_USE: &[(&str, &str)] = &[
    // Nothing of ours.
    ("private", ""),
    ("clock", ""),
    ("fault", ""),
    ("hold", ""),
    ("tick", ""),
    ("tls", ""),
    ("mailfiles", ""),
    ("telemetry", ""),
    // Pure: values in, values out. `email` finds case references, whose form is casework's; `casework`
    // takes from `clock` only the time zone and the day that a moment has in it.
    ("token", "private"),
    ("likeness", ""),
    ("casework", "private fault clock"),
    ("email", "private casework"),
    ("rules", "private fault email casework"),
    ("decide", "email casework rules"),
    ("letters", "private fault casework"),
    // The shell.
    ("config", "private fault tls"),
    ("policy", "fault casework rules letters config"),
    ("mailbox", "private tls"),
    // The store keeps what was understood and decided: it knows those types, and does nothing with them.
    ("store", "private email casework"),
    // Whom a token belongs to; it takes from `casework` only how its words are spelt.
    ("account", "private casework store token"),
    // `gateway` is what every tick is given, so it names what they need, and `outbox` is given it.
    ("gateway", "clock config decide email fault letters outbox policy private store token"),
    ("outbox", "private clock tls hold tick casework letters token store gateway"),
    // Whom to call is the settings' and the directory's; what they are sent is a letter like any.
    ("alarm", "casework clock tick letters policy store outbox gateway"),
    (
        "intake",
        "alarm private clock hold tick email casework rules decide letters likeness token policy config mailbox store outbox \
         gateway",
    ),
    // A suspended stage stands still by the functions that officers' moves use.
    ("reminders", "clock hold tick casework letters policy store outbox officer gateway"),
    // An officer's corrections ask services and restart clocks as intake does: by the same functions.
    // The area of a service that is asked later is read off the message that opened the case.
    ("officer", "clock email casework letters store outbox intake policy gateway"),
    // What the terminal's `--json` and the API give of a case: one text for both.
    ("register", "casework rules letters store officer gateway"),
    // An officer's acts and a change of the calendar come to the same dates: by the same function.
    ("recount", "tick casework officer policy store gateway"),
    // The scanner is spoken to where the settings say it listens; what it says becomes a person's task.
    ("scan", "config hold tick store gateway"),
    // What a program asks of the register, and what it does to a case as an officer.
    ("api", "account casework clock officer register store gateway"),
    // What a service says on its page takes the path of a reply by mail; a file is told by its content as one of a mail.
    (
        "answer",
        "private clock email casework letters token policy config store outbox intake gateway",
    ),
    ("console", "answer api clock store gateway"),
    // A set of rules becomes files in the folder that the settings name, and rows of the store.
    ("publication", "clock fault casework rules policy config store letters"),
    ("backtest", "casework email intake rules store"),
    (
        "daemon",
        "alarm tick store intake outbox reminders recount scan console gateway policy backtest",
    ),
    // A simulated year is people around the whole gateway: they write to it, read its letters and act as officers.
    ("demo", "clock casework rules policy store outbox officer gateway daemon"),
    (
        "cli",
        "private account clock fault tick telemetry mailfiles email casework rules decide policy config mailbox store \
         intake outbox reminders recount scan officer register gateway console daemon demo backtest publication letters",
    ),
];

/// What pure modules never name: they do no I/O, wait for nothing and read no clock.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "sqlx",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant",
    "async fn",
];
const PURE: &[&str] = &["email", "casework", "rules", "decide", "letters", "token", "likeness"];

/// One source file: its module, where it is, and its code without comments and tests.
struct Source {
    module: String,
    file: String,
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .into_iter()
        .filter(|path| path.file_name().unwrap() != "tests.rs")
        .map(|path| {
            let inner = path.strip_prefix(&root).unwrap();
            let first = inner.components().next().unwrap().as_os_str().to_string_lossy();
            let text = fs::read_to_string(&path).unwrap();
            Source {
                module: first.trim_end_matches(".rs").to_owned(),
                file: format!("src/{}", inner.display()),
                lines: text.lines().count(),
                code: code_of(&text),
            }
        })
        .collect();
    assert!(sources.len() > 100, "found only {} files", sources.len());
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The code without its comments, and without the tests that end the file.
fn code_of(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = product.lines().map(|line| {
        let comment = line.find("//").filter(|at| !line.get(..*at).unwrap().ends_with(':'));
        line.get(..comment.unwrap_or(line.len())).unwrap()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that code reaches: `crate::a::…` and `use crate::{a, b::c}`.
fn reached(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => found.extend(first_word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut item = true;
                for (at, letter) in group.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => item = true,
                        letter if item && letter.is_alphabetic() => {
                            item = false;
                            found.extend(first_word(group.get(at..).unwrap()));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String =
        text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!word.is_empty()).then_some(word)
}

fn fail_if_any(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let code = code_of(
        "use crate::a::B;\nuse crate::{c, d::{e, f}, g::H};\nlet x = crate::i::j();\n\
         /// [`crate::no`]\nuse super::k;\n#[cfg(test)]\nmod tests {\nuse crate::never;\n}",
    );
    assert_eq!(reached(&code).into_iter().collect::<Vec<_>>(), ["a", "c", "d", "g", "i"]);
}

#[test]
fn modules_use_only_whom_the_table_allows() {
    let mut faults = Vec::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for source in sources().iter().filter(|source| !matches!(&*source.module, "lib" | "main")) {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == source.module) else {
            faults.push(format!("{}: module `{}` is not in the table", source.file, source.module));
            continue;
        };
        // A module that is one file reaches its neighbours through `super` too.
        let neighbours = !source.file.trim_start_matches("src/").contains('/');
        if neighbours && source.code.contains("super::") {
            faults.push(format!("{}: write crate:: for another module", source.file));
        }
        for other in reached(&source.code) {
            let known = MAY_USE.iter().any(|(module, _)| *module == other);
            if other == source.module || !known {
                continue; // itself, or a macro
            }
            if !allowed.split_whitespace().any(|one| one == other) {
                faults.push(format!("{}: `{}` may not use `{other}`", source.file, source.module));
            }
            used.insert((source.module.clone(), other));
        }
    }
    for (module, allowed) in MAY_USE {
        for other in allowed.split_whitespace() {
            if !used.contains(&((*module).to_owned(), other.to_owned())) {
                faults
                    .push(format!("`{module}` no longer uses `{other}`: strike it from the table"));
            }
        }
    }
    fail_if_any(&faults);
}

#[test]
fn pure_modules_touch_nothing_outside() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&&*source.module)) {
        // The one border: it runs the parser on threads of its own, under limits of time and memory.
        if source.file == "src/email/reader.rs" {
            continue;
        }
        for word in IMPURE.iter().filter(|word| source.code.contains(*word)) {
            faults.push(format!("{}: names `{word}`", source.file));
        }
    }
    fail_if_any(&faults);
}

#[test]
fn only_the_store_speaks_sql_and_only_the_daemon_hears_signals() {
    let sql = [
        "sqlx::",
        " on!(",
        "INSERT INTO ",
        "DELETE FROM ",
        "SELECT id",
        "UPDATE message",
        " WHERE ",
    ];
    let mut faults = Vec::new();
    for source in sources() {
        let mut forbid = |owner: &str, word: &str| {
            if source.module != owner && source.code.contains(word) {
                faults.push(format!("{}: `{word}` belongs to {owner}", source.file));
            }
        };
        // The name of sqlx's log target is not SQL.
        if source.module != "telemetry" {
            for word in sql {
                forbid("store", word);
            }
        }
        forbid("daemon", "tokio::signal");
        forbid("daemon", "ctrl_c");
    }
    fail_if_any(&faults);
}

#[test]
fn nothing_is_printed_past_the_one_writer() {
    let mut faults = Vec::new();
    for source in sources() {
        for word in ["println!", "eprintln!", "print!(", "dbg!("] {
            if source.code.contains(word) {
                faults.push(format!("{}: {word}", source.file));
            }
        }
    }
    fail_if_any(&faults);
}

#[test]
fn files_stay_short_enough_to_read() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.lines > 600)
        .map(|source| format!("{}: {} lines, split it", source.file, source.lines))
        .collect();
    fail_if_any(&long);
}
