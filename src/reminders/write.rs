//! A planned mail becomes a letter in the outbox.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::error;

use super::ombudsman;
use super::plan::{Listed, Mail, Plan};
use crate::casework::reminder::Role;
use crate::casework::vocabulary::{RecordType, ServiceId};
use crate::gateway::Gateway;
use crate::letters::words::{count, list_words};
use crate::letters::{
    Digest, LetterFault, LetterId, ManagerRow, OverdueCounts, OverdueDigest, Row, Written,
};
use crate::outbox::{Automatic, Posting, TokenCase};
use crate::policy::Policy;
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
        let (id, written) = match write(gateway, policy, plan, mail) {
            Ok(written) => written,
            Err(fault) => {
                error!(%fault, "a digest could not be written");
                continue;
            }
        };
        // A list of one case can be answered by replying; a longer one needs the reference.
        let only = match mail.rows.as_slice() {
            [one] => Some(one),
            _ => None,
        };
        let case = match only {
            Some(one) => cases::by_id(tx, one.case).await?.as_ref().and_then(TokenCase::of),
            None => None,
        };
        let parties: Vec<_> =
            mail.rows.iter().map(|row| (row.case, mail.recipient.as_str(), "service")).collect();
        cases::add_parties(tx, &parties).await?;
        let posting = Posting {
            purpose: id.id(),
            once_key: format!("digest:{}:{}", plan.day, mail.recipient),
            case,
            request: only.map(|one| one.request),
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

fn write(
    gateway: &Gateway,
    policy: &Policy,
    plan: &Plan,
    mail: &Mail,
) -> Result<(LetterId, Written), LetterFault> {
    let above = mail.roles.iter().all(|role| {
        matches!(role, Role::HeadOfService | Role::DivisionalDirector | Role::CorporateDirector)
    });
    let late = mail.rows.iter().any(|row| row.days_left < 0);
    if above && late {
        let mut digest = overdue(gateway, policy, plan, mail);
        digest.from_ombudsman = ombudsman::lines(mail, plan.day);
        let written = policy.letters.write(LetterId::OverdueDigest, &digest)?;
        return Ok((LetterId::OverdueDigest, written));
    }
    let rows = mail.rows.iter().map(|row| to_row(policy, plan, mail, row)).collect();
    let whose = area(policy, mail);
    let for_team = is_team(mail);
    let mut digest = Digest::of(&whose, rows, gateway.contact(), gateway.council());
    digest.greeting_name = greeting(mail);
    digest.for_team = for_team;
    let digest = digest.with_ombudsman(ombudsman::lines(mail, plan.day));
    let written = policy.letters.write(LetterId::Digest, &digest)?;
    Ok((LetterId::Digest, written))
}

fn overdue(gateway: &Gateway, policy: &Policy, plan: &Plan, mail: &Mail) -> OverdueDigest {
    let worst_of = |rows: &[&Listed]| rows.iter().map(|row| -row.days_left).max().unwrap_or(0);
    let all: Vec<&Listed> = mail.rows.iter().collect();
    let mut services: Vec<&ServiceId> = mail.rows.iter().map(|row| &row.service).collect();
    services.sort();
    services.dedup();
    let mut managers: Vec<(i32, ManagerRow)> = services
        .into_iter()
        .filter_map(|service| {
            let late: Vec<&Listed> = all
                .iter()
                .filter(|row| row.service == *service && row.days_left < 0)
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
        managers: managers.into_iter().map(|(_, row)| row).collect(),
        worst: mail.rows.iter().take(WORST).map(|row| to_row(policy, plan, mail, row)).collect(),
        would_help: None,
        from_ombudsman: Vec::new(),
        list_url: None,
        contact: gateway.contact(),
        council: gateway.council(),
    }
}

fn days(number: i32, one: &str, many: &str) -> String {
    count(usize::try_from(number).unwrap_or(0), one, many)
}

fn to_row(policy: &Policy, plan: &Plan, mail: &Mail, listed: &Listed) -> Row {
    let record_type = listed.record_type.parse::<RecordType>();
    let several = mail.rows.iter().any(|row| row.service != listed.service);
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
        with: several.then(|| plain_name(policy, &listed.service)),
        times_chased: listed.times_chased,
        is_late: listed.days_left < 0,
    }
}

fn stage_words(policy: &Policy, listed: &Listed) -> Option<String> {
    let procedure = policy.procedures.named(&listed.procedure)?;
    let word = if listed.procedure == "children_act" { "stage" } else { "step" };
    (procedure.steps_total() > 1).then(|| format!("{word} {}", listed.stage))
}

fn plain_name(policy: &Policy, service: &ServiceId) -> String {
    policy.rules.services().get(service).map_or_else(|| service.0.clone(), |one| one.name.clone())
}

/// Whether the reader is of the complaints team itself.
fn is_team(mail: &Mail) -> bool {
    let of_team = |role: &Role| {
        matches!(role, Role::ComplaintsOfficer | Role::ComplaintsManager | Role::LinkOfficer)
    };
    mail.roles.iter().all(of_team)
}

fn area(policy: &Policy, mail: &Mail) -> String {
    match mail.rows.first() {
        Some(first) if mail.rows.iter().all(|row| row.service == first.service) => {
            plain_name(policy, &first.service)
        }
        _ if is_team(mail) => "the complaints team".to_owned(),
        _ => "your services".to_owned(),
    }
}

/// A person's first name; a shared mailbox has none.
fn greeting(mail: &Mail) -> Option<String> {
    let shared = mail.roles.iter().all(|role| *role == Role::ServiceInbox);
    if shared { None } else { mail.name.split_whitespace().next().map(str::to_owned) }
}
