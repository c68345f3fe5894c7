//! Files that no scanner has seen: claim, show, record. One at a time: the scanner is the slow one, and
//! it works on as many threads as it likes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::clamd::{self, Patience, Verdict};
use crate::gateway::Gateway;
use crate::hold::hold_point;
use crate::store::attachments::{self, Carrier, Scan, Scanned, ToScan, Untold};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, moment};
use crate::tick::Tick;

/// Files shown in one tick.
const BATCH: usize = 16;
/// How long a claim holds: longer than the scanner is waited for.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// The first pause after a look without a verdict; each later one is twice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// A file that the scanner took so often without a verdict is not shown to it again.
const MOST_ATTEMPTS: i64 = 8;

/// Shows the files that wait to the scanner, and tells a person of every infected one.
///
/// # Errors
/// When the database refuses; what was claimed is shown again when its lease ends.
pub async fn tick(gateway: &Arc<Gateway>, patience: Patience) -> Result<Tick, StoreError> {
    let Some(clamd) = gateway.config.scan.scanner() else { return Ok(Tick::Idle) };
    let mut found = Tick::Idle;
    for _ in 0..BATCH {
        let Some(file) = claim(gateway).await? else { break };
        found = Tick::Busy;
        hold_point("scanning").await;
        let bytes = attachments::bytes(&gateway.db, file.message_id, &file.sha256).await?;
        let verdict = match bytes {
            Some(bytes) => Some(clamd::scan(&clamd, &bytes, patience).await),
            None => None,
        };
        let away = match &verdict {
            Some(Verdict::Unreachable(why)) => Some(why.clone()),
            _ => None,
        };
        record(gateway, &file, verdict).await?;
        if let Some(why) = away {
            // The others would fare no better: they wait until somebody listens again.
            warn!("the virus scanner could not be reached: {why}");
            found = Tick::Idle;
            break;
        }
    }
    tell(gateway).await?;
    Ok(found)
}

async fn claim(gateway: &Arc<Gateway>) -> Result<Option<ToScan>, StoreError> {
    let (id, now) = (gateway.id.clone(), gateway.clock.now());
    let until = now.saturating_add(LEASE).unwrap_or(now);
    gateway
        .db
        .write_again(move |tx| {
            let id = id.clone();
            Box::pin(async move { attachments::claim(tx, &id, now, until).await })
        })
        .await
}

/// Records what the scanner said; none where the bytes could not be read back.
async fn record(
    gateway: &Arc<Gateway>,
    file: &ToScan,
    verdict: Option<Verdict>,
) -> Result<(), StoreError> {
    let (id, now) = (gateway.id.clone(), gateway.clock.now());
    let (sha256, found) = (file.sha256.clone(), outcome(file, verdict, now));
    let message = file.message_id;
    let of = message.map_or_else(|| "an answer".to_owned(), |id| format!("message {id}"));
    match (found.scan, found.again_at) {
        // The scanner's own words stay in the store: a stranger at its place could echo a letter.
        (Scan::CouldNotScan, Some(_)) => {
            warn!(message.id = message, "an attachment of {of} waits to be scanned");
        }
        (Scan::CouldNotScan, None) => {
            warn!(message.id = message, "an attachment of {of} cannot be scanned");
        }
        (scan, _) => {
            info!(message.id = message, "an attachment of {of}: {}", scan.words());
        }
    }
    gateway
        .db
        .write_again(move |tx| {
            let (id, sha256, found) = (id.clone(), sha256.clone(), found.clone());
            Box::pin(async move { attachments::scanned(tx, &sha256, &id, &found, now).await })
        })
        .await
        .map(drop)
}

/// What a verdict makes of a file, and whether and when it is shown again.
fn outcome(file: &ToScan, verdict: Option<Verdict>, now: Timestamp) -> Scanned {
    let again = now.saturating_add(pause(file)).unwrap_or(now);
    let no_verdict = |why: String, counts, again_at| Scanned {
        scan: Scan::CouldNotScan,
        answer: Some(why),
        counts,
        again_at,
    };
    let verdict_is = |scan, answer| Scanned { scan, answer, counts: false, again_at: None };
    match verdict {
        Some(Verdict::Clean) => verdict_is(Scan::Clean, None),
        Some(Verdict::Infected(name)) => verdict_is(Scan::Infected, Some(name)),
        Some(Verdict::TooLarge) => {
            no_verdict("it is beyond the scanner's limits".to_owned(), true, None)
        }
        Some(Verdict::Locked) => no_verdict("it is locked".to_owned(), true, None),
        Some(Verdict::Failed(why)) => {
            let once_more = file.scan_attempts + 1 < MOST_ATTEMPTS;
            no_verdict(why, true, once_more.then_some(again))
        }
        Some(Verdict::Unreachable(why)) => {
            no_verdict(format!("the scanner could not be reached: {why}"), false, Some(again))
        }
        None => no_verdict("it could not be read back from its message".to_owned(), true, None),
    }
}

/// Twice the pause before this try.
fn pause(file: &ToScan) -> SignedDuration {
    let last = file.scanned_at.map_or(SignedDuration::ZERO, |tried| {
        moment(file.scan_due_at).duration_since(moment(tried))
    });
    (last * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

/// Tells a person of every infected attachment that came with an answer or whose message is settled, once: the task stands by the
/// message's case, where it has one. A file that was known to be infected when it came again is told as well.
async fn tell(gateway: &Arc<Gateway>) -> Result<(), StoreError> {
    if !attachments::any_untold(&gateway.db).await? {
        return Ok(());
    }
    let now = gateway.clock.now();
    let told = gateway
        .db
        .write_again(move |tx| {
            Box::pin(async move {
                let untold = attachments::take_untold(tx, now).await?;
                let carriers: Vec<&[Untold]> =
                    untold.chunk_by(|one, other| one.carrier == other.carrier).collect();
                let mut told = Vec::new();
                for infected in carriers {
                    let Some(first) = infected.first() else { continue };
                    let task = NewTask {
                        kind: "infected_attachment",
                        case_id: first.case_id,
                        message_id: match first.carrier {
                            Carrier::Message(message) => Some(message),
                            Carrier::Answer(_) => None,
                        },
                        words: words(infected).into(),
                        ..NewTask::default()
                    };
                    tasks::add(tx, &task, now).await?;
                    told.push(first.carrier);
                }
                Ok(told)
            })
        })
        .await?;
    for carrier in told {
        match carrier {
            Carrier::Message(message) => {
                warn!(message.id = message, "message {message} carries an infected attachment");
            }
            Carrier::Answer(answer) => {
                warn!(answer.id = answer, "answer {answer} carries an infected file");
            }
        }
    }
    Ok(())
}

/// What a person is told of the infected attachments of one message, or of one answer.
fn words(infected: &[Untold]) -> String {
    let list: Vec<String> = infected
        .iter()
        .map(|one| match &one.answer {
            Some(name) => format!("{}/{} ({name})", one.carrier, one.number),
            None => format!("{}/{}", one.carrier, one.number),
        })
        .collect();
    format!("infected attachment {}: kept apart; do not open it, warn its sender", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(attempts: i64, tried: Option<i64>, due: i64) -> ToScan {
        ToScan {
            sha256: String::new(),
            message_id: Some(1),
            scan_attempts: attempts,
            scanned_at: tried.map(|seconds| seconds * 1000),
            scan_due_at: due * 1000,
        }
    }

    #[test]
    fn pauses_grow_to_an_hour() {
        for (tried, due, expected) in
            [(None, 0, 30), (Some(100), 130, 60), (Some(100), 1000, 1800), (Some(0), 3600, 3600)]
        {
            assert_eq!(pause(&file(0, tried, due)).as_secs(), expected, "{tried:?} {due}");
        }
    }

    #[test]
    fn a_scanner_that_is_away_is_waited_for_and_a_file_that_it_cannot_take_is_not() {
        let now = moment(1_000_000);
        let away = Verdict::Unreachable("nobody listens there".to_owned());
        let found = outcome(&file(99, None, 0), Some(away), now);
        assert_eq!((found.scan, found.counts), (Scan::CouldNotScan, false));
        assert!(found.again_at.is_some(), "however often");

        let failed = || Some(Verdict::Failed("hung up".to_owned()));
        assert!(outcome(&file(0, None, 0), failed(), now).again_at.is_some());
        assert_eq!(outcome(&file(MOST_ATTEMPTS - 1, None, 0), failed(), now).again_at, None);
        for verdict in [Some(Verdict::TooLarge), Some(Verdict::Locked), None] {
            let found = outcome(&file(0, None, 0), verdict, now);
            assert_eq!((found.scan, found.again_at), (Scan::CouldNotScan, None));
        }
    }
}
