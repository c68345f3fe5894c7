//! Past messages as this program reads what was kept of them, with what officers decided.

use std::sync::Arc;

use jiff::Timestamp;

use crate::casework::case::Recorded;
use crate::casework::vocabulary::ServiceId;
use crate::email::{Email, SenderProof};
use crate::intake::by_itself;
use crate::rules::compare::{Truth, decided as decided_by};
use crate::rules::trial::Labelled;
use crate::rules::{Classification, Known, RuleSet, Services};
use crate::store::past::{self, PastMessage};
use crate::store::{Db, StoreError, moment};

/// Messages that are read at once.
const PAGE: usize = 250;

/// A past message.
pub struct Kept {
    /// Its number.
    pub message: i64,
    /// The case that it belongs to.
    pub reference: Option<String>,
    /// When the council's server took it.
    pub received_at: Timestamp,
    /// What was read of it, as the rules were shown it.
    pub email: Email,
    /// What was made of it then.
    pub found: Classification,
    /// What officers decided of the case that it opened.
    pub truth: Truth,
    /// What the register knew of its sender then; the directory of services may be another now.
    register: Known,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({})", self.message)
    }
}

impl Kept {
    /// A row of the store, with what was done to the case that it opened. Nothing where a later program
    /// no longer reads what was kept.
    pub fn read(past: PastMessage, acts: &[Recorded]) -> Option<Self> {
        let email: Email = serde_json::from_str(&past.email).ok()?;
        let found = serde_json::from_str(&past.classification).ok()?;
        let recorded = past.known.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let register = recorded.unwrap_or_else(|| from_case(&past));
        Some(Self {
            message: past.id,
            reference: past.reference,
            received_at: moment(past.received_at),
            email: if past.alone { by_itself(&email) } else { email },
            found,
            truth: decided_by(acts),
            register,
        })
    }

    /// What a set of rules makes of it, told what was known of the sender then.
    pub fn judged_by(&self, rules: &RuleSet) -> Classification {
        rules.classify(&self.email, &self.known(rules.services()))
    }

    /// What the register knew of the sender then. The directory is the draft's own: it may be what is
    /// tried.
    pub fn known(&self, services: &Services) -> Known {
        let address = self.email.from.as_ref().map(|from| from.address.as_str());
        let trusted = address.filter(|_| self.email.sender_proof != SenderProof::Failed);
        let sender_service = trusted.and_then(|address| services.is_service_address(address));
        Known {
            sender_is_service: sender_service.is_some()
                || trusted.is_some_and(|address| services.is_council_address(address)),
            sender_service,
            ..self.register.clone()
        }
    }

    /// As an example of what officers decided, where they decided all that an example tells.
    pub fn as_example(&self) -> Option<Labelled> {
        let labels = crate::rules::compare::labels(&self.truth, &self.found)?;
        Some(Labelled { id: self.message.to_string(), email: self.email.clone(), labels })
    }
}

/// What can still be told of a message settled before that was kept: from the case that it was put
/// with, as it stands now.
fn from_case(past: &PastMessage) -> Known {
    if past.opened_by.is_none_or(|opened_by| opened_by == past.id) {
        return Known::default();
    }
    Known {
        answers_request: past.action.as_deref() == Some("answered_request"),
        sender_has_case: true,
        case_services: past.lead_service.iter().cloned().map(ServiceId).collect(),
        case_customer: past.customer_type.as_deref().and_then(|id| id.parse().ok()),
        ..Known::default()
    }
}

/// Which past messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that were settled.
    All,
    /// Those that opened a case which an officer has decided.
    Decided,
}

/// What `make` makes of each of the newest past messages, newest first, all of one moment of the store.
/// It runs on threads of its own; what can no longer be read is passed over.
///
/// # Errors
/// When the store cannot be read.
pub async fn each<T: Send + 'static>(
    db: &Db,
    which: Which,
    since: Option<Timestamp>,
    most: usize,
    make: impl Fn(Kept) -> T + Send + Sync + 'static,
) -> Result<Vec<T>, StoreError> {
    let make = Arc::new(make);
    let mut tx = db.snapshot().await?;
    let mut results = Vec::new();
    let (mut before, mut left) = (i64::MAX, most);
    loop {
        let messages = match which {
            Which::All => past::page(&mut tx, before, since, left.min(PAGE)).await?,
            Which::Decided => past::decided_page(&mut tx, before, since, left.min(PAGE)).await?,
        };
        let Some(last) = messages.last() else { return Ok(results) };
        (before, left) = (last.id, left.saturating_sub(messages.len()));
        let opened_by: Vec<i64> = messages.iter().map(|one| one.id).collect();
        let acts = past::acts(&mut tx, &opened_by).await?;
        let make = Arc::clone(&make);
        let work = tokio::task::spawn_blocking(move || -> Vec<T> {
            let read = messages.into_iter().filter_map(|one| {
                let acts = acts.get(&one.id).map(Vec::as_slice).unwrap_or_default();
                Kept::read(one, acts)
            });
            read.map(|kept| make(kept)).collect()
        });
        results.extend(super::whole(work.await));
    }
}
