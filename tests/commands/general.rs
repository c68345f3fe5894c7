//! What every command has in common.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::{Desk, complaint, deliver, finished};

/// Every command that can be typed.
const COMMANDS: &[&[&str]] = &[
    &["demo"],
    &["serve"],
    &["check"],
    &["doctor"],
    &["inspect"],
    &["import"],
    &["deadline"],
    &["calendar", "show"],
    &["calendar", "extend"],
    &["calendar", "moved"],
    &["calendar", "recompute"],
    &["remind"],
    &["rotate-key"],
    &["completions"],
    &["services", "list"],
    &["services", "import"],
    &["case", "list"],
    &["case", "show"],
    &["case", "correct"],
    &["case", "answered"],
    &["case", "answer-draft"],
    &["case", "accept-answer"],
    &["case", "adjust"],
    &["case", "send-back"],
    &["case", "no-more-time"],
    &["case", "ask"],
    &["case", "part"],
    &["case", "apply-policy"],
    &["case", "area"],
    &["case", "advocacy"],
    &["case", "link-to-complaint"],
    &["case", "for-constituent"],
    &["case", "constituent"],
    &["case", "respond"],
    &["case", "close"],
    &["case", "reopen"],
    &["case", "extend"],
    &["case", "pause"],
    &["case", "resume"],
    &["case", "take-back"],
    &["case", "restore"],
    &["case", "clock"],
    &["case", "why"],
    &["case", "merge"],
    &["case", "agree-action"],
    &["case", "move-action"],
    &["case", "action-done"],
    &["case", "drop-action"],
    &["case", "reopen-action"],
    &["case", "actions"],
    &["case", "sufficient-interest"],
    &["case", "next-stage"],
    &["case", "holding-letter"],
    &["case", "confirm"],
    &["case", "done"],
    &["case", "ask-customer"],
    &["case", "dismiss"],
    &["case", "statement"],
    &["case", "acknowledged"],
    &["case", "withdraw"],
    &["case", "reject"],
    &["case", "outcome"],
    &["case", "separate"],
    &["case", "split"],
    &["case", "decline"],
    &["case", "attachment"],
    &["case", "retry"],
    &["case", "assign"],
    &["case", "workload"],
    &["case", "rebalance"],
    &["ombudsman", "list"],
    &["ombudsman", "show"],
    &["ombudsman", "link"],
    &["ombudsman", "contact"],
    &["ombudsman", "confirm"],
    &["ombudsman", "answered"],
    &["ombudsman", "decision"],
    &["ombudsman", "remedy"],
    &["ombudsman", "done"],
    &["ombudsman", "resume"],
    &["ombudsman", "open"],
    &["ombudsman", "reopen"],
    &["user", "add"],
    &["user", "list"],
    &["user", "disable"],
    &["letters", "list"],
    &["letters", "release"],
    &["letters", "cancel"],
    &["letters", "allow"],
    &["letters", "templates"],
    &["letters", "preview"],
    &["letters", "show"],
    &["letters", "versions"],
    &["letters", "publish"],
    &["letters", "diff"],
    &["letters", "rollback"],
    &["letters", "export"],
    &["rules", "check"],
    &["rules", "test"],
    &["rules", "backtest"],
    &["rules", "suggest"],
    &["rules", "accuracy"],
    &["rules", "versions"],
    &["rules", "publish"],
    &["rules", "diff"],
    &["rules", "rollback"],
    &["rules", "export"],
    &["rules", "explain"],
];

/// The commands that help lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let desk = Desk::new();
    for command in COMMANDS {
        let help = desk.data(&[command, &["--help"][..]].concat());
        let example = format!("postern {}", command.join(" "));
        let shown = help.split("Example:").nth(1).unwrap_or_default();
        let plain = shown
            .replace("--config postern.toml ", "")
            .replace("--config /etc/postern/postern.toml ", "");
        assert!(plain.contains(&example), "{example}: {help}");
        assert!(help.contains("Usage:"), "{help}");
    }
    // None is left out of the list above.
    let mut known: Vec<String> = listed(&desk.data(&["--help"]));
    for group in ["calendar", "case", "letters", "ombudsman", "rules", "services", "user"] {
        known.retain(|name| name != group);
        known.extend(
            listed(&desk.data(&[group, "--help"])).iter().map(|name| format!("{group} {name}")),
        );
    }
    known.sort();
    let mut ours: Vec<String> = COMMANDS.iter().map(|command| command.join(" ")).collect();
    ours.sort();
    assert_eq!(known, ours);
}

#[test]
fn wrong_usage_is_told_from_what_failed() {
    let desk = Desk::new();
    desk.refused(&["--nonsense"], 2, "unexpected argument '--nonsense'");
    desk.refused(&["nonsense"], 2, "unrecognized subcommand 'nonsense'");
    desk.refused(&[], 2, "Usage:");
    desk.refused(&["inspect"], 2, "<PATHS>...");
    desk.refused(&["-q", "-v", "check"], 2, "cannot be used with");
    desk.refused(&["--log-format", "xml", "check"], 2, "[possible values: text, json]");
    for command in ["check", "doctor", "serve", "remind"] {
        let words =
            "nowhere.toml: cannot be read: there is no such file or folder; name the configuration";
        desk.refused(&["--config", "nowhere.toml", command], 2, words);
    }
    assert!(desk.data(&["--version"]).starts_with("postern "));
}

#[test]
fn the_configuration_can_be_named_in_the_environment() {
    let desk = Desk::new();
    std::fs::rename(desk.path("postern.toml"), desk.path("other.toml")).unwrap();
    desk.refused(&["check"], 2, "postern.toml: cannot be read");
    let mut command = desk.command(&["check"]);
    command.env("POSTERN_CONFIG", "other.toml");
    let ran = finished(command);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("settings    other.toml"), "{ran:?}");
}

#[test]
fn log_lines_are_objects_when_asked_for_and_fewer_when_quiet() {
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    let ran = desk.run(&["--log-format", "json", "serve", "--once"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    let lines: Vec<Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 2, "{ran:?}");
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    assert!(lines.iter().any(|line| line["fields"]["case.reference"].is_string()), "{ran:?}");

    // Failures too: whoever reads the log reads objects alone.
    let ran = desk.run(&["--log-format", "json", "case", "show", "nonsense"]);
    assert_eq!(ran.status, 2);
    let line: Value = serde_json::from_str(ran.err.trim()).unwrap();
    assert!(line["fields"]["message"].as_str().unwrap().contains("NCC-2026-00412-7"), "{line}");

    deliver(&desk, 2, complaint(2));
    let ran = desk.run(&["-q", "serve", "--once"]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    deliver(&desk, 3, complaint(3));
    let ran = desk.run(&["serve", "--once"]);
    assert!(ran.err.contains("opened") && !ran.err.contains('\u{1b}'), "plain in a file: {ran:?}");
}

#[test]
fn completions_are_written_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.data(&["completions", shell]);
        assert!(script.contains("deadline") && script.contains("postern"), "{shell}");
    }
    desk.refused(&["completions", "cmd"], 2, "possible values");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let desk = Desk::new();
    // More than a pipe holds, so that the program is still writing when the reader leaves.
    let folder = desk.path("many");
    for number in 0..120 {
        let mut text = complaint(number);
        text.push_str(&"A long story. ".repeat(200));
        desk.write(&format!("many/{number:03}.eml"), text);
    }
    let folder = folder.to_str().unwrap();
    for arguments in [
        &["inspect", "--json", folder][..],
        &["inspect", folder],
        &["completions", "zsh"],
        &["--help"],
    ] {
        let mut running =
            desk.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let output = running.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_written_out_was_not_done() {
    let desk = Desk::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let running = desk
        .command(&["deadline", "--received", "2026-03-16", "--days", "3"])
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"), "{output:?}");
}
