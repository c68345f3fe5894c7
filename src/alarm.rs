//! A child may be at risk: whoever is on duty is called at once, and somebody else where nobody opens the
//! message.
//!
//! The first call is queued in the transaction that settles the message, or that takes what a service typed on its
//! answer page, before anybody else is written to.
//! Whether somebody has opened it is known by a reply that says so, from where the call went or from the
//! council itself, or because an officer ended the task that it left. Nothing in it ever waits for an answer:
//! the second call is made from the row.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use tracing::{error, info};

use crate::casework::calendar::WorkingCalendar;
use crate::casework::case::Alarm;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::letters::{DutyAlert, LetterId};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::policy::Policy;
use crate::store::alarms::{self, NewAlarm, Unopened};
use crate::store::cases::{self, CaseRow};
use crate::store::{StoreError, moment};
use crate::tick::Tick;

/// How long a tick waits at most for the next: another gateway may have called.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What somebody is called to.
#[derive(Debug, Clone, Copy)]
pub enum Called<'a> {
    /// A message, by its row.
    Message(i64),
    /// What a service typed on the answer page of a case, with its reference.
    Case(TokenCase, &'a str),
}

/// The first call: the letter, and what is kept of it. None when the template stops, which is logged; the task is
/// left to a person all the same.
pub fn call(
    gateway: &Gateway,
    policy: &Policy,
    about: Called<'_>,
    received_at: Timestamp,
    now: Timestamp,
) -> Option<(Posting, NewAlarm)> {
    let called = people(gateway, policy, now).first;
    let once_key = match about {
        Called::Message(message) => format!("safeguarding:{message}"),
        // Whatever is typed there calls, each time.
        Called::Case(case, _) => format!("safeguarding:case:{}:{}", case.id, now.as_millisecond()),
    };
    let call = Call { about, received_at, once_key, is_second: false };
    let posting = letter(gateway, policy, call, called.clone(), now)?;
    let about = match about {
        Called::Message(message) => Alarm::Message(message),
        Called::Case(case, _) => Alarm::Case(case.id),
    };
    Some((posting, NewAlarm { about, called }))
}

/// Calls somebody else for what nobody has opened in time.
///
/// # Errors
/// When the database refuses; the next tick tries again.
pub async fn tick(gateway: &Arc<Gateway>) -> Result<Tick, StoreError> {
    let now = gateway.clock.now();
    let until = now - patience(gateway);
    let first = alarms::first(&gateway.db).await?;
    if first.is_none_or(|first| moment(first.called_at) > until) {
        return Ok(Tick::Idle);
    }
    let inner = Arc::clone(gateway);
    let called = gateway
        .db
        .write_again(move |tx| {
            let inner = Arc::clone(&inner);
            Box::pin(async move {
                let policy = inner.policy();
                let mut letters = Vec::new();
                for one in alarms::take(tx, until, now).await? {
                    let who = people(&inner, &policy, now).second(&one.called);
                    let case = match one.case_id {
                        Some(case) => cases::by_id(tx, case).await?,
                        None => None,
                    };
                    let Some(call) = second(&one, case.as_ref()) else { continue };
                    letters.extend(letter(&inner, &policy, call, who, now));
                }
                inner.sender.post(tx, &letters, now).await?;
                Ok::<_, StoreError>(letters.len())
            })
        })
        .await?;
    info!(
        messages = called,
        "nobody has opened what may tell of a child at risk: others are called"
    );
    gateway.nudges.letter.notify_one();
    Ok(Tick::Busy)
}

/// Sleeps until somebody else may have to be called.
pub async fn wait(gateway: &Gateway) {
    let next = alarms::first(&gateway.db).await.ok().flatten();
    let until = next.map(|next| moment(next.called_at) + patience(gateway) - gateway.clock.now());
    let wait = until.and_then(|until| Duration::try_from(until).ok());
    tokio::time::sleep(wait.unwrap_or(LONGEST_WAIT).clamp(Duration::from_secs(1), LONGEST_WAIT))
        .await;
}

fn patience(gateway: &Gateway) -> SignedDuration {
    SignedDuration::from_mins(i64::from(gateway.config.duty.minutes))
}

/// Who is called at a moment.
struct People {
    first: String,
    /// In the order in which they are called for the second time.
    others: Vec<String>,
}

impl People {
    /// Somebody who was not called yet; the same once more where there is nobody else.
    fn second(self, called: &str) -> String {
        let other = |address: &String| !address.eq_ignore_ascii_case(called);
        self.others.into_iter().find(other).unwrap_or_else(|| called.to_owned())
    }
}

fn people(gateway: &Gateway, policy: &Policy, now: Timestamp) -> People {
    let settings = &gateway.config.duty;
    let team = &policy.rules.services().team;
    let duty = settings.address.clone();
    let duty = duty.unwrap_or_else(|| team.safeguarding_duty.address.clone());
    let manager = team.complaints_manager.address.clone();
    let open = is_open(&policy.calendar, (settings.opens, settings.closes), now);
    match &settings.out_of_hours {
        Some(elsewhere) if !open => {
            People { first: elsewhere.clone(), others: vec![elsewhere.clone(), duty, manager] }
        }
        Some(_) | None => {
            let second = settings.second.iter().cloned();
            People { first: duty.clone(), others: second.chain([manager, duty]).collect() }
        }
    }
}

/// Whether somebody is at the office. Past what the calendar covers, nobody is.
fn is_open(calendar: &WorkingCalendar, (opens, closes): (Time, Time), now: Timestamp) -> bool {
    let local = now.to_zoned(london());
    let working = calendar.is_working_day(london_day(now)).unwrap_or(false);
    working && (opens..closes).contains(&local.time())
}

/// One call.
struct Call<'a> {
    about: Called<'a>,
    received_at: Timestamp,
    once_key: String,
    is_second: bool,
}

/// The second call; none where there is nothing to call to any more.
fn second<'a>(one: &Unopened, case: Option<&'a CaseRow>) -> Option<Call<'a>> {
    let (about, once_key) = match (one.message_id, case) {
        (Some(message), _) => (Called::Message(message), format!("safeguarding:{message}:again")),
        (None, Some(case)) => (
            Called::Case(TokenCase::of(case)?, &case.reference),
            format!("safeguarding:alarm:{}:again", one.id),
        ),
        (None, None) => return None,
    };
    Some(Call { about, received_at: moment(one.received_at), once_key, is_second: true })
}

fn letter(
    gateway: &Gateway,
    policy: &Policy,
    Call { about, received_at, once_key, is_second }: Call<'_>,
    recipient: String,
    now: Timestamp,
) -> Option<Posting> {
    let received = received_at.to_zoned(london());
    let (message, case, reference) = match about {
        Called::Message(message) => (Some(message), None, None),
        Called::Case(case, reference) => (None, Some(case), Some(reference.to_owned())),
    };
    let context = DutyAlert {
        message_number: message,
        reference,
        received: received.strftime("%-I:%M%P on %A %-d %B %Y").to_string(),
        is_second_call: is_second,
        message_url: None,
        council: gateway.council(),
    };
    let id = LetterId::SafeguardingAlert;
    let written = policy
        .letters
        .write(id, &context)
        .map_err(|fault| error!(letter = id.id(), %fault, "a letter could not be written"))
        .ok()?;
    Some(Posting {
        purpose: id.id(),
        once_key,
        case,
        request: None,
        message,
        recipient,
        written: Arc::new(written),
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLAND: &str = include_str!("../rules/calendar/bank-holidays-england.json");

    fn people(others: &[&str]) -> People {
        People { first: "duty".into(), others: others.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn the_second_call_goes_to_somebody_else() {
        assert_eq!(people(&["second", "manager", "duty"]).second("Duty"), "second");
        assert_eq!(people(&["night", "duty", "manager"]).second("night"), "duty");
        assert_eq!(people(&["duty"]).second("duty"), "duty");
    }

    #[test]
    fn the_office_is_open_on_working_days_between_its_hours_in_london() {
        let hours = (jiff::civil::time(8, 30, 0, 0), jiff::civil::time(17, 30, 0, 0));
        for (at, open) in [
            ("2026-11-25T08:29:59Z", false),
            ("2026-11-25T08:30:00Z", true),
            ("2026-11-25T17:30:00Z", false),
            // A Saturday, and Christmas Day.
            ("2026-11-28T12:00:00Z", false),
            ("2026-12-25T12:00:00Z", false),
            // In summer London is an hour ahead.
            ("2026-07-01T07:30:00Z", true),
            ("2026-07-01T16:30:00Z", false),
        ] {
            let calendar = WorkingCalendar::from_json("days.json", ENGLAND).unwrap();
            assert_eq!(is_open(&calendar, hours, at.parse().unwrap()), open, "{at}");
        }
    }
}
