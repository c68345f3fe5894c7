//! What an officer makes of a service's answer: it is one, or it needs more. Until then nobody chases the service, and
//! the customer's clock goes on. And what a service hears that asked for more time.

use jiff::civil::Date;

use super::{ActFault, Found, asking, part, record, save, service_named};
use crate::casework::answer::more_time;
use crate::casework::case::{Actor, CaseStatus, Event, Refusal};
use crate::casework::vocabulary::ServiceId;
use crate::gateway::Gateway;
use crate::intake::tell_of_note;
use crate::letters::LetterId;
use crate::outbox::TokenCase;
use crate::store::answers::{self, Decided};
use crate::store::requests::RequestRow;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, requests};

/// The kind of task that says that every service has answered.
pub(super) const READY: &str = "answers_ready";

/// The answer of a service is one.
pub(super) async fn accept(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    service: &str,
) -> Result<String, ActFault> {
    let service = service_named(gateway, service)?;
    let now = gateway.clock.now();
    let request = requests::last_of(tx, found.row.id, service.as_str()).await?;
    let decided = Decided { state: "confirmed", by: cases::actor_text(by), note: None };
    let accepted = match &request {
        Some(request) => answers::decide(tx, request.id, decided, now).await?,
        None => 0,
    };
    if accepted == 0 {
        let because = format!("no answer of {service} waits to be accepted");
        let instead = "`case answer-draft` shows what came".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    let event = Event::AnswerConfirmed { service: service.clone() };
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    let others = requests::all_open_of(tx, found.row.id).await?;
    let waits = seen(tx, gateway, &found).await?;
    if others.is_empty() && !waits && found.case.status == CaseStatus::Open {
        let task = NewTask {
            kind: READY,
            case_id: Some(found.row.id),
            words: "every service that was asked has answered: write to the customer".into(),
            ..NewTask::default()
        };
        tasks::add(tx, &task, now).await?;
    }
    let named: Vec<&str> = others.iter().map(|request| request.service.as_str()).collect();
    let left = if named.is_empty() {
        String::new()
    } else {
        format!("; {} is still waited for", named.join(", "))
    };
    Ok(format!("the answer of {service} is accepted{left}"))
}

/// Ends the task to look at answers where none waits any more. Whether one does.
async fn seen(tx: &mut Tx, gateway: &Gateway, found: &Found) -> Result<bool, StoreError> {
    let waits = answers::any_waits(tx, found.row.id).await?;
    if !waits {
        let now = gateway.clock.now();
        tasks::finish_of_case(tx, found.row.id, &["answer_in", READY], now).await?;
    }
    Ok(waits)
}

/// The answer of a service needs more: it is waited for again, and told so.
pub(super) async fn send_back(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    (service, note): (&str, &str),
) -> Result<String, ActFault> {
    let service = service_named(gateway, service)?;
    let note = note.trim();
    let refused = |because: &str, instead: &str| {
        ActFault::from(Refusal { because: because.to_owned(), instead: instead.to_owned() })
    };
    if note.is_empty() {
        return Err(refused("it needs a note", "say in a sentence what the answer lacks"));
    }
    if found.case.status != CaseStatus::Open {
        let because = format!("the case is {}", found.case.status.label().to_lowercase());
        return Err(refused(&because, "take it up again first (`case reopen`)"));
    }
    let request = requests::last_of(tx, found.row.id, service.as_str()).await?;
    let reopened = match &request {
        Some(request) => requests::open_again(tx, request.id).await?,
        None => false,
    };
    let Some(request) = request.filter(|_| reopened) else {
        let because = format!("{service} has given no answer that could be sent back");
        return Err(refused(&because, "`case answer-draft` shows what came"));
    };
    let now = gateway.clock.now();
    answers::send_back(tx, request.id, (cases::actor_text(by), note), now).await?;
    let event = Event::AnswerSentBack { service: service.clone(), note: note.to_owned().into() };
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    seen(tx, gateway, &found).await?;
    // It is of today's days again: they may have moved while it was answered.
    let due_on = found.row.agreed_due_on.as_deref().and_then(|day| day.parse::<Date>().ok());
    if let Some(due_on) = due_on {
        part::redate(tx, gateway, &found, due_on).await?;
    }
    tell(tx, gateway, &found, &request, (due_on, note), LetterId::AnswerSentBack).await?;
    Ok(format!("the answer of {service} is sent back; it is chased for a better one"))
}

/// A service that asked for more time gets none: it is told why, and its day stays.
pub(super) async fn no_more_time(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    (service, because): (&str, &str),
) -> Result<String, ActFault> {
    let service = service_named(gateway, service)?;
    let because = because.trim();
    let refused = |because: String, instead: &str| {
        ActFault::from(Refusal { because, instead: instead.to_owned() })
    };
    if because.is_empty() {
        return Err(refused("it needs a reason".to_owned(), "say in a sentence why the day stays"));
    }
    let request = requests::open_of(tx, found.row.id, service.as_str()).await?;
    let waits = wishing(tx, &found).await?.contains(&service);
    let Some(request) = request.filter(|_| waits) else {
        let what = format!("{service} waits for no decision on more time");
        return Err(refused(what, "`case show` shows what it asked for and what was decided"));
    };
    let event =
        Event::MoreTimeRefused { service: service.clone(), because: because.to_owned().into() };
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    time_decided(tx, gateway, &found).await?;
    let due_on = found.row.agreed_due_on.as_deref().and_then(|day| day.parse::<Date>().ok());
    tell(tx, gateway, &found, &request, (due_on, because), LetterId::MoreTimeRefused).await?;
    Ok(format!("{service} is told that its day stays"))
}

/// Tells a service that asked for more time that its day was moved.
pub(super) async fn tell_of_more_time(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    service: &ServiceId,
    due_on: Date,
) -> Result<(), ActFault> {
    match requests::open_of(tx, found.row.id, service.as_str()).await? {
        Some(request) => {
            let (due_on, letter) = (Some(due_on), LetterId::MoreTimeGranted);
            tell(tx, gateway, found, &request, (due_on, ""), letter).await
        }
        None => Ok(()),
    }
}

/// The services that asked for more time and of which nobody has decided.
pub(super) async fn wishing(tx: &mut Tx, found: &Found) -> Result<Vec<ServiceId>, StoreError> {
    let events = cases::events(tx, found.row.id).await?;
    let waits = |service: &&ServiceId| {
        more_time(&events, service).is_some_and(|wish| wish.decided.is_none())
    };
    let open = requests::all_open_of(tx, found.row.id).await?;
    let services: Vec<ServiceId> =
        open.into_iter().map(|request| ServiceId(request.service)).collect();
    Ok(services.iter().filter(waits).cloned().collect())
}

/// Ends the task to decide on more time where no service waits for that any longer.
pub(super) async fn time_decided(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
) -> Result<(), StoreError> {
    if wishing(tx, found).await?.is_empty() {
        tasks::finish_of_case(tx, found.row.id, &["more_time"], gateway.clock.now()).await?;
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    request: &RequestRow,
    (due_on, note): (Option<Date>, &str),
    letter: LetterId,
) -> Result<(), ActFault> {
    let was_due = request.due_on.parse().ok();
    let request = requests::by_id(tx, request.id).await?;
    let (Some(case), Some(request), Some(day)) =
        (TokenCase::of(&found.row), request, due_on.or(was_due))
    else {
        return Ok(());
    };
    let policy = gateway.policy();
    let reference = found.case.reference.to_string();
    let part = found.case.part(&ServiceId(request.service.clone()));
    let asked = (case, request.round, day);
    let asking = asking(&policy, found, &reference, asked, (&part, request.area.as_deref()))?;
    let with_date = due_on.is_some();
    let now = gateway.clock.now();
    tell_of_note(tx, gateway, &policy, asking, (&request, with_date, note), letter, now).await?;
    Ok(())
}

/// What waits is decided with the case: by its answer, or because it is over.
pub(super) async fn with_the_case(
    tx: &mut Tx,
    gateway: &Gateway,
    case: i64,
    (state, by): (&'static str, &Actor),
) -> Result<(), StoreError> {
    let decided = Decided { state, by: cases::actor_text(by), note: None };
    answers::decide_all(tx, case, decided, gateway.clock.now()).await.map(drop)
}
