//! What a program reads: the same as the terminal says.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Served, Told};
use crate::deliver;

#[test]
fn a_program_reads_what_the_terminal_says() {
    let served = Served::start();
    let desk = &served.desk;
    let terminal =
        |arguments: &[&str]| desk.objects(&[&["-q", "case"][..], arguments, &["--json"]].concat());
    let list = served.get("/api/v1/cases").json();
    assert_eq!(list["cases"], json!(terminal(&["list"])));
    assert_eq!(list["next"], Value::Null);
    let reference = &*served.references()[0];
    let case = served.get(&format!("/api/v1/cases/{reference}"));
    assert_eq!(case.json(), terminal(&["show", reference])[0]);
    assert_eq!(case.header("etag"), Some(&*format!("\"{}\"", case.json()["version"])));
    let loose = reference.to_lowercase().replace('-', "%20");
    assert_eq!(served.case(&loose)["reference"], reference, "any spelling");
    let clock = served.get(&format!("/api/v1/cases/{reference}/clock"));
    assert_eq!(clock.json(), terminal(&["clock", reference])[0]);
    let waiting = served.get("/api/v1/waiting").json();
    assert_eq!(waiting["waiting"], json!(terminal(&["list", "--waiting"])));
    assert!(!waiting["waiting"].as_array().unwrap().is_empty());

    // A page at a time.
    let first = served.get("/api/v1/cases?limit=1").json();
    assert_eq!(first["cases"].as_array().unwrap().len(), 1);
    let next = first["next"].as_str().unwrap();
    let second = served.get(&format!("/api/v1/cases?limit=1&after={next}")).json();
    assert_eq!(json!([first["cases"][0], second["cases"][0]]), list["cases"]);
    assert_eq!(second["next"], Value::Null);
    for (query, count) in [("overdue=true", 0), ("status=closed", 0), ("all=true", 2)] {
        let page = served.get(&format!("/api/v1/cases?{query}")).json();
        assert_eq!(page["cases"].as_array().unwrap().len(), count, "{query}");
    }
    for (query, words) in [
        ("limit=0", "1 to 500"),
        ("limit=many", "limit"),
        ("status=lost", "expected one of `open`"),
        ("after=NCC-2026-00412-7", "names no case"),
        ("after=x", "names no case"),
        ("late=true", "unknown field `late`"),
    ] {
        served.get(&format!("/api/v1/cases?{query}")).is(400, words);
    }
    what_was_agreed(&served);
    served.get("/api/v1/cases/NCC-2026-00412-7").is(404, "there is no case NCC-2026-00412-7");
    served.get("/api/v1/cases/nonsense/clock").is(404, "NCC-2026-00412-7");
    served.get("/api/v1/cases/%FF").is(404, "");
    served.get("/api/v1/nothing").is(404, "nothing is here");
    served.get("/api/v2").is(404, "");
    let other = served.ask("DELETE", &format!("/api/v1/cases/{reference}"), &[], "");
    other.is(405, "");
    assert_eq!(other.header("allow"), Some("GET,HEAD"));
}

/// Actions, agreed by a program and read by it.
fn what_was_agreed(served: &Served) {
    let reference = &*served.references()[0];
    for (number, owner) in [(1, json!(null)), (2, json!("Sam Reed"))] {
        let wanted = json!({"move": "agree", "what": "train the team", "service": "sen",
            "owner": owner, "due_on": format!("2027-06-0{number}")});
        let version = served.case(reference)["version"].as_i64().unwrap();
        let done = served.act(reference, version, &json!({"act": "action", "wanted": wanted}));
        assert_eq!(done.status, 200, "{done:?}");
    }
    let list = served.get("/api/v1/actions").json();
    assert_eq!(list["actions"], json!(served.desk.objects(&["-q", "case", "actions", "--json"])));
    assert_eq!(list["actions"], served.case(reference)["actions"]);
    let first = served.get("/api/v1/actions?limit=1").json();
    let rest = served.get(&format!("/api/v1/actions?after={}", first["next"])).json();
    assert_eq!(json!([first["actions"][0], rest["actions"][0]]), list["actions"]);
    assert_eq!(rest["next"], Value::Null);
    for (query, count) in [
        ("overdue=true", 0),
        ("service=sen", 2),
        ("service=fostering", 0),
        ("owner=sam%20reed", 1),
        ("owner=theodora.lyle@northmere.example", 1),
        ("all=true", 2),
    ] {
        let page = served.get(&format!("/api/v1/actions?{query}")).json();
        assert_eq!(page["actions"].as_array().unwrap().len(), count, "{query}");
    }
    for (query, words) in [
        ("limit=501", "1 to 500"),
        ("after=99", "names no action"),
        ("service=x", "name one of"),
        ("late=true", "unknown field `late`"),
    ] {
        served.get(&format!("/api/v1/actions?{query}")).is(400, words);
    }
}

#[test]
fn a_services_answer_is_read_and_decided_by_a_program_too() {
    let served = Served::start();
    let reference = &*served.references()[0];
    let answer = format!(
        "From: SEN <sen-complaints@northmere.example>\r\nTo: complaints@northmere.example\r\n\
         Subject: Re: {reference}\r\nMessage-ID: <answer@northmere.example>\r\n\
         Date: Tue, 17 Nov 2026 09:00:00 +0000\r\n\r\nUpheld. The plan was late. It is out today.\r\n\r\n{reference}\r\n"
    );
    let path = format!("/api/v1/cases/{reference}/answers");
    assert_eq!(served.get(&path).json()["answers"], json!([]));
    let version = served.case(reference)["version"].as_i64().unwrap();
    let accept = json!({"act": "accept_answer", "service": "sen"});
    served.act(reference, version, &accept).is(409, "no answer of sen waits");
    deliver(&served.desk, 9, answer);
    let began = Instant::now();
    while served.get(&path).json()["answers"][0].is_null() {
        assert!(began.elapsed() < Duration::from_mins(2), "no answer is taken");
        std::thread::sleep(Duration::from_millis(100));
    }
    let told = served.get(&path);
    assert_eq!(told.header("etag"), Some(&*format!("\"{version}\"")), "mail counts up nothing");
    let one = &told.json()["answers"][0];
    assert_eq!((&one["state"], &one["service"]), (&json!("waiting"), &json!("sen")));
    let back = json!({"act": "send_back", "service": "sen", "note": "By whom?"});
    served.act(reference, version, &back).is(200, "sent back");
    served.act(reference, version + 1, &back).is(409, "given no answer");
    assert_eq!(served.get(&path).json()["answers"][0]["note"], "By whom?");
}
