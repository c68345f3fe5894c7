//! `postern rotate-key`: a new key for the tokens in our letters.

use std::path::Path;

use super::{Failure, Out};
use crate::clock::Clock;
use crate::store;

pub(super) async fn run(file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let name = gateway.sender.keys.next_name();
    gateway
        .db
        .write(move |tx| Box::pin(async move { store::rotate_token_key(tx, name).await }))
        .await?;
    gateway.db.close().await;
    out.line(&format!("key {name} signs from the next start on: restart every `postern serve`"))?;
    out.line("answers to letters already out are known by the key before it; a second rotation forgets that")?;
    Ok(out.flush()?)
}
