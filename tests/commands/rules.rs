//! `postern rules …`: the rules by themselves, over past messages, and as versions.

use serde_json::Value;

use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

/// A desk whose settings name a rules folder of its own, a copy of the shipped one.
fn with_rules() -> Desk {
    let desk = Desk::with(&format!("rules = \"rules\"\n{SETTINGS}"));
    copy_all(&root().join("rules"), &desk.path("rules"));
    desk
}

/// Makes a draft: the desk's rules, and one that holds every complaint about an EHC plan to be about
/// transport.
fn draft(desk: &Desk) {
    copy_all(&desk.path("rules"), &desk.path("draft"));
    desk.write(
        "draft/35-ours.toml",
        "[[rule]]\nid = \"ours.bus\"\nwhy = \"to try\"\nlabel = \"service:home_to_school_transport\"\n\
         weight = 20.0\nwords = [\"EHC plan\"]\n",
    );
}

#[test]
fn rules_by_themselves() {
    let desk = Desk::new();
    assert!(desk.data(&["rules", "check"]).contains("rules are valid, version"));
    let corpus = root().join("tests/complaints/dev.jsonl");
    let told = desk.data(&["rules", "test", corpus.to_str().unwrap()]);
    for line in ["messages", "record type right", "lead service right", "customer type right"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(told.contains("how sure      messages  wholly right  said"), "{told}");
    let message = desk.write("one.eml", complaint(1));
    let told = desk.data(&["rules", "explain", message.to_str().unwrap()]);
    for words in ["one.eml", "record type", "sen.ehcp", "EHC"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    desk.refused(
        &["rules", "test", "nowhere.jsonl"],
        2,
        "nowhere.jsonl: cannot be read: there is no such file",
    );
    desk.write("wrong.jsonl", "{\"id\": 1}\n");
    desk.refused(&["rules", "test", "wrong.jsonl"], 2, "wrong.jsonl, line 1: ");
    desk.refused(&["rules", "explain", "nowhere.eml"], 1, "cannot read nowhere.eml");
    desk.refused(&["rules"], 2, "Usage:");
    let broken = Desk::with("rules = \"rules\"\n");
    copy_all(&root().join("rules"), &broken.path("rules"));
    broken.write("rules/70-ours.toml", "[[rule]]\nid = \"x\"\n");
    broken.refused(&["--config", "postern.toml", "rules", "check"], 2, "`why` is missing");
}

#[test]
fn a_draft_is_replayed_over_past_messages() {
    let desk = with_rules();
    for number in 1..=3 {
        deliver(&desk, number, complaint(number));
    }
    desk.data(&["-q", "serve", "--once"]);
    let replay =
        |arguments: &[&str]| desk.data(&[&["-q", "rules", "backtest"], arguments].concat());
    assert_eq!(
        replay(&[]),
        "3 messages judged again, 0 change\n",
        "the same rules, the same results"
    );

    draft(&desk);
    let cases = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = |at: usize| cases[at]["reference"].as_str().unwrap();
    let bus = "home_to_school_transport";
    desk.data(&["-q", "case", "correct", reference(0), "--service", bus, "--because", "it is so"]);
    desk.data(&["-q", "case", "respond", reference(1), "--note", "a letter"]);

    let told = replay(&["--rules", "draft"]);
    assert!(told.contains("3 messages judged again, 3 change\n"), "{told}");
    for words in [
        "      1  towards what officers decided\n",
        "      1  away from what officers decided\n",
        "      1  undecided by officers\n",
        "; officer: home_to_school_transport (corrected); rules +ours.bus",
        "; officer: sen (left as it was); rules +ours.bus",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    for private in ["ann", "Ann", "@", "EHC", "months late"] {
        assert!(!told.contains(private), "{private}: {told}");
    }

    let rows = desk.objects(&["-q", "rules", "backtest", "--rules", "draft", "--json"]);
    let (summary, rows) = rows.split_last().unwrap();
    assert_eq!(summary["summary"]["changed"], 3);
    assert_eq!(summary["summary"]["moves"]["both_ways"], 0);
    let numbers: Vec<i64> = rows.iter().map(|row| row["message"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1], "newest first");
    let row = rows.iter().find(|row| row["reference"] == reference(0)).unwrap();
    let change: &Value = &row["changes"][0];
    assert_eq!(change["field"], "services");
    assert_eq!(change["moves"], "towards");
    assert_eq!(change["officer"]["value"], bus);

    assert!(replay(&["--rules", "draft", "--limit", "2"]).contains("2 messages judged again"));
    assert!(replay(&["--since", "2999-01-01"]).contains("0 messages judged again"));
    desk.refused(&["rules", "backtest", "--since", "monday"], 2, "`monday` is no moment");
    desk.refused(&["rules", "backtest", "--rules", "nowhere"], 2, "nowhere: cannot be read");
    desk.write("draft/35-ours.toml", "[[rule]]\nid = \"x\"\n");
    desk.refused(&["rules", "backtest", "--rules", "draft"], 2, "35-ours.toml, line 1");
}
