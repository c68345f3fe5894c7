//! What each service answers of a case: its points, its day, who there. The customer has one date and one answer.

use jiff::civil::Date;
use lettre::message::Mailbox;

use super::{ActFault, Found, answers, record, save, service_named, write_request};
use crate::casework::calendar::NotCovered;
use crate::casework::case::{Actor, Case, Part, Point, Refusal, Responder};
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::policy::Policy;
use crate::store::requests::{PartOf, RequestRow};
use crate::store::{StoreError, Tx, requests, tasks};

/// What is said of a part; what is left out stays.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) service: String,
    pub(super) points: Option<Vec<Point>>,
    pub(super) due: Option<Date>,
    pub(super) by_the_customers_date: bool,
    pub(super) responder: Option<String>,
}

fn uncovered(gap: NotCovered) -> StoreError {
    StoreError::unsuitable("work out a part's due date", gap.to_string())
}

/// The part of a service, as the store keeps it with a request that is due to the customer on a day.
pub(super) fn kept<'a>(
    policy: &Policy,
    part: &'a Part,
    due_on: Date,
) -> Result<PartOf<'a>, StoreError> {
    let days_before = |day| policy.calendar.working_days_between(day, due_on).map(i64::from);
    Ok(PartOf {
        points: i64::try_from(part.points.len()).unwrap_or(0),
        days_before: part.due_on.map(days_before).transpose().map_err(uncovered)?,
        responder: part.responder.as_ref().map(|one| (one.name.as_str(), one.address.as_str())),
        area: None,
    })
}

/// Sets the part of a service, and tells it what has changed if it was asked already.
pub(super) async fn set(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    said: Said,
) -> Result<String, ActFault> {
    let policy = gateway.policy();
    let service = service_named(gateway, &said.service)?;
    let mut part = found.case.part(&service);
    if let Some(points) = said.points {
        part.points = points;
    }
    if said.by_the_customers_date {
        part.due_on = None;
    }
    if let Some(day) = said.due {
        part.due_on = Some(a_working_day(&policy, day)?);
    }
    if let Some(responder) = said.responder {
        part.responder = a_responder(&policy, &responder)?;
    }
    let due_on = found.row.agreed_due_on.as_deref().and_then(|day| day.parse::<Date>().ok());
    let today = london_day(gateway.clock.now());
    let event = found.case.set_part(part.clone(), today, due_on)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    let (Some(request), Some(due_on)) =
        (requests::open_of(tx, found.row.id, service.as_str()).await?, due_on)
    else {
        return Ok(format!("the part of {service} is set; it counts when it is asked"));
    };
    requests::set_part(tx, request.id, kept(&policy, &part, due_on)?).await?;
    redate(tx, gateway, &found, due_on).await?;
    let now = gateway.clock.now();
    tasks::finish_of_case(tx, found.row.id, &["away"], now).await?;
    answers::time_decided(tx, gateway, &found).await?;
    let request = write_request(tx, gateway, &found, &part, due_on).await?;
    let answer_by = request.map(|row| row.draft_due_on.unwrap_or(row.due_on));
    let by = answer_by.map_or_else(String::new, |day| format!(" by {day}"));
    Ok(format!("{service} is told what it answers{by}"))
}

fn a_working_day(policy: &Policy, day: Date) -> Result<Date, ActFault> {
    if policy.calendar.is_working_day(day).map_err(uncovered)? {
        return Ok(day);
    }
    let before = policy.calendar.previous_working_day(day).map_err(uncovered)?;
    let because = format!("{day} is no working day");
    Err(Refusal { because, instead: format!("name {before} or another working day") }.into())
}

/// Who answers: `Name <address>` of the council; `none` for whom the services' file names.
fn a_responder(policy: &Policy, text: &str) -> Result<Option<Responder>, ActFault> {
    if text.trim() == "none" {
        return Ok(None);
    }
    let refused = |because: &str, instead: &str| {
        ActFault::from(Refusal { because: because.to_owned(), instead: instead.to_owned() })
    };
    let instead = "write 'Name <name@council.example>', or 'none'";
    let mailbox: Mailbox =
        text.parse().map_err(|_| refused("who answers needs a name and an address", instead))?;
    let address = mailbox.email.to_string().to_lowercase();
    if !policy.rules.services().is_council_address(&address) {
        let because = "the address is not of a domain of the council";
        let instead = "name an address of a domain that services.toml lists under council_domains";
        return Err(refused(because, instead));
    }
    let name = mailbox.name.ok_or_else(|| refused("who answers needs a name", instead))?;
    Ok(Some(Responder { name: name.into(), address: address.into() }))
}

/// Gives the open requests of a case their days, each as its part says, from the day that the customer was told.
pub(super) async fn redate(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    due_on: Date,
) -> Result<(), ActFault> {
    Ok(redate_requests(tx, gateway, found.row.id, &found.case, due_on).await?)
}

/// The same for a case that nobody acts on.
///
/// # Errors
/// When the database refuses, or the count leaves the calendar.
pub(crate) async fn redate_requests(
    tx: &mut Tx,
    gateway: &Gateway,
    id: i64,
    case: &Case,
    due_on: Date,
) -> Result<(), StoreError> {
    let policy = gateway.policy();
    let started_on = london_day(case.clock_started_at);
    let limit = policy.calendar.working_days_between(started_on, due_on).map_err(uncovered)?;
    let short = u16::try_from(limit).is_ok_and(|days| policy.ladder.is_short(days));
    for request in requests::all_open_of(tx, id).await? {
        let (draft, due) = days_of(&policy, &request, due_on)?;
        requests::redate(tx, request.id, draft, due, short).await?;
    }
    Ok(())
}

fn days_of(
    policy: &Policy,
    request: &RequestRow,
    due_on: Date,
) -> Result<(Option<Date>, Date), StoreError> {
    let unread = || StoreError::unsuitable("read a request's day", request.asked_on.clone());
    let asked_on = request.asked_on.parse().map_err(|_| unread())?;
    let days_before = request.days_before.and_then(|days| u16::try_from(days).ok());
    let service = ServiceId(request.service.clone());
    let margin = policy.rules.services().checking_margin(&service, request.area.as_deref());
    let calendar = &policy.calendar;
    policy.ladder.part_due_on(asked_on, due_on, days_before, margin, calendar).map_err(uncovered)
}
