//! What it means that a letter was refused for good, by the server that was offered it or in a report
//! that came later.

use jiff::{SignedDuration, Timestamp};

use crate::casework::working::short_words;
use crate::clock::london_day;
use crate::letters::LetterId;
use crate::store::held;
use crate::store::refusals::{self, Refusing};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, moment};

/// For how long an address that refused us gets nothing automatic, and for how long a refusal counts.
const STOP: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Refusals within that time that stop mail where none by itself does.
const SEVERAL: i64 = 3;

/// Why a letter to an address that refuses our mail is held.
pub(super) const HELD_BECAUSE: &str = "its address refuses our mail";

/// What a status code of RFC 3463 says of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no such address.
    Gone,
    /// The address took this letter not; another it may take.
    Refused,
    /// Who we are was refused, and not the address.
    Policy,
    /// Nothing about the address.
    Nothing,
}

/// Reads a status code.
pub fn verdict(status: &str) -> Verdict {
    match status {
        "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.4.1" | "5.4.4" => Verdict::Gone,
        _ if status.starts_with("5.7.") => Verdict::Policy,
        _ if status.starts_with("5.") => Verdict::Refused,
        _ => Verdict::Nothing,
    }
}

/// Records that the address of a letter refused it for good, and does what follows: mail to that
/// address stops, or somebody is asked to look at our own mail server. Gives the end of a sentence
/// for the person who is told, empty where nothing more follows.
///
/// The address is the one that the letter went to, never one that a report names.
///
/// # Errors
/// When the database refuses.
pub async fn refused(
    tx: &mut Tx,
    letter: i64,
    address: &str,
    status: &str,
    now: Timestamp,
) -> Result<String, StoreError> {
    let verdict = verdict(status);
    match verdict {
        Verdict::Nothing => return Ok(String::new()),
        Verdict::Policy => {
            let words = format!(
                "our mail is refused by policy ({status}): the mail server's operator must look at SPF, DKIM and limits"
            );
            let task =
                NewTask { letter_id: Some(letter), words: words.into(), ..NewTask::default() };
            tasks::add_missing(tx, "mail_policy", &[task], now).await?;
            return Ok(String::new());
        }
        Verdict::Gone | Verdict::Refused => {}
    }
    if !refusals::record(tx, letter, address, status, now).await? {
        return Ok(String::new());
    }
    let since = now.saturating_sub(STOP).unwrap_or(now);
    if verdict == Verdict::Refused && refusals::count(tx, address, since).await? < SEVERAL {
        return Ok(String::new());
    }
    let until = now.saturating_add(STOP).unwrap_or(now);
    let refusing = refusals::stop(tx, address, letter, now, until).await?;
    let alert = LetterId::SafeguardingAlert.id();
    let waiting = held::hold_all_to(tx, address, alert, HELD_BECAUSE, now).await?;
    if !waiting.is_empty() {
        tell(tx, &[(refusing, None)], now).await?;
    }
    let until = short_words(london_day(moment(refusing.until_at)));
    Ok(format!("; nothing automatic goes to that address until {until}"))
}

/// A person hears once that letters to an address wait, however many they are.
pub(super) async fn tell(
    tx: &mut Tx,
    waiting: &[(Refusing, Option<i64>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let tasks: Vec<NewTask<'_>> = waiting
        .iter()
        .map(|(refusing, case_id)| NewTask {
            case_id: *case_id,
            letter_id: Some(refusing.letter_id),
            words: format!(
                "letters are held: the address of letter {} refuses our mail; see `postern letters list --held`",
                refusing.letter_id
            )
            .into(),
            ..NewTask::default()
        })
        .collect();
    tasks::add_missing(tx, LETTERS_HELD, &tasks, now).await
}

/// The kind of task that says so.
pub(crate) const LETTERS_HELD: &str = "letters_held";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_says_what_it_says_of_the_address() {
        for status in ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.1", "5.4.4"] {
            assert_eq!(verdict(status), Verdict::Gone, "{status}");
        }
        for status in ["5.0.0", "5.1.0", "5.1.11", "5.1.12", "5.2.1", "5.2.2", "5.4.14", "5.4.6"] {
            assert_eq!(verdict(status), Verdict::Refused, "{status}");
        }
        for status in ["5.7.0", "5.7.1", "5.7.509"] {
            assert_eq!(verdict(status), Verdict::Policy, "{status}");
        }
        for status in ["", "4.2.2", "4.4.7", "2.0.0", "5", "51.1"] {
            assert_eq!(verdict(status), Verdict::Nothing, "{status}");
        }
    }
}
