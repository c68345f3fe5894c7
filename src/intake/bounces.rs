//! What reports about our own letters say, and what follows.

use super::settle::{Following, Scene, note};
use crate::decide::Action;
use crate::email::Bounce;
use crate::outbox;
use crate::store::tasks::NewTask;
use crate::store::{StoreError, Tx, letters};

/// What a delivery report says of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report<'a> {
    /// It arrived, or was handed on to where nobody reports.
    Delivered,
    /// It is still being tried; the status.
    Delayed(&'a str),
    /// It came back; the status, empty where none is given.
    Failed(&'a str),
}

/// Reads a report. What names no action (RFC 3464 section 2.3.3) is judged by its first status.
fn report(bounce: Option<&Bounce>) -> Report<'_> {
    let statuses = bounce.map(|bounce| bounce.status.as_slice()).unwrap_or_default();
    let first = |class: char| statuses.iter().find(|status| status.starts_with(class));
    match bounce.and_then(|bounce| bounce.action.as_deref()) {
        Some("delivered" | "relayed" | "expanded") => Report::Delivered,
        Some("delayed") => Report::Delayed(words(first('4').or(statuses.first()))),
        Some("failed") => Report::Failed(words(first('5').or_else(|| first('4')))),
        _ => match words(statuses.first()) {
            status if status.starts_with('4') => Report::Delayed(status),
            status if status.starts_with('2') => Report::Delivered,
            status => Report::Failed(status),
        },
    }
}

fn words(status: Option<&String>) -> &str {
    status.map_or("", String::as_str)
}

/// Notes what a report says on the letter that it is about. Only our own keyed token says which that
/// is: a report without one changes nothing.
pub(super) async fn take_note(
    tx: &mut Tx,
    scene: &Scene<'_>,
    after: &mut Following,
) -> Result<(), StoreError> {
    let Some(letter) = scene.history.about_letter else { return Ok(()) };
    if matches!(scene.decision.action, Action::Duplicate { .. }) {
        return Ok(());
    }
    let status = match report(scene.one.email.bounce.as_ref()) {
        Report::Delivered => return letters::delivered(tx, letter, scene.now).await,
        Report::Delayed(status) => {
            if let Action::File { case: Some(case) } = scene.decision.action {
                after.events.push(note(case, format!("letter {letter} is delayed ({status})")));
            }
            return Ok(());
        }
        Report::Failed(status) => status,
    };
    let Some(about) = letters::about(tx, letter).await? else { return Ok(()) };
    // A letter that came back is one person's task, however many servers say so.
    if !letters::bounced(tx, letter, status, scene.now).await? {
        return Ok(());
    }
    let stops = outbox::refused(tx, letter, &about.recipient, status, scene.now).await?;
    let words = format!("a letter came back ({status}): reach the person by other means{stops}");
    after.tasks.push(NewTask {
        kind: "letter_bounced",
        // A merged case's letters are the business of the one that goes on.
        case_id: scene.history.token_case.as_ref().map(|case| case.id).or(about.case_id),
        message_id: Some(scene.one.waiting.id),
        letter_id: Some(letter),
        words: words.into(),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(action: Option<&str>, statuses: &[&str], expected: Report<'_>) {
        let bounce = Bounce {
            action: action.map(str::to_owned),
            status: statuses.iter().map(|status| (*status).to_owned()).collect(),
            ..Bounce::default()
        };
        assert_eq!(report(Some(&bounce)), expected, "{action:?} {statuses:?}");
    }

    #[test]
    fn the_action_says_what_became_of_a_letter() {
        check(Some("failed"), &["5.1.1"], Report::Failed("5.1.1"));
        check(Some("failed"), &["2.0.0", "5.1.1"], Report::Failed("5.1.1"));
        // Given up after days: it will not arrive.
        check(Some("failed"), &["4.4.7"], Report::Failed("4.4.7"));
        check(Some("failed"), &[], Report::Failed(""));
        check(Some("delayed"), &["4.4.1"], Report::Delayed("4.4.1"));
        check(Some("delayed"), &["5.1.1"], Report::Delayed("5.1.1"));
        for action in ["delivered", "relayed", "expanded"] {
            check(Some(action), &["2.0.0"], Report::Delivered);
            check(Some(action), &["5.1.1"], Report::Delivered);
        }
    }

    #[test]
    fn without_an_action_the_status_says_it() {
        check(None, &["5.1.1"], Report::Failed("5.1.1"));
        check(None, &["4.2.2", "5.1.1"], Report::Delayed("4.2.2"));
        check(None, &["2.0.0"], Report::Delivered);
        check(None, &[], Report::Failed(""));
        check(Some("whatever"), &["5.2.1"], Report::Failed("5.2.1"));
        assert_eq!(report(None), Report::Failed(""));
    }
}
