//! Links to the answer page, made with the letter that carries them: each for one mailbox, and for nothing but the
//! requests that its letter is about.

use jiff::Timestamp;

use super::Sender;
use crate::clock::london_day;
use crate::store::links::{self, NewLink};
use crate::store::{self, StoreError, Tx};
use crate::token::{hashed, link_token};

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The mailbox that it is sent to.
    pub recipient: String,
    /// The requests that it opens, worst first.
    pub requests: Vec<i64>,
}

impl Sender {
    /// A link for each, in order; none where there is no answer page. Only what is returned here ever holds a
    /// token: the store keeps its hash.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn links(
        &self,
        tx: &mut Tx,
        wanted: Vec<Wanted>,
        now: Timestamp,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let Some(page) = self.page.as_ref().filter(|_| !wanted.is_empty()) else {
            return Ok(vec![None; wanted.len()]);
        };
        let drawn = store::draw_some(tx, wanted.len()).await?;
        let tokens: Vec<_> = drawn.iter().map(|secret| link_token(secret)).collect();
        let new = tokens.iter().zip(wanted).map(|(token, wanted)| NewLink {
            token_sha256: hashed(token),
            recipient: wanted.recipient,
            requests: wanted.requests,
        });
        let new: Vec<NewLink> = new.collect();
        links::add(tx, &new, london_day(now), now).await?;
        Ok(tokens.iter().map(|token| Some(format!("{page}/a/{}", token.0))).collect())
    }
}
