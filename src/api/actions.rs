//! What was agreed because of complaints.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::caller::Reader;
use super::json;
use super::problem::Problem;
use super::reading::limit_of;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::register;
use crate::store::actions::{self, ActionRow, Listed};

/// Which actions are listed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only open ones whose date has passed.
    #[param(required = false)]
    overdue: bool,
    /// Those that were done or dropped, too; else only open ones.
    #[param(required = false)]
    all: bool,
    /// Only those of this owner: a name or an address.
    owner: Option<String>,
    /// Only those for this service.
    service: Option<String>,
    /// The number with which the page before ended (`next`).
    after: Option<i64>,
    /// How many at most, from 1 to 500; 100 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// A page of actions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Actions {
    /// The actions, those due first first.
    actions: Vec<ActionRow>,
    /// Ask for the next page with `after` set to this; null at the end.
    next: Option<i64>,
}

/// Lists what was agreed because of complaints, those due first first.
#[utoipa::path(get, operation_id = "list_actions", path = "/api/v1/actions", params(Asked), responses(
    (status = 200, description = "A page of them.", body = Actions),
    (status = 400, description = "A parameter is none, or has no such value.", body = Problem),
))]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Reader: Reader,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked = Query::<Asked>::try_from_uri(&uri);
    let Query(asked) = asked.map_err(|fault| Problem::malformed(fault.body_text()))?;
    let limit = limit_of(asked.limit, "actions")?;
    if let Some(service) = &asked.service {
        let policy = gateway.policy();
        let known = policy.rules.services().all();
        if known.iter().all(|one| one.id != *service) {
            let known: Vec<&str> = known.iter().map(|one| one.id.as_str()).collect();
            let problem = Problem::malformed(format!("no service `{service}`"));
            return Err(problem.instead(format!("name one of {}", known.join(", "))));
        }
    }
    let none = || Problem::malformed("`after` names no action").instead("write what `next` gave");
    let after = match asked.after {
        Some(id) => Some(actions::find(&gateway.db, id).await?.ok_or_else(none)?),
        None => None,
    };
    let which = Listed {
        state: (!asked.all).then_some("open"),
        overdue_on: asked.overdue.then(|| london_day(gateway.clock.now())),
        service: asked.service.as_deref(),
        after: after.as_ref(),
    };
    let mut rows = register::actions(&gateway, which, asked.owner.as_deref(), limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok(json(&Actions { actions: rows, next }))
}
