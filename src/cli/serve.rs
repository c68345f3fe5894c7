//! `postern serve`: the daemon.

use std::path::Path;

use anyhow::Context;

use super::arguments::Serve;
use super::{Failure, Out};
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::{Gateway, StartFault};
use crate::{console, daemon};

pub(super) async fn run(asked: Serve, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (mut config, _) = super::configured(file)?;
    if asked.once {
        // Nobody is there who could put a decision right.
        config.acknowledgement.undo_seconds = 0;
    }
    let missing = config.missing_to_serve(&file.display().to_string());
    if !missing.is_empty() {
        return Err(Failure::Faults(missing));
    }
    let alone = only_one(&config, out)?;
    let gateway = open(config, Clock::System).await?;
    if alone.is_some() {
        daemon::release_leases(&gateway).await?;
    }
    if asked.once {
        daemon::once(&gateway).await?;
        gateway.db.close().await;
        return Ok(());
    }
    let page = match &gateway.config.console.listen {
        Some(address) => Some(console::listen(address.as_str()).await?),
        None => None,
    };
    Ok(daemon::serve(gateway, page).await?)
}

/// Opens a gateway, with its faults as a command tells them.
pub(super) async fn open(config: Config, clock: Clock) -> Result<std::sync::Arc<Gateway>, Failure> {
    // Boxed: whoever waits for it would carry the whole of it.
    Box::pin(Gateway::open(config, clock)).await.map_err(told)
}

/// Why a gateway cannot start, as a command tells it.
pub(super) fn told(fault: StartFault) -> Failure {
    match fault {
        StartFault::Faults(faults) => Failure::Faults(faults),
        fault @ (StartFault::Store(_) | StartFault::Secret { .. } | StartFault::Mailer(_)) => {
            Failure::Other(fault.into())
        }
    }
}

/// On `SQLite` one process serves; `PostgreSQL` is shared by as many as like.
///
/// # Errors
/// When another process serves this store.
pub(super) fn only_one(config: &Config, out: &mut Out) -> Result<Option<std::fs::File>, Failure> {
    if !config.store.url.starts_with("sqlite:") {
        return Ok(None);
    }
    let lock = try_only_one(config)?;
    if lock.is_none() {
        out.note("postern: another postern serves this store; stop it first, or use PostgreSQL");
        return Err(Failure::Said);
    }
    Ok(lock)
}

/// The lock of a process that works on an `SQLite` store alone; it ends with the process, however it
/// ends. None while another has it, and on `PostgreSQL`.
///
/// # Errors
/// When the lock's file cannot be made.
pub(super) fn try_only_one(config: &Config) -> Result<Option<std::fs::File>, Failure> {
    let Some(path) = config.store.url.strip_prefix("sqlite:") else { return Ok(None) };
    let path = format!("{}.lock", path.trim_start_matches("//"));
    let file = std::fs::File::create(&path)
        .with_context(|| format!("cannot make {path}, which keeps a second gateway out"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}
