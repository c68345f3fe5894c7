//! `postern letters …`: what has not arrived, and what to do with it.

use serde_json::Value;

use super::{Desk, SETTINGS, complaint, deliver};

/// A desk with three complaints, of which one was answered and two answers are held.
fn flooded() -> Desk {
    let desk = Desk::with(&format!("{SETTINGS}[limits]\nanswers_in_ten_minutes = 1\n"));
    for number in 1..=3 {
        deliver(&desk, number, complaint(number));
    }
    let ran = desk.run(&["-q", "serve", "--once"]);
    assert!(
        ran.err.contains("automatic answers stand still: more than 1 in ten minutes"),
        "{ran:?}"
    );
    assert!(!ran.err.contains('@'), "the log names nobody: {ran:?}");
    desk
}

fn letters(desk: &Desk, arguments: &[&str]) -> String {
    desk.data(&[&["-q", "letters"][..], arguments].concat())
}

fn held(desk: &Desk) -> Vec<Value> {
    desk.objects(&["-q", "letters", "list", "--held", "--json"])
}

/// The files that left for customers.
fn left(desk: &Desk) -> usize {
    let files = std::fs::read_dir(desk.path("outbox")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.filter(|text| text.contains("Auto-Submitted: auto-replied")).count()
}

#[test]
fn the_list_speaks_for_people_and_for_scripts() {
    let desk = flooded();
    let rows = held(&desk);
    assert_eq!(rows.len(), 2);
    for key in [
        "id",
        "state",
        "purpose",
        "reference",
        "recipient",
        "subject",
        "last_cause",
        "held_by",
        "created_at",
        "due_at",
        "bounced_at",
        "bounce_status",
    ] {
        assert!(rows[0].get(key).is_some(), "{key}: {}", rows[0]);
    }
    assert_eq!((&rows[0]["state"], &rows[0]["held_by"]), (&"held".into(), &"breaker".into()));
    let words = letters(&desk, &["list", "--held"]);
    assert_eq!(words.lines().count(), 2);
    for row in &rows {
        for key in ["reference", "recipient", "purpose", "last_cause"] {
            assert!(words.contains(row[key].as_str().unwrap()), "{key}: {words}");
        }
    }
    assert_eq!(letters(&desk, &["list", "--failed"]), "");
    let all = letters(&desk, &["list"]);
    assert!(words.lines().all(|line| all.contains(line)), "{all}");
    assert!(!all.contains(" sent "), "what left is not listed: {all}");
    assert_eq!(
        letters(&desk, &["list", "--queued"]).lines().count() + 2,
        all.lines().count(),
        "queued and held: {all}"
    );
}

#[test]
fn what_is_held_leaves_when_it_is_released_and_never_when_it_is_cancelled() {
    let desk = flooded();
    assert_eq!(left(&desk), 1);
    let rows = held(&desk);
    let (one, two) = (rows[0]["id"].to_string(), rows[1]["id"].to_string());
    assert_eq!(letters(&desk, &["release", &one]), format!("letter {one} is released\n"));
    assert_eq!(letters(&desk, &["cancel", &two]), format!("letter {two} is cancelled\n"));
    assert_eq!(left(&desk), 1, "the daemon sends, not the command");
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk), 2);
    assert!(held(&desk).is_empty());
    let reference = rows[1]["reference"].as_str().unwrap();
    let shown = desk.data(&["-q", "case", "show", reference]);
    assert!(shown.contains(&format!("pat noted: letter {two} is cancelled")), "{shown}");
    assert!(shown.contains("acknowledgement cancelled"), "{shown}");
    for (id, state) in [(&one, "sent"), (&two, "cancelled")] {
        let words = format!("letter {id} is not held but {state}; `postern letters list --held`");
        desk.refused(&["-q", "letters", "release", id], 1, &words);
    }
}

#[test]
fn all_held_answers_go_on_together() {
    let desk = flooded();
    assert_eq!(letters(&desk, &["release", "--held"]), "held answers released: 2\n");
    assert!(!desk.data(&["-q", "case", "list", "--waiting"]).contains("stand still"));
    assert_eq!(letters(&desk, &["release", "--held"]), "held answers released: 0\n");
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk), 3);
    let desk = flooded();
    assert_eq!(letters(&desk, &["cancel", "--held"]), "held answers cancelled: 2\n");
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk), 1);
}

#[test]
fn a_letter_that_is_no_mail_cannot_be_released() {
    let desk = Desk::with(&format!("{SETTINGS}[duty]\naddress = \"duty@localhost\"\n"));
    let at_risk = complaint(1).replace("does not answer me", "does not answer me. He punched me");
    deliver(&desk, 1, at_risk);
    desk.data(&["-q", "serve", "--once"]);
    let rows = held(&desk);
    assert_eq!(rows.len(), 1, "{}", letters(&desk, &["list"]));
    assert_eq!(
        (&rows[0]["purpose"], &rows[0]["held_by"]),
        (&"safeguarding-alert".into(), &Value::Null)
    );
    let id = rows[0]["id"].to_string();
    let words = format!(
        "letter {id} could not be put into the form of mail and cannot leave: write to the person \
         yourself, then `postern letters cancel {id}`"
    );
    desk.refused(&["-q", "letters", "release", &id], 1, &words);
    assert_eq!(letters(&desk, &["cancel", &id]), format!("letter {id} is cancelled\n"));
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let desk = flooded();
    let refused = |arguments: &[&str], status, words| {
        desk.refused(&[&["-q", "letters"][..], arguments].concat(), status, words);
    };
    refused(&["release"], 2, "<LETTERS>");
    refused(&["release", "one"], 2, "invalid value 'one'");
    refused(&["release", "1", "--held"], 2, "cannot be used with");
    refused(
        &["release", "99"],
        1,
        "there is no letter 99; `postern letters list --held` shows them",
    );
    refused(&["list", "--held", "--failed"], 2, "cannot be used with");
    refused(&["allow", "ann"], 2, "write one as `postern letters list` shows it");
    refused(&["allow", "eve@example.org"], 1, "nothing stops mail to that address");
    let ran = desk.run(&["-q", "letters", "allow", "eve@example.org"]);
    assert!(!ran.err.contains("eve@"), "{ran:?}");
    assert_eq!(held(&desk).len(), 2, "nothing was changed");
}
