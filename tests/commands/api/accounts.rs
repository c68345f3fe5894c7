//! Whose token opens what.

use serde_json::json;

use super::{Served, Told};

#[test]
fn a_token_opens_the_register_until_its_account_is_disabled() {
    let served = Served::start();
    let cases = "/api/v1/cases";
    let with = |token: &str| served.ask("GET", cases, &[("Authorization", token)], "");
    let none = served.ask("GET", cases, &[], "");
    none.is(401, "Authorization: Bearer TOKEN");
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"postern\""));
    with("Basic cGF0OnBhdA==").is(401, "no token");
    let wrong = format!("Bearer {}0", served.officer);
    with(&wrong).is(401, "opens nothing");
    assert!(with(&wrong).header("www-authenticate").unwrap().contains("invalid_token"));
    for token in [&served.officer, &served.reader] {
        let answer = with(&format!("bearer {token}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
    }

    // A reader reads.
    let path = format!("/api/v1/cases/{}/acts", served.references()[0]);
    let reader = format!("Bearer {}", served.reader);
    let close = json!({"act": "respond", "note": "x"}).to_string();
    for path in [&*path, "/api/v1/messages/1/split", "/api/v1/messages/1/retry"] {
        let refused = served.ask("POST", path, &[("Authorization", &reader)], &close);
        refused.is(403, "an officer's account");
    }
    served.ask("POST", &path, &[], &close).is(401, "no token");

    // The accounts at the terminal.
    let list = served.desk.objects(&["user", "list", "--json"]);
    let told: Vec<_> = list.iter().map(|one| (&one["name"], &one["role"])).collect();
    assert_eq!(told, [(&json!("Pat Lee"), &json!("officer")), (&json!("board"), &json!("reader"))]);
    served.desk.refused(&["-q", "user", "add", "board"], 1, "`postern user disable`");
    served.desk.refused(&["-q", "user", "add", "gateway"], 2, "is not `gateway`");
    served.desk.refused(&["-q", "user", "add", "x", "--role", "admin"], 2, "officer, reader");
    served.desk.data(&["-q", "user", "disable", "board"]);
    served.desk.refused(&["-q", "user", "disable", "board"], 1, "no account board is at work");
    with(&reader).is(401, "its account is disabled");
    assert!(served.desk.data(&["-q", "user", "list"]).contains("board  disabled"));
}
