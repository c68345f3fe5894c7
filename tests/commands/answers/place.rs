//! Who is asked for the code: everybody, whoever sits outside the council's network, or nobody.

use super::{Page, Says, listens};
use crate::finished;

#[test]
fn who_sits_inside_is_asked_for_no_code_and_a_header_is_not_believed() {
    // The test comes from 127.0.0.1.
    let page = Page::with_console("council_networks = [\"127.0.0.0/8\"]\n", "");
    let link = page.link();
    page.get(&link, "").says(200, &["four months late", "Give our answer"]);
    let seen = page.act("answer-draft", &[]);
    assert!(seen.contains(" for sen, ") && seen.contains(", without a code"), "{seen}");
    // Who comes through something that nobody named is nowhere.
    for name in ["X-Forwarded-For", "Forwarded", "Via"] {
        let through = page.ask("GET", &link, &[(name, "127.0.0.1")], "");
        through.says(200, &["Send the code"]).tells_nothing();
    }
    // An answer goes its way without a code.
    page.send(&format!("{link}/1/answer"), "", &[("name", "Jo"), ("what", "We were late.")])
        .says(303, &[]);
    assert_eq!(page.request()["state"], "answered");
}

#[test]
fn behind_a_proxy_that_is_named_its_word_counts() {
    let keys = "council_networks = [\"10.0.0.0/8\", \"2001:db8:20::/48\"]\n\
                trusted_proxies = [\"127.0.0.1\"]\n";
    let page = Page::with_console(keys, "");
    let link = page.link();
    let from = |name: &str, value: &str| page.ask("GET", &link, &[(name, value)], "");
    for (name, value) in [
        ("X-Forwarded-For", "10.1.2.3"),
        ("X-Forwarded-For", "203.0.113.9, 10.1.2.3"),
        ("Forwarded", "for=\"[2001:db8:20::7]:4711\";proto=https"),
    ] {
        from(name, value).says(200, &["four months late"]);
    }
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "10.1.2.3, 203.0.113.9"),
        ("X-Forwarded-For", "unknown"),
        ("Forwarded", "for=203.0.113.9"),
        ("X-Real-IP", "10.1.2.3"),
    ] {
        let outside = from(name, value);
        outside.says(200, &["Send the code"]);
        outside.tells_nothing();
    }
    page.get(&link, "").says(200, &["Send the code"]).tells_nothing();
    // Who has begun inside and goes on outside is asked for the code; what was typed is there behind it.
    let path = format!("{link}/1/answer");
    let inside =
        [("X-Forwarded-For", "10.1.2.3"), ("Content-Type", "application/x-www-form-urlencoded")];
    let key = "0".repeat(64);
    let body =
        super::encoded(&[("key", &key), ("name", "Jo"), ("what", "We began."), ("do", "save")]);
    let saved = super::http::ask(page.port, "POST", &path, &inside, body);
    assert_eq!(saved.header("location"), Some(&*format!("{link}/1?saved=1")), "{saved:?}");
    let cookie = page.unlock(&link);
    page.get(&path, &cookie).says(200, &["We began.</textarea>"]);
}

#[test]
fn the_code_may_be_asked_for_always_and_never() {
    let page =
        Page::with_console("answer_code = \"always\"\ncouncil_networks = [\"127.0.0.1\"]\n", "");
    let link = page.link();
    page.get(&link, "").says(200, &["Send the code"]).tells_nothing();

    let mut page = Page::with_console("answer_code = \"never\"\n", "");
    let link = page.link();
    page.get(&link, "").says(200, &["four months late"]);
    assert!(page.act("answer-draft", &[]).contains(", without a code"));
    page.stop();
    let ran = finished(page.desk.command(&["check"]));
    let told = "postern.toml, line ";
    assert!(ran.status == 0 && ran.err.contains("console.answer_code is `never`"), "{ran:?}");
    assert!(ran.err.contains(told) && ran.err.contains("write `outside`"), "{ran:?}");
    page.child = super::serve(&page.desk, page.port);
    listens(page.port);
}
