//! For which of its areas a service answers a case: read off what the customer wrote, or as an officer says.

use super::ask::ask_one;
use super::{ActFault, Found, record, save, service_named};
use crate::casework::case::{Actor, Refusal};
use crate::casework::vocabulary::ServiceId;
use crate::email::Email;
use crate::gateway::Gateway;
use crate::intake::{AREA_TASK, choose_area, doubt_of_area};
use crate::policy::Policy;
use crate::store::{StoreError, Tx, cases, requests, tasks};

/// The area for which a service is asked: what was said of it, or else what the message that opened the case says, which
/// is recorded.
pub(super) async fn of(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &Found,
    service: &ServiceId,
    email: Option<&Email>,
) -> Result<Option<String>, StoreError> {
    if let Some(said) = found.case.area_said(service) {
        return Ok(said.area.clone());
    }
    let policy = gateway.policy();
    let chosen =
        email.and_then(|email| choose_area(&policy, service, email, found.case.customer_type));
    let Some(chosen) = chosen else { return Ok(None) };
    let (id, now) = (found.row.id, gateway.clock.now());
    cases::record_act(tx, (id, found.row.version), &Actor::Gateway, &chosen.event, now).await?;
    if chosen.area.is_none() {
        tasks::add(tx, &doubt_of_area(id, service), now).await?;
    }
    Ok(chosen.area.map(str::to_owned))
}

/// What an officer says of a service's area.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) service: String,
    /// None for the service's own contacts.
    pub(super) area: Option<String>,
    pub(super) because: String,
}

/// Says for which area a service answers. Where a request to it is open, it ends, and whoever answers for the area is
/// asked anew.
pub(super) async fn set(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    said: Said,
) -> Result<String, ActFault> {
    let service = service_named(gateway, &said.service)?;
    let policy = gateway.policy();
    known(&policy, &service, said.area.as_deref())?;
    let event = found.case.set_area(&service, said.area.clone(), &said.because)?;
    let open = requests::open_of(tx, found.row.id, service.as_str()).await?;
    let moves = open.filter(|request| request.area != said.area);
    if moves.is_some() && found.row.agreed_due_on.is_none() {
        let because = "the clock stands still, and nobody can be asked".to_owned();
        return Err(Refusal { because, instead: "let it go on first".to_owned() }.into());
    }
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    if !found.case.areas.iter().any(|one| one.area.is_none() && !one.is_sure) {
        tasks::finish_of_case(tx, found.row.id, &[AREA_TASK], gateway.clock.now()).await?;
    }
    let name = policy.rules.services().in_area(&service, said.area.as_deref());
    let name = name.map_or_else(|| service.0.clone(), |one| one.name.clone());
    let Some(before) = moves else {
        return Ok(format!("{service} answers as {name}; nothing has to be asked anew"));
    };
    requests::cancel(tx, before.id, gateway.clock.now()).await?;
    ask_one(tx, gateway, &found, &service, None).await?;
    let named = found.case.part(&service).responder.map_or("", |_| {
        "; whom an officer named still answers there (`case part --responder none` takes that back)"
    });
    Ok(format!("{service} answers as {name}, and is asked anew{named}"))
}

fn known(policy: &Policy, id: &ServiceId, area: Option<&str>) -> Result<(), ActFault> {
    let areas =
        policy.rules.services().get(id).map(|service| service.areas.as_slice()).unwrap_or_default();
    if areas.is_empty() {
        let because = format!("{id} does not answer by area");
        let instead = "write a [[service.area]] into services.toml first".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    match area {
        Some(got) if !areas.iter().any(|one| one.id == got) => {
            let known: Vec<&str> = areas.iter().map(|one| one.id.as_str()).collect();
            let (got, known) = (got.to_owned(), known.join(", "));
            Err(ActFault::NoSuchArea { service: id.0.clone(), got, known })
        }
        Some(_) | None => Ok(()),
    }
}
