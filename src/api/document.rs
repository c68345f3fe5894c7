//! The API's description of itself, made from the code that answers.

use axum::response::Response;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{actions, acts, reading, workload};

/// What a person or a program reads first.
const ABOUT: &str = "The register of complaints for other programs. Every request shows a token of \
    `postern user add` as `Authorization: Bearer TOKEN`; the account of a reader may only GET.\n\n\
    What is not done is told: `error` says why not, `instead` what could be done. An act on a case names \
    the version of the case on which it was decided, and is done only if nobody has changed it since.\n\n\
    Days are 2026-03-16. Moments are RFC 3339, or milliseconds since 1970 where that is said.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Postern", description = ABOUT),
    paths(
        reading::list,
        reading::case,
        reading::why,
        reading::clock,
        reading::answers,
        reading::waiting,
        actions::list,
        workload::show,
        workload::rebalance,
        reading::ombudsman,
        acts::act,
        acts::ombudsman,
        acts::split,
        acts::retry,
        acts::decline,
    ),
    modifiers(&Everywhere)
)]
struct Api;

/// What is true of every request.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut Document) {
        // The crate names none, and a licence without a name is no valid one.
        document.info.license = None;
        let components = document.components.get_or_insert_default();
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", token);
        for item in document.paths.paths.values_mut() {
            for operation in item.get.iter_mut().chain(&mut item.post) {
                let none: [&str; 0] = [];
                operation.security = Some(vec![SecurityRequirement::new("token", none)]);
                answers(operation, "401", "No token is shown, or it opens nothing.");
                answers(operation, "503", "The store does not answer.");
            }
            if let Some(operation) = &mut item.post {
                answers(operation, "403", "The account may only read.");
            }
        }
    }
}

fn answers(operation: &mut Operation, status: &str, description: &str) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response =
        ResponseBuilder::new().description(description).content("application/json", problem);
    operation.responses.responses.insert(status.to_owned(), response.build().into());
}

/// The document.
pub(super) fn document() -> Document {
    Api::openapi()
}

pub(super) async fn show() -> Response {
    super::json(&document())
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::casework::case::{ActionStep, Event};
    use crate::casework::ombudsman::OmbudsmanStep;

    /// The values of a type's tag, as it says itself when it is given another.
    fn of_code<T: DeserializeOwned>(tag: &str) -> Vec<String> {
        let none = serde_json::from_value::<T>(json!({ tag: "none of them" }));
        let said = none.err().expect("a fault").to_string();
        said.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    /// The same, as the document says, wherever in a shape the tag stands.
    fn of_document(schema: &Value, tag: &str, found: &mut Vec<String>) {
        let tags = schema.pointer(&format!("/properties/{tag}/enum")).and_then(Value::as_array);
        found.extend(tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        for key in ["oneOf", "allOf"] {
            for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                of_document(part, tag, found);
            }
        }
    }

    #[test]
    fn each_kind_of_event_is_described_with_its_fields() {
        let document = serde_json::to_value(document()).expect("JSON");
        for (name, tag, kinds) in [
            ("Event", "kind", of_code::<Event>("kind")),
            ("ActionStep", "did", of_code::<ActionStep>("did")),
            ("OmbudsmanStep", "step", of_code::<OmbudsmanStep>("step")),
        ] {
            let schema = document.pointer(&format!("/components/schemas/{name}"));
            let mut described = Vec::new();
            of_document(schema.expect(name), tag, &mut described);
            assert!(kinds.len() > 4, "{name}: {kinds:?}");
            assert_eq!(described, kinds, "{name}");
        }
        let events = document.pointer("/components/schemas/Case").expect("a case").to_string();
        assert!(events.contains("\"$ref\":\"#/components/schemas/Recorded\""), "{events}");
    }
}
