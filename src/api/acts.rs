//! What can be done.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller::Officer;
use super::problem::Problem;
use super::{json, json_of_version, reading};
use crate::gateway::Gateway;
use crate::officer::{self, Act, ActFault, Wanted};
use crate::register;

/// What was done to a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DoneToCase)]
pub(super) struct Done {
    /// In words.
    done: String,
    /// The version that the case has now, for the next `If-Match`.
    version: i64,
}

/// What was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Done)]
pub(super) struct AlsoDone {
    /// In words.
    done: String,
}

/// Acts on a case, as an officer does at the terminal.
///
/// The account is recorded as the officer. `If-Match` says on which version of the case the act was
/// decided: where somebody has changed it since, nothing is done.
#[utoipa::path(post, operation_id = "act_on_case", path = "/api/v1/cases/{reference}/acts", params(
    ("reference" = String, Path, description = "The reference, in any spelling."),
    ("If-Match" = String, Header, description = "The case's version in quotes, as `ETag` gave it: `\"3\"`."),
), request_body(content = Act, content_type = "application/json", examples(
    ("answered" = (value = json!({"act": "respond", "note": "letter of 3 March"}))),
    ("corrected" = (value = json!({"act": "correct", "changes": {"record_type": "enquiry"}, "because": "asks for advice only"}))),
    ("agreed" = (value = json!({"act": "action", "wanted": {"move": "agree", "what": "train the duty team", "service": "sen", "due_on": "2026-05-29"}}))),
    ("assigned" = (value = json!({"act": "assign", "to": "ann", "because": "she knows the family"}))),
    ("paused" = (value = json!({"act": "turn", "wanted": {"move": "pause", "why": "awaiting_customer"}, "because": "asked which school"}))),
)), responses(
    (status = 200, description = "It is done.", body = Done,
        headers(("ETag" = String, description = "The case's version now."))),
    (status = 400, description = "The body is no JSON, or `If-Match` is no version.", body = Problem),
    (status = 404, description = "There is no such case.", body = Problem),
    (status = 409, description = "The case does not allow it; `instead` says what it allows.", body = Problem),
    (status = 412, description = "Somebody changed the case meanwhile; `version` is what it has now, `since` what was done.", body = Problem),
    (status = 413, description = "The body is longer than 64 KB.", body = Problem),
    (status = 422, description = "The body is no act, or names what there is not; it says what could be written.", body = Problem),
    (status = 428, description = "`If-Match` is missing.", body = Problem),
))]
pub(super) async fn act(
    State(gateway): State<Arc<Gateway>>,
    Officer(officer): Officer,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (reference, ..) = reading::found(&gateway, path).await?;
    let reference = reference.to_string();
    let version = expected(&headers)?;
    let act: Act = read(&body.map_err(|fault| Problem::no_body(fault.status()))?)?;
    match officer::act(&gateway, &reference, &officer, Some(version), act).await {
        // The case was held: its version is the next one, and nobody else's.
        Ok(done) => Ok(json_of_version(&Done { done, version: version + 1 }, version + 1)),
        Err(fault) => Err(refused(&gateway, Some((&reference, version)), fault).await?),
    }
}

/// Records what came from the Ombudsman, and what is done because of it, where no case is named.
///
/// On a case of the council that is linked it is an act like any other: one of `POST
/// /api/v1/cases/{reference}/acts`, which names the case's version, where that matters.
#[utoipa::path(post, operation_id = "act_on_ombudsman", path = "/api/v1/ombudsman",
request_body(content = Wanted, content_type = "application/json", examples(
    ("contact" = (value = json!({"step": "contact", "theirs": "25 012 345", "kind": "enquiry", "by": "2026-04-28"}))),
    ("decision" = (value = json!({"step": "decision", "number": 3, "outcome": "upheld", "on": "2026-06-02"}))),
)), responses(
    (status = 200, description = "It is done.", body = AlsoDone),
    (status = 400, description = "The body is no JSON.", body = Problem),
    (status = 409, description = "It is not possible; `instead` says what is.", body = Problem),
    (status = 412, description = "Somebody changed the linked case meanwhile.", body = Problem),
    (status = 413, description = "The body is longer than 64 KB.", body = Problem),
    (status = 422, description = "The body is no step, or names what there is not; it says what could be written.", body = Problem),
))]
pub(super) async fn ombudsman(
    State(gateway): State<Arc<Gateway>>,
    Officer(officer): Officer,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wanted: Wanted = read(&body.map_err(|fault| Problem::no_body(fault.status()))?)?;
    match officer::ombudsman(&gateway, &officer, wanted).await {
        Ok(done) => Ok(also(done)),
        Err(fault) => Err(refused(&gateway, None, fault).await?),
    }
}

/// Makes a message a case of its own, whatever it answers.
#[utoipa::path(post, operation_id = "split_message", path = "/api/v1/messages/{id}/split", params(
    ("id" = i64, Path, description = "The message's number, as a case gives it."),
), responses(
    (status = 200, description = "It becomes a case as soon as it is settled again.", body = AlsoDone),
    (status = 404, description = "That is no number.", body = Problem),
    (status = 409, description = "It has opened a case already, or is not settled.", body = Problem),
))]
pub(super) async fn split(
    State(gateway): State<Arc<Gateway>>,
    Officer(officer): Officer,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let message = number(path)?;
    if officer::split(&gateway, message, &officer).await? {
        return Ok(also(format!("message {message} becomes a case of its own")));
    }
    let error = format!("message {message} has opened a case already, or is not settled");
    Err(Problem::impossible(error).instead("look at it with GET /api/v1/waiting"))
}

/// Tries a message in quarantine again.
#[utoipa::path(post, operation_id = "retry_message", path = "/api/v1/messages/{id}/retry", params(
    ("id" = i64, Path, description = "The message's number, as `waiting` gives it."),
), responses(
    (status = 200, description = "It will be read again.", body = AlsoDone),
    (status = 404, description = "That is no number.", body = Problem),
    (status = 409, description = "It is not in quarantine.", body = Problem),
))]
pub(super) async fn retry(
    State(gateway): State<Arc<Gateway>>,
    Officer(_): Officer,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let message = number(path)?;
    if officer::retry(&gateway, message).await? {
        return Ok(also(format!("message {message} will be read again")));
    }
    let error = format!("message {message} is not in quarantine");
    Err(Problem::impossible(error).instead("GET /api/v1/waiting lists those that are"))
}

/// Declines a suggestion.
#[utoipa::path(post, operation_id = "decline_suggestion", path = "/api/v1/suggestions/{id}/decline", params(
    ("id" = i64, Path, description = "The suggestion's number, as `waiting` gives it."),
), responses(
    (status = 200, description = "It is declined.", body = AlsoDone),
    (status = 404, description = "That is no number.", body = Problem),
    (status = 409, description = "No such suggestion waits.", body = Problem),
))]
pub(super) async fn decline(
    State(gateway): State<Arc<Gateway>>,
    Officer(_): Officer,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let suggestion = number(path)?;
    if officer::decline(&gateway, suggestion).await? {
        return Ok(also(format!("suggestion {suggestion} is declined")));
    }
    let error = format!("no suggestion {suggestion} waits");
    Err(Problem::impossible(error).instead("GET /api/v1/waiting lists those that do"))
}

fn also(done: String) -> Response {
    json(&AlsoDone { done })
}

fn number(path: Result<Path<String>, PathRejection>) -> Result<i64, Problem> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    text.parse().map_err(|_| Problem::not_found("the path names no number"))
}

/// The version that `If-Match` names.
fn expected(headers: &HeaderMap) -> Result<i64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Err(Problem::no_version()) };
    let quoted = value.to_str().ok().map(str::trim);
    let version = quoted.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    version.ok_or_else(|| {
        Problem::malformed("`If-Match` is no version of a case")
            .instead("write what `ETag` gave with the case, in its quotes: `\"3\"`")
    })
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let see = "GET /api lists the acts and their fields";
    serde_json::from_slice(body).map_err(|fault| match fault.classify() {
        serde_json::error::Category::Data => Problem::unknown(fault.to_string()).instead(see),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => {
            Problem::malformed(format!("the body is no JSON: {fault}")).instead(see)
        }
    })
}

/// What an act's fault is to whoever asked for it.
pub(super) async fn refused(
    gateway: &Gateway,
    decided_on: Option<(&str, i64)>,
    fault: ActFault,
) -> Result<Problem, Problem> {
    Ok(match fault {
        ActFault::Refused(refusal) => refusal.into(),
        ActFault::ChangedMeanwhile => {
            let parsed = decided_on.and_then(|(case, on)| Some((case.parse().ok()?, on)));
            let changed = match parsed {
                Some((case, on)) => register::changed_since(&gateway.db, &case, on).await?,
                None => None,
            };
            let (now, since) = changed.unzip();
            Problem::changed_meanwhile(now, since.unwrap_or_default())
        }
        ActFault::NoSuchService { got, known } => {
            Problem::unknown(format!("no service `{got}`")).instead(format!("name one of {known}"))
        }
        ActFault::NoSuchArea { service, got, known } => {
            Problem::unknown(format!("{service} has no area `{got}`"))
                .instead(format!("name one of {known}"))
        }
        ActFault::NoSuchOfficer { got, known } => {
            Problem::unknown(format!("no officer `{got}`")).instead(format!("name one of {known}"))
        }
        fault @ ActFault::NoSuchNumber { .. } => Problem::unknown(fault.to_string())
            .instead("GET /api/v1/ombudsman lists the Ombudsman's cases with their numbers"),
        // The path's case was there: it is another that the body names.
        fault @ (ActFault::NoSuchCase(_) | ActFault::NotAReference(_)) => {
            Problem::unknown(fault.to_string())
        }
        ActFault::Store(fault) => fault.into(),
    })
}
