//! `postern user …` and the API, as a program uses them. Whatever is answered is checked against what the
//! served document says of it.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::free_port::free_port;
use super::support::http::{self, Answer};
use super::{Desk, SETTINGS, complaint, deliver, root};

/// A running gateway with two cases and two accounts.
struct Served {
    desk: Desk,
    port: u16,
    child: Child,
    document: Value,
    officer: String,
    reader: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is asked of an answer here.
trait Told {
    fn json(&self) -> Value;
    fn is(&self, status: u16, words: &str);
}

impl Told for Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// That it is refused with this status and these words, in `error` or `instead`.
    #[track_caller]
    fn is(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.text.contains(words), "not {words:?}: {self:?}");
        if status >= 400 {
            assert!(self.json()["error"].is_string(), "{self:?}");
        }
    }
}

impl Served {
    fn start() -> Self {
        let port = free_port();
        let settings = SETTINGS.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        let team = super::officers::officer("ann", "") + &super::officers::officer("bob", "");
        let desk = super::officers::desk_of(&settings, &team);
        for number in 1..=2 {
            deliver(&desk, number, complaint(number));
        }
        desk.data(&["-q", "serve", "--once"]);
        let token = |arguments: &[&str]| {
            desk.data(&[&["-q", "user", "add"][..], arguments].concat()).trim().to_owned()
        };
        let (officer, reader) = (token(&["Pat Lee"]), token(&["board", "--role", "reader"]));
        let child = desk.command(&["-q", "serve"]).stderr(Stdio::null()).spawn().unwrap();
        let mut served = Self { desk, port, child, document: Value::Null, officer, reader };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_mins(2), "it does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        served.document = served.ask("GET", "/api/openapi.json", &[], "").json();
        served
    }

    /// Sends a request as it stands.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = http::ask(self.port, method, path, headers, body);
        self.as_documented(method, path, &answer);
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("Authorization", &format!("Bearer {}", self.reader))], "")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let token = format!("Bearer {}", self.officer);
        self.ask("POST", path, &[("Authorization", &token)], &body.to_string())
    }

    fn act(&self, reference: &str, version: i64, body: &Value) -> Answer {
        let (token, tag) = (format!("Bearer {}", self.officer), format!("\"{version}\""));
        let headers = [("Authorization", &*token), ("If-Match", &*tag)];
        self.ask("POST", &format!("/api/v1/cases/{reference}/acts"), &headers, &body.to_string())
    }

    fn case(&self, reference: &str) -> Value {
        self.get(&format!("/api/v1/cases/{reference}")).json()
    }

    fn references(&self) -> Vec<String> {
        let list = self.get("/api/v1/cases").json();
        let cases = list["cases"].as_array().unwrap();
        cases.iter().map(|case| case["reference"].as_str().unwrap().to_owned()).collect()
    }

    /// That the document knows this answer: its status, and what it holds.
    fn as_documented(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap();
        let same = |template: &str| {
            let (one, other) = (template.split('/'), path.split('/'));
            one.clone().count() == other.clone().count()
                && one.zip(other).all(|(one, other)| one.starts_with('{') || one == other)
        };
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let Some((_, item)) = paths.into_iter().find(|(template, _)| same(template)) else {
            return;
        };
        let Some(operation) = item.get(method.to_lowercase()) else {
            return assert_eq!(answer.status, 405, "{answer:?}");
        };
        let documented = &operation["responses"][answer.status.to_string()];
        assert!(documented.is_object(), "{method} {path}: {} is not listed", answer.status);
        let content = &documented["content"]["application/json"]["schema"];
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
        self.fits(content, &answer.json(), path);
        if documented["headers"]["ETag"].is_object() {
            assert!(answer.header("etag").is_some(), "{answer:?}");
        }
    }

    /// That a value is what a schema says: each field is known, none that it requires is missing.
    fn fits(&self, schema: &Value, value: &Value, place: &str) {
        let schema = self.resolved(schema);
        if let Some(several) = schema["oneOf"].as_array() {
            let null = value.is_null() && several.iter().any(|one| one["type"] == "null");
            let named: Vec<&Value> = several.iter().filter(|one| one["type"] != "null").collect();
            // Of several shapes the one with the value's own tag.
            let one = named.iter().find(|one| {
                let one = self.properties(one);
                if !value.is_object() {
                    return one.is_empty();
                }
                value.as_object().into_iter().flatten().all(|(key, value)| {
                    one.iter().any(|(name, schema)| {
                        name == key
                            && schema["enum"].as_array().is_none_or(|all| all.contains(value))
                    })
                })
            });
            assert!(null || one.is_some(), "{place}: {value} is none of {schema}");
            if null {
                return;
            }
            return one.into_iter().for_each(|one| self.fits(one, value, place));
        }
        if let Some(items) = value.as_array() {
            assert!(schema["items"].is_object(), "{place}: {schema}");
            return items.iter().for_each(|item| self.fits(&schema["items"], item, place));
        }
        let properties = self.properties(schema);
        let Some(object) = value.as_object().filter(|_| !properties.is_empty()) else {
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                Value::String(_) => "string",
                Value::Array(_) | Value::Object(_) => "object",
            };
            let types = &schema["type"];
            let fits =
                types == kind || types.as_array().is_some_and(|all| all.contains(&json!(kind)));
            assert!(fits || (types == "number" && kind == "integer"), "{place}: {value}, {schema}");
            let values = schema["enum"].as_array();
            assert!(values.is_none_or(|all| all.contains(value)), "{place}: {value}, {schema}");
            return;
        };
        for (name, value) in object {
            // A tag stands in each of several shapes, with another value.
            let allows =
                |schema: &Value| schema["enum"].as_array().is_none_or(|all| all.contains(value));
            let known = || properties.iter().filter(|(known, _)| known == name);
            let known = known().find(|(_, schema)| allows(schema)).or_else(|| known().next());
            let (_, schema) = known.unwrap_or_else(|| panic!("{place}: {name} is not documented"));
            self.fits(schema, value, &format!("{place} {name}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(required.as_str().unwrap()), "{place}: no {required}");
        }
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.document.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    fn properties<'a>(&'a self, schema: &'a Value) -> Vec<(String, &'a Value)> {
        let schema = self.resolved(schema);
        let own = schema["properties"].as_object().into_iter().flatten();
        let own = own.map(|(name, value)| (name.clone(), value));
        // What stands beside one of several shapes is one object with it.
        let parts = ["allOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array());
        own.chain(parts.flatten().flat_map(|part| self.properties(part))).collect()
    }
}

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
