//! `postern import`: mail from files into the register. Safe to repeat.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::Import;
use super::{Failure, Out};
use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::intake::{self, believed, imported};
use crate::mailfiles::{MailFile, messages_in};
use crate::store::{StoreError, messages};
use crate::tick::Tick;

/// Messages kept in one transaction.
const BATCH: usize = 50;
/// Bytes of them at most.
const BATCH_BYTES: usize = 8 << 20;

pub(super) async fn run(asked: Import, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let lock = super::serve::try_only_one(&config)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let before = total(&gateway).await?;
    let bar = bar();
    let (read, unreadable) =
        keep_all(&gateway, &asked.paths, !asked.acknowledge, &bar, out).await?;
    bar.finish_and_clear();
    let kept = total(&gateway).await? - before;
    out.line(&format!("{read} messages read, {kept} new, {} known already", read - kept))?;
    if lock.is_none() && !gateway.db.is_postgres() {
        out.line("a running gateway takes them in from here")?;
    } else {
        while intake::tick(&gateway).await? == Tick::Busy {}
        for (state, action, count) in messages::counts(&gateway.db).await? {
            out.line(&format!("{count:>7}  {state} {action}"))?;
        }
    }
    gateway.db.close().await;
    out.flush()?;
    if unreadable > 0 { Err(Failure::Said) } else { Ok(()) }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} messages, {per_sec}, {elapsed}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

async fn total(gateway: &Gateway) -> Result<i64, StoreError> {
    Ok(messages::counts(&gateway.db).await?.iter().map(|(_, _, count)| count).sum())
}

async fn keep_all(
    gateway: &Arc<Gateway>,
    paths: &[PathBuf],
    silent: bool,
    bar: &ProgressBar,
    out: &mut Out,
) -> Result<(i64, usize), Failure> {
    let (mut read, mut unreadable, mut bytes) = (0, 0, 0);
    let mut batch: Vec<MailFile> = Vec::new();
    for file in paths.iter().flat_map(|path| messages_in(path)) {
        match file {
            Ok(file) => {
                read += 1;
                bytes += file.bytes.len();
                batch.push(file);
                bar.inc(1);
            }
            Err(fault) => {
                unreadable += 1;
                out.note(&format!("postern: {fault}: {}", fault.source));
            }
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            keep(gateway, std::mem::take(&mut batch), silent).await?;
            bytes = 0;
        }
    }
    keep(gateway, batch, silent).await?;
    Ok((read, unreadable))
}

async fn keep(
    gateway: &Arc<Gateway>,
    batch: Vec<MailFile>,
    silent: bool,
) -> Result<(), StoreError> {
    let now = gateway.clock.now();
    let batch = Arc::new(batch);
    gateway
        .db
        .write_again(move |tx| {
            let batch = Arc::clone(&batch);
            Box::pin(async move {
                let arrived: Vec<_> = batch
                    .iter()
                    .map(|file| {
                        let received_at = believed(file.received_at, now);
                        let arrival = imported(&file.bytes, received_at, &file.name, silent);
                        (arrival, file.bytes.as_slice())
                    })
                    .collect();
                messages::keep_all(tx, &arrived, now).await.map(drop)
            })
        })
        .await
}
