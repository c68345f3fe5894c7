//! The page on which an answer is looked at before it is sent.

use super::{Later, Page, Says};

const TYPED: [(&str, &str); 7] = [
    ("name", "Jo <Lane>"),
    ("what", "The advice came late."),
    ("remedy", "We send the plan."),
    ("by-whom", "Sam Hill"),
    ("by-day", "4"),
    ("by-month", "12"),
    ("by-year", "2027"),
];

#[test]
fn an_answer_is_shown_as_it_will_be_sent_and_sent_once() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let (path, one) = (format!("{link}/1/answer"), format!("{link}/1"));
    let check = format!("{path}/check");
    // With nothing typed, and with half of it, there is nothing to check.
    assert_eq!(page.get(&check, &cookie).header("location"), Some(&*one));
    let key = page.key(&path, &cookie);
    page.post(&path, &cookie, &[("key", &key), ("what", "Half.")]).says(422, &["Half.</textarea>"]);
    assert_eq!(page.get(&check, &cookie).header("location"), Some(&*path));
    page.get(&path, &cookie).says(200, &["Half.</textarea>"]);

    let typed = [&[("key", &*key)][..], &TYPED].concat();
    let on = page.post(&path, &cookie, &typed);
    assert_eq!((on.status, on.header("location")), (303, Some(&*check)), "{on:?}");
    let before = (page.show(), page.mails().len(), page.tasks());
    for _ in 0..3 {
        page.get(&check, &cookie).says(
            200,
            &[
                "<h1>Check your answer</h1>",
                "It is not sent yet",
                "The advice came late.",
                "To put right by Saturday 4 December 2027, Sam Hill:",
                "We send the plan.",
                "Sent by: Jo &lt;Lane&gt;",
                "<button>Send the answer</button>",
                &format!("<a href=\"{path}\">Change it</a>"),
            ],
        );
        page.ask("HEAD", &check, &[("Cookie", &cookie)], "");
    }
    assert_eq!((page.show(), page.mails().len(), page.tasks()), before, "a link never acts");
    // Who goes back finds all of it.
    page.get(&path, &cookie).says(200, &["The advice came late.</textarea>", "Jo &lt;Lane&gt;"]);
    // Without the code nothing of it is seen or sent.
    for stranger in ["", "postern_answer=made-up"] {
        page.get(&check, stranger).says(303, &[]).tells_nothing();
        let sent = page.post(&check, stranger, &[("key", &key), ("seen", "x")]);
        assert_eq!(sent.header("location"), Some(&*format!("{link}/code")), "{sent:?}");
    }

    // What was not looked at is not sent.
    let (first, seen) = (page.key(&check, &cookie), page.hidden(&check, &cookie, "seen"));
    let other = [("key", &*key), ("name", "Jo"), ("what", "The advice never came.")];
    page.post(&path, &cookie, &other).says(303, &[]);
    let changed = page.post(&check, &cookie, &[("key", &first), ("seen", &seen)]);
    let again = format!("{check}?changed=1");
    assert_eq!(changed.header("location"), Some(&*again), "{changed:?}");
    page.get(&again, &cookie).says(200, &["has changed since you looked", "never came."]);
    page.post(&check, &cookie, &[("seen", &seen)]).says(409, &["The form was not whole."]);
    assert_eq!((page.show(), page.mails().len(), page.tasks()), before);

    let seen = page.hidden(&check, &cookie, "seen");
    let keys = [page.key(&check, &cookie), page.key(&check, &cookie)];
    std::thread::scope(|scope| {
        // The same form three times, and the page a second time beside it, at one moment.
        for key in [&keys[0], &keys[0], &keys[0], &keys[1]] {
            let (page, check, cookie, seen) = (&page, &check, &cookie, &seen);
            scope.spawn(move || {
                page.post(check, cookie, &[("key", key), ("seen", seen)]).says(303, &[]);
            });
        }
    });
    let draft = page.act("answer-draft", &[]);
    assert_eq!(draft.matches("waiting, by Jo").count(), 1, "{draft}");
    assert!(draft.contains("The advice never came.") && !draft.contains("came late"), "{draft}");
    let sent = page.post(&check, &cookie, &[("key", &keys[0]), ("seen", &seen)]);
    let known = sent.header("location").unwrap();
    assert!(known == one || known == format!("{one}?sent=answer"), "{sent:?}");
    assert_eq!(page.get(&check, &cookie).header("location"), Some(&*one), "nothing is left");
}

#[test]
fn a_copy_goes_to_the_mailbox_of_the_link() {
    let page = Page::start();
    page.act("part", &["--service", "sen", "--points", "delay"]);
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    let key = page.key(&path, &cookie);
    let points =
        [("finding-0", "partly_upheld"), ("why-0", "Late by a month.\r\n\r\nNobody chased it.")];
    let fields = [&[("key", &*key)][..], &TYPED, &points].concat();
    page.upload(&path, &cookie, &fields, &[("plan.txt", "text/plain", b"x")]).says(303, &[]);
    page.confirm(&path, &cookie).says(303, &[]);
    let told = "A copy is on its way to the mailbox of this link.";
    page.get(&format!("{link}/1?sent=answer"), &cookie)
        .says(200, &[&format!("Reference {}. {told}", page.reference)]);
    let (to, subject, text) = page.waits_for("We have your answer", 1).remove(0);
    assert_eq!(subject, format!("We have your answer: {}", page.reference));
    let request = page.mails().into_iter().find(|one| one.2.contains(&link)).unwrap();
    assert_eq!(to, request.0, "to the mailbox of the link and nowhere else");
    for words in [
        "Jo <Lane> sent it for ",
        "Delayed service: partly upheld\n\nLate by a month.\n\nNobody chased it.",
        "The advice came late.",
        "To put right by Saturday 4 December 2027, Sam Hill:\n\nWe send the plan.",
        "Attached on the page: plan.txt.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for word in super::THEIRS {
        assert!(!subject.contains(word) && !text.contains(word), "{word}: {text}");
    }
    // What is added is copied too; what may tell of a child at risk is not sent on.
    let risk = "His stepfather hit him again last night and there are bruises on his arms.";
    page.send(&path, &cookie, &[("name", "Pat"), ("what", risk)]).says(303, &[]);
    let copies = page.waits_for("We have your answer", 2);
    let second = copies.iter().find(|one| one.2.contains("Pat sent it")).expect("a second copy");
    assert!(second.2.contains("stands on the answer page alone"), "{}", second.2);
    assert!(!second.2.contains("bruises"), "{}", second.2);
    page.act("withdraw", &["--because", "settled"]);

    let page = Page::with("[answers]\ncopy_by_email = false\n");
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    page.send(&path, &cookie, &TYPED).says(303, &[]);
    let sent = page.get(&format!("{link}/1?sent=answer"), &cookie);
    sent.says(200, &[&format!("Reference {}.", page.reference)]);
    assert!(!sent.text.contains("A copy is on its way"), "{}", sent.text);
    // What leaves later than a copy would.
    page.unlock(&link);
    page.waits_for("We have your answer", 0);
}

#[test]
fn a_form_that_came_too_late_is_not_said_to_be_sent() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    let check = format!("{path}/check");
    let accept = page.key(&format!("{link}/1/accept"), &cookie);
    let key = page.key(&path, &cookie);
    page.post(&path, &cookie, &[&[("key", &*key)][..], &TYPED].concat()).says(303, &[]);
    let (key, seen) = (page.key(&check, &cookie), page.hidden(&check, &cookie, "seen"));
    page.act("withdraw", &["--because", "settled"]);
    for _ in 0..2 {
        let fields = [("key", &*accept), ("name", "Jo"), ("who", "Sam Hill")];
        page.post(&format!("{link}/1/accept"), &cookie, &fields)
            .says(409, &["no longer waited for", "Sam Hill</textarea>"]);
        let sent = page.post(&check, &cookie, &[("key", &key), ("seen", &seen)]);
        assert_eq!(sent.header("location"), Some(&*format!("{link}/1")), "{sent:?}");
    }
    page.get(&format!("{link}/1"), &cookie).says(200, &["This case is closed"]);
    assert!(!page.act("answer-draft", &[]).contains("by Jo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_loses_no_answer_that_was_to_be_sent() {
    let later = Later::days(Page::start(), 0).await;
    let page = &later.page;
    let link = page.link();
    let path = format!("{link}/1/answer");
    let check = format!("{path}/check");
    let code = later.code(&link).await;
    let opened = page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let key = page.key(&path, &cookie);
    let fields = [("key", &*key), ("name", "Jo"), ("what", "A long answer.")];
    page.upload(&path, &cookie, &fields, &[("plan.txt", "text/plain", b"the plan")]);
    let (key, seen) = (page.key(&check, &cookie), page.hidden(&check, &cookie, "seen"));
    later.passes(8 * 60 + 1);
    let kept = page.post(&check, &cookie, &[("key", &key), ("seen", &seen)]);
    assert_eq!(kept.header("location"), Some(&*format!("{link}/code?kept=1")), "{kept:?}");
    assert_eq!(page.request()["state"], "asked", "it is not sent");
    later.sends().await;
    let mut mails = page.mails();
    mails.retain(|one| one.1.starts_with("Your code"));
    let code = super::code_in(&mails.pop().unwrap().2);
    let opened = page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    page.get(&path, &cookie).says(200, &["A long answer.</textarea>", "Take plan.txt away"]);
    page.confirm(&path, &cookie).says(303, &[]);
    let shown = page.act("answer-draft", &[]);
    assert!(shown.contains("A long answer.") && shown.contains("plan.txt"), "{shown}");
}
