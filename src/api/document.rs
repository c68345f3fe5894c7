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
