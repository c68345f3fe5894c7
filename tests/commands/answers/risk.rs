//! A child may be at risk by what a service writes, by mail or on its page: somebody is called at once.

use super::{Later, Page, Says};
use crate::deliver;

/// An answer that tells of danger beside what it was asked.
const RISK: &str = "Point 1: upheld. The plan was late. When we rang, the mother said that she is afraid of what her \
                    partner may do to the children tonight. Nobody has gone round.";
/// One that tells of what is over.
const OVER: &str = "Point 1: not upheld. The social worker visited in June when there was a concern about bruises. The \
                    child was safe and the enquiry ended. We will write by Friday.";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_calls_the_duty_officer_as_a_mail_does() {
    let page = Page::start();
    let link = page.link();
    // What is said of the past calls nobody.
    let quiet = [
        ("name", "Jo"),
        ("why", OVER),
        ("until-day", "4"),
        ("until-month", "12"),
        ("until-year", "2027"),
    ];
    page.send(&format!("{link}/1/more-time"), "", &quiet).says(303, &[]);
    let later = Later::days(page, 0).await;
    let page = &later.page;
    assert!(!page.tasks().contains("child may be at risk"), "{}", page.tasks());

    let why = [("name", "Jo"), ("why", RISK), ("whose", "Children's social work")];
    let key = page.key(&format!("{link}/1/not-ours"), "");
    let fields = [&[("key", &*key)][..], &why].concat();
    for _ in 0..2 {
        page.post(&format!("{link}/1/not-ours"), "", &fields).says(303, &[]);
    }
    let called = "a child may be at risk: read now what a service wrote on its page";
    assert_eq!(page.tasks().matches(called).count(), 1, "{}", page.tasks());
    later.sends().await;
    let subject = format!("Urgent: open case {} now", page.reference);
    let (to, _, text) = page.waits_for(&subject, 1).remove(0);
    assert_eq!(to, "safeguarding-duty@northmere.example");
    assert!(text.contains("Read what a service wrote on its answer page"), "{text}");
    assert!(!text.contains("bruises") && !text.contains("danger"), "{text}");

    // Nobody opens it: somebody else is called.
    later.passes(16);
    postern::alarm::tick(&later.gateway).await.unwrap();
    later.sends().await;
    let calls = page.waits_for(&subject, 2);
    let second = calls.iter().find(|one| one.0 != to).expect("somebody else");
    assert!(second.2.contains("Nobody has opened case"), "{}", second.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_it_is_opened_ends_it() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let fields = [("name", "Jo"), ("what", RISK)];
    page.send(&format!("{link}/1/answer"), &cookie, &fields).says(303, &[]);
    page.waits_for("Urgent: open case", 1);
    let files = std::fs::read_dir(page.desk.path("outbox")).unwrap();
    let mut letters = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let call =
        letters.find(|raw| String::from_utf8_lossy(raw).contains("Urgent: open case")).unwrap();
    let call = postern::email::read(&call, &postern::email::Limits::default());
    let reply = format!(
        "From: safeguarding-duty@northmere.example\r\nTo: complaints@northmere.example\r\nSubject: Re: Urgent\r\n\
         Message-ID: <opened@northmere.example>\r\nIn-Reply-To: <{}>\r\n\
         Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\nOPENED\r\n",
        call.message_id.unwrap()
    );
    deliver(&page.desk, 7, reply);
    let began = std::time::Instant::now();
    // It is settled once it is out of the folder.
    while std::fs::read_dir(page.desk.path("mailbox/new")).unwrap().count() > 0 {
        assert!(began.elapsed() < std::time::Duration::from_mins(1));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let later = Later::days(page, 0).await;
    later.passes(30);
    postern::alarm::tick(&later.gateway).await.unwrap();
    later.sends().await;
    later.page.waits_for("Urgent: open case", 1);
}

#[test]
fn a_reply_by_mail_with_the_same_words_calls_too() {
    let page = Page::start();
    let mails = page.mails();
    let asked = mails.iter().find(|one| one.1.starts_with("Please answer")).unwrap();
    let reply = format!(
        "From: {}\r\nTo: complaints@northmere.example\r\nSubject: Re: {}\r\n\
         Message-ID: <reply@northmere.example>\r\nDate: Mon, 16 Nov 2026 08:00:00 +0000\r\n\r\n{RISK}\r\n",
        asked.0, asked.1
    );
    deliver(&page.desk, 7, reply);
    page.waits_for("Urgent: open message", 1);
    assert_eq!(page.request()["state"], "answered", "and it is taken as what it is");
}
