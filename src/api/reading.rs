//! What can be read.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::caller::Reader;
use super::problem::Problem;
use super::{json, json_of_version};
use crate::casework::case::{CaseStatus, Recorded};
use crate::casework::reference::CaseReference;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::officer::NOBODY;
use crate::register::{self, Answers, Brief, ClockOfCase, Judged, OmbudsmanCase, Whole};
use crate::store::cases::{self, CaseRow, Listed};

/// How many a page has where nothing else is asked for.
const SOME: i64 = 100;
/// How many it has at most.
const MANY: i64 = 500;

/// Which cases are listed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only open ones whose date has passed.
    #[param(required = false)]
    overdue: bool,
    /// Of every status; else only open ones.
    #[param(required = false)]
    all: bool,
    /// Only those of this status.
    #[param(inline)]
    status: Option<CaseStatus>,
    /// Only those of this officer of `officers.toml`; `nobody` for those that no officer has.
    owner: Option<String>,
    /// The reference with which the page before ended (`next`).
    after: Option<String>,
    /// How many at most, from 1 to 500; 100 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// A page of cases.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Cases {
    /// The cases, those due first first.
    cases: Vec<Brief>,
    /// Ask for the next page with `after` set to this; null at the end.
    next: Option<String>,
}

/// What waits for a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WaitingList)]
pub(super) struct AllWaiting {
    /// Messages that could not be placed or read, suggestions, tasks.
    waiting: Vec<register::Waiting>,
}

/// Lists cases, those due first first.
#[utoipa::path(get, operation_id = "list_cases", path = "/api/v1/cases", params(Asked), responses(
    (status = 200, description = "A page of them.", body = Cases),
    (status = 400, description = "A parameter is none, or has no such value.", body = Problem),
))]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked = Query::<Asked>::try_from_uri(&uri);
    let Query(asked) = asked.map_err(|fault| Problem::malformed(fault.body_text()))?;
    let limit = limit_of(asked.limit, "cases")?;
    let after = match &asked.after {
        Some(text) => Some(named(&gateway, text).await?),
        None => None,
    };
    let otherwise = if asked.all { None } else { Some(CaseStatus::Open) };
    let which = Listed {
        status: asked.status.or(otherwise).map(CaseStatus::id),
        overdue_on: asked.overdue.then(|| london_day(gateway.clock.now())),
        after: after.as_ref(),
        owner: asked.owner.as_deref().map(|owner| Some(owner).filter(|one| *one != NOBODY)),
    };
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut rows = cases::page(&gateway.db, which, one_more).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.reference.clone());
    Ok(json(&Cases { cases: rows.iter().map(Brief::of).collect(), next }))
}

/// How many a page may have.
pub(super) fn limit_of(asked: Option<i64>, what: &str) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(SOME);
    if !(1..=MANY).contains(&limit) {
        let error = format!("a page of {limit} {what} is not given");
        return Err(Problem::malformed(error).instead(format!("ask for 1 to {MANY}")));
    }
    Ok(usize::try_from(limit).unwrap_or(1))
}

/// The case behind which a page begins.
async fn named(gateway: &Gateway, text: &str) -> Result<CaseRow, Problem> {
    let none = |_| Problem::malformed("`after` names no case").instead("write what `next` gave");
    looked_up(gateway, text, none).await.map(|(_, row, _)| row)
}

/// Everything about one case.
#[utoipa::path(get, operation_id = "get_case", path = "/api/v1/cases/{reference}", params(
    ("reference" = String, Path, description = "The reference, in any spelling."),
), responses(
    (status = 200, description = "The case.", body = Whole,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))),
    (status = 404, description = "There is no such case.", body = Problem),
))]
pub(super) async fn case(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (reference, row, events) = found(&gateway, path).await?;
    let whole = Whole::of(&gateway.db, reference, &row, events).await?;
    Ok(json_of_version(&whole, row.version))
}

/// Why the gateway read a case as it did: which words of each message, where, by which rule, and by which version of
/// the rules.
#[utoipa::path(get, operation_id = "get_why", path = "/api/v1/cases/{reference}/why", params(
    ("reference" = String, Path, description = "The reference, in any spelling."),
), responses(
    (status = 200, description = "Of every message, in order of arrival.", body = [Judged],
        headers(("ETag" = String, description = "The case's version, for `If-Match`."))),
    (status = 404, description = "There is no such case.", body = Problem),
))]
pub(super) async fn why(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (_, row, _) = found(&gateway, path).await?;
    Ok(json_of_version(&Judged::of(&gateway.db, row.id).await?, row.version))
}

/// How the date of a case was counted, day by day, and what moved it.
#[utoipa::path(get, operation_id = "get_clock", path = "/api/v1/cases/{reference}/clock", params(
    ("reference" = String, Path, description = "The reference, in any spelling."),
), responses(
    (status = 200, description = "The sum.", body = ClockOfCase,
        headers(("ETag" = String, description = "The case's version, for `If-Match`."))),
    (status = 404, description = "There is no such case, or no answer is owed.", body = Problem),
))]
pub(super) async fn clock(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (reference, row, events) = found(&gateway, path).await?;
    let case = register::replayed(reference, &events)?;
    match ClockOfCase::of(&gateway, &case)? {
        Some(clock) => Ok(json_of_version(&clock, row.version)),
        None => Err(Problem::not_found(format!("no answer is owed to a {}", case.record_type))),
    }
}

/// What services answered to a case, with what can be told of each answer's quality, and who saw what its customer
/// wrote on the answer page.
#[utoipa::path(get, operation_id = "list_answers", path = "/api/v1/cases/{reference}/answers", params(
    ("reference" = String, Path, description = "The reference, in any spelling."),
), responses(
    (status = 200, description = "All of it.", body = Answers,
        headers(("ETag" = String, description = "The case's version, for `If-Match`."))),
    (status = 404, description = "There is no such case.", body = Problem),
))]
pub(super) async fn answers(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (reference, row, events) = found(&gateway, path).await?;
    let case = register::replayed(reference, &events)?;
    let answers = Answers::of(&gateway.db, &case, row.id).await?;
    Ok(json_of_version(&answers, row.version))
}

/// What waits for a person: messages that could not be placed or read, suggestions, tasks.
#[utoipa::path(get, operation_id = "list_waiting", path = "/api/v1/waiting", responses(
    (status = 200, description = "All of it.", body = AllWaiting),
))]
pub(super) async fn waiting(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
) -> Result<Response, Problem> {
    Ok(json(&AllWaiting { waiting: register::waiting(&gateway.db).await? }))
}

/// Which of the Ombudsman's cases are listed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedOfOmbudsman {
    /// Those that are over too.
    #[param(required = false)]
    all: bool,
}

/// What comes from the Ombudsman.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OmbudsmanList)]
pub(super) struct OmbudsmanCases {
    /// The Ombudsman's cases, oldest first.
    cases: Vec<OmbudsmanCase>,
}

/// The Ombudsman's cases on which something is left to do or to hear, with what was asked, decided and
/// agreed.
#[utoipa::path(get, operation_id = "list_ombudsman", path = "/api/v1/ombudsman", params(AskedOfOmbudsman), responses(
    (status = 200, description = "All of them.", body = OmbudsmanCases),
    (status = 400, description = "A parameter is none, or has no such value.", body = Problem),
))]
pub(super) async fn ombudsman(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked = Query::<AskedOfOmbudsman>::try_from_uri(&uri);
    let Query(asked) = asked.map_err(|fault| Problem::malformed(fault.body_text()))?;
    Ok(json(&OmbudsmanCases { cases: OmbudsmanCase::list(&gateway.db, asked.all).await? }))
}

/// The case that a path names.
pub(super) async fn found(
    gateway: &Gateway,
    path: Result<Path<String>, PathRejection>,
) -> Result<Found, Problem> {
    let Path(text) = path.map_err(|fault| Problem::not_found(fault.body_text()))?;
    looked_up(gateway, &text, Problem::not_found).await
}

/// A case with what happened to it.
type Found = (CaseReference, CaseRow, Vec<Recorded>);

/// The case of a reference in any spelling; `none` makes a problem of why there is none.
async fn looked_up(
    gateway: &Gateway,
    text: &str,
    none: impl Fn(String) -> Problem,
) -> Result<Found, Problem> {
    let reference: CaseReference = text
        .parse()
        .map_err(|fault: crate::casework::reference::NotAReference| none(fault.to_string()))?;
    match register::found(&gateway.db, &reference).await? {
        Some((row, events)) => Ok((reference, row, events)),
        None => Err(none(format!("there is no case {reference}"))),
    }
}
