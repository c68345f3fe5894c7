//! Why something was not done, as an answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::casework::case::{Recorded, Refusal};
use crate::store::StoreError;

/// Why it was not done, and what could be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    challenge: Option<&'static str>,
    /// Why not.
    error: String,
    /// What could be done.
    instead: Option<String>,
    /// The version that the case has now, where it is another than `If-Match` names.
    version: Option<i64>,
    /// What was done to the case since the version that `If-Match` names, oldest first; there only where somebody
    /// changed it meanwhile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    since: Vec<Recorded>,
}

impl Problem {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            challenge: None,
            error: error.into(),
            instead: None,
            version: None,
            since: Vec::new(),
        }
    }

    /// With what could be done.
    pub(super) fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = Some(instead.into());
        self
    }

    /// No token was shown.
    pub(super) fn no_token() -> Self {
        let challenge = Some("Bearer realm=\"postern\"");
        let problem =
            Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, "no token is shown") };
        problem.instead("send `Authorization: Bearer TOKEN`, with a token of `postern user add`")
    }

    /// The token opens nothing.
    pub(super) fn wrong_token() -> Self {
        let challenge = Some("Bearer realm=\"postern\", error=\"invalid_token\"");
        let error = "this token opens nothing: it is wrong, or its account is disabled";
        let problem = Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, error) };
        problem.instead("ask whoever runs the gateway for another")
    }

    /// A reader wants to act.
    pub(super) fn reads_only() -> Self {
        let challenge = Some("Bearer realm=\"postern\", error=\"insufficient_scope\"");
        let error = "this account may only read";
        let problem = Self { challenge, ..Self::new(StatusCode::FORBIDDEN, error) };
        problem.instead("act with the token of an officer's account")
    }

    /// There is no such thing.
    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// There is, but it cannot be asked for in this way.
    pub(super) fn another_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
            .instead("the header `Allow` says what can")
    }

    /// It cannot be read.
    pub(super) fn malformed(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// It can be read, and names something that there is not.
    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// The body is too long, or did not arrive.
    pub(super) fn no_body(status: StatusCode) -> Self {
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            let longest = super::LARGEST_BODY;
            return Self::new(status, format!("the body is longer than {longest} bytes"));
        }
        Self::malformed("the body did not arrive whole")
    }

    /// Another move than the case allows.
    pub(super) fn impossible(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// It is not said which version of the case is meant.
    pub(super) fn no_version() -> Self {
        let error = "it is not said on which version of the case this was decided";
        Self::new(StatusCode::PRECONDITION_REQUIRED, error)
            .instead("send `If-Match` with the `ETag` that GET gave with the case")
    }

    /// Somebody changed the case in between.
    pub(super) fn changed_meanwhile(version: Option<i64>, since: Vec<Recorded>) -> Self {
        let error = "somebody changed the case meanwhile; nothing was done";
        let problem = Self::new(StatusCode::PRECONDITION_FAILED, error);
        Self { version, since, ..problem }
            .instead("GET the case again, and decide on what it is now")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::impossible(refusal.because).instead(refusal.instead)
    }
}

impl From<StoreError> for Problem {
    fn from(fault: StoreError) -> Self {
        let cause = std::error::Error::source(&fault).map(ToString::to_string);
        tracing::error!(cause, "the API could not answer: {fault}");
        let error = match cause.filter(|_| fault.is_unsuitable()) {
            Some(cause) => format!("{fault}: {cause}"),
            None => fault.to_string(),
        };
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, error);
        problem.instead("try again; the gateway's log has the cause")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, super::json(&self)).into_response();
        if let Some(challenge) = self.challenge {
            let value = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
