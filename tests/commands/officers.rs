//! Whose cases are whose: allocated as they come in, given by hand, evened out, handed over and given back.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

const TEAM: [&str; 3] = ["ann", "bob", "cat"];

pub(super) fn officer(id: &str, more: &str) -> String {
    format!(
        "[[officer]]\nid = \"{id}\"\nname = \"{id} Lee\"\naddress = \"{id}@northmere.example\"\n{more}\n"
    )
}

fn team() -> String {
    TEAM.iter().map(|id| officer(id, "")).collect()
}

/// A desk whose rules name these officers.
pub(super) fn desk_of(settings: &str, officers: &str) -> Desk {
    let desk = Desk::with(&format!("rules = \"rules\"\n{settings}"));
    copy_all(&root().join("rules"), &desk.path("rules"));
    desk.write("rules/officers.toml", officers);
    desk
}

fn arrived(officers: &str, count: usize) -> Desk {
    let desk = desk_of(SETTINGS, officers);
    for number in 1..=count {
        deliver(&desk, number, complaint(number));
    }
    desk.data(&["-q", "serve", "--once"]);
    desk
}

fn owners(desk: &Desk) -> Vec<(String, Value)> {
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let mut owners: Vec<_> = list
        .iter()
        .map(|one| (one["reference"].as_str().unwrap().to_owned(), one["owner"].clone()))
        .collect();
    owners.sort_by(|a, b| a.0.cmp(&b.0));
    owners
}

fn count(desk: &Desk, owner: &str) -> usize {
    desk.data(&["-q", "case", "list", "--owner", owner]).lines().count()
}

fn show(desk: &Desk, reference: &str) -> Value {
    desk.objects(&["-q", "case", "show", "--json", reference]).remove(0)
}

fn allocations(case: &Value) -> Vec<Value> {
    let events = case["events"].as_array().unwrap().iter();
    let events = events.filter(|one| one["event"]["kind"] == "allocated");
    events.map(|one| json!([one["by"], one["event"]["officer"], one["event"]["ground"]])).collect()
}

#[test]
fn a_wave_of_messages_is_shared_and_each_case_keeps_the_reason() {
    let desk = arrived(&team(), 6);
    for id in TEAM {
        assert_eq!(count(&desk, id), 2, "{:?}", owners(&desk));
    }
    assert_eq!(count(&desk, "nobody"), 0);
    let (reference, owner) = owners(&desk).remove(0);
    let case = show(&desk, &reference);
    assert_eq!(case["owner"], owner);
    assert_eq!(allocations(&case), [json!(["gateway", owner, "least_work"])]);
    let words = desk.data(&["-q", "case", "show", &reference]);
    assert!(words.contains("  officer    "), "{words}");
    assert!(words.contains("has the least work for a share of 1: "), "{words}");
    // Nobody is written to for it: the letters are the customer's and the service's.
    let purposes: Vec<&str> = case["letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["purpose"].as_str().unwrap())
        .collect();
    assert!(
        purposes.iter().all(|one| one.starts_with("acknowledgement") || *one == "service-request"),
        "{purposes:?}"
    );
    let workload = desk.objects(&["-q", "case", "workload", "--json"]);
    let open: Vec<_> = workload
        .iter()
        .map(|one| (one["officer"].as_str().unwrap(), one["open"].as_i64().unwrap()))
        .collect();
    assert_eq!(open, [("ann", 2), ("bob", 2), ("cat", 2), ("nobody", 0)]);
    assert!(
        workload.iter().take(3).all(|one| one["points"] == 20 && one["share"] == 1.0),
        "{workload:?}"
    );
}

#[test]
fn without_officers_everything_is_as_it_was() {
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    let (reference, owner) = owners(&desk).remove(0);
    assert_eq!(owner, Value::Null);
    assert_eq!(allocations(&show(&desk, &reference)), Vec::<Value>::new());
    desk.refused(
        &["-q", "case", "assign", &reference, "--to", "ann"],
        1,
        "no officer `ann`; officers.toml has: nobody yet",
    );
    desk.refused(
        &["-q", "case", "rebalance"],
        1,
        "officers.toml names nobody: add an [[officer]] first",
    );
    assert_eq!(desk.objects(&["-q", "case", "workload", "--json"])[0]["officer"], "nobody");
}

#[test]
fn a_customers_next_case_goes_to_whoever_has_the_first() {
    let rule = "[[allocate]]\nservices = [\"sen\"]\nto = [\"ann\", \"bob\"]\nwhy = \"SEN\"\n";
    let desk = arrived(&(team() + rule), 3);
    let before = owners(&desk);
    assert_eq!(count(&desk, "cat"), 0, "a rule names the others: {before:?}");
    let had = before.iter().find(|(_, owner)| *owner == "bob").expect("one of three");
    // Bob has fewer or as many; the third customer writes of another matter.
    desk.data(&["-q", "case", "assign", &before[2].0, "--to", "cat"]);
    let next = "From: Ann Other <ann3@example.org>\r\nTo: complaints@northmere.example\r\nSubject: the school bus\r\n\
        Message-ID: <bus@example.org>\r\nDate: Tue, 17 Nov 2026 08:00:00 +0000\r\n\r\nI wish to complain formally. The school \
        bus has come an hour late every day for a month, and the transport team does not answer.\r\n\r\nAnn\r\n";
    deliver(&desk, 9, next);
    desk.data(&["-q", "serve", "--once"]);
    let last = owners(&desk).pop().unwrap();
    let case = show(&desk, &last.0);
    assert_eq!(last.1, "cat", "{case}");
    assert_eq!(allocations(&case), [json!(["gateway", "cat", "earlier_case"])], "{had:?}");
}

#[test]
fn a_case_is_given_by_hand_and_a_closed_one_is_not() {
    let desk = arrived(&team(), 1);
    let (reference, _) = owners(&desk).remove(0);
    let version = show(&desk, &reference)["version"].as_i64().unwrap();
    let assign = |to: &str| ["-q", "case", "assign", &*reference, "--to", to].map(str::to_owned);
    let run = |to: &str| {
        let words = assign(to);
        desk.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let done = desk.data(&[
        "-q",
        "case",
        "assign",
        &reference,
        "--to",
        "cat",
        "--because",
        "she knows them",
    ]);
    assert_eq!(done, format!("{reference} is with cat\n"));
    let case = show(&desk, &reference);
    assert_eq!((&case["owner"], case["version"].as_i64().unwrap()), (&json!("cat"), version + 1));
    assert_eq!(allocations(&case)[1], json!([{"officer": "pat"}, "cat", "by_hand"]));
    assert!(
        desk.data(&["-q", "case", "show", &reference])
            .contains("pat gave it to cat (she knows them)")
    );
    let again = run("cat");
    assert_eq!(again.status, 1);
    assert!(again.err.contains("the case is with cat already"), "{again:?}");
    assert!(run("eve").err.contains("no officer `eve`; officers.toml has: ann, bob, cat"));
    assert_eq!(run("nobody").out, format!("{reference} is nobody's\n"));
    assert_eq!(count(&desk, "nobody"), 1);
    desk.data(&["-q", "case", "withdraw", &reference, "--because", "by telephone"]);
    assert!(run("ann").err.contains("reopen it first"));
}

#[test]
fn what_is_taken_up_again_is_with_whoever_had_it_or_is_given_anew() {
    let desk = arrived(&team(), 1);
    let (reference, _) = owners(&desk).remove(0);
    desk.data(&["-q", "case", "assign", &reference, "--to", "cat"]);
    desk.data(&["-q", "case", "respond", &reference, "--note", "letter"]);
    desk.data(&["-q", "case", "reopen", &reference, "--because", "new evidence"]);
    assert_eq!(show(&desk, &reference)["owner"], "cat");
    desk.data(&["-q", "case", "respond", &reference, "--note", "letter"]);
    desk.write("rules/officers.toml", officer("bob", ""));
    desk.data(&["-q", "case", "reopen", &reference, "--because", "new evidence"]);
    assert_eq!(show(&desk, &reference)["owner"], "bob", "cat is there no longer");
}

#[test]
fn the_work_is_evened_out_and_the_second_is_told() {
    let desk = arrived(&officer("ann", ""), 4);
    desk.write("rules/officers.toml", officer("ann", "") + &officer("bob", ""));
    let plan = desk.run(&["-q", "case", "rebalance", "--dry-run"]);
    assert_eq!((plan.status, plan.out.lines().count()), (0, 2), "{plan:?}");
    assert!(plan.err.contains("nothing was moved; leave --dry-run out"), "{plan:?}");
    assert_eq!(count(&desk, "bob"), 0);
    let done =
        desk.objects(&["-q", "case", "rebalance", "--because", "bob is new", "--json"]).remove(0);
    let moves = done["moves"].as_array().unwrap();
    assert_eq!(moves.len(), 2, "{done}");
    assert_eq!(
        moves[0]["because"],
        "bob is new: evens out the work: 30 points with ann, 10 with bob"
    );
    assert_eq!((count(&desk, "ann"), count(&desk, "bob")), (2, 2));
    let one = show(&desk, moves[0]["reference"].as_str().unwrap());
    assert_eq!(allocations(&one)[1], json!([{"officer": "pat"}, "bob", "evened_out"]));
    let again = desk.run(&["-q", "case", "rebalance"]);
    assert_eq!((again.status, again.out.as_str()), (0, ""));
    assert!(again.err.contains("the work is even; nothing moves"), "{again:?}");
}

#[test]
fn whoever_goes_for_good_hands_everything_over_and_is_asked_after() {
    let desk = arrived(&officer("ann", ""), 2);
    desk.write("rules/officers.toml", officer("bob", ""));
    desk.data(&["-q", "serve", "--once"]);
    let waiting = desk.data(&["-q", "case", "list", "--waiting"]);
    assert_eq!(
        waiting.matches("ann is no longer in officers.toml and still has open cases").count(),
        1,
        "{waiting}"
    );
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(desk.data(&["-q", "case", "list", "--waiting"]), waiting, "said once");
    let doctor = desk.run(&["-q", "doctor"]);
    assert_eq!(doctor.status, 1);
    assert!(
        doctor
            .out
            .contains("fail  officers: no longer in officers.toml, with open cases: ann (2); give"),
        "{doctor:?}"
    );
    assert!(desk.data(&["-q", "case", "workload"]).contains("no longer in officers.toml"));
    let told = desk.data(&["-q", "case", "rebalance", "--from", "ann"]);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.contains("  ann -> bob  has the least work for a share of 1: "), "{told}");
    desk.data(&["-q", "serve", "--once"]);
    assert!(
        !desk.data(&["-q", "case", "list", "--waiting"]).contains("no longer in officers.toml")
    );
    assert!(
        desk.data(&["-q", "doctor"]).contains("pass  officers: 1 of officers.toml have open cases")
    );
    desk.refused(&["-q", "case", "rebalance", "--from", "ann"], 1, "no officer `ann`");
}

#[test]
fn a_child_at_risk_changes_hands_only_where_that_is_said() {
    let desk = desk_of(SETTINGS, &officer("ann", ""));
    let risk = "From: Kim <kim@example.org>\r\nTo: complaints@northmere.example\r\nSubject: complaint\r\n\
        Message-ID: <risk@example.org>\r\nDate: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nI want to complain. The social worker \
        does not listen. My daughter is being hit by her stepfather and she is not safe at home tonight.\r\n\r\nKim\r\n";
    deliver(&desk, 1, risk);
    deliver(&desk, 2, complaint(2));
    deliver(&desk, 3, complaint(3));
    desk.data(&["-q", "serve", "--once"]);
    let risky = desk.objects(&["-q", "case", "list", "--json"]);
    let risky =
        risky.iter().find(|one| one["flags"].as_array().unwrap().contains(&json!("safeguarding")));
    let reference = risky.expect("a case with the flag")["reference"].as_str().unwrap().to_owned();
    desk.write("rules/officers.toml", officer("ann", "") + &officer("bob", ""));
    let even = desk.data(&["-q", "case", "rebalance"]);
    assert!(!even.is_empty() && !even.contains(&reference), "{even}");
    let all = desk.data(&["-q", "case", "rebalance", "--from", "ann", "--because", "on leave"]);
    let line = all.lines().next().unwrap();
    assert!(
        line.starts_with(&reference) && line.ends_with("A CHILD MAY BE AT RISK: tell them today"),
        "{all}"
    );
    let tasks = desk.data(&["-q", "case", "list", "--waiting"]);
    assert!(tasks.contains("the case has gone to bob: they read it today"), "{tasks}");
}

#[test]
fn where_nobody_is_free_a_task_says_so_until_somebody_is() {
    let desk = arrived(&officer("ann", "most_open = 1"), 2);
    let waiting = || desk.data(&["-q", "case", "list", "--waiting"]);
    assert_eq!((count(&desk, "ann"), count(&desk, "nobody")), (1, 1));
    assert_eq!(
        waiting().matches("nobody who may take this case is there").count(),
        1,
        "{}",
        waiting()
    );
    desk.write("rules/officers.toml", officer("ann", "most_open = 1") + &officer("bob", ""));
    let due = due(&desk);
    remind(&desk, due);
    assert_eq!((count(&desk, "bob"), count(&desk, "nobody")), (1, 0));
    assert!(!waiting().contains("nobody who may take"), "{}", waiting());
}

fn due(desk: &Desk) -> Date {
    desk.objects(&["-q", "case", "list", "--json"])[0]["due"].as_str().unwrap().parse().unwrap()
}

fn after(day: Date, days: i64) -> Date {
    day.saturating_add(jiff::Span::new().days(days))
}

/// Runs the reminders of a day; what they say.
fn remind(desk: &Desk, day: Date) -> Vec<Value> {
    let ran = desk.data(&["-q", "remind", "--json", "--at", &format!("{day}T09:00")]);
    ran.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn who_goes_away_is_stood_in_for_and_gets_theirs_back() {
    let ann = |away: &str| officer("ann", &format!("deputy = \"bob\"\n{away}"));
    let rest = officer("bob", "takes_new = false");
    let top = |on: &str| format!("on_absence = \"{on}\"\non_return = \"give_back\"\n");
    for on in ["list", "hand_over"] {
        let desk = arrived(&(top(on) + &ann("") + &rest), 3);
        let due = due(&desk);
        let until = after(due, 20);
        let away = format!("away = [{{ from = {due}, until = {until} }}]");
        desk.write("rules/officers.toml", top(on) + &ann(&away) + &rest);
        remind(&desk, due);
        let waiting = desk.data(&["-q", "case", "list", "--waiting"]);
        let told = waiting.matches("ann is away until").count();
        let (anns, bobs) = (count(&desk, "ann"), count(&desk, "bob"));
        if on == "list" {
            assert_eq!((told, anns, bobs), (1, 3, 0), "{waiting}");
            assert!(
                owners(&desk).iter().all(|(reference, _)| waiting.contains(reference)),
                "{waiting}"
            );
        } else {
            assert_eq!((told, anns, bobs), (0, 0, 3), "{waiting}");
            let case = show(&desk, &owners(&desk)[0].0);
            assert_eq!(allocations(&case)[1], json!(["gateway", "bob", "deputy"]));
        }
        for day in 1..=6 {
            remind(&desk, after(until, day));
        }
        assert_eq!((count(&desk, "ann"), count(&desk, "bob")), (3, 0), "{on}");
        assert!(!desk.data(&["-q", "case", "list", "--waiting"]).contains("ann is away until"));
    }
}

#[test]
fn what_the_complaints_officer_is_told_goes_to_whoever_has_the_case() {
    let desk = arrived(&(officer("ann", "") + &officer("bob", "")), 2);
    let due = due(&desk);
    let mails = (1..=7).map(|day| remind(&desk, after(due, day))).find(|mails| !mails.is_empty());
    let mails = mails.expect("a working day after the date");
    let to = |address: &str| {
        mails.iter().filter(|mail| mail["recipient"] == address).collect::<Vec<_>>()
    };
    assert_eq!(to("josephine.arkwright@northmere.example").len(), 0, "{mails:?}");
    let owners = owners(&desk);
    for id in ["ann", "bob"] {
        let mail = to(&format!("{id}@northmere.example"));
        assert_eq!(mail.len(), 1, "one mail a person: {mails:?}");
        let rows: Vec<&str> = mail[0]["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["reference"].as_str().unwrap())
            .collect();
        let own = owners.iter().find(|(_, owner)| owner == id).unwrap();
        assert_eq!(rows, [own.0.as_str()], "their own cases alone");
    }
}

#[test]
fn a_fault_of_the_file_is_told_with_its_place() {
    let desk = desk_of(SETTINGS, &officer("ann", "services = [\"swimming\"]"));
    let ran = desk.run(&["-q", "check"]);
    assert_eq!(ran.status, 2);
    let said = "rules/officers.toml, line 5, column 13: services.toml has no service `swimming`; write one of: ";
    assert!(ran.err.contains(said), "{ran:?}");
    desk.write("rules/officers.toml", officer("ann", ""));
    assert!(desk.data(&["-q", "check"]).contains("officers    1"));
}
