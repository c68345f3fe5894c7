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
    broken.refused(&["rules", "check"], 2, "`why` is missing");
    broken.refused(&["--config", "postern.toml", "rules", "check"], 2, "`why` is missing");
    std::fs::remove_file(broken.path("postern.toml")).unwrap();
    assert!(broken.data(&["rules", "check"]).contains("rules are valid"), "the shipped ones");
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

    let one = desk.write("one.eml", complaint(1));
    let explained = desk.data(&["rules", "explain", one.to_str().unwrap(), "--rules", "draft"]);
    assert!(explained.contains("ours.bus"), "{explained}");
    let count = |arguments: &[&str]| {
        let told = desk.data(&[&["rules", "check"], arguments].concat());
        told.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(count(&["--rules", "draft"]), count(&[]) + 1);

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
    desk.refused(&["rules", "check", "--rules", "draft"], 2, "draft/35-ours.toml, line 1");
    let corpus = root().join("tests/complaints/dev.jsonl");
    let test = ["rules", "test", corpus.to_str().unwrap(), "--rules", "draft"];
    desk.refused(&test, 2, "draft/35-ours.toml, line 1");
}

const PAT: [&str; 4] = ["--author", "Pat Lee", "--reason", "to try it"];

fn publish(desk: &Desk, arguments: &[&str]) -> String {
    desk.data(&[&["-q", "rules", "publish"], arguments, &PAT[..]].concat())
}

fn versions(desk: &Desk) -> Vec<Value> {
    desk.objects(&["-q", "rules", "versions", "--json"])
}

/// The text of every file of a folder that belongs to a rule set.
fn texts(desk: &Desk, folder: &str) -> Vec<(String, String)> {
    let files = std::fs::read_dir(desk.path(folder)).unwrap().map(Result::unwrap);
    let files = files.filter(|file| file.path().is_file());
    let mut texts: Vec<_> = files
        .map(|file| {
            let text = std::fs::read_to_string(file.path()).unwrap();
            (file.file_name().into_string().unwrap(), text)
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_draft_is_published_listed_and_taken_back() {
    let desk = with_rules();
    let before = texts(&desk, "rules");
    assert_eq!(desk.data(&["-q", "rules", "versions"]), "");
    draft(&desk);
    let told = publish(&desk, &["--rules", "draft"]);
    assert!(
        told.starts_with("recorded  ") && told.contains("; files changed in the live set: 1"),
        "{told}"
    );
    assert_eq!(texts(&desk, "rules"), texts(&desk, "draft"));

    let rows = versions(&desk);
    assert_eq!(rows.len(), 2, "the set as it was found, and the draft: {rows:#?}");
    for (key, value) in [("author", "Pat Lee"), ("reason", "to try it")] {
        assert_eq!(rows[0][key], value);
    }
    assert_eq!((&rows[0]["live"], &rows[1]["live"]), (&true.into(), &false.into()));
    assert_eq!(rows[0]["previous"], rows[1]["version"]);
    assert!(
        rows[0]["published_at"].as_str().unwrap().ends_with('Z') && rows[1]["previous"].is_null()
    );
    let (first, second) =
        (rows[1]["version"].as_str().unwrap(), rows[0]["version"].as_str().unwrap());
    let check = desk.data(&["rules", "check"]);
    assert!(check.contains(&format!("version {second}")), "{check}");
    let words = desk.data(&["-q", "rules", "versions"]);
    assert!(words.starts_with(&format!("{second}  live  ")), "{words}");
    assert!(words.contains("  Pat Lee: to try it\n"), "{words}");

    let again = [&["-q", "rules", "publish", "--rules", "draft"], &PAT[..]].concat();
    let same = format!("nothing changed: version {second} is the live set already");
    desk.refused(&again, 1, &same);

    let told = desk.data(&["-q", "rules", "diff", first, second]);
    assert!(told.contains("rule ours.bus: new\n    why: to try\n"), "{told}");
    let told = desk.data(&["-q", "rules", "diff"]);
    assert_eq!(told, format!("from {second} to live ({second})\nnothing differs\n"));

    let back = [&["-q", "rules", "rollback", &first[..6]], &PAT[..]].concat();
    desk.data(&back);
    assert_eq!(texts(&desk, "rules"), before);
    let rows = versions(&desk);
    assert_eq!((rows.len(), rows[0]["version"].as_str().unwrap()), (3, first));
    let live: Vec<bool> = rows.iter().map(|row| row["live"].as_bool().unwrap()).collect();
    assert_eq!(live, [true, false, false], "the entry that made it live");
    desk.refused(&back, 1, "nothing changed");
    let nowhere = [&["rules", "rollback", "0000"], &PAT[..]].concat();
    desk.refused(&nowhere, 1, "`0000` is no version: `postern rules versions` lists them");
}

#[test]
fn what_somebody_edited_by_hand_is_never_lost() {
    let desk = with_rules();
    draft(&desk);
    publish(&desk, &["--rules", "draft"]);
    let file = "rules/40-customer.toml";
    let text = std::fs::read_to_string(desk.path(file)).unwrap();
    desk.write(file, format!("# By hand.\n{text}"));
    let ran = desk.run(&["-q", "rules", "versions"]);
    assert!(ran.err.contains("rules was edited since the last publication"), "{ran:?}");
    let told = desk.data(&["-q", "rules", "diff"]);
    assert!(told.contains("no rule, row or service differs: only comments"), "{told}");

    desk.write("draft/35-ours.toml", "# Nothing yet.\n");
    let next = [&["-q", "rules", "publish", "--rules", "draft"], &PAT[..]].concat();
    desk.refused(&next, 1, "rules was edited since version ");
    desk.refused(&next, 1, "(40-customer.toml), and what was edited would be lost");
    desk.refused(&next, 1, "publish with --adopt");
    assert!(std::fs::read_to_string(desk.path(file)).unwrap().starts_with("# By hand"));
    assert_eq!(versions(&desk).len(), 2, "nothing was recorded");

    let told = publish(&desk, &["--rules", "draft", "--adopt"]);
    assert!(told.contains("recorded  "), "{told}");
    assert_eq!(texts(&desk, "rules"), texts(&desk, "draft"));
    let rows = versions(&desk);
    assert_eq!(rows.len(), 4);
    let adopted = rows[1]["version"].as_str().unwrap();
    assert!(rows[1]["reason"].as_str().unwrap().contains("edited since"), "{}", rows[1]);
    desk.data(&["-q", "rules", "export", "kept", adopted]);
    let kept = std::fs::read_to_string(desk.path("kept/40-customer.toml")).unwrap();
    assert!(kept.starts_with("# By hand.\n"));

    // Edits of the live folder become a version without a draft.
    desk.write(file, format!("# Again.\n{text}"));
    let told = publish(&desk, &[]);
    assert!(told.contains("files changed in the live set: 0"), "{told}");
    assert_eq!(versions(&desk).len(), 5);
    assert_eq!(versions(&desk)[0]["live"], true);
}

#[test]
fn a_publication_that_was_interrupted_is_ended_by_the_same_again() {
    let desk = with_rules();
    let before = texts(&desk, "rules");
    draft(&desk);
    desk.write("draft/40-customer.toml", {
        let text = std::fs::read_to_string(desk.path("draft/40-customer.toml")).unwrap();
        format!("# Anew.\n{text}")
    });
    publish(&desk, &["--rules", "draft"]);
    // As if it had stopped between two files.
    let old = before.iter().find(|(name, _)| name == "40-customer.toml").unwrap();
    desk.write("rules/40-customer.toml", &old.1);
    let told = publish(&desk, &["--rules", "draft"]);
    assert!(told.contains("files changed in the live set: 1"), "{told}");
    assert_eq!(texts(&desk, "rules"), texts(&desk, "draft"));
    assert_eq!(versions(&desk).len(), 2);
}

#[test]
fn what_is_not_valid_is_not_published() {
    let desk = with_rules();
    let before = texts(&desk, "rules");
    draft(&desk);
    desk.write("draft/70-ours.toml", "[[rule]]\nid = \"x\"\n");
    let next = [&["rules", "publish", "--rules", "draft"], &PAT[..]].concat();
    desk.refused(&next, 2, "draft/70-ours.toml, line 1, column 1: `why` is missing");
    assert_eq!(texts(&desk, "rules"), before);
    assert!(versions(&desk).is_empty());
    desk.refused(&["rules", "publish", "--rules", "draft"], 2, "--author <NAME>");
    let nobody = ["rules", "publish", "--rules", "draft", "--author", " ", "--reason", "x"];
    desk.refused(&nobody, 2, "needs an author and a reason");
    // A good draft is published over a live set that is not valid.
    std::fs::remove_file(desk.path("draft/70-ours.toml")).unwrap();
    desk.write("rules/70-ours.toml", "[[rule]]\nid = \"x\"\n");
    publish(&desk, &["--rules", "draft"]);
    assert!(!desk.path("rules/70-ours.toml").exists());
    // The other files stay, and that is said.
    let ladder = std::fs::read_to_string(desk.path("draft/reminders.toml")).unwrap();
    desk.write("draft/reminders.toml", format!("# Others.\n{ladder}"));
    desk.write("draft/35-ours.toml", "# Nothing.\n");
    let ran = desk.run(&next);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.err.contains("reminders.toml differs in draft and is no part of a rule set"),
        "{ran:?}"
    );
    assert!(
        !std::fs::read_to_string(desk.path("rules/reminders.toml")).unwrap().contains("Others")
    );
}

#[test]
fn the_shipped_rules_are_written_out_before_they_are_changed() {
    let desk = Desk::new();
    let next = [&["rules", "publish"], &PAT[..]].concat();
    desk.refused(&next, 2, "write them out with `postern rules export rules`");
    assert_eq!(desk.data(&["-q", "rules", "versions", "--json"]), "");
    let told = desk.data(&["-q", "rules", "export", "rules"]);
    assert!(told.ends_with(" files written to rules\n"), "{told}");
    assert_eq!(texts(&desk, "rules").len(), root().join("rules").read_dir().unwrap().count() - 2);
    assert!(desk.path("rules/calendar/bank-holidays-england.json").exists());
    desk.refused(&["rules", "export", "rules"], 2, "rules is there already and not empty");
    desk.write("postern.toml", format!("rules = \"rules\"\n{SETTINGS}"));
    publish(&desk, &[]);
    assert_eq!(versions(&desk).len(), 1, "what stands is a version");
    let told = desk.data(&["-q", "rules", "diff", "shipped", "rules"]);
    assert!(told.contains("nothing differs"), "{told}");
    desk.write("rules/35-ours.toml", "[[fact]]\nid = \"ours\"\nwhat = \"to try\"\n");
    let rows = desk.objects(&["-q", "rules", "diff", "--json"]);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["part"], &rows[0]["id"]), (&"fact".into(), &"ours".into()));
    assert_eq!(
        (&rows[0]["how"], &rows[0]["fields"][0]["after"]),
        (&"added".into(), &"to try".into())
    );
    desk.refused(&["rules", "diff", "nothing"], 1, "`nothing` is no version");
}

/// A reply to the first complaint that says nothing of itself.
const REPLY: &str = "From: Ann Other <ann1@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: Re: my letter\r\nMessage-ID: <r1@example.org>\r\nIn-Reply-To: <c1@example.org>\r\n\
    Date: Tue, 17 Nov 2026 08:00:00 +0000\r\n\r\nIs there any news?\r\n\r\nAnn\r\n";

/// Writes over what the store says was known of senders.
async fn know(desk: &Desk, known: Option<&str>) {
    let url = format!("sqlite:{}", desk.path("postern.db").display());
    let db = postern::store::Db::open(&url).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    postern::on!(tx, "write over", c => sqlx::query("UPDATE decision SET known = $1").bind(known)
        .execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn a_replay_is_told_what_was_known_then() {
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    deliver(&desk, 2, REPLY);
    desk.data(&["-q", "serve", "--once"]);
    let replay = || desk.data(&["-q", "rules", "backtest"]);
    let unchanged = "2 messages judged again, 0 change\n";
    assert_eq!(replay(), unchanged);
    know(&desk, None).await;
    assert_eq!(replay(), unchanged, "rebuilt from its case");
    know(&desk, Some("{}")).await;
    assert!(replay().contains("services: sen → "), "{}", replay());
    // What an officer made a matter of its own is judged by itself again.
    desk.data(&["-q", "case", "split", "2"]);
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(replay().lines().last(), unchanged.lines().last());
}
