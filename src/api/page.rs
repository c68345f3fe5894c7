//! The document as a page for people: no script, and nothing from elsewhere.

use std::fmt::Write;

use axum::response::Html;
use serde_json::{Map, Value};

use super::document::document;

pub(super) async fn show() -> Html<String> {
    Html(page(&serde_json::to_value(document()).unwrap_or_default()))
}

// Writing to a String cannot fail, here and below.
fn page(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>The API – Postern</title>\
         <style>body{font:16px/1.5 Arial,sans-serif;max-width:56em;margin:2em auto;padding:0 1em}\
         table{border-collapse:collapse;width:100%;margin:1em 0}h2{margin-top:2em}\
         th,td{text-align:left;vertical-align:top;padding:.3em .6em;border-bottom:1px solid #b1b4b6}\
         code{background:#f3f2f1;padding:0 .2em}</style></head><body><main><h1>The API</h1>",
    );
    let about = text(document.pointer("/info/description"));
    for paragraph in about.split("\n\n") {
        let _ = write!(html, "<p>{}</p>", words(paragraph));
    }
    html.push_str(
        "<p>The same for programs: <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p>",
    );
    for (path, item) in entries(document.get("paths")) {
        for (method, operation) in entries(Some(item)) {
            one(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>What is sent and given</h2>");
    for (name, schema) in entries(document.pointer("/components/schemas")) {
        let _ = write!(html, "<h3 id=\"{0}\">{0}</h3>", escaped(name));
        let _ = write!(html, "<p>{}</p>", words(text(schema.get("description"))));
        shape(&mut html, schema);
    }
    html.push_str("</main></body></html>\n");
    html
}

fn one(html: &mut String, path: &str, method: &str, operation: &Value) {
    let (method, path) = (method.to_uppercase(), escaped(path));
    let _ = write!(html, "<h2><code>{method} {path}</code></h2>");
    for part in ["summary", "description"] {
        if let Some(said) = operation.get(part).and_then(Value::as_str) {
            let _ = write!(html, "<p>{}</p>", words(said));
        }
    }
    let parameters = list(operation.get("parameters"));
    if !parameters.is_empty() {
        rows(
            html,
            ["Parameter", "Where", "What"],
            parameters.iter().map(|one| {
                let name = format!("<code>{}</code>", escaped(text(one.get("name"))));
                let value = one.get("schema").map(kind).unwrap_or_default();
                let place = format!("{}: {value}", escaped(text(one.get("in"))));
                [name, place, words(text(one.get("description")))]
            }),
        );
    }
    if let Some(body) = operation.pointer("/requestBody/content/application~1json") {
        let schema = body.get("schema").map(kind).unwrap_or_default();
        let _ = write!(html, "<p>The body is an {schema}, for example:</p>");
        for (_, example) in entries(body.get("examples")) {
            let value = example.get("value").map(ToString::to_string).unwrap_or_default();
            let _ = write!(html, "<p><code>{}</code></p>", escaped(&value));
        }
    }
    rows(
        html,
        ["Answer", "When", "What"],
        entries(operation.get("responses")).map(|(status, response)| {
            let schema = response.pointer("/content/application~1json/schema");
            let what = schema.map(kind).unwrap_or_default();
            [escaped(status), words(text(response.get("description"))), what]
        }),
    );
}

/// What an object holds; of several shapes, what each holds.
fn shape(html: &mut String, schema: &Value) {
    for part in list(schema.get("allOf")) {
        match part.get("$ref") {
            Some(_) => {
                let _ = write!(html, "<p>All of {}, and:</p>", kind(part));
            }
            None => shape(html, part),
        }
    }
    for part in list(schema.get("oneOf")) {
        let _ = write!(html, "<p>{}</p>", words(text(part.get("description"))));
        shape(html, part);
    }
    let properties = schema.get("properties");
    if properties.is_some() {
        rows(
            html,
            ["Field", "Value", "What"],
            entries(properties).map(|(name, value)| {
                let name = format!("<code>{}</code>", escaped(name));
                [name, kind(value), words(text(value.get("description")))]
            }),
        );
    } else if schema.get("type").is_some() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    }
}

/// What kind of value a schema allows.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(schema.get("$ref")).strip_prefix("#/components/schemas/") {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    let either: Vec<&Value> =
        ["oneOf", "allOf"].iter().flat_map(|key| list(schema.get(key))).collect();
    if !either.is_empty() {
        return either.into_iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let values = list(schema.get("enum"));
    if !values.is_empty() {
        let quoted =
            values.iter().map(|value| format!("<code>{}</code>", escaped(text(Some(value)))));
        return quoted.collect::<Vec<_>>().join(", ");
    }
    let named = match schema.get("type") {
        Some(Value::Array(several)) => {
            several.iter().map(|one| text(Some(one))).collect::<Vec<_>>().join(" or ")
        }
        other => text(other).to_owned(),
    };
    if let Some(keys) = schema.get("propertyNames") {
        return format!("{} with any of the keys {}", escaped(&named), kind(keys));
    }
    match (schema.get("items"), schema.get("format").and_then(Value::as_str)) {
        (Some(items), _) => format!("{} of {}", escaped(&named), kind(items)),
        (None, Some(format)) => format!("{} ({})", escaped(&named), escaped(format)),
        (None, None) => escaped(&named),
    }
}

fn rows(html: &mut String, head: [&str; 3], rows: impl Iterator<Item = [String; 3]>) {
    let [one, two, three] = head;
    let _ = write!(
        html,
        "<table><thead><tr><th scope=\"col\">{one}</th><th scope=\"col\">{two}</th>\
         <th scope=\"col\">{three}</th></tr></thead><tbody>"
    );
    for [one, two, three] in rows {
        let _ = write!(html, "<tr><td>{one}</td><td>{two}</td><td>{three}</td></tr>");
    }
    html.push_str("</tbody></table>");
}

fn entries(object: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let object = object.and_then(Value::as_object);
    object.into_iter().flat_map(Map::iter).map(|(key, value)| (key.as_str(), value))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Text whose `words in backticks` are code.
fn words(said: &str) -> String {
    let parts = said.split('`').enumerate();
    parts.fold(String::new(), |html, (place, part)| match place % 2 {
        0 => html + &escaped(part),
        _ => format!("{html}<code>{}</code>", escaped(part)),
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
