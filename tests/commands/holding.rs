//! Holding letters: drafted before a promised day passes, released by an officer, counted.

use jiff::Span;
use jiff::civil::Date;
use serde_json::Value;

use super::{Desk, SETTINGS, deliver};

/// What the rules place by themselves.
const SURE: &str = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\n\
    Subject: Complaint: EHCP late\r\nMessage-ID: <sure@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
    I want to make a formal complaint. I am his mother. The EHC plan for my son was due in June and is four months \
    late. The SEN team do not answer my calls. I want an apology and the plan.\r\n\r\n\
    Dee Marsh, 4 Mill Lane, Northmere NM1 2AB\r\n";

struct Case {
    desk: Desk,
    reference: String,
}

impl Case {
    fn new(more: &str) -> Self {
        let desk = Desk::with(&format!("{SETTINGS}{more}"));
        deliver(&desk, 1, SURE);
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        Self { desk, reference }
    }

    fn show(&self) -> Value {
        self.desk.objects(&["-q", "case", "show", &self.reference, "--json"]).remove(0)
    }

    fn due(&self) -> Date {
        self.show()["due"].as_str().unwrap().parse().unwrap()
    }

    fn remind_on(&self, day: Date) {
        self.desk.data(&["-q", "remind", "--at", &format!("{day}T09:00")]);
    }

    /// Runs the two days that end with a promised one.
    fn until(&self, last: Date) {
        self.remind_on(last.yesterday().unwrap());
        self.remind_on(last);
    }

    fn holding(&self) -> Vec<Value> {
        self.show()["holding_letters"].as_array().unwrap().clone()
    }

    fn task(&self) -> bool {
        let tasks = self.show()["tasks"].as_array().unwrap().clone();
        tasks.iter().any(|task| task["kind"] == "holding_letter")
    }
}

#[test]
fn a_letter_is_drafted_before_the_day_passes_and_leaves_when_an_officer_releases_it() {
    let case = Case::new("");
    let due = case.due();
    case.remind_on(due - Span::new().days(8));
    assert!(case.holding().is_empty(), "too early");
    case.until(due);
    let drafts = case.holding();
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert_eq!(
        (&drafts[0]["state"], &drafts[0]["was_due"]),
        (&"held".into(), &due.to_string().into())
    );
    let named: Date = drafts[0]["answer_by"].as_str().unwrap().parse().unwrap();
    assert!((10..=18).contains(&(named - due).get_days()), "ten working days after {due}: {named}");
    assert!(case.task());
    assert_eq!(case.due(), due, "the clock does not move");

    let number = drafts[0]["letter"].to_string();
    case.desk.data(&["-q", "letters", "release", &number]);
    assert!(!case.task());
    // The next days' letters take it along.
    case.remind_on(due + Span::new().days(1));
    case.remind_on(due + Span::new().days(4));
    assert_eq!((case.holding().len(), &case.holding()[0]["state"]), (1, &"sent".into()));
    // For the day that it names the next is drafted, and none between.
    case.remind_on(named - Span::new().days(8));
    assert_eq!(case.holding().len(), 1);
    case.until(named);
    let drafts = case.holding();
    assert_eq!((drafts.len(), &drafts[1]["was_due"]), (2, &named.to_string().into()));
    // Answered: what was drafted never goes.
    case.desk.data(&["-q", "case", "respond", &case.reference, "--note", "answered by post"]);
    assert_eq!(case.holding()[1]["state"], "cancelled");
    assert!(!case.task());
}

#[test]
fn an_officer_writes_another_in_its_place() {
    let case = Case::new("");
    let due = case.due();
    case.until(due);
    let act = |until: &str, why: &str| {
        let arguments = ["case", "holding-letter", &case.reference, "--until", until, "--why", why];
        case.desk.run(&[&["-q"][..], &arguments].concat())
    };
    let later: Date = case.holding()[0]["answer_by"].as_str().unwrap().parse().unwrap();
    let refused = act(&due.to_string(), "x");
    assert!(refused.status == 1 && refused.err.contains("no later working day"), "{refused:?}");
    let refused = act(&later.to_string(), " ");
    assert!(refused.status == 1 && refused.err.contains("needs a reason"), "{refused:?}");
    let done = act(&later.to_string(), "The team still has to find the plan.");
    assert!(done.out.contains(&format!("is told that the answer comes by {later}")), "{done:?}");
    assert!(!case.task());
    case.desk.data(&["-q", "serve", "--once"]);
    let states: Vec<_> = case.holding().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["cancelled", "sent"]);
    let files = std::fs::read_dir(case.desk.path("outbox")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let letters: Vec<_> = texts.filter(|text| text.contains("Your answer is late")).collect();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("still has to find the plan"), "{}", letters[0]);
    assert_eq!(case.due(), due, "the clock does not move");
}

#[test]
fn where_the_settings_say_so_it_leaves_by_itself() {
    let case = Case::new("[reminders]\nrelease_holding_letters = true\n");
    case.until(case.due());
    let letters = case.holding();
    assert_eq!((letters.len(), &letters[0]["state"]), (1, &"sent".into()));
    assert!(!case.task());
}
