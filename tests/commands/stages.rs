//! What officers decide of a case as a whole: stages, statements, withdrawals, rejections, findings.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, complaint, deliver};

struct Register {
    desk: Desk,
    reference: String,
}

impl Register {
    /// A desk with one complaint that officers have decided to be of this type.
    fn new(record_type: &str) -> Self {
        let desk = Desk::new();
        deliver(&desk, 1, complaint(1));
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        let register = Self { desk, reference };
        if record_type != "corporate_complaint" {
            register.act(&["correct"], &["--type", record_type, "--because", "the law says so"]);
        }
        register
    }

    fn act(&self, act: &[&str], words: &[&str]) -> String {
        self.desk.data(&[&["-q", "case"][..], act, &[&*self.reference], words].concat())
    }

    /// What is said of a move that is not possible.
    fn refused(&self, act: &str, words: &[&str]) -> String {
        let all = [&["-q", "case", act, &*self.reference][..], words].concat();
        let ran = self.desk.run(&all);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{all:?}: {ran:?}");
        ran.err
    }

    fn show(&self) -> Value {
        let all = ["-q", "case", "show", "--json", &*self.reference];
        self.desk.objects(&all).remove(0)
    }

    fn requests(&self) -> Vec<(String, i64, String)> {
        let one = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("service"), one["round"].as_i64().unwrap(), text("state"))
        };
        self.show()["requests"].as_array().unwrap().iter().map(one).collect()
    }

    /// The last letter of this kind, which has been sent, on one line.
    fn letter(&self, purpose: &str, subject: &str) -> String {
        self.desk.data(&["-q", "serve", "--once"]);
        let object = self.show();
        let letters = object["letters"].as_array().unwrap();
        let letter = letters.iter().rfind(|one| one["purpose"] == purpose).unwrap();
        assert_eq!(letter["state"], "sent", "{letter}");
        let files = fs::read_dir(self.desk.path("outbox")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let wanted = format!("Subject: {subject}");
        let text = texts.into_iter().find(|text| text.contains(&wanted));
        text.unwrap_or_else(|| panic!("no {wanted}")).replace("=\r\n", "").replace("\r\n", " ")
    }
}

#[test]
fn the_next_stage_has_its_own_clock_request_and_letter() {
    let register = Register::new("corporate_complaint");
    let early = register.refused("next-stage", &[]);
    assert!(early.contains("stage 1 is not answered yet, and not late before 20"), "{early}");
    assert!(early.contains("or open the next stage with a reason"), "{early}");
    register.act(&["respond"], &["--note", "letter of today"]);
    let told = register.act(&["next-stage"], &[]);
    assert!(told.contains("stage 2 of NCC-"), "{told}");
    assert!(told.ends_with("; the customer is told\n"), "{told}");
    let object = register.show();
    assert_eq!((&object["status"], &object["stage"]), (&json!("open"), &json!(2)));
    assert!(told.contains(object["due"].as_str().unwrap()), "{told}");
    let asked = [("sen", 1, "cancelled"), ("sen", 2, "asked")];
    let asked = asked.map(|(service, round, state)| (service.to_owned(), round, state.to_owned()));
    assert_eq!(register.requests(), asked, "the director's review is asked of the lead service");
    let last = register.refused("next-stage", &["--because", "x"]);
    assert!(last.contains("stage 2 is the last of 2: tell the customer how to go"), "{last}");
    // Another type of the same matter keeps the stage, where it has one.
    register.act(&["correct"], &["--type", "children_act_complaint", "--because", "of the Act"]);
    assert_eq!(register.show()["stage"], 2);
    let told = register.refused("correct", &["--type", "enquiry", "--because", "a question"]);
    assert!(told.contains("the enquiry procedure has no stage 2: it has 1"), "{told}");
}

#[test]
fn the_children_act_stages_count_from_the_request_and_name_people() {
    let register = Register::new("children_act_complaint");
    register.act(&["respond"], &["--note", "letter of today"]);
    let future = register.refused("next-stage", &["--received", "2099-01-04"]);
    assert!(future.contains("2099-01-04 is still to come"), "{future}");
    let old = register.refused("next-stage", &["--received", "2019-01-04"]);
    assert!(old.contains("the case was received on 20"), "{old}");
    register.act(&["next-stage"], &[]);
    let waiting = register.desk.data(&["-q", "case", "list", "--waiting"]);
    assert!(
        waiting.contains("name an investigating officer and an independent person"),
        "{waiting}"
    );
    let due = register.show()["standard_due"].clone();
    let told = register.act(&["statement"], &[]);
    assert!(told.starts_with("the statement was agreed on 20"), "{told}");
    let object = register.show();
    assert!(object["statement_agreed_at"].is_string(), "{object}");
    assert_eq!(object["standard_due"], due, "this council counts from the request");
    assert!(register.refused("statement", &[]).contains("was agreed on 20"));
}

#[test]
fn an_officer_rejects_with_a_reason_and_a_letter_that_names_the_route() {
    let register = Register::new("corporate_complaint");
    let words = ["--reason", "other_organisation", "--because", "an academy", "--say"];
    let told =
        register.act(&["reject"], &[&words[..], &["The school has its own board."]].concat());
    assert!(told.contains("is rejected (Complaint for another organisation)"), "{told}");
    let object = register.show();
    assert_eq!(
        (&object["status"], &object["rejected"]),
        (&json!("rejected"), &json!("other_organisation"))
    );
    assert_eq!(register.requests().remove(0).2, "cancelled", "nobody is chased for it");
    let letter = register.letter("rejection", "About what you told us");
    for part in
        ["Please complain to that organisation", "The school has its own board", "Ombudsman"]
    {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    assert!(!letter.contains("Auto-Submitted"), "a person decided: {letter}");
    let again = register.refused("reject", &["--reason", "duplicate", "--because", "x"]);
    assert!(again.contains("the case is rejected: reopen it first"), "{again}");
    let unknown = ["-q", "case", "reject", &*register.reference, "--reason", "bored"];
    let unknown = [&unknown[..], &["--because", "x"]].concat();
    register.desk.refused(&unknown, 2, "not_authorised, legal_proceedings");
}

#[test]
fn a_withdrawal_is_confirmed_and_a_reopened_case_asks_again() {
    let register = Register::new("corporate_complaint");
    let told = register.act(&["withdraw"], &["--because", "on the telephone"]);
    assert!(told.ends_with("is withdrawn; the customer is told\n"), "{told}");
    assert_eq!(register.show()["status"], "withdrawn");
    let letter = register.letter("withdrawal", "You do not want to go on");
    assert!(letter.contains("You can come back to us if you change your mind"), "{letter}");
    let told = register.act(&["reopen"], &["--because", "changed her mind"]);
    assert!(told.contains("is open again, due by 20"), "{told}");
    let states: Vec<String> = register.requests().into_iter().map(|one| one.2).collect();
    assert_eq!(states, ["cancelled", "asked"]);
    let twice = register.refused("ask", &["--service", "sen"]);
    assert!(twice.contains("sen has been asked already"), "{twice}");
}

#[test]
fn what_was_found_is_recorded_issue_by_issue() {
    let register = Register::new("corporate_complaint");
    register
        .act(&["correct"], &["--themes", "service_issue,communication", "--because", "as it says"]);
    let told = register
        .act(&["outcome"], &["--theme", "service_issue", "--part", "delay", "--outcome", "upheld"]);
    assert_eq!(told, "service_issue: upheld; nothing is found yet of communication\n");
    let told = register.act(&["respond"], &["--note", "letter"]);
    assert!(told.contains("; nothing is found yet of communication"), "{told}");
    register.act(&["outcome"], &["--theme", "communication", "--outcome", "not_upheld"]);
    let found = register.show()["findings"].clone();
    assert_eq!(
        found[0],
        json!({
            "theme": "service_issue", "part": "delay", "service": null, "outcome": "upheld"
        })
    );
    assert_eq!(found[1]["outcome"], "not_upheld");
    let told = register.act(&["outcome"], &["--theme", "communication", "--take-back"]);
    assert!(told.contains("the finding is taken back"), "{told}");
    let odd = register.refused(
        "outcome",
        &["--theme", "communication", "--part", "delay", "--outcome", "upheld"],
    );
    assert!(odd.contains("`delay` is no part of `communication`"), "{odd}");
    assert!(
        register.act(&["show"], &[]).contains("found of service_issue (Delayed service): upheld")
    );
}

#[test]
fn what_was_acknowledged_by_hand_is_recorded_and_may_start_the_clock() {
    let desk = Desk::new();
    let today = desk.data(&[
        "deadline",
        "--received",
        "2026-04-02",
        "--procedure",
        "corporate_code",
        "--stage",
        "1",
        "--acknowledged",
        "2026-04-07",
        "--json",
    ]);
    assert!(today.contains("\"due\":\"2026-05-06\""), "{today}");
    desk.refused(
        &[
            "deadline",
            "--received",
            "2026-04-02",
            "--procedure",
            "corporate",
            "--stage",
            "1",
            "--acknowledged",
            "2026-04-07",
        ],
        2,
        "this stage counts from the day we received it; leave it out",
    );

    let register = Register::new("corporate_complaint");
    let told = register.refused("acknowledged", &[]);
    assert!(told.contains("it was acknowledged on 20"), "its letter has left: {told}");
}
