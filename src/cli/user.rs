//! `postern user …`: who may use the API.

use std::path::Path;

use serde_json::json;

use super::arguments::User as Asked;
use super::{Failure, Out};
use crate::account::{self, AccountFault, Role};
use crate::clock::Clock;
use crate::store::{Db, moment};

pub(super) async fn run(asked: Asked, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let db = Db::open(&config.store.url).await?;
    let done = match asked {
        Asked::Add { name, role } => add(&db, &name, role, out).await,
        Asked::List { json } => list(&db, json, out).await,
        Asked::Disable { name } => disable(&db, &name, out).await,
    };
    db.close().await;
    out.flush()?;
    done
}

async fn add(db: &Db, name: &str, role: Role, out: &mut Out) -> Result<(), Failure> {
    match account::add(db, name, role, Clock::System.now()).await {
        Ok(token) => {
            out.line(&token)?;
            out.note("postern: this token is shown once; whoever has it acts under this name");
            Ok(())
        }
        Err(AccountFault::Store(fault)) => Err(fault.into()),
        Err(fault @ AccountFault::NotAName) => Err(Failure::Usage(fault.to_string())),
        Err(fault @ AccountFault::Taken) => {
            out.note(&format!(
                "postern: {fault}: `postern user disable` ends its token, and `user add` then gives it another"
            ));
            Err(Failure::Said)
        }
    }
}

async fn list(db: &Db, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    for row in account::list(db).await? {
        if as_json {
            out.json(&json!({
                "name": row.name,
                "role": row.role,
                "created_at": moment(row.created_at),
                "disabled_at": row.disabled_at.map(moment),
            }))?;
        } else {
            let state = if row.disabled_at.is_some() { "  disabled" } else { "" };
            out.line(&format!("{:<8}  {}{state}", row.role, row.name))?;
        }
    }
    Ok(())
}

async fn disable(db: &Db, name: &str, out: &mut Out) -> Result<(), Failure> {
    if account::disable(db, name, Clock::System.now()).await? {
        return Ok(out.line(&format!("{name} is disabled; its token opens nothing any more"))?);
    }
    out.note(&format!("postern: no account {name} is at work: `postern user list` lists them"));
    Err(Failure::Said)
}
