//! The first day with a gateway: what was late before it comes as one list a person, not as one mail a case.

use std::collections::BTreeMap;

use jiff::ToSpan;
use serde_json::Value;

use super::{Desk, SETTINGS};

/// The backlog of the report (domain 7.1): overdue at the first stage and at the second.
const LATE: [usize; 2] = [141, 29];

fn complaint(number: usize, about: &str, day: jiff::civil::Date) -> String {
    let date = day.strftime("%a, %d %b %Y 09:00:00 +0000");
    format!(
        "From: Sender {number} <sender{number}@example.org>\r\nTo: complaints@northmere.example\r\n\
         Subject: Complaint\r\nMessage-ID: <late{number}@example.org>\r\nDate: {date}\r\n\r\n\
         I want to make a formal complaint. I am the mother of child number {number}. {about} Nobody rings back \
         although I asked {number} times. I want an apology and an answer.\r\n\r\nSender {number}\r\n"
    )
}

#[test]
fn a_backlog_of_170_overdue_cases_is_one_list_a_person() {
    let desk = Desk::with(&format!("{SETTINGS}[reminders]\nask_on_closed_days = true\n"));
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    let long_ago = today.checked_sub(90.days()).unwrap();
    let plan = "The EHC plan of the SEN team was due in June and is months late.";
    let taxi = "The school transport taxi came late every day of this term.";
    for part in ["new", "tmp"] {
        std::fs::create_dir_all(desk.path("old").join(part)).unwrap();
    }
    for number in 0..LATE.iter().sum() {
        let about = if number < LATE[0] { plan } else { taxi };
        // A Maildir keeps when each message came in its name.
        let came = long_ago.at(9, 0, 0, 0).in_tz("Europe/London").unwrap().timestamp().as_second();
        let name = format!("old/cur/{came}.{number}.council:2,S");
        desk.write(&name, complaint(number, about, long_ago));
    }
    let told = desk.run(&["-q", "import", "old"]);
    assert!(told.out.contains("170 new") || told.err.contains("170 new"), "{told:?}");
    desk.data(&["-q", "serve", "--once"]);
    let cases = desk.objects(&["-q", "case", "list", "--json"]);
    assert_eq!(cases.len(), 170);
    assert!(cases.iter().all(|case| case["due"].as_str().unwrap() < today.to_string().as_str()));
    let mails = |desk: &Desk| std::fs::read_dir(desk.path("outbox")).map_or(0, Iterator::count);
    assert_eq!(mails(&desk), 0, "nobody is written to about old mail");
    assert!(desk.objects(&["-q", "letters", "list", "--json"]).is_empty());

    let next = today.tomorrow().unwrap();
    let working =
        next.series(1.day()).find(|day| (1..=5).contains(&day.weekday().to_monday_one_offset()));
    let at = format!("{}T09:00", working.unwrap());
    let due = desk.data(&["-q", "remind", "--at", &at, "--dry-run", "--json"]);
    let listed: Vec<Value> = due.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!listed.is_empty());
    desk.data(&["-q", "remind", "--at", &at]);
    let mut heard: BTreeMap<String, usize> = BTreeMap::new();
    for file in std::fs::read_dir(desk.path("outbox")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        let to = mail.to().unwrap().first().unwrap().address().unwrap().to_owned();
        let text = mail.body_text(0).unwrap().into_owned();
        assert!(text.contains("late"), "{text}");
        *heard.entry(to).or_default() += 1;
    }
    assert_eq!(heard.len(), 3, "both managers, and the officer of the team: {heard:?}");
    assert!(heard.values().all(|count| *count == 1), "{heard:?}");
    desk.data(&["-q", "remind", "--at", &at]);
    assert_eq!(mails(&desk), heard.len(), "once");
}
