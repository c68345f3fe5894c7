//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::account::{self, Account, Role};
use crate::gateway::Gateway;

/// Anybody with an account.
pub(super) struct Reader;

/// Somebody who may act, by the name of the account.
pub(super) struct Officer(pub(super) String);

impl FromRequestParts<Arc<Gateway>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        account(parts, gateway).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<Gateway>> for Officer {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        let account = account(parts, gateway).await?;
        match account.role {
            Role::Officer => Ok(Self(account.name.0)),
            Role::Reader => Err(Problem::reads_only()),
        }
    }
}

async fn account(parts: &Parts, gateway: &Gateway) -> Result<Account, Problem> {
    let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown
        .and_then(|shown| shown.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Err(Problem::no_token()) };
    account::opened_by(&gateway.db, token.trim()).await?.ok_or_else(Problem::wrong_token)
}
