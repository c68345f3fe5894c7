//! Asking services because of what an officer does: for the first time, anew, or otherwise.

use jiff::civil::Date;

use super::{ActFault, Found, area, part, service_named};
use crate::casework::case::{Part, Refusal};
use crate::casework::procedure::Procedure;
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::email::Email;
use crate::gateway::Gateway;
use crate::intake::{Asking, ask_otherwise, ask_service, attached};
use crate::letters::Attached;
use crate::outbox::TokenCase;
use crate::policy::Policy;
use crate::store::requests::{PartOf, RequestRow};
use crate::store::{StoreError, Tx, messages, requests, tasks};

/// Asks a service that nothing is open to.
pub(super) async fn ask(
    tx: &mut Tx,
    gateway: &Gateway,
    found: Found,
    service: String,
) -> Result<String, ActFault> {
    let service = service_named(gateway, &service)?;
    if found.row.agreed_due_on.is_none() {
        let because = "the case has no day by which it is answered".to_owned();
        let instead = "let its clock go on first, or register it as a type that is answered";
        return Err(Refusal { because, instead: instead.to_owned() }.into());
    }
    if requests::open_of(tx, found.row.id, service.as_str()).await?.is_some() {
        let because = format!("{service} has been asked already");
        let instead = "its reminders go on until it answers".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    ask_one(tx, gateway, &found, &service, None).await?;
    tasks::finish_of_case(tx, found.row.id, &["not_ours"], gateway.clock.now()).await?;
    Ok(format!("{service} is asked"))
}

/// Asks a service that nothing is open to, for the first time or anew.
pub(super) async fn ask_one(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    service: &ServiceId,
    due_on: Option<Date>,
) -> Result<(), ActFault> {
    let stored = found.row.agreed_due_on.as_deref().and_then(|day| day.parse().ok());
    let (Some(due_on), Some(case)) = (due_on.or(stored), TokenCase::of(&found.row)) else {
        return Ok(());
    };
    let Some(round) = requests::next_round(tx, found.row.id, service).await? else {
        return Ok(());
    };
    let policy = gateway.policy();
    let reference = found.case.reference.to_string();
    let email = messages::reading(tx, found.row.opened_by).await?;
    let area = area::of(tx, gateway, found, service, email.as_ref()).await?;
    let part = found.case.part(service);
    let asked = (case, round, due_on);
    let asking = asking(&policy, found, &reference, asked, (&part, area.as_deref()))?;
    let attached = written(gateway, &policy, found, (service, area.as_deref()), email.as_ref());
    let asking = Asking { attached, ..asking };
    ask_service(tx, gateway, &policy, asking, gateway.clock.now()).await?;
    Ok(())
}

/// Tells a service what has changed of its part.
pub(super) async fn write_request(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    part: &Part,
    due_on: Date,
) -> Result<Option<RequestRow>, ActFault> {
    let request = requests::open_of(tx, found.row.id, part.service.as_str()).await?;
    let (Some(case), Some(request)) = (TokenCase::of(&found.row), request) else {
        return Ok(None);
    };
    let policy = gateway.policy();
    let reference = found.case.reference.to_string();
    let area = request.area.as_deref();
    let asking = asking(&policy, found, &reference, (case, request.round, due_on), (part, area))?;
    let email = messages::reading(tx, found.row.opened_by).await?;
    let attached = written(gateway, &policy, found, (&part.service, area), email.as_ref());
    let asking = Asking { attached, ..asking };
    ask_otherwise(tx, gateway, &policy, asking, &request, gateway.clock.now()).await?;
    Ok(Some(request))
}

/// What the customer wrote, where it goes with a request.
pub(super) fn written(
    gateway: &Gateway,
    policy: &Policy,
    found: &Found,
    whom: (&ServiceId, Option<&str>),
    email: Option<&Email>,
) -> Option<Attached> {
    let case = &found.case;
    let email = email?;
    let written = (london_day(case.joined.own_received_at), email);
    attached(gateway, policy, whom, (case.customer_type, &case.flags), written)
}

pub(super) fn asking<'a>(
    policy: &Policy,
    found: &Found,
    reference: &'a str,
    (case, round, due_on): (TokenCase, i64, Date),
    (part, area): (&'a Part, Option<&'a str>),
) -> Result<Asking<'a>, StoreError> {
    let steps_total = policy
        .procedures
        .of(found.case.record_type, found.case.procedure_day())
        .map_or(1, Procedure::steps_total);
    Ok(Asking {
        case,
        reference,
        record_type: found.case.record_type,
        stage: found.case.stage,
        steps_total,
        received_on: london_day(found.case.clock_started_at),
        service: part.service.clone(),
        round,
        leads: found.case.services.first() == Some(&part.service),
        due_on,
        part: PartOf { area, ..part::kept(policy, part, due_on)? },
        points: &part.points,
        attached: None,
        write: true,
    })
}
