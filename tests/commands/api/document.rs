//! The document of it all, beside what is served.

use serde_json::{Value, json};

use super::{Served, Told};
use crate::root;

#[test]
fn the_document_says_all_that_is_served() {
    let served = Served::start();
    let document = &served.document;
    assert_eq!(document["openapi"], "3.1.0");
    let code = std::fs::read_to_string(root().join("src/api/mod.rs")).unwrap();
    let mut routes: Vec<(String, String)> = code
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".route(\"")?.split_once("\", "))
        .filter(|(path, _)| path.starts_with("/api/v1/") && !path.contains('*'))
        .map(|(path, handler)| (path.to_owned(), handler.split('(').next().unwrap().to_owned()))
        .collect();
    let mut listed: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        listed
            .extend(item.as_object().unwrap().keys().map(|method| (path.clone(), method.clone())));
    }
    routes.sort();
    listed.sort();
    assert_eq!(listed, routes);

    let page = served.ask("GET", "/api", &[], "");
    assert_eq!(page.status, 200);
    assert!(
        !page.text.contains("<script") && !page.text.contains("http"),
        "nothing from elsewhere"
    );
    for (path, method) in &listed {
        assert!(page.text.contains(&format!("{} {path}", method.to_uppercase())), "{path}");
        let asked = path.replace("{reference}", &served.references()[0]).replace("{id}", "1");
        let answer = served.ask(&method.to_uppercase(), &asked, &[], "");
        answer.is(401, "no token");
    }
    // Each act that is documented is one, and each that there is is documented.
    let reference = &*served.references()[0];
    let version = served.case(reference)["version"].as_i64().unwrap();
    let acts = "/paths/~1api~1v1~1cases~1{reference}~1acts/post/requestBody/content";
    let examples = &document.pointer(acts).unwrap()["application/json"]["examples"];
    for (name, example) in examples.as_object().unwrap() {
        // Read and understood, and not done on a version that the case never had.
        let answer = served.act(reference, version + 7, &example["value"]);
        assert_eq!(answer.status, 412, "{name}: {answer:?}");
    }
    // What is known of an advocate is said field by field, its two parts of where it stands in their order.
    let advocacy =
        |field: &str| &document["components"]["schemas"]["Advocacy"]["properties"][field];
    assert_eq!(advocacy("offered_on")["type"], json!(["string", "null"]));
    let parts = &advocacy("stands")["prefixItems"];
    assert_eq!(parts[0]["enum"], json!(["offered", "wanted", "declined", "works"]));
    assert_eq!(parts[1]["type"], "string");
    let young = json!({"customer_type": "child_or_young_person"});
    let young = json!({"act": "correct", "changes": young, "because": "x"});
    served.act(reference, version, &young).is(200, "");
    let wanted = json!({"act": "advocacy", "step": "wanted"});
    served.act(reference, version + 1, &wanted).is(200, "");
    let case = served.case(reference);
    assert_eq!(case["advocacy"]["stands"][0], "wanted");
    let version = case["version"].as_i64().unwrap();
    let named = |schema: &str, tag: &str| -> Vec<String> {
        let all = document.pointer(&format!("/components/schemas/{schema}/oneOf"));
        let names = all.and_then(Value::as_array).unwrap().iter();
        names.map(|one| one["properties"][tag]["enum"][0].as_str().unwrap().to_owned()).collect()
    };
    let refused = |body: Value| served.act(reference, version, &body).json()["error"].to_string();
    let known = refused(json!({"act": "none of them"}));
    let moves = refused(json!({"act": "turn", "wanted": {"move": "none of them"}, "because": "x"}));
    for (said, names) in [(known, named("Act", "act")), (moves, named("Move", "move"))] {
        assert!(names.len() > 4, "{names:?}");
        assert_eq!(said.matches('`').count() / 2 - 1, names.len(), "{said}: {names:?}");
        for name in names {
            assert!(said.contains(&format!("`{name}`")) && page.text.contains(&name), "{name}");
        }
    }
}
