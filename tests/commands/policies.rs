//! What the council decides for many cases: time limits that come later, stages that it suspends; and what is said to a
//! child, or to a member of Parliament.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

const FROM_A_CHILD: &str = "From: Kai <kai@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: my social worker\r\nMessage-ID: <k1@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    Hi, I am 13 and I live with foster carers. My social worker keeps cancelling our visits and never rings me\r\n\
    back. I want to complain about it.\r\n\r\nKai\r\n";

struct Council {
    desk: Desk,
}

impl Council {
    fn new() -> Self {
        let desk = Desk::with(&format!("rules = \"rules\"\n{SETTINGS}"));
        copy_all(&root().join("rules"), &desk.path("rules"));
        Self { desk }
    }

    /// Changes the file of procedures.
    fn decides(&self, change: impl Fn(&str) -> String) {
        let before = std::fs::read_to_string(self.desk.path("rules/procedures.toml")).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "nothing was changed");
        self.desk.write("rules/procedures.toml", after);
    }

    fn takes_in(&self, number: usize, message: impl AsRef<[u8]>) -> String {
        deliver(&self.desk, number, message);
        self.desk.data(&["-q", "serve", "--once"]);
        let list = self.desk.objects(&["-q", "case", "list", "--json", "--all"]);
        let references = list.iter().map(|one| one["reference"].as_str().unwrap().to_owned());
        references.max().unwrap()
    }

    fn act(&self, act: &str, reference: &str, words: &[&str]) -> String {
        self.desk.data(&[&["-q", "case", act, reference][..], words].concat())
    }

    fn refused(&self, act: &str, reference: &str, words: &[&str]) -> String {
        let all = [&["-q", "case", act, reference][..], words].concat();
        let ran = self.desk.run(&all);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{all:?}: {ran:?}");
        ran.err
    }

    fn show(&self, reference: &str) -> Value {
        self.desk.objects(&["-q", "case", "show", "--json", reference]).remove(0)
    }

    fn waiting(&self) -> String {
        self.desk.data(&["-q", "case", "list", "--waiting"])
    }

    /// The working day so many after another, by the program's own calendar.
    fn after(&self, day: Date, days: u16) -> Date {
        let received = format!("{day}T12:00");
        let days = days.to_string();
        let sum = ["deadline", "--received", &received, "--days", &days, "--json"];
        self.desk.objects(&sum)[0]["due"].as_str().unwrap().parse().unwrap()
    }

    /// What a day's run does.
    fn runs_on(&self, day: Date) {
        self.desk.data(&["-q", "remind", "--at", &format!("{day}T09:00")]);
    }
}

fn day_of(value: &Value) -> Date {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

#[test]
fn later_time_limits_leave_an_open_case_alone_until_an_officer_applies_them() {
    let council = Council::new();
    let reference = council.takes_in(1, complaint(1));
    let before = council.show(&reference);
    let received = day_of(&before["received_on"]);
    let in_force = received.tomorrow().unwrap();
    council.decides(|text| {
        let line = "target = 20, latest = 20, because = \"council policy\" },";
        let more = format!(
            "{line}\n  {{ from = {in_force}, acknowledge = 3, target = 30, latest = 40, because = \"x\" }},"
        );
        text.replacen(line, &more, 1)
    });
    council.desk.data(&["-q", "serve", "--once"]);
    council.desk.data(&["-q", "calendar", "recompute"]);
    assert_eq!(council.show(&reference)["due"], before["due"], "it keeps what it began with");

    let day = in_force.to_string();
    let because = ["--because", "agreed with the customer"];
    let same = council.refused(
        "apply-policy",
        &reference,
        &[&["--in-force-on", &*received.to_string()], &because[..]].concat(),
    );
    assert!(same.contains("its dates are the same"), "{same}");
    let told = council.act(
        "apply-policy",
        &reference,
        &[&["--in-force-on", &*day], &because[..]].concat(),
    );
    let object = council.show(&reference);
    assert_eq!(day_of(&object["due"]), council.after(received, 30), "{told}");
    assert_eq!(day_of(&object["standard_due"]), council.after(received, 40));
    assert_eq!(
        (&object["policy_of"], &object["requests"][0]["due_on"]),
        (&json!(day), &object["due"])
    );
    assert!(told.contains(&format!("due by {}", object["due"].as_str().unwrap())), "{told}");
    // What is counted again later goes by them too.
    let extended = council.after(received, 35).to_string();
    council.act("extend", &reference, &["--until", &extended, "--because", "complex"]);
    assert_eq!(council.show(&reference)["due"], extended);
    let words = council.act("show", &reference, &[]);
    assert!(words.contains(&format!("applied the time limits of {day} and moved the date from")));
}

#[test]
fn a_suspended_stage_stands_still_until_its_last_day_and_the_report_measures_on() {
    let council = Council::new();
    let reference = council.takes_in(1, complaint(1));
    let before = council.show(&reference);
    let received = day_of(&before["received_on"]);
    let (from, to) = (council.after(received, 2), council.after(received, 6));
    council.decides(|text| {
        format!(
            "{text}\n[[suspension]]\nprocedure = \"corporate\"\nstage = 1\nfrom = {from}\nto = {to}\n\
             because = \"our offices are closed\"\n"
        )
    });
    council.runs_on(council.after(received, 1));
    assert_eq!(council.show(&reference)["due"], before["due"], "not before its first day");
    council.runs_on(council.after(received, 3));
    let still = council.show(&reference);
    assert_eq!((&still["due"], &still["standard_due"]), (&Value::Null, &before["standard_due"]));
    assert!(council.waiting().contains("tell the customer of NCC-"), "{}", council.waiting());
    let clock = council.desk.objects(&["-q", "case", "clock", &reference, "--json"]).remove(0);
    assert_eq!(
        (&clock["pauses"][0]["from"], &clock["pauses"][0]["why"]),
        (&json!(from.to_string()), &json!("policy_suspension"))
    );
    // Looked at late, it goes on from the day that the council named.
    council.runs_on(council.after(received, 8));
    let on = council.show(&reference);
    assert_eq!(day_of(&on["due"]), council.after(day_of(&before["due"]), 4), "four days left out");
    assert_eq!(on["requests"][0]["due_on"], on["due"]);
    assert!(!council.waiting().contains("tell the customer of NCC-"), "{}", council.waiting());
    let moves = on["events"].as_array().unwrap().iter();
    assert_eq!(moves.filter(|one| one["event"]["kind"] == "clock_turned").count(), 2);
}

#[test]
fn more_time_by_a_temporary_policy_moves_what_the_customer_is_told_alone() {
    let council = Council::new();
    let reference = council.takes_in(1, complaint(1));
    let before = council.show(&reference);
    let received = day_of(&before["received_on"]);
    let months = received.checked_add(jiff::Span::new().months(3)).unwrap();
    // The working day that the same day three months later is, or the next.
    let until = (60..70).map(|days| council.after(received, days)).find(|day| *day >= months);
    let until = until.unwrap().to_string();
    let more = |until: &str, more: &[&str]| {
        let words = ["--until", until, "--because", "no risk; the service is closed"];
        [&words[..], more].concat().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let refused = |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        council.refused("extend", &reference, &words)
    };
    let none = refused(more(&until, &["--under", "longer"]));
    assert!(none.contains("no temporary policy `longer` holds for this stage today"), "{none}");

    let next_year = received.checked_add(jiff::Span::new().years(1)).unwrap();
    council.decides(|text| {
        let policy = |name: &str, from: Date, to: Date| {
            format!(
                "\n[[temporary]]\nname = \"{name}\"\nprocedure = \"corporate\"\nstage = 1\nfrom = {from}\n\
                 to = {to}\nmonths = 3\nbecause = \"services have too few people\"\n"
            )
        };
        let over = policy("over", Date::constant(2020, 3, 20), Date::constant(2020, 9, 25));
        format!("{text}{}{over}", policy("longer", received, next_year))
    });
    let unnamed = refused(more(&until, &[]));
    let offered = format!("the temporary policy `longer`, which gives until {until}");
    assert!(unnamed.contains(&offered) && !unnamed.contains("`over`"), "{unnamed}");
    let beyond = council.after(until.parse().unwrap(), 1).to_string();
    let beyond = refused(more(&beyond, &["--under", "longer"]));
    assert!(beyond.contains(&format!("policy `longer` gives until {until} at most")), "{beyond}");
    let over = refused(more(&until, &["--under", "over"]));
    assert!(over.contains("name one of longer, or none"), "{over}");

    let words = more(&until, &["--under", "longer"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = council.act("extend", &reference, &words);
    assert_eq!(told, format!("the answer to {reference} is due by {until}\n"));
    let object = council.show(&reference);
    assert_eq!((&object["due"], &object["standard_due"]), (&json!(until), &before["standard_due"]));
    assert_eq!(object["requests"][0]["due_on"], json!(until), "services are chased by it");
    let moved = object["events"].as_array().unwrap().last().unwrap()["event"].clone();
    assert_eq!(
        (&moved["kind"], &moved["turn"]["what"]["under"], &moved["because"]),
        (&json!("clock_turned"), &json!("longer"), &json!("no risk; the service is closed"))
    );
    let clock = council.act("clock", &reference, &[]);
    assert!(clock.contains("working days under longer"), "{clock}");
    // The policy taken out of the file again leaves what was agreed by it.
    council.decides(|text| text.split("\n[[temporary]]").next().unwrap().to_owned());
    council.desk.data(&["-q", "calendar", "recompute"]);
    assert_eq!(council.show(&reference)["due"], json!(until));
}

#[test]
fn a_temporary_policy_that_cannot_be_is_refused_with_its_place() {
    let council = Council::new();
    council.decides(|text| {
        let policy = |lines: &str| {
            format!("\n[[temporary]]\nprocedure = \"corporate\"\nfrom = 2027-01-04\n{lines}\n")
        };
        let odd =
            policy("name = \"more time\"\nstage = 3\nto = 2027-01-04\nmonths = 0\nbecause = \" \"");
        let both = "stage = 1\nto = 2027-02-04\nmonths = 3\ndays = 65\nbecause = \"x\"";
        let both = policy(&format!("name = \"both\"\n{both}"));
        let twice = "name = \"twice\"\nstage = 1\nto = 2027-02-04\ndays = 65\nbecause = \"x\"";
        format!("{text}{odd}{both}{0}{0}", policy(twice))
    });
    let ran = council.desk.run(&["check"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    for words in [
        "has no stage 3: it has 2",
        "`more time` is no name that an officer can type",
        "0 is no number of months",
        "more time needs a reason",
        "ends on 2027-01-04, before it begins",
        "`both` has one length",
        "the name `twice` is there twice",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn a_suspension_that_cannot_be_is_refused_with_its_place() {
    let council = Council::new();
    council.decides(|text| {
        format!(
            "{text}\n[[suspension]]\nprocedure = \"corporat\"\nstage = 1\nfrom = 2027-01-04\nto = 2027-01-04\n\
             because = \" \"\n\n[[suspension]]\nprocedure = \"corporate\"\nstage = 3\nfrom = 2027-01-04\n\
             to = 2027-02-01\nbecause = \"x\"\n"
        )
    });
    let ran = council.desk.run(&["check"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    for words in [
        "no procedure `corporat` to suspend",
        "write one of children_act, corporate",
        "ends on 2027-01-04, before it begins",
        "a suspension needs a reason",
        "has no stage 3: it has 2",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn a_child_is_offered_an_advocate_by_the_first_letter_and_what_they_say_is_kept() {
    let council = Council::new();
    let reference = council.takes_in(1, FROM_A_CHILD);
    council.desk.data(&["-q", "serve", "--once"]);
    let object = council.show(&reference);
    let today = day_of(&object["received_on"]).to_string();
    assert_eq!(object["advocacy"]["stands"], json!(["offered", today]), "{object}");
    council.act("advocacy", &reference, &["--is", "wanted"]);
    assert!(council.waiting().contains("an advocate is wanted"), "{}", council.waiting());
    let nobody = council.refused("advocacy", &reference, &["--is", "works"]);
    assert!(nobody.contains("who works with them is named with `works`"), "{nobody}");
    council.act("advocacy", &reference, &["--is", "works", "--advocate", "Jo Bright"]);
    let object = council.show(&reference);
    assert_eq!(
        (&object["advocacy"]["advocate"], &object["advocacy"]["offered_on"]),
        (&json!("Jo Bright"), &json!(today))
    );
    assert!(!council.waiting().contains("an advocate is wanted"), "{}", council.waiting());

    let grown_up = council.takes_in(2, complaint(2));
    let none = council.refused("advocacy", &grown_up, &["--is", "offered"]);
    assert!(none.contains("the customer is a parent, not a child or young person"), "{none}");
}

#[test]
fn a_member_whose_constituents_complaint_is_open_is_told_and_gets_a_copy() {
    let council = Council::new();
    let about = council.takes_in(1, complaint(1));
    let member = council.takes_in(2, complaint(2));
    let wrong = council.refused("link-to-complaint", &member, &["--complaint", &about]);
    assert!(wrong.contains("register it as a member_enquiry first"), "{wrong}");
    council.act("correct", &member, &["--type", "member_enquiry", "--because", "an MP's office"]);
    let told = council.act("link-to-complaint", &member, &["--complaint", &about]);
    assert!(
        told.contains(&format!("{member} waits for a copy of the answer to {about}")),
        "{told}"
    );
    let object = council.show(&member);
    assert_eq!((&object["status"], &object["complaint"]), (&json!("answered"), &json!(about)));
    assert!(object["requests"].as_array().unwrap().iter().all(|one| one["state"] == "cancelled"));
    assert_eq!(council.show(&about)["members"], json!([member]));
    assert_eq!(council.show(&about)["status"], "open", "the complaint goes its way");

    council.desk.data(&["-q", "serve", "--once"]);
    let files = std::fs::read_dir(council.desk.path("outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let letter = mails
        .filter(|mail| {
            mail.contains("ann2@example.org") && mail.contains("A complaint on this is open")
        })
        .count();
    assert_eq!(letter, 1);

    assert!(!council.waiting().contains("send the member a copy"));
    council.act("respond", &about, &["--note", "letter of today"]);
    assert!(council.waiting().contains("send the member a copy once"), "{}", council.waiting());
    council.act("close", &member, &["--because", "the copy is sent"]);
    assert!(!council.waiting().contains("send the member a copy"), "{}", council.waiting());

    // Taken up by itself again, it waits for nothing.
    council.act("reopen", &member, &["--because", "another matter after all"]);
    assert_eq!(council.show(&about)["members"], json!([]));
    let object = council.show(&member);
    assert_eq!((&object["complaint"], object["due"].is_string()), (&Value::Null, true));
}

#[test]
fn a_members_enquiry_that_is_a_complaint_is_told_copied_and_agreed_to() {
    let council = Council::new();
    let reference = council.takes_in(1, complaint(1));
    let member = ["--type", "member_enquiry", "--customer", "other_customer"];
    council.act("correct", &reference, &[&member[..], &["--because", "an MP's office"]].concat());
    let as_enquiry = council.show(&reference);
    let silently = ["--type", "corporate_complaint", "--because", "it is one"];
    let silently = council.refused("correct", &reference, &silently);
    assert!(silently.contains("use `case for-constituent`"), "{silently}");
    let early = council.refused("constituent", &reference, &["--agrees", "--how", "rang"]);
    assert!(early.contains("it is not handled for a constituent"), "{early}");

    let taken = ["--type", "children_act_complaint", "--because", "the family waits for a year"];
    let told = council.act("for-constituent", &reference, &taken);
    assert!(told.contains("; the member is told"), "{told}");
    let object = council.show(&reference);
    assert_eq!(
        (&object["record_type"], &object["constituent"], &object["received_on"]),
        (&json!("children_act_complaint"), &json!("asked"), &as_enquiry["received_on"])
    );
    assert_eq!(object["procedure"], "children_act", "the complaint's clock, from the receipt");
    assert!(council.waiting().contains("ask whether they agree"), "{}", council.waiting());
    council.desk.data(&["-q", "serve", "--once"]);
    let files = std::fs::read_dir(council.desk.path("outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mails: Vec<String> = mails.map(|mail| mail.replace("=\r\n", "")).collect();
    let letter = mails.iter().find(|mail| mail.contains("Subject: It is a complaint now")).unwrap();
    assert!(letter.contains("We will ask them if they agree"), "{letter}");
    assert!(letter.contains("You will get a copy of it"), "{letter}");
    assert!(letter.contains("ann1@example.org"), "{letter}");

    // Held for that agreement, it goes on with it.
    let held = ["--for", "awaiting_authority", "--because", "asked the constituent"];
    council.act("pause", &reference, &held);
    let told = council.act("constituent", &reference, &["--agrees", "--how", "on the telephone"]);
    assert!(told.contains("the constituent agrees, and the complaint goes on"), "{told}");
    let object = council.show(&reference);
    assert_eq!((&object["constituent"], object["due"].is_string()), (&json!("agreed"), true));
    assert!(!council.waiting().contains("ask whether they agree"), "{}", council.waiting());
    let said = object["events"].as_array().unwrap().iter();
    let said: Vec<&Value> = said.filter(|one| one["event"]["kind"] == "constituent_said").collect();
    assert_eq!((said.len(), &said[0]["event"]["how"]), (1, &json!("on the telephone")));
    let again = council.refused("constituent", &reference, &["--declines", "--how", "rang"]);
    assert!(again.contains("the constituent agreed before"), "{again}");

    assert!(!council.waiting().contains("send the member a copy"));
    council.act("respond", &reference, &["--note", "letter of today"]);
    assert!(council.waiting().contains("send the member a copy once"), "{}", council.waiting());
    council.act("close", &reference, &["--because", "the copy is sent"]);
    assert!(!council.waiting().contains("send the member a copy"), "{}", council.waiting());
}

#[test]
fn a_constituent_who_does_not_agree_leaves_a_members_enquiry_with_its_own_clock() {
    let council = Council::new();
    let reference = council.takes_in(1, complaint(1));
    let member = ["--type", "member_enquiry", "--customer", "other_customer"];
    council.act("correct", &reference, &[&member[..], &["--because", "an MP's office"]].concat());
    let before = council.show(&reference);
    let taken = ["--type", "children_act_complaint", "--because", "it reads as one"];
    council.act("for-constituent", &reference, &taken);
    assert_ne!(council.show(&reference)["due"], before["due"], "ten working days, not twenty");
    let held = ["--for", "awaiting_authority", "--because", "asked the constituent"];
    council.act("pause", &reference, &held);
    let future = ["--declines", "--how", "by letter", "--on", "2099-01-05"];
    assert!(council.refused("constituent", &reference, &future).contains("is still to come"));
    let told = council.act("constituent", &reference, &["--declines", "--how", "by letter"]);
    assert!(told.contains("a member's enquiry again; the member is told"), "{told}");
    let object = council.show(&reference);
    assert_eq!(
        (&object["record_type"], &object["constituent"], &object["due"]),
        (&json!("member_enquiry"), &Value::Null, &before["due"])
    );
    assert_eq!(object["requests"][0]["due_on"], before["due"]);
    assert!(!council.waiting().contains("ask whether they agree"), "{}", council.waiting());
    // It is a member's enquiry as any other, whose answer owes nobody a copy.
    council.act("respond", &reference, &["--note", "letter of today"]);
    assert!(!council.waiting().contains("send the member a copy"), "{}", council.waiting());
}
