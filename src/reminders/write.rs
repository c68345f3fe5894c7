//! A planned mail becomes a letter in the outbox.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::error;

use super::actions::ListedAction;
use super::ombudsman;
use super::plan::{Listed, Mail, Plan};
use crate::casework::reminder::Role;
use crate::casework::vocabulary::{RecordType, ServiceId};
use crate::gateway::Gateway;
use crate::letters::words::{count, list_words};
use crate::letters::{
    ActionRow, Actions, Digest, LetterFault, LetterId, ManagerRow, OverdueCounts, OverdueDigest,
    Row, Written,
};
use crate::outbox::{Automatic, Posting, TokenCase, Wanted};
use crate::policy::Policy;
use crate::store::actions::PARTY as ACTION_PARTY;
use crate::store::{StoreError, Tx, cases, requests};

/// The most rows that a director's list shows one by one.
const WORST: usize = 5;

/// Queues every mail of the plan; each person's at most once a day, whatever happens.
pub(super) async fn queue(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    for mail in &plan.mails {
        if !requests::claim_digest(tx, &mail.recipient, plan.day).await? {
            continue;
        }
        let link = link_of(tx, gateway, mail, now).await?;
        let (id, written) = match write(gateway, policy, plan, mail, link) {
            Ok(written) => written,
            Err(fault) => {
                error!(%fault, "a digest could not be written");
                continue;
            }
        };
        let case = match only_case(mail) {
            Some(one) => cases::standing(tx, one).await?.as_ref().and_then(TokenCase::of),
            None => None,
        };
        let recipient = mail.recipient.as_str();
        let mut parties: Vec<_> =
            mail.rows.iter().map(|row| (row.case, recipient, "service")).collect();
        parties.extend(mail.actions.iter().map(|row| (row.case, recipient, ACTION_PARTY)));
        cases::add_parties(tx, &parties).await?;
        let request = mail.rows.first().filter(|_| case.is_some() && mail.rows.len() == 1);
        let posting = Posting {
            purpose: id.id(),
            once_key: format!("digest:{}:{}", plan.day, mail.recipient),
            case,
            request: request.map(|one| one.request),
            message: None,
            recipient: mail.recipient.clone(),
            written: Arc::new(written),
            automatic: Automatic::Generated,
            in_reply_to: None,
            references: Vec::new(),
            due_at: now,
        };
        gateway.sender.post(tx, &[posting], now).await?;
    }
    Ok(())
}

/// A link to the answers that a list asks for, worst first. The complaints team answers nothing on it.
async fn link_of(
    tx: &mut Tx,
    gateway: &Gateway,
    mail: &Mail,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    if mail.rows.is_empty() || is_team(mail) {
        return Ok(None);
    }
    let mut rows: Vec<&Listed> = mail.rows.iter().collect();
    rows.sort_by_key(|row| (row.due_on, &row.reference, row.request));
    let requests = rows.into_iter().map(|row| row.request).collect();
    let wanted = Wanted { recipient: mail.recipient.clone(), requests };
    Ok(gateway.sender.links(tx, vec![wanted], now).await?.pop().flatten())
}

/// The case of a list that is about one: it can be answered by replying. A longer one needs the reference.
fn only_case(mail: &Mail) -> Option<i64> {
    let mut cases: Vec<i64> = mail.rows.iter().map(|row| row.case).collect();
    // Several requests of one case are several answers.
    let several = cases.len() > 1;
    cases.extend(mail.actions.iter().map(|row| row.case));
    cases.dedup();
    match cases.as_slice() {
        [one] if !several => Some(*one),
        _ => None,
    }
}

fn write(
    gateway: &Gateway,
    policy: &Policy,
    plan: &Plan,
    mail: &Mail,
    link: Option<String>,
) -> Result<(LetterId, Written), LetterFault> {
    let above = mail.roles.iter().all(|role| {
        matches!(role, Role::HeadOfService | Role::DivisionalDirector | Role::CorporateDirector)
    });
    let late = mail.rows.iter().any(|row| row.days_left < 0);
    if above && late {
        let mut digest = overdue(gateway, policy, plan, mail);
        digest.list_url = link;
        digest.from_ombudsman = ombudsman::lines(mail, plan.day);
        let written = policy.letters.write(LetterId::OverdueDigest, &digest)?;
        return Ok((LetterId::OverdueDigest, written));
    }
    let rows = mail.rows.iter().map(|row| to_row(policy, plan, mail, row)).collect();
    let whose = area(policy, mail);
    let for_team = is_team(mail);
    let digest = Digest::of(&whose, rows, gateway.contact(), gateway.council());
    let mut digest = digest.with(actions(policy, plan, mail));
    digest.greeting_name = greeting(mail);
    digest.for_team = for_team;
    digest.list_url = link;
    let digest = digest.with_ombudsman(ombudsman::lines(mail, plan.day));
    let written = policy.letters.write(LetterId::Digest, &digest)?;
    Ok((LetterId::Digest, written))
}

fn overdue(gateway: &Gateway, policy: &Policy, plan: &Plan, mail: &Mail) -> OverdueDigest {
    let worst_of = |rows: &[&Listed]| rows.iter().map(|row| -row.days_left).max().unwrap_or(0);
    let all: Vec<&Listed> = mail.rows.iter().collect();
    let mut services: Vec<Answering<'_>> = mail.rows.iter().map(answering).collect();
    services.sort();
    services.dedup();
    let mut managers: Vec<(i32, ManagerRow)> = services
        .into_iter()
        .filter_map(|service| {
            let late: Vec<&Listed> = all
                .iter()
                .filter(|row| answering(row) == service && row.days_left < 0)
                .copied()
                .collect();
            let worst = worst_of(&late);
            (!late.is_empty()).then(|| {
                let row = ManagerRow {
                    name: plain_name(policy, service),
                    overdue: late.len(),
                    oldest_words: days(worst, "day", "days"),
                };
                (worst, row)
            })
        })
        .collect();
    managers.sort_by_key(|(worst, _)| -worst);
    OverdueDigest {
        greeting_name: greeting(mail),
        area: area(policy, mail),
        is_weekly: mail.roles.contains(&Role::CorporateDirector),
        counts: OverdueCounts::of(mail.rows.iter().map(|row| row.days_left)),
        oldest_words: days(worst_of(&all), "working day", "working days"),
        change_words: None,
        actions: actions(policy, plan, mail),
        managers: managers.into_iter().map(|(_, row)| row).collect(),
        worst: mail.rows.iter().take(WORST).map(|row| to_row(policy, plan, mail, row)).collect(),
        would_help: None,
        from_ombudsman: Vec::new(),
        list_url: None,
        contact: gateway.contact(),
        council: gateway.council(),
    }
}

/// The actions of a person's list, in words.
fn actions(policy: &Policy, plan: &Plan, mail: &Mail) -> Option<Actions> {
    let row = |listed: &ListedAction| ActionRow {
        reference: listed.reference.clone(),
        number: listed.number,
        service: plain_name(policy, (&listed.service, listed.area.as_deref())),
        days_words: list_words(plan.day, listed.due_on, listed.days_left),
        due: listed.due_on.into(),
        // The list ends the sentence itself.
        asks: listed.asks.as_ref().map(|asks| asks.trim_end_matches('.').to_owned()),
        is_late: listed.due_on < plan.day,
    };
    let yours = mail.actions.iter().all(|listed| listed.is_own);
    Actions::of(mail.actions.iter().map(row).collect(), yours)
}

fn days(number: i32, one: &str, many: &str) -> String {
    count(usize::try_from(number).unwrap_or(0), one, many)
}

fn to_row(policy: &Policy, plan: &Plan, mail: &Mail, listed: &Listed) -> Row {
    let record_type = listed.record_type.parse::<RecordType>();
    let several = mail.rows.iter().any(|row| answering(row) != answering(listed));
    let asks = mail.because.iter().find(|(reference, _)| *reference == listed.reference).and_then(
        |(_, rung)| {
            let due = plan
                .rungs
                .iter()
                .find(|due| due.reference == listed.reference && due.rung.id == *rung);
            due.and_then(|due| due.rung.asks.clone())
        },
    );
    Row {
        reference: listed.reference.clone(),
        type_words: record_type
            .map_or_else(|_| listed.record_type.clone(), |one| one.label().to_owned()),
        stage_words: stage_words(policy, listed),
        days_left: listed.days_left,
        days_words: list_words(plan.day, listed.due_on, listed.days_left),
        due: listed.due_on.into(),
        waiting_for: match asks {
            // The list ends the sentence itself.
            Some(asks) => asks.trim_end_matches('.').to_owned(),
            None if is_team(mail) => "the service's answer".to_owned(),
            None => "your answer".to_owned(),
        },
        with: several.then(|| plain_name(policy, answering(listed))),
        times_chased: listed.times_chased,
        is_late: listed.days_left < 0,
    }
}

fn stage_words(policy: &Policy, listed: &Listed) -> Option<String> {
    let procedure = policy.procedures.named(&listed.procedure)?;
    let word = if listed.procedure == "children_act" { "stage" } else { "step" };
    (procedure.steps_total() > 1).then(|| format!("{word} {}", listed.stage))
}

/// A service, and the area of it that answers.
type Answering<'a> = (&'a ServiceId, Option<&'a str>);

fn answering(row: &Listed) -> Answering<'_> {
    (&row.service, row.area.as_deref())
}

fn plain_name(policy: &Policy, (service, area): Answering<'_>) -> String {
    let named = policy.rules.services().in_area(service, area);
    named.map_or_else(|| service.0.clone(), |one| one.name.clone())
}

/// Whether the reader is of the complaints team itself.
fn is_team(mail: &Mail) -> bool {
    let team = |role: &Role| {
        matches!(role, Role::ComplaintsOfficer | Role::ComplaintsManager | Role::LinkOfficer)
    };
    let roles = if mail.roles.is_empty() { &mail.action_roles } else { &mail.roles };
    roles.iter().all(team)
}

fn area(policy: &Policy, mail: &Mail) -> String {
    let mut all = mail.rows.iter().map(answering).collect::<Vec<_>>();
    if all.is_empty() {
        all.extend(mail.actions.iter().map(|row| (&row.service, row.area.as_deref())));
    }
    match all.first() {
        Some(first) if all.iter().all(|one| one == first) => plain_name(policy, *first),
        // Several areas of one service, for whoever is above them.
        Some((first, _)) if all.iter().all(|(service, _)| service == first) => {
            plain_name(policy, (*first, None))
        }
        _ if is_team(mail) => "the complaints team".to_owned(),
        _ => "your services".to_owned(),
    }
}

/// A person's first name; a shared mailbox has none.
fn greeting(mail: &Mail) -> Option<String> {
    let mut roles = mail.roles.iter().chain(&mail.action_roles);
    let shared = roles.all(|role| *role == Role::ServiceInbox);
    if shared { None } else { mail.name.split_whitespace().next().map(str::to_owned) }
}
