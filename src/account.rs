//! Accounts: who may use the API, by a token that is shown once.

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::casework::vocabulary::vocabulary;
use crate::private::Private;
use crate::store::accounts::{self, AccountRow};
use crate::store::{self, Db, StoreError};
use crate::token::hashed;

vocabulary! {
    /// What an account may do.
    Role {
        /// Read, and act on cases.
        Officer = "officer", "officer";
        /// Read.
        Reader = "reader", "reader";
    }
}

/// Whoever a token belongs to.
#[derive(Debug, Clone)]
pub struct Account {
    /// As whom acts are recorded.
    pub name: Private<String>,
    /// What it may do.
    pub role: Role,
}

/// Why an account was not added.
#[derive(Debug, thiserror::Error)]
pub enum AccountFault {
    /// Nobody can be called that.
    #[error(
        "an account's name has one to {LONGEST_NAME} characters, and is not `gateway`, which is the program's own"
    )]
    NotAName,
    /// There is one of this name at work.
    #[error("there is an account of this name already")]
    Taken,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const LONGEST_NAME: usize = 64;

/// What every token begins with, so that one that leaked can be recognised.
const MARK: &str = "postern_";

/// Adds an account, or gives a disabled one another token. Gives the token, which is kept nowhere.
///
/// # Errors
/// [`AccountFault`]; nothing is changed then.
pub async fn add(
    db: &Db,
    name: &str,
    role: Role,
    now: Timestamp,
) -> Result<Private<String>, AccountFault> {
    let name = name.trim().to_owned();
    // What the gateway does by itself is kept under its own name.
    let good = (1..=LONGEST_NAME).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && !name.eq_ignore_ascii_case("gateway");
    if !good {
        return Err(AccountFault::NotAName);
    }
    db.write(move |tx| {
        Box::pin(async move {
            let secret = store::draw(tx).await?;
            let id = accounts::add(tx, &name, role.id(), &hashed(&secret), now).await?;
            let id = id.ok_or(AccountFault::Taken)?;
            Ok(Private(format!("{MARK}{id}_{}", secret.0)))
        })
    })
    .await
}

/// Disables an account: its token opens nothing from now on. False when there is none at work.
///
/// # Errors
/// When the database refuses.
pub async fn disable(db: &Db, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let name = name.trim().to_owned();
    db.write(move |tx| Box::pin(async move { accounts::disable(tx, &name, now).await })).await
}

/// Every account, by name.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db) -> Result<Vec<AccountRow>, StoreError> {
    accounts::list(db).await
}

/// The account that a token opens, if it opens one.
///
/// # Errors
/// When the database refuses.
pub async fn opened_by(db: &Db, token: &str) -> Result<Option<Account>, StoreError> {
    let parts = token.strip_prefix(MARK).and_then(|rest| rest.split_once('_'));
    let Some((id, secret)) = parts else { return Ok(None) };
    let Ok(id) = id.parse() else { return Ok(None) };
    let Some(row) = accounts::by_id(db, id).await? else { return Ok(None) };
    let same = hashed(secret).as_bytes().ct_eq(row.token_sha256.as_bytes());
    let opens = bool::from(same) && row.disabled_at.is_none();
    let role = row.role.parse::<Role>().ok().filter(|_| opens);
    Ok(role.map(|role| Account { name: row.name.into(), role }))
}
