//! The work of the team, and what comes from the Ombudsman.

use serde_json::json;

use super::{Served, Told};

#[test]
fn the_work_is_shown_shared_and_given_by_hand() {
    let served = Served::start();
    let open = || {
        let all = served.get("/api/v1/workload").json();
        let all = all["workload"].as_array().unwrap().clone();
        all.iter().map(|one| json!([one["officer"], one["open"]])).collect::<Vec<_>>()
    };
    assert_eq!(open(), [json!(["ann", 1]), json!(["bob", 1]), json!(["nobody", 0])]);
    let mine = served.get("/api/v1/cases?owner=bob").json();
    let case = &mine["cases"][0];
    assert_eq!((mine["cases"].as_array().unwrap().len(), &case["owner"]), (1, &json!("bob")));
    let reference = case["reference"].as_str().unwrap();
    let version = case["version"].as_i64().unwrap();
    let assign =
        |to: &str, version| served.act(reference, version, &json!({"act": "assign", "to": to}));
    assign("eve", version).is(422, "name one of ann, bob");
    assign("bob", version).is(409, "the case is with bob already");
    assign("ann", version).is(200, "is with ann");
    assign("bob", version).is(412, "somebody changed the case meanwhile");
    assert_eq!(served.get("/api/v1/cases?owner=nobody").json()["cases"], json!([]));
    assert_eq!(open()[0], json!(["ann", 2]));

    let path = "/api/v1/workload/rebalance";
    let planned = served.post(path, &json!({"dry_run": true})).json();
    assert_eq!(planned["moves"].as_array().unwrap().len(), 1, "{planned}");
    assert_eq!(open()[0], json!(["ann", 2]), "only said");
    let done = served.post(path, &json!({"because": "bob has room"})).json();
    assert_eq!(done["moves"][0]["to"], "bob", "{done}");
    assert_eq!(open(), [json!(["ann", 1]), json!(["bob", 1]), json!(["nobody", 0])]);
    served.post(path, &json!({"from": "eve"})).is(422, "no officer `eve`");
    served.post(path, &json!({"frm": "ann"})).is(422, "unknown field `frm`");
    let reader = format!("Bearer {}", served.reader);
    served.ask("POST", path, &[("Authorization", &reader)], "{}").is(403, "only read");
}

#[test]
fn what_comes_from_the_ombudsman_is_listed_recorded_and_acted_on() {
    let served = Served::start();
    let reference = served.references().remove(0);
    assert_eq!(served.get("/api/v1/ombudsman").json()["cases"], json!([]));
    served.get("/api/v1/ombudsman?every=1").is(400, "every");
    let contact = json!({"step": "contact", "kind": "enquiry", "theirs": "25 012 345"});
    served.post("/api/v1/ombudsman", &contact).is(200, "contact 1 on case 1");
    served.post("/api/v1/ombudsman", &json!({"step": "none"})).is(422, "GET /api lists");
    let answered = json!({"step": "answered", "contact": 9});
    served.post("/api/v1/ombudsman", &answered).is(422, "there is no contact 9");

    let decision = json!({"step": "decision", "number": 1, "outcome": "upheld"});
    let on_case = json!({"act": "ombudsman", "wanted": decision});
    served.act(&reference, 0, &on_case).is(412, "meanwhile");
    let version = served.case(&reference)["version"].as_i64().unwrap();
    served.act(&reference, version, &on_case).is(409, "link it to NCC-");
    served.act(&reference, version, &json!({"act": "link", "number": 1})).is(200, "is about NCC-");
    served.act(&reference, version + 1, &on_case).is(200, "upheld");
    served.post("/api/v1/ombudsman", &decision).is(409, "recorded already");
    let case = served.case(&reference);
    assert_eq!(case["version"], version + 2);
    assert_eq!(case["ombudsman"][0]["outcome"], "upheld");
    let list = served.get("/api/v1/ombudsman?all=true").json();
    assert_eq!(list["cases"][0]["reference"], reference.as_str());
    let token = format!("Bearer {}", served.reader);
    let refused = served.ask("POST", "/api/v1/ombudsman", &[("Authorization", &token)], "{}");
    refused.is(403, "may only read");
}
