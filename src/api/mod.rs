//! The API: the register for other programs, by HTTP and JSON, at the status page's address.
//!
//! Whoever asks shows a token of `postern user add`. What a case allows is `officer`'s to say, so that a
//! program is refused in the words that the terminal uses. `/api` explains all of it, and is made from the
//! same document as `/api/openapi.json`.

mod actions;
mod acts;
mod caller;
mod document;
mod page;
mod problem;
mod reading;
mod workload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Serialize;

use crate::gateway::Gateway;
use problem::Problem;

/// The longest body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// Every path, in one place.
pub fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/api", get(page::show))
        .route("/api/openapi.json", get(document::show))
        .route("/api/v1/cases", get(reading::list))
        .route("/api/v1/cases/{reference}", get(reading::case))
        .route("/api/v1/cases/{reference}/why", get(reading::why))
        .route("/api/v1/cases/{reference}/clock", get(reading::clock))
        .route("/api/v1/cases/{reference}/answers", get(reading::answers))
        .route("/api/v1/cases/{reference}/acts", post(acts::act))
        .route("/api/v1/actions", get(actions::list))
        .route("/api/v1/waiting", get(reading::waiting))
        .route("/api/v1/workload", get(workload::show))
        .route("/api/v1/workload/rebalance", post(workload::rebalance))
        .route("/api/v1/ombudsman", get(reading::ombudsman))
        .route("/api/v1/ombudsman", post(acts::ombudsman))
        .route("/api/v1/messages/{id}/split", post(acts::split))
        .route("/api/v1/messages/{id}/retry", post(acts::retry))
        .route("/api/v1/suggestions/{id}/decline", post(acts::decline))
        .route("/api/{*rest}", any(nowhere))
        .method_not_allowed_fallback(another_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn nowhere() -> Problem {
    Problem::not_found("nothing is here").instead("GET /api lists what there is")
}

async fn another_method() -> Problem {
    Problem::another_method()
}

/// A value as JSON.
fn json(value: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::store::json(value)).into_response()
}

/// The same, of a case of this version.
fn json_of_version(value: &impl Serialize, version: i64) -> Response {
    let mut response = json(value);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
