//! Who gets in: links, codes, sessions, and what a page lets others do.

use std::collections::BTreeMap;

use super::{Later, Page, Says, THEIRS, code_in, encoded, link_in, link_in_or_none, serve};
use crate::{complaint, deliver};

#[test]
fn what_machines_open_changes_nothing() {
    let page = Page::start();
    let link = page.link();
    let before = (page.show(), page.mails().len(), page.tasks());
    for _ in 0..5 {
        for path in [
            "",
            "/1",
            "/code",
            "/1/accept",
            "/1/not-ours",
            "/1/more-time",
            "/1/away",
            "/1/answer",
            "/1/answer/check",
            "/1?sent=accept",
        ] {
            let path = format!("{link}{path}");
            for method in ["GET", "HEAD"] {
                let prefetch = [("Sec-Purpose", "prefetch"), ("Purpose", "prefetch")];
                let answer = page.ask(method, &path, &prefetch, "");
                assert!([200, 303].contains(&answer.status), "{method} {path}: {answer:?}");
                answer.tells_nothing();
            }
        }
        for path in ["/code/check", "/new-link"] {
            page.get(&format!("{link}{path}"), "").says(405, &[]);
        }
    }
    // A scanner that fills in and sends forms has no code to type, and no name.
    page.send(&format!("{link}/1/accept"), "", &[])
        .says(422, &["Error: Enter your name", "href=\"#name\""]);
    assert_eq!((page.show(), page.mails().len(), page.tasks()), before);
}

#[test]
fn codes_are_few_and_are_tried_a_few_times() {
    let page = Page::start();
    let link = page.link();
    page.get(&format!("{link}/1/answer"), "").says(303, &[]);
    page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    let code = code_in(&page.waits_for("Your code", 1).remove(0).2);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let refused = page.post(&format!("{link}/code/check"), "", &[("code", wrong)]);
        refused.says(422, &["does not open this page", "<title>Error: "]);
        assert_eq!(refused.header("set-cookie"), None);
    }
    // The right one opens nothing any more.
    page.post(&format!("{link}/code/check"), "", &[("code", &code)]).says(422, &["does not open"]);
    // A code opens the link that it was asked for, and no other.
    let mails = page.mails();
    let links: Vec<String> = mails
        .iter()
        .filter(|one| one.1.starts_with("Please answer"))
        .map(|one| link_in(&one.2))
        .collect();
    assert!(links.len() > 1 && links[0] != links[1], "each recipient has their own: {links:?}");
    let cookie = page.unlock(&link);
    let other = links.iter().find(|one| **one != link).unwrap();
    page.get(other, &cookie).says(200, &["Send the code"]).tells_nothing();
    page.get(&link, "postern_answer=made-up").says(200, &["Send the code"]).tells_nothing();
    for _ in 0..3 {
        page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    }
    page.post(&format!("{link}/code"), "", &[]).says(429, &["as many codes as we may"]);
    page.waits_for("Your code", 5);
}

#[test]
fn links_that_open_nothing_are_all_alike() {
    let page = Page::start();
    let link = page.link();
    let last = link.chars().last().unwrap();
    let tampered = format!("{}{}", &link[..link.len() - 1], if last == '0' { '1' } else { '0' });
    let made_up = format!("/a/{}", "0".repeat(52));
    let mut seen = BTreeMap::new();
    for path in [&*tampered, &*made_up, "/a/x", "/a/%3Cscript%3E"] {
        let gone = page.get(path, "");
        gone.says(404, &["This link does not work", "Send a new link"]).tells_nothing();
        assert!(!gone.text.contains("<script"), "{}", gone.text);
        // Its form goes back to the same token; what could be none is not repeated.
        let action = gone.text.split("action=\"/a/").nth(1).unwrap().split('/').next().unwrap();
        assert!(*path == *format!("/a/{action}") || action == "none", "{path} {action}");
        let alike = gone.text.replace(&format!("/a/{action}/"), "/a/TOKEN/");
        seen.insert(alike, path.to_owned());
        let asked = page.post(&format!("{path}/new-link"), "", &[]);
        asked.says(200, &["Look in your mailbox"]);
    }
    assert_eq!(seen.len(), 1, "one page for all: {seen:?}");
    page.get(&format!("{link}/2"), "").says(404, &["This link does not work"]);
    // One that works is not replaced because somebody says that it does not.
    page.post(&format!("{link}/new-link"), "", &[]).says(200, &["Look in your mailbox"]);
    page.get(&link, "").says(200, &["Send the code"]);
    assert!(page.mails().iter().all(|one| !one.1.contains("new link")), "{:?}", page.mails());
}

#[test]
fn pages_keep_to_themselves() {
    let page = Page::start();
    let link = page.link();
    let answer = page.get(&link, "");
    let policy = answer.header("content-security-policy").unwrap();
    for part in
        ["default-src 'none'", "style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let path = format!("{link}/1/accept");
    let key = page.key(&path, "");
    let body = encoded(&[("key", &key), ("name", "Jo")]);
    for (name, value) in [("Origin", "https://elsewhere.example"), ("Sec-Fetch-Site", "cross-site")]
    {
        assert_eq!(page.ask("POST", &path, &[(name, value)], &body).status, 403);
    }
    assert_eq!(page.request()["state"], "asked");
    // As a browser sends it from a page that keeps its address to itself.
    let own = [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")];
    page.ask("POST", &path, &own, &body).says(303, &[]);
    assert_eq!(page.request()["state"], "accepted");
    // The page of the register is another, with its own policy.
    assert!(page.get("/", "").header("content-security-policy").unwrap().contains("unsafe-inline"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_dies_and_another_goes_to_the_same_mailbox() {
    let page = Page::start();
    let (link, mut mails) = (page.link(), page.mails());
    mails.retain(|one| link_in_or_none(&one.2) == Some(link.clone()));
    let to = mails[0].0.clone();
    let later = Later::days(page, 100).await;
    later.page.get(&link, "").says(404, &["This link does not work"]).tells_nothing();
    let accept = [("key", &*"0".repeat(64)), ("name", "Jo")];
    later
        .page
        .post(&format!("{link}/1/accept"), "", &accept)
        .says(404, &["This link does not work"]);
    later.page.post(&format!("{link}/code"), "", &[]).says(404, &["This link does not work"]);
    for _ in 0..3 {
        later.page.post(&format!("{link}/new-link"), "", &[]).says(200, &["Look in your mailbox"]);
    }
    later.sends().await;
    let mails = later.page.waits_for("Your new link", 1);
    assert_eq!(mails[0].0, to);
    assert!(!mails[0].2.contains(&later.page.reference), "{}", mails[0].2);
    let anew = link_in(&mails[0].2);
    later.page.get(&anew, "").says(200, &["Your answer is late", "Send the code"]).tells_nothing();
    later.page.get(&link, "").says(404, &["This link does not work"]);

    let code = later.code(&anew).await;
    later.passes(16);
    later
        .page
        .post(&format!("{anew}/code/check"), "", &[("code", &code)])
        .says(422, &["does not open"]);
    let code = later.code(&anew).await;
    let opened = later.page.post(&format!("{anew}/code/check"), "", &[("code", &code)]);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    later.page.get(&anew, &cookie).says(200, &["four months late"]);
    // Whoever has typed no code here gets back what they typed when the time is over, and nothing is kept of it.
    let key = later.page.key(&format!("{anew}/1/answer"), &cookie);
    later.passes(8 * 60);
    later.page.get(&anew, &cookie).says(200, &["Send the code"]).tells_nothing();
    let typed = [("key", &*key), ("name", "Jo"), ("what", "A long answer.")];
    let kept = later.page.post(&format!("{anew}/1/answer"), "", &typed);
    kept.says(409, &["The time of your code is over", "A long answer.</textarea>"]);
    assert_eq!(later.page.request()["state"], "asked");
    // While the clock stands still there is no day, and no end.
    later.page.act("pause", &["--for", "proceedings", "--because", "a court has it"]);
    later.passes(200 * 24 * 60);
    later.page.get(&anew, "").says(200, &["There is no day for your answer now"]);
    later.page.act("withdraw", &["--because", "settled"]);
    later.page.get(&anew, "").says(404, &["This link does not work"]);
}

#[test]
fn a_list_has_one_link_to_all_that_is_asked() {
    let mut page = Page::start();
    deliver(&page.desk, 2, complaint(2));
    page.waits_for("Please answer by", 4);
    // Who serves the store sends what is due; the days that come are sent without it.
    page.stop();
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    let digest = (1..40).find_map(|days| {
        let day = today.checked_add(jiff::Span::new().days(days)).unwrap();
        page.desk.run(&["-q", "remind", "--at", &format!("{day}T08:30")]);
        page.mails().into_iter().find(|one| one.2.contains("Open your list"))
    });
    page.child = serve(&page.desk, page.port);
    let (_, subject, text) = digest.expect("a list with a link");
    for word in THEIRS {
        assert!(!subject.contains(word) && !text.contains(word), "{text}");
    }
    let link = link_in(&text);
    let list = page.get(&link, "");
    list.says(
        200,
        &[
            "Your answers: 2 waited for",
            &page.reference,
            &format!("{link}/1"),
            &format!("{link}/2"),
        ],
    );
    list.tells_nothing();
    page.send(&format!("{link}/2/accept"), "", &[("name", "Jo")]).says(303, &[]);
    page.get(&format!("{link}/2"), "").says(200, &["You have accepted it"]);
    page.get(&format!("{link}/1"), "").says(200, &["Accept it and name who will answer"]);
}

#[test]
fn a_link_of_whom_another_area_answers_for_shows_that_it_moved() {
    let page = Page::start();
    let old = page.link();
    page.get(&old, "").says(200, &["Answer by", "for Special educational needs"]);
    let south = ["--service", "sen", "--area", "south", "--because", "they live there"];
    let area = [&["-q", "case", "area", &*page.reference][..], &south].concat();
    page.desk.data(&area);
    page.get(&old, "").says(200, &["This is no longer with you"]).tells_nothing();
    // Two were asked before; two are now, of whom each has a link of their own.
    let mails = page.waits_for("Please answer by", 4);
    let joel = mails.iter().find(|mail| mail.0.starts_with("joel.amberley@")).unwrap();
    let new = link_in(&joel.2);
    page.get(&new, "").says(200, &["Answer by", "for SEN South"]).tells_nothing();
    page.send(&format!("{new}/1/accept"), "", &[("name", "Jo")]).says(303, &[]);
    let requests = page.show()["requests"].clone();
    assert_eq!(
        (&requests[0]["state"], &requests[1]["state"]),
        (&"cancelled".into(), &"accepted".into())
    );
}
