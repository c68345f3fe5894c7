//! Holding letters, drafted before a promised day passes.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::case::{Actor, Event};
use crate::gateway::Gateway;
use crate::officer::holding::{Days, TASK, keep, posting};
use crate::policy::Policy;
use crate::store::held::{self, HeldBy};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, holding, letters};

/// How many working days before the promised day a letter is drafted, when the ladder asks officers to decide
/// (`holding_check`).
const BEFORE: i32 = 2;
/// How many working days later it promises the answer, and is drafted again (domain 7.5).
const LATER: i32 = 10;
/// What a draft gives as the reason, until an officer knows a better one.
const WHY: &str = "We are still waiting for some of what we need to answer you.";

/// Drafts a letter for every case whose customer is to hear within two working days and has not been answered.
pub(super) async fn run(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    today: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let uncovered = |gap: crate::casework::calendar::NotCovered| {
        StoreError::unsuitable("work out a new day", gap.to_string())
    };
    let until = policy.calendar.add_working_days(today, BEFORE).map_err(uncovered)?;
    for row in holding::expected_within(tx, today, until).await? {
        let expected = holding::expected(tx, row.id).await?;
        let Some(was_due) = expected.and_then(|day| day.parse::<Date>().ok()) else { continue };
        let later = policy.calendar.add_working_days(was_due, LATER).map_err(uncovered)?;
        let days = Days { was_due, answer_by: later };
        // One a promise, however often a day is run.
        let key = format!("holding:{}:{was_due}", row.id);
        let Some(letter) = posting(gateway, policy, &row, days, WHY, key)? else { continue };
        if !keep(tx, &letter, row.id, days).await? {
            continue;
        }
        gateway.sender.post(tx, std::slice::from_ref(&letter), now).await?;
        if gateway.config.reminders.release_holding_letters {
            let text = format!("holding letter: {was_due} is not kept, {later} is promised").into();
            cases::record(tx, row.id, &Actor::Gateway, &Event::Note { text }, now).await?;
            continue;
        }
        let Some(id) = letters::of_key(tx, &letter.once_key).await? else { continue };
        held::hold(tx, &[id], HeldBy::Draft, "a draft: an officer releases it").await?;
        let words = format!(
            "the answer is promised for {was_due} and not written: send it, or release the holding letter that \
             is drafted (`letters release {id}`), or write another (`case holding-letter`)"
        );
        let task = NewTask {
            kind: TASK,
            case_id: Some(row.id),
            letter_id: Some(id),
            words: words.into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, now).await?;
    }
    Ok(())
}
