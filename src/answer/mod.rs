//! The answer page: where a service answers what it was asked, behind a link that was mailed to it.
//!
//! Whoever has the link sees the reference, the type and the day, and can accept, say that it is not theirs, or ask
//! for time. What the customer wrote, and the form for the answer, are behind a code that goes to the mailbox of the
//! link. Nothing is done by GET or HEAD: mail programs open every link. What is done takes the path of a reply by
//! mail (`intake::take`).

mod act;
mod check;
mod code;
mod copy;
mod draft;
mod fields;
mod form;
mod page;
mod place;
mod show;
mod time;
mod upload;
mod visit;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::gateway::Gateway;
use crate::store::StoreError;

/// The longest form that is taken, without its files.
const LARGEST_FORM: usize = 512 * 1024;

/// Every path, in one place; nothing where the settings give the page no public address.
pub fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let Some((origin, _)) = gateway.config.console.public() else { return Router::new() };
    let origin = origin.to_owned();
    Router::new()
        .route("/a/{token}", get(show::start))
        .route("/a/{token}/code", get(code::form).post(code::send))
        .route("/a/{token}/code/check", post(code::check))
        .route("/a/{token}/new-link", post(code::new_link))
        .route("/a/{token}/{place}", get(show::one))
        .route("/a/{token}/{place}/answer/check", get(check::form).post(check::send))
        .route("/a/{token}/{place}/{act}", get(act::form).post(act::act))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(axum::middleware::from_fn(move |request: Request, next: Next| {
            let is_ours = !is_sent(request.method()) || is_from_here(request.headers(), &origin);
            async move {
                if is_ours { guarded(next.run(request).await) } else { guarded(elsewhere()) }
            }
        }))
}

fn is_sent(method: &Method) -> bool {
    *method == Method::POST
}

/// Whether a form was sent from this page. A browser names the page that sent it, or says `null`, as it does where
/// the page keeps its address to itself, which ours does; then it says at least from how far it came.
fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let by_origin = said("origin").is_none_or(|one| one == "null" || one == origin);
    let by_site = said("sec-fetch-site").is_none_or(|one| matches!(one, "same-origin" | "none"));
    by_origin && by_site
}

fn elsewhere() -> Response {
    (StatusCode::FORBIDDEN, "This form was not sent from its own page.\n").into_response()
}

/// What a page may do: be read here, and send its forms here. Its style is the one that it carries.
fn guarded(mut response: Response) -> Response {
    static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(page::STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        HeaderValue::from_str(&policy).ok()
    });
    let headers = response.headers_mut();
    if let Some(policy) = POLICY.clone() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Why a page could not be made. Whoever reads it is told only that.
#[derive(Debug)]
pub(crate) struct Unavailable(StoreError);

impl From<StoreError> for Unavailable {
    fn from(fault: StoreError) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        let cause = std::error::Error::source(&self.0).map(ToString::to_string);
        tracing::error!(cause, "an answer page could not be made: {}", self.0);
        let words =
            "The page cannot be shown now. Try again in a few minutes, or reply to our email.\n";
        (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_from_elsewhere_are_refused_and_silent_browsers_are_not() {
        let from = |headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            is_from_here(&map, "https://a.example")
        };
        assert!(from(&[]));
        assert!(from(&[("origin", "https://a.example")]));
        assert!(from(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[("origin", "https://b.example")]));
        assert!(!from(&[("origin", "null"), ("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
    }
}
