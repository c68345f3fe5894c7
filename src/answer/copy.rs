//! A copy of an answer, by mail, to the mailbox of the link that it was given by, and nowhere else.

use std::sync::Arc;

use jiff::Timestamp;

use super::check::named;
use super::fields::finding_words;
use super::visit::Item;
use crate::casework::answer::Given;
use crate::casework::vocabulary::Flag;
use crate::casework::working::in_words;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::letters::{AnswerCopy, InFull, LetterId, PointCopy};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::private::Private;
use crate::store::uploads::Upload;
use crate::store::{StoreError, Tx};

/// The most lines of one box that stay lines: what comes after them stays, in one.
const MOST_LINES: usize = 200;

/// An answer that was just given.
pub(super) struct Told<'a> {
    pub(super) given: &'a Given,
    pub(super) by_name: &'a str,
    pub(super) files: &'a [Upload],
    /// Whether its words may tell of a child at risk.
    pub(super) at_risk: bool,
    /// The form's key: one copy a form.
    pub(super) key: &'a str,
}

/// Queues the copy. What it says is left out where a child may be at risk, or who wrote withholds who they are: that
/// stays behind the code.
///
/// # Errors
/// When the database refuses.
pub(super) async fn queue(
    tx: &mut Tx,
    gateway: &Gateway,
    (recipient, item): (&str, &Item),
    told: &Told<'_>,
) -> Result<(), StoreError> {
    if !gateway.config.answers.copy_by_email {
        return Ok(());
    }
    let (letter, now) = (LetterId::AnswerCopy, gateway.clock.now());
    let flags: Vec<Flag> = serde_json::from_str(&item.case.flags).unwrap_or_default();
    let is_withheld =
        told.at_risk || flags.contains(&Flag::Safeguarding) || flags.contains(&Flag::Anonymous);
    let context = context(gateway, item, told, (is_withheld, now));
    let written = match gateway.policy().letters.write(letter, &context) {
        Ok(written) => written,
        // The answer is taken all the same: its copy is a courtesy.
        Err(fault) => {
            tracing::error!(request.id = item.request.id, "no copy of an answer: {fault}");
            return Ok(());
        }
    };
    let posting = Posting {
        purpose: letter.id(),
        once_key: format!("{letter}:{}:{}", item.request.id, told.key),
        case: TokenCase::of(&item.case),
        request: Some(item.request.id),
        message: None,
        recipient: recipient.to_owned(),
        written: Arc::new(written),
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    };
    gateway.sender.post(tx, &[posting], now).await
}

fn context(
    gateway: &Gateway,
    item: &Item,
    told: &Told<'_>,
    (is_withheld, now): (bool, Timestamp),
) -> AnswerCopy {
    let empty = Given::default();
    let given = if is_withheld { &empty } else { told.given };
    let points = given.points.iter().map(|one| PointCopy {
        label: one.point.label().to_owned(),
        finding: finding_words(one.finding).to_lowercase(),
        why: lines(&one.why),
    });
    let remedy = given.remedy.as_ref();
    let files = told.files.iter().filter(|_| !is_withheld);
    let name = |file: &Upload| named(file.file.name.as_deref().map(String::as_str)).to_owned();
    AnswerCopy {
        reference: item.case.reference.clone(),
        service: item.service.clone(),
        by_name: Private(told.by_name.to_owned()),
        given_at: format!(
            "{} at {}",
            in_words(london_day(now)),
            now.to_zoned(london()).strftime("%-I:%M%P")
        ),
        is_withheld,
        points: points.collect(),
        what: lines(&given.what),
        remedy: remedy.map_or_else(Vec::new, |one| lines(&one.what)),
        remedy_by: remedy.and_then(|one| one.by).map(InFull),
        remedy_by_whom: remedy.and_then(|one| one.by_whom.clone()),
        files: files.map(name).map(Private).collect(),
        contact: gateway.contact(),
        council: gateway.council(),
    }
}

/// The lines of what was typed, without empty ones.
fn lines(text: &str) -> Vec<Private<String>> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut kept: Vec<String> = lines.by_ref().take(MOST_LINES).map(str::to_owned).collect();
    let rest: Vec<&str> = lines.collect();
    if !rest.is_empty() {
        kept.push(rest.join(" "));
    }
    kept.into_iter().map(Private).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_and_none_is_lost() {
        let read = |text: &str| lines(text).into_iter().map(|line| line.0).collect::<Vec<_>>();
        assert_eq!(read("One.\n\n  Two. \r\n"), ["One.", "Two."]);
        assert!(read(" \n ").is_empty());
        let many = read(&"a\n".repeat(50_000));
        assert_eq!(many.len(), MOST_LINES + 1);
        assert_eq!(many.join(" ").matches('a').count(), 50_000);
    }
}
