//! Who of the complaints team has what.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::acts::{read, refused};
use super::caller::{Officer, Reader};
use super::json;
use super::problem::Problem;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::officer;
use crate::register::{self, Shared, Work};

/// What everybody has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WorkloadList)]
pub(super) struct Everybody {
    /// The officers in the order of `officers.toml`, then who has left it and still has cases, then `nobody`.
    workload: Vec<Work>,
}

/// How the work is shared anew.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rebalance {
    /// Whose open cases all go to others; `nobody` for those that no officer has. Without it the work of those
    /// who are there is evened out with the fewest moves.
    from: Option<String>,
    /// Why, kept with each case.
    because: Option<String>,
    /// Only say what would move.
    dry_run: bool,
}

/// What each officer has, and who is away.
#[utoipa::path(get, operation_id = "get_workload", path = "/api/v1/workload", responses(
    (status = 200, description = "All of it.", body = Everybody),
))]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
) -> Result<Response, Problem> {
    let today = london_day(gateway.clock.now());
    Ok(json(&Everybody { workload: register::workload(&gateway, today).await? }))
}

/// Shares the work anew: evens it out, or hands over all open cases of one officer.
///
/// A case with a child at risk moves only where `from` names whose it is.
#[utoipa::path(post, operation_id = "rebalance_workload", path = "/api/v1/workload/rebalance",
request_body(content = Rebalance, content_type = "application/json", examples(
    ("evened" = (value = json!({"dry_run": true}))),
    ("handed_over" = (value = json!({"from": "ann", "because": "on leave until May"}))),
)), responses(
    (status = 200, description = "What moved, or would, and why.", body = Shared),
    (status = 400, description = "The body is no JSON.", body = Problem),
    (status = 409, description = "`officers.toml` names nobody.", body = Problem),
    (status = 412, description = "Somebody changed a case meanwhile; nothing was moved.", body = Problem),
    (status = 413, description = "The body is longer than 64 KB.", body = Problem),
    (status = 422, description = "The body has an unknown field, or names no officer.", body = Problem),
))]
pub(super) async fn rebalance(
    State(gateway): State<Arc<Gateway>>,
    Officer(officer): Officer,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let asked: Rebalance = read(&body.map_err(|fault| Problem::no_body(fault.status()))?)?;
    let Rebalance { from, because, dry_run } = asked;
    match officer::rebalance(&gateway, from, &officer, because, dry_run).await {
        Ok(done) => Ok(json(&Shared::of(done))),
        Err(fault) => Err(refused(&gateway, None, fault).await?),
    }
}
