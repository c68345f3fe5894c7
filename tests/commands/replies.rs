//! What services write back: not all of it is their answer.

use serde_json::Value;

use super::desk::OneCase;
use super::{deliver, root};

struct Asked(OneCase);

impl std::ops::Deref for Asked {
    type Target = OneCase;

    fn deref(&self) -> &OneCase {
        &self.0
    }
}

impl Asked {
    fn new() -> Self {
        Self(OneCase::new())
    }

    /// The service that was asked writes.
    fn writes(&self, number: usize, words: &str) {
        let mail = format!(
            "From: SEN complaints <sen-complaints@northmere.example>\r\nTo: complaints@northmere.example\r\n\
             Subject: Re: {0}\r\nMessage-ID: <reply{number}@northmere.example>\r\n\
             Date: Tue, 17 Nov 2026 09:00:00 +0000\r\n\r\n{words}\r\n\r\n{0}\r\n",
            self.reference
        );
        deliver(&self.desk, number, mail);
        self.desk.data(&["-q", "serve", "--once"]);
    }

    fn request(&self) -> Value {
        self.show()["requests"].as_array().unwrap().last().unwrap().clone()
    }
}

#[test]
fn a_service_that_accepts_is_not_done_and_is_chased_for_its_answer() {
    let asked = Asked::new();
    asked.writes(2, "ACCEPT");
    assert_eq!(asked.request()["state"], "accepted");
    assert!(asked.act("show", &[]).contains("the gateway sen accepted it"));
    assert!(!asked.waiting().contains("a service answered"), "{}", asked.waiting());
    asked.writes(
        3,
        "The plan was late because the advice came late. We are sorry, and it is out today.",
    );
    assert_eq!(asked.request()["state"], "answered");
    assert!(asked.waiting().contains("a service answered: check it"), "{}", asked.waiting());
    // What they newly wrote is the draft; of a mail only a reader can tell what it lacks.
    let draft = asked.act("answer-draft", &[]);
    assert!(
        draft.contains("sen  waiting, by sen-complaints@northmere.example, message 3"),
        "{draft}"
    );
    assert!(draft.contains("because the advice came late") && !draft.contains("> "), "{draft}");
    assert!(draft.contains("by whom, by when: read it"), "{draft}");
    asked.act("send-back", &["--service", "sen", "--note", "Say what you do about it."]);
    assert_eq!(asked.request()["state"], "accepted");
    asked.desk.data(&["-q", "serve", "--once"]);
    let files = std::fs::read_dir(asked.desk.path("outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let back: Vec<String> = mails.filter(|mail| mail.contains("Your answer needs more")).collect();
    assert!(
        !back.is_empty() && back[0].contains("Say what you do about it."),
        "no page: {back:#?}"
    );
    asked.writes(4, "We upheld it, and Sam Hill sends the plan by Friday.");
    assert_eq!(asked.request()["state"], "answered");
    asked.act("accept-answer", &["--service", "sen"]);
    assert!(!asked.waiting().contains("check it"), "{}", asked.waiting());
}

#[test]
fn what_is_not_theirs_is_chased_no_more_and_waits_for_an_officer() {
    let asked = Asked::new();
    asked.writes(2, "Hi, I'm afraid this one can't be ours. Try Transport.");
    assert_eq!(asked.request()["state"], "declined");
    assert!(
        asked.waiting().contains("a service says that it is not theirs"),
        "{}",
        asked.waiting()
    );
    // A stubborn officer asks them again; a wiser one names somebody else.
    asked.act("ask", &["--service", "sen"]);
    assert_eq!(
        (&asked.request()["state"], &asked.request()["round"]),
        (&"asked".into(), &2.into())
    );
    assert!(!asked.waiting().contains("not theirs"), "{}", asked.waiting());
    asked.writes(3, "Not ours: really");
    asked.act("correct", &["--service", "home_to_school_transport", "--because", "the taxi"]);
    assert_eq!(asked.request()["service"], "home_to_school_transport");
    assert!(!asked.waiting().contains("not theirs"), "{}", asked.waiting());
}

#[test]
fn whoever_asks_for_time_or_asks_back_has_not_answered() {
    let asked = Asked::new();
    asked.writes(2, "Could I have a bit longer on this please, till the 10th?");
    assert_eq!(asked.request()["state"], "asked");
    assert!(asked.waiting().contains("a service asks for more time"), "{}", asked.waiting());
    asked.writes(3, "Before we draft: is it the autumn term only, or the summer too?");
    assert_eq!(asked.request()["state"], "asked");
    assert!(asked.waiting().contains("a service asks something before it answers"));
    asked.writes(4, "I am on leave until the 4th and nobody covers.");
    assert!(asked.waiting().contains("who has it at the service is away"), "{}", asked.waiting());
    asked.act("answered", &["--service", "sen"]);
    for words in ["more time", "before it answers", "is away"] {
        assert!(!asked.waiting().contains(words), "{words}: {}", asked.waiting());
    }
}

#[test]
fn real_replies_are_read_for_what_they_are() {
    let shipped = std::fs::read_to_string(root().join("rules/replies.toml")).unwrap();
    let replies = postern::casework::reply::Replies::from_toml("replies.toml", &shipped).unwrap();
    let mut read = Vec::new();
    for file in ["dev.jsonl", "dev-b.jsonl"] {
        let text = std::fs::read_to_string(root().join("tests/complaints").join(file)).unwrap();
        for line in text.lines() {
            let one: Value = serde_json::from_str(line).unwrap();
            if one["labels"]["record_type"] != "service_response" {
                continue;
            }
            let document = !one["attachments"].as_array().unwrap().is_empty();
            let says = replies.read(one["body"].as_str().unwrap(), document);
            read.push((one["id"].as_str().unwrap().to_owned(), says.id()));
        }
    }
    let expected = [
        ("dev-044", "more_time"),
        ("dev-054", "answers"),
        ("dev-081", "asks"),
        ("dev-090", "answers"),
        ("devb-039", "answers"),
        ("devb-047", "not_ours"),
        ("devb-062", "asks"),
        ("devb-069", "answers"),
        ("devb-076", "answers"),
        ("devb-093", "answers"),
        ("devb-107", "more_time"),
    ];
    let expected: Vec<(String, &str)> =
        expected.iter().map(|(id, says)| ((*id).to_owned(), *says)).collect();
    assert_eq!(read, expected);
}
