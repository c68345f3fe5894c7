//! `postern user …` and the API, as a program uses them. Whatever is answered is checked against what the
//! served document says of it.

#[path = "api/accounts.rs"]
mod accounts;
#[path = "api/acts.rs"]
mod acts;
#[path = "api/document.rs"]
mod document;
#[path = "api/reading.rs"]
mod reading;
#[path = "api/work.rs"]
mod work;

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::free_port::free_port;
use super::support::http::{self, Answer};
use super::{Desk, SETTINGS, complaint, deliver};

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
        if let (Some(items), Some(parts)) = (value.as_array(), schema["prefixItems"].as_array()) {
            assert_eq!(items.len(), parts.len(), "{place}: {schema}");
            return items.iter().zip(parts).for_each(|(item, part)| self.fits(part, item, place));
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
