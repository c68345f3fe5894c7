//! What is said on the page, and what becomes of it.

use serde_json::Value;

use super::{Page, Says, code_in, link_in};
use crate::{Desk, complaint, deliver};

#[test]
fn a_service_answers_on_its_page_and_an_officer_confirms_it() {
    let page = Page::start();
    let link = page.link();
    assert_eq!(link.len(), "/a/".len() + 52, "the token and nothing else: {link}");
    page.get(&link, "")
        .says(
            200,
            &[
                &page.reference,
                "Corporate complaint, step 1",
                "Accept it and name who will answer",
                "Send the code",
            ],
        )
        .tells_nothing();

    // The code goes to the mailbox of the link, and says of no case.
    page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    let (to, subject, text) = page.waits_for("Your code", 1).remove(0);
    assert!(to.ends_with("@northmere.example") && !text.contains(&page.reference), "{to} {text}");
    assert!(
        !subject.contains(|c: char| c.is_ascii_digit()),
        "the code is in no subject: {subject}"
    );
    let code = code_in(&text);
    let opened = page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    opened.says(303, &[]);
    let cookie = opened.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", &*format!("Path={link};"), "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    // It worked once.
    page.post(&format!("{link}/code/check"), "", &[("code", &code)]).says(422, &["does not open"]);

    page.get(&link, cookie).says(200, &["Ann Other", "four months late", "Give our answer", &to]);
    let fields = [
        ("name", "Jo Lane"),
        ("what", "The plan was late. The advice came late, and <we> did not chase it."),
        ("remedy", "We send the plan."),
        ("by-whom", "Sam Hill"),
        ("by-day", "4"),
        ("by-month", "12"),
        ("by-year", "2027"),
    ];
    let sent = page.send(&format!("{link}/1/answer"), cookie, &fields);
    assert_eq!(sent.header("location"), Some(&*format!("{link}/1?sent=answer")), "{sent:?}");
    page.get(&format!("{link}/1?sent=answer"), cookie).says(
        200,
        &["We have your answer", "Jo Lane answered", "We are checking it", "&lt;we&gt;"],
    );

    // Nobody is chased, and the customer's clock goes on.
    assert_eq!(page.request()["state"], "answered");
    let object = page.show();
    assert_eq!((&object["status"], object["due"].is_string()), (&"open".into(), true));
    assert!(page.tasks().contains("a service answered: check it"), "{}", page.tasks());
    let draft = page.act("answer-draft", &[]);
    for words in [
        "sen  waiting, by Jo Lane, its page",
        "did not chase it",
        "to put right by 2027-12-04, Sam Hill:",
        "check  what will be put right, by whom, by when: yes",
        "check  plain English: yes",
        &*format!("seen by {to} for sen"),
    ] {
        assert!(draft.contains(words), "{words}: {draft}");
    }

    assert_eq!(page.act("accept-answer", &["--service", "sen"]), "the answer of sen is accepted\n");
    assert!(!page.tasks().contains("check it"), "{}", page.tasks());
    assert!(page.tasks().contains("every service that was asked has answered"), "{}", page.tasks());
    page.get(&link, cookie).says(200, &["We have what we need"]);
    let twice =
        page.desk.run(&["-q", "case", "accept-answer", &page.reference, "--service", "sen"]);
    assert!(twice.err.contains("no answer of sen waits to be accepted"), "{twice:?}");
    page.act("respond", &["--note", "letter of today"]);
    assert!(!page.tasks().contains("has answered"), "{}", page.tasks());
    page.get(&link, cookie).says(200, &["The customer has been answered"]).tells_nothing();
}

#[test]
fn a_form_that_is_sent_twice_is_one_act() {
    let page = Page::start();
    let link = page.link();
    let path = format!("{link}/1/more-time");
    let key = page.key(&path, "");
    let fields = [
        ("key", key.as_str()),
        ("name", "Jo Lane"),
        ("why", "The advice is late."),
        ("until-day", "4"),
        ("until-month", "12"),
        ("until-year", "2027"),
    ];
    for _ in 0..3 {
        let sent = page.post(&path, "", &fields);
        assert_eq!(
            (sent.status, sent.header("location")),
            (303, Some(&*format!("{link}/1?sent=more-time")))
        );
    }
    let asked = page.tasks().matches("a service asks for more time").count();
    assert_eq!(asked, 1, "{}", page.tasks());
    let shown = page.act("show", &[]);
    let told = "recorded that sen asks for more time on its page (Jo Lane): until Saturday 4 December 2027: The advice is late.";
    assert_eq!(shown.matches(told).count(), 1, "{shown}");
    assert_eq!(page.request()["state"], "asked", "an officer decides");

    // Two people press at the same moment.
    let path = format!("{link}/1/accept");
    let (one, other) = (page.key(&path, ""), page.key(&path, ""));
    std::thread::scope(|scope| {
        for key in [one, other] {
            let (page, path) = (&page, &path);
            scope.spawn(move || {
                page.post(path, "", &[("key", &key), ("name", "Jo Lane"), ("who", "Sam Hill")])
                    .says(303, &[]);
            });
        }
    });
    let shown = page.act("show", &[]);
    assert_eq!(
        shown.matches("sen accepted it on its page (Jo Lane): Sam Hill will answer").count(),
        1,
        "{shown}"
    );
    assert_eq!(page.request()["state"], "accepted");
    page.send(&format!("{link}/1/away"), "", &[("name", "Jo"), ("who", "Sam")]).says(303, &[]);
    page.send(&format!("{link}/1/not-ours"), "", &[("name", "Jo"), ("why", "An academy.")])
        .says(303, &[]);
    assert_eq!(page.request()["state"], "declined");
    page.get(&format!("{link}/1"), "").says(200, &["This is no longer with you"]);
    for words in ["who has it at the service is away", "a service says that it is not theirs"] {
        assert!(page.tasks().contains(words), "{words}: {}", page.tasks());
    }
}

#[test]
fn an_answer_that_is_sent_back_is_waited_for_again() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    page.send(&path, &cookie, &[("name", "Jo Lane"), ("what", "We were late.")]).says(303, &[]);
    let empty = ["-q", "case", "send-back", &page.reference, "--service", "sen", "--note", " "];
    page.desk.refused(&empty, 1, "it needs a note");
    let note = "Say why, and what Ann Other gets.";
    page.act("send-back", &["--service", "sen", "--note", note]);
    assert_eq!(page.request()["state"], "accepted", "chased from where it was");
    assert!(!page.tasks().contains("check it"), "{}", page.tasks());
    let mails = page.waits_for("Your answer needs more", 2);
    for (_, subject, text) in &mails {
        assert!(!subject.contains("Ann") && !text.contains("Ann Other"), "{text}");
    }
    let link = link_in(&mails[0].2);
    page.get(&link, "").says(200, &["we asked you for more on"]).tells_nothing();
    let cookie = page.unlock(&link);
    page.get(&link, &cookie).says(200, &[note, "We were late."]);
    let path = format!("{link}/1/answer");
    page.get(&path, &cookie).says(200, &["We were late.</textarea>"]);
    page.send(&path, &cookie, &[("name", "Jo Lane"), ("what", "We were late: nobody chased.")])
        .says(303, &[]);
    let again = page.act("answer-draft", &[]);
    assert!(
        again.contains("sen  sent back, by Jo Lane") && again.contains("sen  waiting, by Jo Lane"),
        "{again}"
    );
    // What comes to mind later is added.
    page.send(&path, &cookie, &[("name", "Pat Lowe"), ("what", "The plan went out today.")])
        .says(303, &[]);
    assert_eq!(page.act("answer-draft", &[]).matches("waiting").count(), 2);
    page.act("accept-answer", &["--service", "sen"]);
    assert_eq!(page.act("answer-draft", &[]).matches("confirmed").count(), 2);
}

#[test]
fn points_are_answered_one_by_one() {
    let page = Page::start();
    page.act("part", &["--service", "sen", "--points", "delay,staff_conduct"]);
    let link = page.link();
    let cookie = page.unlock(&link);
    page.get(&link, &cookie).says(200, &["Points for you to answer", "<li>Delayed service</li>"]);
    let path = format!("{link}/1/answer");
    let half = [("name", "Jo"), ("finding-0", "upheld"), ("why-0", "It was late.")];
    page.send(&path, &cookie, &half).says(
        422,
        &[
            "href=\"#finding-1\"",
            "Say what you found of staff conduct",
            "value=\"upheld\" checked",
            "It was late.",
        ],
    );
    let rest = [("finding-1", "no_finding"), ("why-1", "The officer has left.")];
    page.send(&path, &cookie, &[&half[..], &rest].concat()).says(303, &[]);
    let draft =
        page.desk.objects(&["-q", "case", "answer-draft", "--json", &page.reference]).remove(0);
    let answer = &draft["answers"][0];
    assert_eq!(answer["points"][0]["finding"], "upheld");
    assert_eq!(answer["points"][1]["why"], "The officer has left.");
    let met: Vec<&Value> =
        answer["checks"].as_array().unwrap().iter().map(|check| &check["met"]).collect();
    assert_eq!(
        met,
        [&Value::Bool(true), &Value::Bool(true), &Value::Bool(false), &Value::Bool(true)]
    );
}

#[test]
fn settings_may_leave_out_the_code_and_the_officer() {
    let page = Page::with("[answers]\nconfirm = false\n");
    let link = page.link();
    let cookie = page.unlock(&link);
    page.send(&format!("{link}/1/answer"), &cookie, &[("name", "Jo"), ("what", "We were late.")])
        .says(303, &[]);
    assert!(page.tasks().contains("a service answered: check it and write to the customer"));
    assert!(page.act("answer-draft", &[]).contains("sen  confirmed, by Jo"));

    // Where there is no page, letters carry no link, and its paths are not there.
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    for file in std::fs::read_dir(desk.path("outbox")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("/a/"), "{text}");
    }
}
