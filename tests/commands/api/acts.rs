//! What a program does, and what it is told where that cannot be done.

use serde_json::{Value, json};

use super::{Served, Told};

#[test]
fn of_two_officers_at_once_the_second_is_told() {
    let served = Served::start();
    let reference = &*served.references()[0];
    let before = served.case(reference);
    let version = before["version"].as_i64().unwrap();
    let ask = json!({"act": "ask", "service": "fostering"});
    let correct = json!({"act": "correct", "because": "the law says so",
        "changes": {"record_type": "children_act_complaint"}});
    let both = std::thread::scope(|scope| {
        let acts = [&ask, &correct];
        let acts = acts.map(|act| scope.spawn(|| served.act(reference, version, act)));
        acts.map(|act| act.join().unwrap())
    });
    let mut statuses = both.each_ref().map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{both:?}");
    let told = both.iter().find(|answer| answer.status == 412).unwrap().json();
    assert_eq!(told["version"], version + 1);
    assert!(told["instead"].as_str().unwrap().contains("GET the case again"), "{told}");
    let after = served.case(reference);
    let asked = after["requests"].as_array().unwrap().len() == 2;
    assert_eq!(
        after["record_type"] == before["record_type"],
        asked,
        "one of them was done: {after}"
    );
    assert_eq!(after["version"], version + 1);

    // What is done by one who has looked again names the officer, and who is chased no more.
    let done = served.act(reference, version + 1, &json!({"act": "respond", "note": "a letter"}));
    done.is(200, "is answered");
    assert_eq!(done.json()["version"], version + 2);
    assert_eq!(done.header("etag"), Some(&*format!("\"{}\"", version + 2)));
    let case = served.case(reference);
    assert_eq!((&case["status"], &case["version"]), (&json!("answered"), &json!(version + 2)));
    assert!(case["requests"].as_array().unwrap().iter().all(|one| one["state"] == "cancelled"));
    let last = case["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["by"], json!({"officer": "Pat Lee"}));
    let close = served.act(reference, version, &json!({"act": "close", "because": "x"}));
    close.is(412, "meanwhile");
    let since = close.json()["since"].as_array().unwrap().clone();
    assert_eq!(since.last(), Some(last), "what was done is told: {since:?}");
    assert!(since.len() >= 2 && since.len() < case["events"].as_array().unwrap().len());
    let still = served.case(reference);
    for part in ["events", "status", "version", "record_type", "requests"] {
        assert_eq!(still[part], case[part], "nothing is overwritten");
    }
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let served = Served::start();
    let references = served.references();
    let reference = &*references[0];
    let version = served.case(reference)["version"].as_i64().unwrap();
    let act = |body: Value| served.act(reference, version, &body);
    let close = act(json!({"act": "close", "because": "x"}));
    close.is(409, "not answered yet");
    assert!(close.json()["instead"].as_str().unwrap().contains("answer it"), "{close:?}");
    act(json!({"act": "turn", "wanted": {"move": "resume"}, "because": "x"})).is(409, "instead");
    act(json!({"act": "ask", "service": "parking"})).is(422, "childrens_social_work");
    act(json!({"act": "merge", "into": "NCC-2026-00412-7", "because": "x"})).is(422, "no case");
    act(json!({"act": "merge", "into": "x", "because": "x"})).is(422, "NCC-2026-00412-7");
    act(json!({"act": "correct", "changes": {}, "because": "x"})).is(422, "record_type, services");
    act(json!({"act": "correct", "changes": {"due": "x"}, "because": "x"})).is(422, "`services`");
    act(json!({"act": "respond"})).is(422, "missing field `note`");
    let area = |area: Value| json!({"act": "area", "service": "sen", "area": area, "because": "x"});
    act(area(json!("east"))).is(422, "sen has no area `east`");
    act(json!({"act": "respond", "note": "x", "letter": 1})).is(422, "unknown field `letter`");
    act(json!({"act": "turn", "wanted": {"move": "pause", "why": "tea"}, "because": "x"}))
        .is(422, "awaiting_customer");
    act(json!({"act": "eat"})).is(422, "expected one of `correct`, `adjust`, `answered`");
    act(json!([])).is(422, "GET /api");
    act(json!({"act": "respond", "note": "x".repeat(66_000)})).is(413, "65536 bytes");

    let path = format!("/api/v1/cases/{reference}/acts");
    served.post(&path, &json!({"act": "respond", "note": "x"})).is(428, "If-Match");
    let token = format!("Bearer {}", served.officer);
    let tagged = |tag: &str, body: &str| {
        served.ask("POST", &path, &[("Authorization", &token), ("If-Match", tag)], body)
    };
    for tag in ["3", "*", "\"x\"", "W/\"3\""] {
        tagged(tag, "{}").is(400, "no version of a case");
    }
    tagged(&format!("\"{version}\""), "act=close").is(400, "no JSON");
    served.act("NCC-2026-00412-7", 1, &json!({"act": "eat"})).is(404, "there is no case");
    assert_eq!(served.case(reference)["version"], version, "nothing was done");

    // Messages and suggestions.
    let waiting = served.get("/api/v1/waiting").json();
    let waiting = waiting["waiting"].as_array().unwrap();
    let suggestion = waiting.iter().find(|one| one["waiting"] == "suggestion").unwrap();
    let decline = format!("/api/v1/suggestions/{}/decline", suggestion["id"]);
    served.post(&decline, &Value::Null).is(200, "is declined");
    served.post(&decline, &Value::Null).is(409, "GET /api/v1/waiting");
    served.post("/api/v1/messages/1/split", &Value::Null).is(409, "has opened a case already");
    served.post("/api/v1/messages/1/retry", &Value::Null).is(409, "is not in quarantine");
    served.post("/api/v1/messages/one/retry", &Value::Null).is(404, "no number");

    // What the clock does is seen at once.
    let pause = json!({"act": "turn", "because": "asked which school",
        "wanted": {"move": "pause", "why": "awaiting_customer"}});
    act(pause).is(200, "stands still");
    assert_eq!(served.case(reference)["due"], Value::Null);
    let clock = served.get(&format!("/api/v1/cases/{reference}/clock")).json();
    assert_eq!(clock["pauses"][0]["why"], "awaiting_customer");
    let back = json!({"act": "turn", "wanted": {"move": "take_back", "number": 1}, "because": "x"});
    served.act(reference, version + 1, &back).is(200, "is due by");
    let merge = json!({"act": "merge", "into": references[1], "because": "the same"});
    served.act(reference, version + 2, &merge).is(200, "is merged into");
    served
        .act(reference, version + 3, &json!({"act": "separate", "because": "x"}))
        .is(200, "again");
}
