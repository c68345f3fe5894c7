//! Opening a case: number, clock, parties, acknowledgement, and the services asked.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tracing::error;

use super::allocate::{self, Owners};
use super::area;
use super::ask::{Asking, ask_all, attached};
use super::assess::{asked_of_an_officer, is_members, may_stand_in_the_way};
use super::settle::{Following, Scene};
use crate::casework::adjustment::Adjustment;
use crate::casework::assessment::{DECIDE_INTEREST, asks_for_interest};
use crate::casework::case::Event;
use crate::casework::procedure::{ClockFault, StageClock, Start};
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::decide::Action;
use crate::letters::context::Context;
use crate::letters::{
    CustomerLetter, LetterId, Written, acknowledgement_for, is_written_by_child, record_words,
};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::policy::Policy;
use crate::store::cases::{self, Clocked, NewCase};
use crate::store::requests::PartOf;
use crate::store::tasks::NewTask;
use crate::store::{StoreError, Tx, json};

/// The hour (London time) at which a working day's last letters leave: the team is still there.
const END_OF_DAY: i8 = 16;

/// A case that has just been opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: i64,
    pub(super) reference: String,
}

/// A message that opens a case.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) record_type: RecordType,
}

impl<'a> Opening<'a> {
    /// The opening of a case, where that was decided.
    pub(super) fn of(scene: &'a Scene<'a>) -> Option<Self> {
        match scene.decision.action {
            Action::Open { record_type } => Some(Self { scene, record_type }),
            Action::Attach { .. }
            | Action::AnswerRequest { .. }
            | Action::Ombudsman { .. }
            | Action::Opened { .. }
            | Action::Duplicate { .. }
            | Action::File { .. }
            | Action::Triage => None,
        }
    }

    /// Whether the first letter must promise nothing: the rules are not sure what it is, or an officer
    /// decides whether it can be taken up at all.
    fn is_undecided(&self) -> bool {
        let classification = self.scene.classification;
        classification.needs_officer
            || classification.record_type != self.record_type
            || classification.flags.iter().any(|flag| may_stand_in_the_way(*flag))
            || in_doubt(self)
    }
}

/// Opens the cases of several messages. Gives them by message; what follows from them is added to
/// `after`: acknowledgements first, then what is asked of services.
pub(super) async fn open_all(
    tx: &mut Tx,
    openings: &[Opening<'_>],
    after: &mut Following,
) -> Result<HashMap<i64, Opened>, StoreError> {
    let Some(first) = openings.first() else { return Ok(HashMap::new()) };
    let Scene { gateway, policy, now, .. } = *first.scene;
    let clocks: Vec<StageClock> = openings.iter().map(clock).collect::<Result<_, _>>()?;
    let references = allocate::references(tx, &gateway.config.council.prefix, &clocks).await?;
    let owners = Owners::choose(tx, policy, openings, now).await?;
    let new: Vec<_> = openings
        .iter()
        .zip(&clocks)
        .zip(references.iter().zip(owners.each()))
        .map(|((opening, clock), (reference, owner))| {
            (reference.to_string(), NewCase { owner, ..new_case(opening, clock) })
        })
        .collect();
    let ids = cases::open(tx, &new).await?;
    let letters: Vec<FirstLetter<'_>> = openings
        .iter()
        .zip(&clocks)
        .zip(new.iter().zip(&references).zip(ids))
        .map(|((opening, clock), (((text, _), reference), id))| FirstLetter {
            case: TokenCase { id, year: reference.year(), number: reference.number() },
            reference: text,
            clock,
            record_type: opening.record_type,
            undecided: opening.is_undecided(),
        })
        .collect();
    let mut asking = Vec::new();
    for (opening, letter) in openings.iter().zip(&letters) {
        begin(opening, letter, after);
        ask_services(opening.scene, letter, &mut asking, after);
    }
    owners.tell(letters.iter().map(|letter| letter.case.id), after);
    ask_all(tx, gateway, policy, &asking, now, after).await?;
    let opened = openings.iter().zip(&letters).map(|(opening, letter)| {
        let opened = Opened { id: letter.case.id, reference: letter.reference.to_owned() };
        (opening.scene.one.waiting.id, opened)
    });
    Ok(opened.collect())
}

fn new_case<'a>(opening: &Opening<'a>, clock: &StageClock) -> NewCase<'a> {
    let scene = opening.scene;
    let classification = scene.classification;
    let from = scene.one.email.from.as_ref();
    NewCase {
        opened_by: scene.one.waiting.id,
        record_type: opening.record_type.id(),
        lead_service: classification.services.first().map_or("none", |lead| lead.as_str()),
        customer_type: classification.customer_type.id(),
        themes: json(&classification.themes),
        flags: json(&classification.flags),
        confidence: thousandths(classification.confidence),
        needs_officer: opening.is_undecided(),
        customer_address: from.map(|from| from.address.as_str()),
        customer_name: from.and_then(|from| from.name.as_ref()).map(|name| name.as_str()),
        subject: scene.one.email.subject.as_ref().map(|subject| subject.as_str()),
        clock: clocked(clock),
        rules_version: scene.policy.rules.version(),
        received_at: scene.one.received_at(),
        owner: None,
    }
}

/// What every new case begins with: its first event, its customer, what a person must check, and
/// the acknowledgement.
fn begin(opening: &Opening<'_>, letter: &FirstLetter<'_>, after: &mut Following) {
    let (scene, id) = (opening.scene, letter.case.id);
    let classification = scene.classification;
    let received = Event::Received {
        message: Some(scene.one.waiting.id.to_string()),
        at: scene.one.received_at(),
        record_type: opening.record_type,
        services: classification.services.clone(),
        customer_type: classification.customer_type,
        themes: classification.themes.clone(),
        flags: classification.flags.clone(),
    };
    after.events.push((id, received));
    if classification.needs_officer || classification.record_type != opening.record_type {
        after.tasks.push(NewTask {
            kind: "check",
            case_id: Some(id),
            words: "check what this is: the rules are not sure".into(),
            ..NewTask::default()
        });
    }
    for flag in &classification.flags {
        if let Some(words) = asked_of_an_officer(*flag) {
            let words = words.into();
            after.tasks.push(NewTask {
                kind: "assess",
                case_id: Some(id),
                words,
                ..NewTask::default()
            });
        }
    }
    if opening.record_type.is_complaint() && is_members(scene) {
        after.tasks.push(NewTask {
            kind: "for_constituent",
            case_id: Some(id),
            words: "a member wrote this, and it was opened as a complaint: tell them with `case for-constituent`"
                .into(),
            ..NewTask::default()
        });
    } else if in_doubt(opening) {
        after.tasks.push(NewTask {
            kind: "decide_interest",
            case_id: Some(id),
            words: DECIDE_INTEREST.into(),
            ..NewTask::default()
        });
    }
    if let Some(sender) = scene.sender() {
        after.parties.push((id, sender, "customer"));
    }
    if scene.decision.acknowledgement.send {
        acknowledge(scene, letter, after);
    }
}

/// Whether an officer decides if whoever writes has sufficient interest in the child's welfare.
fn in_doubt(opening: &Opening<'_>) -> bool {
    let classification = opening.scene.classification;
    asks_for_interest(opening.record_type, classification.customer_type, &classification.flags)
}

/// The clock of a record type's first stage, from the message's receipt.
fn clock(opening: &Opening<'_>) -> Result<StageClock, StoreError> {
    let scene = opening.scene;
    let unknown =
        |fault: ClockFault| StoreError::unsuitable("work out the due date", fault.to_string());
    let at = scene.one.received_at();
    let received_on = crate::clock::london_day(at);
    let procedure = scene.policy.procedures.of(opening.record_type, received_on);
    let none = || unknown(ClockFault::NoProcedure(opening.record_type));
    // An answer that is written now leaves at once: a clock that runs from it runs from today.
    let acknowledged_at = scene.decision.acknowledgement.send.then_some(scene.now);
    let start = Start { acknowledged_at, ..Start::at(at) };
    procedure.ok_or_else(none)?.clock(1, start, &scene.policy.calendar).map_err(unknown)
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

fn acknowledge(scene: &Scene<'_>, first: &FirstLetter<'_>, after: &mut Following) {
    let classification = scene.classification;
    let lead = classification.services.first().cloned().unwrap_or_else(ServiceId::none);
    // Undecided, the letter promises nothing that an officer may have to take back.
    // That a court or an assessment stands in the way is an officer's decision.
    let officers = first.record_type == RecordType::Representation;
    let named = (!first.undecided && !officers).then_some(first.record_type);
    let id = acknowledgement_for(named, classification.customer_type, &classification.flags, &lead);
    let Some(id) = id else { return };
    let context = customer_letter(scene, first, named);
    let due_at = leaves_at(scene, first, named.is_some());
    customer_post(scene, first.case, id, &context, ("acknowledgement", due_at), after);
}

/// When an acknowledgement may leave: what was decided waits only so long that it can be put right, what
/// was not leaves as the last thing of a working day, unless somebody decides before. A letter that says whom
/// to ring where a child may be in danger waits for no decision.
fn leaves_at(scene: &Scene<'_>, first: &FirstLetter<'_>, decided: bool) -> Timestamp {
    let settings = &scene.gateway.config.acknowledgement;
    let soon = scene.gateway.undoable_until(scene.now);
    let at_once = decided || scene.classification.flags.contains(&Flag::Safeguarding);
    if at_once || settings.neutral_on_day == 0 {
        return soon;
    }
    let days = i32::from(settings.neutral_on_day);
    let last = scene.policy.calendar.add_working_days(first.clock.received_on, days);
    let end = last.ok().and_then(|day| {
        let zoned = day.at(END_OF_DAY, 0, 0, 0).to_zoned(crate::clock::london());
        Some(zoned.ok()?.timestamp())
    });
    // Past what the calendar covers nobody is kept waiting.
    end.map_or(soon, |end| end.max(soon))
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
pub(super) async fn receipt(
    tx: &mut Tx,
    scene: &Scene<'_>,
    case: i64,
    after: &mut Following,
) -> Result<(), StoreError> {
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
    customer_post(scene, case, LetterId::FollowUp, &context, ("receipt", scene.now), after);
    Ok(())
}

/// Writes a letter to whoever wrote the message.
fn customer_post(
    scene: &Scene<'_>,
    case: TokenCase,
    id: LetterId,
    context: &CustomerLetter,
    (purpose, due_at): (&'static str, Timestamp),
    after: &mut Following,
) {
    let Some(recipient) = scene.sender() else { return };
    let Some(written) = write_as(scene.policy, id, context, scene.adjustment) else { return };
    let message = scene.one.waiting.id;
    after.letters.push(Posting {
        purpose,
        // One answer a message at most, whatever else happens.
        // Split off by an officer, it may have had a receipt before.
        once_key: if scene.one.waiting.alone {
            format!("answer:{message}:alone")
        } else {
            format!("answer:{message}")
        },
        case: Some(case),
        request: None,
        message: Some(message),
        recipient,
        written,
        automatic: Automatic::Replied,
        in_reply_to: scene.one.email.message_id.clone(),
        references: scene.one.email.references.clone(),
        due_at,
    });
}

/// Writes a letter. A template that stops is everybody's trouble and nobody's message: it is logged,
/// and the message is settled without the letter rather than not at all.
pub(super) fn write<C: Context>(
    policy: &Policy,
    id: LetterId,
    context: &C,
) -> Option<Arc<Written>> {
    write_as(policy, id, context, &Adjustment::NONE)
}

/// The same as its reader needs it.
fn write_as<C: Context>(
    policy: &Policy,
    id: LetterId,
    context: &C,
    adjustment: &Adjustment,
) -> Option<Arc<Written>> {
    match policy.letters.write_as(id, context, adjustment) {
        Ok(written) => Some(Arc::new(written)),
        Err(fault) => {
            error!(letter = id.id(), %fault, "a letter could not be written");
            None
        }
    }
}

/// Every service that must answer, where an answer is owed.
fn ask_services<'a>(
    scene: &Scene<'a>,
    first: &FirstLetter<'a>,
    asking: &mut Vec<Asking<'a>>,
    after: &mut Following,
) {
    // What was there before the gateway is registered; nobody is asked about it unasked.
    let before = scene.gateway.standing.cut_over.is_some_and(|cut| scene.one.received_at() < cut);
    let Some(due_on) = first.clock.answer_due_on().filter(|_| !before) else { return };
    let classification = scene.classification;
    let services = classification.services.iter().enumerate();
    let services: Vec<_> = services.filter(|(_, service)| service.as_str() != "none").collect();
    let customer = classification.customer_type;
    let choose = |service| area::choose(scene.policy, service, &scene.one.email, customer);
    let mut areas = Vec::with_capacity(services.len());
    for (_, service) in &services {
        let chosen = choose(service);
        areas.push(chosen.as_ref().and_then(|chosen| chosen.area));
        let Some(chosen) = chosen else { continue };
        if chosen.area.is_none() {
            after.tasks.push(area::doubt(first.case.id, service));
        }
        after.events.push((first.case.id, chosen.event));
    }
    if classification.flags.contains(&Flag::Safeguarding) {
        // An allegation must not go to the service complained of before a person has seen it.
        after.tasks.push(NewTask {
            kind: "ask",
            case_id: Some(first.case.id),
            words: "decide which service to ask: a child may be at risk".into(),
            ..NewTask::default()
        });
        return;
    }
    let received_on = crate::clock::london_day(scene.one.received_at());
    let written = (received_on, &scene.one.email);
    let of_whom = (customer, classification.flags.as_slice());
    asking.extend(services.into_iter().zip(areas).map(|((index, service), area)| Asking {
        case: first.case,
        reference: first.reference,
        record_type: first.record_type,
        stage: first.clock.stage,
        steps_total: first.clock.steps_total,
        received_on: first.clock.received_on,
        service: service.clone(),
        round: 1,
        leads: index == 0,
        due_on,
        part: PartOf { area, ..PartOf::default() },
        points: &[],
        attached: attached(scene.gateway, scene.policy, (service, area), of_whom, written),
        write: !scene.one.waiting.silent,
    }));
}
