//! The API's description of itself, made from the code that answers.

use axum::response::Response;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{acts, reading};

/// Postern's register for other programs. Every request shows a token of `postern user add` as
/// `Authorization: Bearer TOKEN`; a reader's account may only GET.
///
/// What is not done says so: `error` says why, `instead` what could be done.
#[derive(OpenApi)]
#[openapi(
    info(title = "Postern"),
    paths(
        reading::list,
        reading::case,
        reading::clock,
        reading::waiting,
        acts::act,
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
