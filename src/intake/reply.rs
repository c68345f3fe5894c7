//! What a service says to what it was asked, whether it replies by mail or says it on the answer page: one path.

use jiff::Timestamp;
use jiff::civil::Date;

use super::settle::Following;
use crate::alarm::{self, Called};
use crate::casework::answer::Given;
use crate::casework::case::Event;
use crate::casework::reply::Says;
use crate::casework::vocabulary::ServiceId;
use crate::gateway::Gateway;
use crate::outbox::TokenCase;
use crate::private::Private;
use crate::store::answers::{self, NewAnswer};
use crate::store::tasks::NewTask;
use crate::store::uploads::{self, Upload};
use crate::store::{StoreError, Tx, cases, drafts, requests};

/// What a service said.
pub(crate) struct Said<'a> {
    pub(crate) case: i64,
    pub(crate) request: i64,
    pub(crate) service: ServiceId,
    pub(crate) says: Says,
    /// The message; none where it was said on the answer page.
    pub(crate) message: Option<i64>,
    /// The name that was typed on the page.
    pub(crate) by_name: Option<&'a str>,
    /// The mailbox that the mail came from, or that the page's link was sent to.
    pub(crate) by_address: Option<&'a str>,
    /// What was written beside it.
    pub(crate) words: Option<String>,
    /// By when they can answer, where they ask for longer.
    pub(crate) until: Option<Date>,
    /// The answer, where it is one.
    pub(crate) given: Option<Given>,
    /// The files that came with it on the page; those of a mail stand with the mail.
    pub(crate) files: &'a [Upload],
    /// Whether what was typed on the page may tell of a child at risk ([`is_at_risk`](super::is_at_risk)).
    pub(crate) at_risk: bool,
}

/// Takes what a service said. Whatever it says, a person reads it; who was chased goes on being chased unless it is
/// their answer, or not theirs. False where that was known, or nothing is open any more: nothing is changed then.
pub(crate) async fn take(
    tx: &mut Tx,
    gateway: &Gateway,
    said: &Said<'_>,
    now: Timestamp,
    after: &mut Following,
) -> Result<bool, StoreError> {
    let confirm = gateway.config.answers.confirm;
    let is_new = match said.says {
        Says::Answers => requests::answered(tx, said.request, said.message, now).await?,
        Says::Accepts => requests::accepted(tx, said.request).await?,
        Says::NotOurs => requests::declined(tx, said.request).await?,
        Says::MoreTime | Says::Away | Says::Progress | Says::Asks => true,
    };
    if is_new {
        alert(tx, gateway, said, now, after).await?;
        keep(tx, confirm, said, now).await?;
        after.events.push((said.case, event(said)));
        after.tasks.extend(task(said, confirm));
    }
    Ok(is_new)
}

/// Takes what a service adds to an answer that it has given.
pub(crate) async fn add(
    tx: &mut Tx,
    gateway: &Gateway,
    said: &Said<'_>,
    now: Timestamp,
    after: &mut Following,
) -> Result<(), StoreError> {
    let confirm = gateway.config.answers.confirm;
    alert(tx, gateway, said, now, after).await?;
    keep(tx, confirm, said, now).await?;
    drafts::drop_of(tx, said.request).await?;
    after.events.push((said.case, replied(said)));
    after.tasks.extend(task(said, confirm));
    Ok(())
}

async fn keep(
    tx: &mut Tx,
    confirm: bool,
    said: &Said<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(given) = &said.given else { return Ok(()) };
    let new = NewAnswer {
        case_id: said.case,
        request_id: said.request,
        message_id: said.message,
        by_name: said.by_name,
        by_address: said.by_address,
        answer: given,
        waits: confirm,
    };
    let answer = answers::add(tx, &new, now).await?;
    uploads::keep(tx, answer, said.files).await
}

/// Calls whoever is on duty to what was typed, as to a message: before anybody else is written to.
async fn alert(
    tx: &mut Tx,
    gateway: &Gateway,
    said: &Said<'_>,
    now: Timestamp,
    after: &mut Following,
) -> Result<(), StoreError> {
    if !said.at_risk {
        return Ok(());
    }
    after.tasks.push(NewTask {
        kind: "safeguarding",
        case_id: Some(said.case),
        words: "a child may be at risk: read now what a service wrote on its page (`case show`, `case answer-draft`)"
            .into(),
        ..NewTask::default()
    });
    let Some(row) = cases::by_id(tx, said.case).await? else { return Ok(()) };
    let Some(case) = TokenCase::of(&row) else { return Ok(()) };
    let about = Called::Case(case, &row.reference);
    if let Some((letter, alarm)) = alarm::call(gateway, &gateway.policy(), about, now, now) {
        after.letters.push(letter);
        after.alarms.push(alarm);
    }
    Ok(())
}

fn event(said: &Said<'_>) -> Event {
    let service = said.service.clone();
    let by = said.by_name.map(|name| Private(name.to_owned()));
    match said.says {
        Says::Answers => {
            Event::ServiceAnswered { service, message: said.message.map(|id| id.to_string()), by }
        }
        Says::Accepts => {
            Event::ServiceAccepted { service, by, words: said.words.clone().map(Private) }
        }
        Says::NotOurs | Says::MoreTime | Says::Away | Says::Progress | Says::Asks => replied(said),
    }
}

fn replied(said: &Said<'_>) -> Event {
    Event::ServiceReplied {
        service: said.service.clone(),
        says: said.says,
        message: said.message.map(|id| id.to_string()),
        by: said.by_name.map(|name| Private(name.to_owned())),
        words: said.words.clone().map(Private),
        until: said.until,
    }
}

fn task(said: &Said<'_>, confirm: bool) -> Option<NewTask<'static>> {
    let (kind, words) = to_do(said.says, confirm)?;
    let (case_id, message_id) = (Some(said.case), said.message);
    Some(NewTask { kind, case_id, message_id, letter_id: None, words: words.into() })
}

/// What a service's reply leaves to a person, with the kind of the task.
fn to_do(says: Says, confirm: bool) -> Option<(&'static str, &'static str)> {
    match says {
        Says::Answers if confirm => Some((
            "answer_in",
            "a service answered: check it (`case answer-draft`), then accept it (`case accept-answer`) or send it \
             back (`case send-back`)",
        )),
        Says::Answers => {
            Some(("answer_in", "a service answered: check it and write to the customer"))
        }
        Says::Accepts => None,
        Says::NotOurs => Some((
            "not_ours",
            "a service says that it is not theirs, and is chased no more: name who answers \
             (`case correct --service`), or ask it again (`case ask`)",
        )),
        Says::MoreTime => Some((
            "more_time",
            "a service asks for more time: extend the date (`case extend`), give its part another day (`case part`), or \
             say that it stays (`case no-more-time`)",
        )),
        Says::Away => Some((
            "away",
            "who has it at the service is away: name somebody else (`case part --responder`), or write",
        )),
        Says::Progress => Some((
            "progress",
            "a service says how far it is: read it, and tell the customer where that changes what they were told",
        )),
        Says::Asks => {
            Some(("asked_back", "a service asks something before it answers: write to it"))
        }
    }
}
