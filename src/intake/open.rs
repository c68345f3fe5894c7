//! Opening a case: number, clock, parties, acknowledgement, and the services asked.

use jiff::civil::Date;
use tracing::error;

use super::settle::Scene;
use crate::casework::case::{Actor, Event};
use crate::casework::procedure::StageClock;
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::decide::{Decision, History};
use crate::letters::context::Context;
use crate::letters::{
    CustomerLetter, LetterId, ServiceRequest, Written, acknowledgement_for, is_written_by_child,
    record_words,
};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::store::cases::{self, Clocked, NewCase};
use crate::store::requests::{self, NewRequest};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, json};

/// A case that has just been opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: i64,
    pub(super) reference: String,
}

/// Opens a case from one message.
pub(super) async fn open(
    tx: &mut Tx,
    scene: &Scene<'_>,
    record_type: RecordType,
    decision: &Decision,
    history: &History,
) -> Result<Opened, StoreError> {
    let classification = scene.classification;
    let clock = clock(scene, record_type)?;
    let year = clock.received_on.year();
    let number = u32::try_from(cases::next_number(tx, year).await?).unwrap_or(u32::MAX);
    let reference = CaseReference::new(&scene.gateway.config.council.prefix, year, number)
        .map_err(|fault| StoreError::unsuitable("number a case", fault.to_string()))?
        .to_string();
    let lead = classification.services.first().cloned().unwrap_or_else(ServiceId::none);
    let from = scene.one.email.from.as_ref();
    let undecided = classification.needs_officer || classification.record_type != record_type;
    let new = NewCase {
        opened_by: scene.one.waiting.id,
        record_type: record_type.id(),
        lead_service: lead.as_str(),
        customer_type: classification.customer_type.id(),
        themes: json(&classification.themes),
        flags: json(&classification.flags),
        confidence: thousandths(classification.confidence),
        needs_officer: undecided,
        customer_address: from.map(|from| from.address.as_str()),
        customer_name: from.and_then(|from| from.name.as_ref()).map(|name| name.as_str()),
        subject: scene.one.email.subject.as_ref().map(|subject| subject.as_str()),
        clock: clocked(&clock),
        rules_version: scene.policy.rules.version(),
        received_at: scene.one.received_at(),
    };
    let id = cases::open(tx, &reference, &new).await?;
    let received = Event::Received {
        message: Some(scene.one.waiting.id.to_string()),
        at: scene.one.received_at(),
        record_type,
        services: classification.services.clone(),
        customer_type: classification.customer_type,
        themes: classification.themes.clone(),
        flags: classification.flags.clone(),
    };
    cases::record(tx, id, &Actor::Gateway, &received, scene.now).await?;
    if !history.suggested_references.is_empty() {
        let words = format!(
            "quotes {}, but its sender is no party to that case",
            history.suggested_references.join(", ")
        );
        let task =
            NewTask { kind: "may_belong", case_id: Some(id), words: &words, ..NewTask::default() };
        tasks::add(tx, &task, scene.now).await?;
    }
    if let Some(sender) = scene.sender() {
        cases::add_party(tx, id, &sender, "customer").await?;
    }
    let case = TokenCase { id, year, number };
    if undecided {
        let words = "check what this is: the rules are not sure";
        let task = NewTask { kind: "check", case_id: Some(id), words, ..NewTask::default() };
        tasks::add(tx, &task, scene.now).await?;
    }
    let letter = FirstLetter { case, reference: &reference, clock: &clock, record_type, undecided };
    if decision.acknowledgement.send {
        acknowledge(tx, scene, &letter).await?;
    }
    // What was there before the gateway is registered; nobody is asked about it unasked.
    let before = scene.gateway.standing.cut_over.is_some_and(|cut| scene.one.received_at() < cut);
    if !before {
        ask_services(tx, scene, &letter).await?;
    }
    Ok(Opened { id, reference })
}

/// The clock of a record type's first stage, from the message's receipt.
fn clock(scene: &Scene<'_>, record_type: RecordType) -> Result<StageClock, StoreError> {
    scene
        .policy
        .procedures
        .clock_for(record_type, 1, scene.one.received_at(), &scene.policy.calendar)
        .map_err(|fault| StoreError::unsuitable("work out the due date", fault.to_string()))
}

pub(crate) fn clocked(clock: &StageClock) -> Clocked {
    Clocked {
        procedure: clock.procedure.clone(),
        stage: clock.stage,
        start_rule: clock.rule.to_string(),
        calendar_version: clock.calendar_version.clone(),
        received_on: clock.received_on,
        acknowledge_by_on: clock.ack_due_on,
        target_on: clock.target_on,
        standard_due_on: clock.standard_due_on,
        agreed_due_on: clock.answer_due_on(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
fn thousandths(share: f64) -> i64 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as i64
}

/// What the first letters about a case are written from.
struct FirstLetter<'a> {
    case: TokenCase,
    reference: &'a str,
    clock: &'a StageClock,
    record_type: RecordType,
    undecided: bool,
}

async fn acknowledge(
    tx: &mut Tx,
    scene: &Scene<'_>,
    first: &FirstLetter<'_>,
) -> Result<(), StoreError> {
    let classification = scene.classification;
    let lead = classification.services.first().cloned().unwrap_or_else(ServiceId::none);
    // Undecided, the letter promises nothing that an officer may have to take back.
    // That a court or an assessment stands in the way is an officer's decision.
    let officers = first.record_type == RecordType::Representation;
    let named = (!first.undecided && !officers).then_some(first.record_type);
    let id = acknowledgement_for(named, classification.customer_type, &classification.flags, &lead);
    let Some(id) = id else { return Ok(()) };
    let context = customer_letter(scene, first, named);
    customer_post(tx, scene, first.case, id, &context, "acknowledgement").await
}

fn customer_letter(
    scene: &Scene<'_>,
    first: &FirstLetter<'_>,
    named: Option<RecordType>,
) -> CustomerLetter {
    let classification = scene.classification;
    let clock = first.clock;
    let services = scene.policy.rules.services();
    let plain = |id: &ServiceId| services.get(id).map(|service| service.name.clone());
    let mut services_named = classification.services.iter().filter_map(plain);
    let customer = classification.customer_type;
    let decided = named.is_some();
    CustomerLetter {
        reference: first.reference.to_owned(),
        received_on: clock.received_on.into(),
        greeting_name: None,
        record_type: named,
        record_words: record_words(named).to_owned(),
        step_words: decided.then(|| step_words(clock)).flatten(),
        answer_by: clock.standard_due_on.filter(|_| decided).map(Into::into),
        aim_by: clock
            .target_on
            .filter(|_| decided && clock.target_on != clock.standard_due_on)
            .map(Into::into),
        tell_by: (!decided).then(|| clock.ack_due_on.into()),
        lead: services_named.next().filter(|_| decided),
        helpers: if decided { services_named.collect() } else { Vec::new() },
        contact: scene.gateway.contact(),
        council: scene.gateway.council(),
        is_child: is_written_by_child(customer, &classification.flags),
        is_care_leaver: customer == CustomerType::CareLeaver,
        is_sen: classification.services.first().is_some_and(|lead| lead.as_str() == "sen"),
        about_child: true,
        safeguarding: classification.flags.contains(&Flag::Safeguarding),
        complaint_open: false,
        route: None,
    }
}

fn step_words(clock: &StageClock) -> Option<String> {
    let total = match clock.steps_total {
        2 => "two steps",
        3 => "three steps",
        _ => return None,
    };
    let which = match clock.stage {
        1 => "first",
        2 => "second",
        _ => "third",
    };
    Some(format!("the {which} of {total}"))
}

/// One short receipt for what a customer adds.
pub(super) async fn receipt(tx: &mut Tx, scene: &Scene<'_>, case: i64) -> Result<(), StoreError> {
    let Some(row) = cases::by_id(tx, case).await? else { return Ok(()) };
    let Some(case) = TokenCase::of(&row) else { return Ok(()) };
    let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Date>().ok());
    let lead = ServiceId(row.lead_service.clone());
    let customer = row.customer_type.parse().unwrap_or(CustomerType::Unknown);
    let flags: Vec<Flag> = serde_json::from_str(&row.flags).unwrap_or_default();
    let services = scene.policy.rules.services();
    let context = CustomerLetter {
        reference: row.reference.clone(),
        received_on: crate::clock::london_day(scene.one.received_at()).into(),
        greeting_name: None,
        record_type: Some(RecordType::FollowUp),
        record_words: record_words(row.record_type.parse().ok()).to_owned(),
        step_words: None,
        answer_by: day(&row.agreed_due_on).filter(|_| row.status == "open").map(Into::into),
        aim_by: None,
        tell_by: None,
        lead: services.get(&lead).map(|service| service.name.clone()),
        helpers: Vec::new(),
        contact: scene.gateway.contact(),
        council: scene.gateway.council(),
        is_child: is_written_by_child(customer, &flags),
        is_care_leaver: customer == CustomerType::CareLeaver,
        is_sen: lead.as_str() == "sen",
        about_child: true,
        safeguarding: scene.classification.flags.contains(&Flag::Safeguarding),
        complaint_open: false,
        route: None,
    };
    customer_post(tx, scene, case, LetterId::FollowUp, &context, "receipt").await
}

/// Writes and queues a letter to whoever wrote the message.
async fn customer_post(
    tx: &mut Tx,
    scene: &Scene<'_>,
    case: TokenCase,
    id: LetterId,
    context: &CustomerLetter,
    purpose: &str,
) -> Result<(), StoreError> {
    let Some(recipient) = scene.sender() else { return Ok(()) };
    let Some(written) = write(scene, id, context) else { return Ok(()) };
    let message = scene.one.waiting.id;
    let posting = Posting {
        purpose,
        // One answer a message at most, whatever else happens.
        once_key: format!("answer:{message}"),
        case: Some(case),
        request: None,
        message: Some(message),
        recipient: &recipient,
        written: &written,
        automatic: Automatic::Replied,
        in_reply_to: scene.one.email.message_id.as_deref(),
        references: &scene.one.email.references,
        due_at: scene.now,
    };
    scene.gateway.sender.post(tx, &posting, scene.now).await.map(drop)
}

/// Writes a letter. A template that stops is everybody's trouble and nobody's message: it is logged,
/// and the message is settled without the letter rather than not at all.
pub(super) fn write<C: Context>(scene: &Scene<'_>, id: LetterId, context: &C) -> Option<Written> {
    match scene.policy.letters.write(id, context) {
        Ok(written) => Some(written),
        Err(fault) => {
            error!(letter = id.id(), %fault, "a letter could not be written");
            None
        }
    }
}

/// Asks every service that must answer, where an answer is owed.
async fn ask_services(
    tx: &mut Tx,
    scene: &Scene<'_>,
    first: &FirstLetter<'_>,
) -> Result<(), StoreError> {
    let Some(due_on) = first.clock.answer_due_on() else { return Ok(()) };
    if scene.classification.flags.contains(&Flag::Safeguarding) {
        // An allegation must not go to the service complained of before a person has seen it.
        let words = "decide which service to ask: a child may be at risk";
        let task =
            NewTask { kind: "ask", case_id: Some(first.case.id), words, ..NewTask::default() };
        return tasks::add(tx, &task, scene.now).await.map(drop);
    }
    for (index, service) in scene.classification.services.iter().enumerate() {
        if service.as_str() == "none" {
            continue;
        }
        ask(tx, scene, first, service, index == 0, due_on).await?;
    }
    Ok(())
}

async fn ask(
    tx: &mut Tx,
    scene: &Scene<'_>,
    first: &FirstLetter<'_>,
    service: &ServiceId,
    leads: bool,
    due_on: Date,
) -> Result<(), StoreError> {
    let asking = Asking {
        case: first.case,
        reference: first.reference,
        record_type: first.record_type,
        stage: first.clock.stage,
        steps_total: first.clock.steps_total,
        received_on: first.clock.received_on,
        due_on,
        write: !scene.one.waiting.silent,
    };
    ask_service(tx, scene.gateway, scene.policy, &asking, service, leads, scene.now).await
}

/// A case as a request to a service names it.
pub(crate) struct Asking<'a> {
    pub(crate) case: TokenCase,
    pub(crate) reference: &'a str,
    pub(crate) record_type: RecordType,
    pub(crate) stage: u8,
    pub(crate) steps_total: u8,
    /// The day on which the stage's clock started.
    pub(crate) received_on: Date,
    pub(crate) due_on: Date,
    /// Whether a letter goes at once; without one the next day's digest says it.
    pub(crate) write: bool,
}

/// Asks one service, once: the request and its letter.
pub(crate) async fn ask_service(
    tx: &mut Tx,
    gateway: &crate::gateway::Gateway,
    policy: &crate::policy::Policy,
    asking: &Asking<'_>,
    service: &ServiceId,
    leads: bool,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let calendar = &policy.calendar;
    let uncovered = |fault: crate::casework::calendar::NotCovered| {
        StoreError::unsuitable("work out the draft's due date", fault.to_string())
    };
    let (today, write_at) = asked_when(gateway, policy, now).map_err(uncovered)?;
    let draft_due_on =
        policy.ladder.draft_due_on(today, asking.due_on, calendar).map_err(uncovered)?;
    let limit =
        calendar.working_days_between(asking.received_on, asking.due_on).map_err(uncovered)?;
    let accept_by = calendar.add_working_days(today, 1).map_err(uncovered)?;
    let new = NewRequest {
        case_id: asking.case.id,
        service: service.as_str(),
        leads,
        asked_on: today,
        draft_due_on,
        due_on: asking.due_on,
        short: u16::try_from(limit).is_ok_and(|days| policy.ladder.is_short(days)),
    };
    let Some(request) = requests::ask(tx, &new, now).await? else { return Ok(()) };
    let event = Event::ServiceAsked { service: service.clone(), due_on: draft_due_on };
    cases::record(tx, asking.case.id, &Actor::Gateway, &event, now).await?;
    if !asking.write || !gateway.config.reminders.enabled {
        return Ok(());
    }
    requests::record_rung(tx, request, "allocate", today, "sent", now).await?;
    let services = policy.rules.services();
    // Asked too late for a draft to be checked, the service answers by the customer's own date.
    let answer_by = draft_due_on.unwrap_or(asking.due_on);
    let days_left = calendar.working_days_between(today, answer_by).map_err(uncovered)?;
    let context = ServiceRequest {
        reference: asking.reference.to_owned(),
        service: services.get(service).map_or_else(|| service.0.clone(), |one| one.name.clone()),
        type_words: asking.record_type.label().to_owned(),
        stage_words: (asking.steps_total > 1).then(|| stage_words(asking)),
        points: 0,
        answer_by: answer_by.into(),
        time_left: crate::letters::words::due_words(today, answer_by, days_left),
        accept_by: accept_by.into(),
        customer_due: asking.due_on.into(),
        answer_url: None,
        message_attached: false,
        contact: gateway.contact(),
        council: gateway.council(),
    };
    let written = match policy.letters.write(LetterId::ServiceRequest, &context) {
        Ok(written) => written,
        Err(fault) => {
            error!(%fault, "a request to a service could not be written");
            return Ok(());
        }
    };
    for contact in recipients(policy, service) {
        cases::add_party(tx, asking.case.id, &contact, "service").await?;
        let posting = Posting {
            purpose: LetterId::ServiceRequest.id(),
            once_key: format!("request:{request}:{contact}"),
            case: Some(asking.case),
            request: Some(request),
            message: None,
            recipient: &contact,
            written: &written,
            automatic: Automatic::Generated,
            in_reply_to: None,
            references: &[],
            due_at: write_at,
        };
        gateway.sender.post(tx, &posting, now).await?;
    }
    Ok(())
}

/// The day on which a service counts as asked, and the moment its letter leaves: at once on a working
/// day, else in the morning of the next one: nobody is asked for work on a Sunday unless the council
/// wants that.
fn asked_when(
    gateway: &crate::gateway::Gateway,
    policy: &crate::policy::Policy,
    now: jiff::Timestamp,
) -> Result<(Date, jiff::Timestamp), crate::casework::calendar::NotCovered> {
    let today = crate::clock::london_day(now);
    if gateway.config.reminders.ask_on_closed_days || policy.calendar.is_working_day(today)? {
        return Ok((today, now));
    }
    let next = policy.calendar.next_working_day(today)?;
    let morning = next.to_datetime(policy.ladder.send_at()).to_zoned(crate::clock::london());
    Ok((next, morning.map_or(now, |morning| morning.timestamp())))
}

fn stage_words(asking: &Asking<'_>) -> String {
    let word =
        if asking.record_type == RecordType::ChildrenActComplaint { "stage" } else { "step" };
    format!("{word} {}", asking.stage)
}

/// Who is asked first: the service's inbox and its responding manager.
fn recipients(policy: &crate::policy::Policy, service: &ServiceId) -> Vec<String> {
    let services = policy.rules.services();
    let mut addresses: Vec<String> = ["service_responder", "responding_manager"]
        .into_iter()
        .flat_map(|role| services.address_for(service, role))
        .map(|contact| contact.address.to_lowercase())
        .collect();
    addresses.dedup();
    addresses
}
