//! Asking a service: the request, its days, and the letter.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::open::write;
use super::settle::Following;
use crate::casework::calendar::NotCovered;
use crate::casework::case::{Event, Point};
use crate::casework::reminder::ALLOCATE;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::email::Email;
use crate::gateway::Gateway;
use crate::letters::{Attached, LetterId, SentBack, ServiceRequest, Written};
use crate::outbox::{Automatic, Posting, TokenCase, Wanted};
use crate::policy::Policy;
use crate::rules::services::AskWhom;
use crate::store::requests::{self, NewRequest, PartOf, RequestRow};
use crate::store::rungs::NewRung;
use crate::store::{StoreError, Tx};

/// A case and a service, as a request names them.
pub(crate) struct Asking<'a> {
    pub(crate) case: TokenCase,
    pub(crate) reference: &'a str,
    pub(crate) record_type: RecordType,
    pub(crate) stage: u8,
    pub(crate) steps_total: u8,
    /// The day on which the stage's clock started.
    pub(crate) received_on: Date,
    pub(crate) service: ServiceId,
    /// Which time it is asked about the case, from 1.
    pub(crate) round: i64,
    /// Whether it leads the answer.
    pub(crate) leads: bool,
    /// The day that the customer was told.
    pub(crate) due_on: Date,
    /// What an officer said of its part.
    pub(crate) part: PartOf<'a>,
    /// The points that it answers; none while nobody has said.
    pub(crate) points: &'a [Point],
    /// What the customer wrote, where it goes with the letter.
    pub(crate) attached: Option<Attached>,
    /// Whether a letter goes at once; without one the next day's digest says it.
    pub(crate) write: bool,
}

/// Asks one service, once: the request and its letter.
pub(crate) async fn ask_service(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    asking: Asking<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut after = Following::default();
    ask_all(tx, gateway, policy, &[asking], now, &mut after).await?;
    after.write(tx, gateway, now).await
}

/// Tells a service that was asked before what an officer has changed of its part: `request` is the row, with its new
/// days.
pub(crate) async fn ask_otherwise(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    asking: Asking<'_>,
    request: &RequestRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (today, write_at) = asked_when(gateway, policy, now).map_err(uncovered)?;
    let day = |text: &String| text.parse::<Date>().ok();
    let answer_by = request.draft_due_on.as_ref().and_then(day).or_else(|| day(&request.due_on));
    let letter = Letter {
        today,
        answer_by: answer_by.unwrap_or(asking.due_on),
        is_change: true,
        // Who has it keeps it; whoever answers now in their place gets it as they did.
        attaches: request.message_attached,
        write_at,
        // Each change is told once; the same again is another.
        once_key: format!("asked-otherwise:{}:{}", request.id, now.as_millisecond()),
    };
    let mut after = Following::default();
    write_all(tx, gateway, policy, &[(&asking, request.id, letter)], now, &mut after).await?;
    after.write(tx, gateway, now).await
}

/// Tells a service what an officer decided: that its answer needs more, or whether it gets more time. `request` is the
/// row with whether it has a day now, and the officer's note, which stands in the mail only where there is no page to
/// read it on.
pub(crate) async fn tell_of_note(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    asking: Asking<'_>,
    (request, has_day, note): (&RequestRow, bool, &str),
    letter: LetterId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !gateway.config.reminders.enabled {
        return Ok(());
    }
    let (today, write_at) = asked_when(gateway, policy, now).map_err(uncovered)?;
    let context = sent_back(gateway, policy, &asking, (request, has_day), today);
    let context = context.map_err(uncovered)?;
    let contacts = recipients(policy, &asking, today);
    let wanted = contacts
        .iter()
        .map(|contact| Wanted { recipient: contact.clone(), requests: vec![request.id] });
    let links = gateway.sender.links(tx, wanted.collect(), now).await?;
    let mut after = Following::default();
    for (contact, answer_url) in contacts.into_iter().zip(links) {
        let note = answer_url.is_none().then(|| note.to_owned().into());
        let context = SentBack { note, answer_url, ..context.clone() };
        let Some(written) = write(policy, letter, &context) else { continue };
        after.letters.push(Posting {
            purpose: letter.id(),
            // Each is told once; the same again is another.
            once_key: format!("{letter}:{}:{}:{contact}", request.id, now.as_millisecond()),
            case: Some(asking.case),
            request: Some(request.id),
            message: None,
            recipient: contact,
            written,
            automatic: Automatic::Generated,
            in_reply_to: None,
            references: Vec::new(),
            due_at: write_at,
        });
    }
    after.write(tx, gateway, now).await
}

fn sent_back(
    gateway: &Gateway,
    policy: &Policy,
    asking: &Asking<'_>,
    (request, has_day): (&RequestRow, bool),
    today: Date,
) -> Result<SentBack, NotCovered> {
    let day = |text: &String| text.parse::<Date>().ok();
    let due = request.draft_due_on.as_ref().and_then(day).or_else(|| day(&request.due_on));
    let due = due.filter(|_| has_day);
    let time_left = due.map(|due| {
        let days_left = policy.calendar.working_days_between(today, due)?;
        Ok(crate::letters::words::due_words(today, due, days_left))
    });
    Ok(SentBack {
        reference: asking.reference.to_owned(),
        service: plain_name(policy, asking),
        type_words: asking.record_type.label().to_owned(),
        stage_words: (asking.steps_total > 1).then(|| stage_words(asking)),
        answer_by: due.map(Into::into),
        time_left: time_left.transpose()?,
        note: None,
        answer_url: None,
        contact: gateway.contact(),
        council: gateway.council(),
    })
}

/// A service as letters to it name it: by its area, where it answers by area.
fn plain_name(policy: &Policy, asking: &Asking<'_>) -> String {
    let named = policy.rules.services().in_area(&asking.service, asking.part.area);
    named.map_or_else(|| asking.service.0.clone(), |one| one.name.clone())
}

/// What of a case goes with a request as the customer wrote it. None where the service reads it on its page or wants
/// none, or where who reads it is for a person to decide.
pub(crate) fn attached(
    gateway: &Gateway,
    policy: &Policy,
    (service, area): (&ServiceId, Option<&str>),
    (customer, flags): (CustomerType, &[Flag]),
    written: (Date, &Email),
) -> Option<Attached> {
    let wanted = policy.rules.services().in_area(service, area)?.attach_message;
    let wanted = wanted.unwrap_or(gateway.sender.page.is_none());
    // Nobody's words go on unseen who may be at risk, is a child, or withholds who they are.
    let withheld = [Flag::Safeguarding, Flag::ChildAuthor, Flag::Anonymous];
    let guarded = customer == CustomerType::AdoptiveParent
        || flags.iter().any(|flag| withheld.contains(flag));
    let (on, email) = written;
    // What a colleague passes on, or the Ombudsman sends, is not what the customer wrote.
    let services = policy.rules.services();
    let is_others = email.from.as_ref().filter(|_| email.form.is_none()).is_some_and(|from| {
        services.is_council_address(&from.address) || services.is_ombudsman(&from.address)
    });
    if !wanted || guarded || is_others {
        return None;
    }
    let text = email.reply_text.as_str();
    if text.trim().is_empty() {
        return None;
    }
    let files = email.attachments.iter().filter(|file| !file.inline).count();
    let cut: String = text.chars().take(MOST_ATTACHED).collect();
    let mut words = format!(
        "What the customer wrote to the council, received on {}.\n\n{}\n",
        crate::casework::working::in_words(on),
        cut.trim_end()
    );
    if cut.len() < text.len() {
        words.push_str("\n[There is more: ask the complaints team.]\n");
    }
    if files > 0 {
        let files = crate::letters::words::count(files, "file", "files");
        // Writing to a String cannot fail.
        let _ = write!(
            words,
            "\n[Came with {files}, not passed on by mail: ask the complaints team.]\n"
        );
    }
    Some(Attached { name: "message.txt", text: words.into() })
}

/// Characters of the longest message that is passed on.
const MOST_ATTACHED: usize = 100_000;

fn uncovered(gap: NotCovered) -> StoreError {
    StoreError::unsuitable("work out the draft's due date", gap.to_string())
}

/// Asks services, each once.
pub(super) async fn ask_all(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    asking: &[Asking<'_>],
    now: Timestamp,
    after: &mut Following,
) -> Result<(), StoreError> {
    if asking.is_empty() {
        return Ok(());
    }
    let (today, write_at) = asked_when(gateway, policy, now).map_err(uncovered)?;
    let writes = gateway.config.reminders.enabled;
    let new = asking.iter().map(|one| {
        let message_attached = one.attached.is_some() && one.write && writes;
        Ok(NewRequest { message_attached, ..new_request(policy, one, today)? })
    });
    let new: Vec<NewRequest<'_>> = new.collect::<Result<_, _>>().map_err(uncovered)?;
    let requests = requests::ask(tx, &new, now).await?;
    let mut letters = Vec::with_capacity(asking.len());
    for ((one, new), request) in asking.iter().zip(&new).zip(requests) {
        let Some(request) = request else { continue };
        let event = Event::ServiceAsked {
            service: one.service.clone(),
            due_on: new.draft_due_on,
            message_attached: new.message_attached,
        };
        after.events.push((one.case.id, event));
        if !one.write || !writes {
            continue;
        }
        let (rung, outcome) = (ALLOCATE, "sent");
        after.rungs.push(NewRung { of: request, round: 1, rung, fell_on: today, outcome });
        let letter = Letter {
            today,
            // Asked too late for a draft to be checked, the service answers by the customer's own date.
            answer_by: new.draft_due_on.unwrap_or(new.due_on),
            is_change: false,
            attaches: new.message_attached,
            write_at,
            once_key: format!("asked:{request}"),
        };
        letters.push((one, request, letter));
    }
    write_all(tx, gateway, policy, &letters, now, after).await
}

fn new_request<'a>(
    policy: &Policy,
    asking: &'a Asking<'_>,
    today: Date,
) -> Result<NewRequest<'a>, NotCovered> {
    let calendar = &policy.calendar;
    let limit = calendar.working_days_between(asking.received_on, asking.due_on)?;
    let days_before = asking.part.days_before.and_then(|days| u16::try_from(days).ok());
    let margin = policy.rules.services().checking_margin(&asking.service, asking.part.area);
    let (draft_due_on, due_on) =
        policy.ladder.part_due_on(today, asking.due_on, days_before, margin, calendar)?;
    Ok(NewRequest {
        case_id: asking.case.id,
        service: asking.service.as_str(),
        round: asking.round,
        leads: asking.leads,
        asked_on: today,
        draft_due_on,
        due_on,
        short: u16::try_from(limit).is_ok_and(|days| policy.ladder.is_short(days)),
        part: asking.part,
        message_attached: false,
    })
}

/// A letter that asks a service, or says what has changed.
struct Letter {
    today: Date,
    answer_by: Date,
    is_change: bool,
    attaches: bool,
    write_at: Timestamp,
    once_key: String,
}

/// Writes letters about requests, to each recipient their own where they get a link.
async fn write_all(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    letters: &[(&Asking<'_>, i64, Letter)],
    now: Timestamp,
    after: &mut Following,
) -> Result<(), StoreError> {
    let mut to = Vec::with_capacity(letters.len());
    let mut wanted = Vec::new();
    for (asking, request, letter) in letters {
        let contacts = recipients(policy, asking, letter.today);
        wanted.extend(
            contacts
                .iter()
                .map(|contact| Wanted { recipient: contact.clone(), requests: vec![*request] }),
        );
        to.push(contacts);
    }
    let mut links = gateway.sender.links(tx, wanted, now).await?.into_iter();
    for ((asking, request, letter), contacts) in letters.iter().zip(to) {
        let links: Vec<_> = links.by_ref().take(contacts.len()).collect();
        let to = contacts.into_iter().zip(links).collect();
        write_to(gateway, policy, asking, (*request, letter), to, after).map_err(uncovered)?;
    }
    Ok(())
}

fn write_to(
    gateway: &Gateway,
    policy: &Policy,
    asking: &Asking<'_>,
    (request, letter): (i64, &Letter),
    to: Vec<(String, Option<String>)>,
    after: &mut Following,
) -> Result<(), NotCovered> {
    let context = service_request(gateway, policy, asking, letter)?;
    let attached = asking.attached.as_ref().filter(|_| letter.attaches);
    let request_to = |context: &ServiceRequest| {
        let written = write(policy, LetterId::ServiceRequest, context)?;
        let Some(attached) = attached else { return Some(written) };
        Some(Arc::new(Written { attached: Some(attached.clone()), ..Written::clone(&written) }))
    };
    let plain = request_to(&context);
    for (contact, link) in to {
        let written = match link {
            None => plain.clone(),
            answer_url => request_to(&ServiceRequest { answer_url, ..context.clone() }),
        };
        let Some(written) = written else { continue };
        after.parties.push((asking.case.id, contact.clone(), "service"));
        after.letters.push(Posting {
            purpose: LetterId::ServiceRequest.id(),
            once_key: format!("{}:{contact}", letter.once_key),
            case: Some(asking.case),
            request: Some(request),
            message: None,
            recipient: contact,
            written,
            automatic: Automatic::Generated,
            in_reply_to: None,
            references: Vec::new(),
            due_at: letter.write_at,
        });
    }
    Ok(())
}

/// What a request says that is written now, where nothing was asked before.
pub(crate) fn request_letter(
    gateway: &Gateway,
    policy: &Policy,
    asking: &Asking<'_>,
) -> Result<ServiceRequest, NotCovered> {
    let (today, write_at) = asked_when(gateway, policy, gateway.clock.now())?;
    let new = new_request(policy, asking, today)?;
    let letter = Letter {
        today,
        answer_by: new.draft_due_on.unwrap_or(new.due_on),
        is_change: false,
        attaches: asking.attached.is_some(),
        write_at,
        once_key: String::new(),
    };
    service_request(gateway, policy, asking, &letter)
}

fn service_request(
    gateway: &Gateway,
    policy: &Policy,
    asking: &Asking<'_>,
    letter: &Letter,
) -> Result<ServiceRequest, NotCovered> {
    let answer_by = letter.answer_by;
    let days_left = policy.calendar.working_days_between(letter.today, answer_by)?;
    Ok(ServiceRequest {
        reference: asking.reference.to_owned(),
        service: plain_name(policy, asking),
        type_words: asking.record_type.label().to_owned(),
        stage_words: (asking.steps_total > 1).then(|| stage_words(asking)),
        points: asking.points.iter().map(|point| point.label().to_owned()).collect(),
        is_change: letter.is_change,
        answer_by: answer_by.into(),
        time_left: crate::letters::words::due_words(letter.today, answer_by, days_left),
        accept_by: policy.calendar.add_working_days(letter.today, 1)?.into(),
        customer_due: asking.due_on.into(),
        answer_url: None,
        message_attached: letter.attaches && asking.attached.is_some(),
        contact: gateway.contact(),
        council: gateway.council(),
    })
}

/// The day on which a service counts as asked, and the moment its letter leaves: at once on a working
/// day, else in the morning of the next one: nobody is asked for work on a Sunday unless the council
/// wants that.
fn asked_when(
    gateway: &Gateway,
    policy: &Policy,
    now: Timestamp,
) -> Result<(Date, Timestamp), NotCovered> {
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

/// Who is asked first: the inbox and the responding manager of the service or of its area, or whom of both it prefers;
/// in the manager's place whom an officer named, and for whoever is away that day, their deputy.
fn recipients(policy: &Policy, asking: &Asking<'_>, today: Date) -> Vec<String> {
    let services = policy.rules.services();
    let of_role = |role| {
        let area = asking.part.area;
        let all = services.address_for(&asking.service, area, role, today).into_iter();
        all.map(|contact| contact.address.to_lowercase())
    };
    let whom = services.in_area(&asking.service, asking.part.area).and_then(|one| one.ask);
    let whom = whom.unwrap_or_default();
    let mut addresses: Vec<String> = Vec::new();
    if whom != AskWhom::Manager {
        addresses.extend(of_role("service_responder"));
    }
    match asking.part.responder {
        Some((name, address)) => {
            let named = (name.to_owned(), address.to_owned());
            addresses.push(services.present(named, today).1);
        }
        None if whom == AskWhom::Inbox => {}
        None => addresses.extend(of_role("responding_manager")),
    }
    addresses.dedup();
    addresses
}
