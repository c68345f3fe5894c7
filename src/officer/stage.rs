//! What officers decide of a case as a whole: its next stage, its end without an answer, and what was
//! found of each issue.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::{ActFault, Found, actions, ask_one, clock, over, post, record, save};
use crate::casework::assessment::Gate;
use crate::casework::case::{Actor, CaseStatus, Event, Issue, OfficerId, Refusal};
use crate::casework::deadline::{self, StartRule};
use crate::casework::procedure::{ClockFault, Procedure, StageClock, Start};
use crate::casework::vocabulary::{Flag, Outcome, RecordType, RejectionReason};
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::letters::RejectionLetter;
use crate::letters::letter::LetterId;
use crate::policy::Policy;
use crate::store::cases::Clocked;
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, assessments, cases, requests};

pub(super) fn uncovered(fault: &impl ToString) -> StoreError {
    StoreError::unsuitable("work out the due date", fault.to_string())
}

pub(super) fn refused(because: impl Into<String>, instead: impl Into<String>) -> ActFault {
    Refusal { because: because.into(), instead: instead.into() }.into()
}

/// A moment that an officer names, as London's clocks showed it; now, where none is named. Nothing is
/// received in the future, or before the case.
fn moment_of(
    gateway: &Gateway,
    found: &Found,
    named: Option<DateTime>,
) -> Result<Timestamp, ActFault> {
    let now = gateway.clock.now();
    let Some(named) = named else { return Ok(now) };
    let at = named.to_zoned(london()).map_err(|fault| uncovered(&fault))?.timestamp();
    let (day, today) = (london_day(at), london_day(now));
    if day > today {
        return Err(refused(format!("{day} is still to come"), "name the day on which it came"));
    }
    let received = post::received_on(found);
    if day < received {
        let why = format!("the case was received on {received}");
        return Err(refused(why, "name a day from then on"));
    }
    // Of today the hour is not known, but that it has passed.
    Ok(at.min(now))
}

/// Opens the next stage, whose clock runs from the day on which the customer asked for it.
pub(super) async fn next(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    received: Option<DateTime>,
    because: Option<String>,
) -> Result<String, ActFault> {
    let policy = gateway.policy();
    let Some(procedure) = policy.procedures.of(found.case.record_type, found.case.procedure_day())
    else {
        let why = format!("a {} has no stages", found.case.record_type);
        return Err(refused(why, "register it as a complaint first"));
    };
    let at = moment_of(gateway, &found, received)?;
    let event = found.case.request_stage(procedure.steps_total(), at)?;
    if because.as_ref().is_none_or(|because| because.trim().is_empty()) {
        in_time(&policy, procedure, &found, london_day(at))?;
    }
    let (clock, clocked) =
        begin(tx, gateway, &mut found, by, (event, because), procedure, at).await?;
    let about = london_day(at);
    let due = (clocked.target_on, clocked.standard_due_on);
    let context = post::customer_letter(gateway, &found, about, due);
    let told = post::to_customer(tx, gateway, &found, LetterId::StageRequest, &context).await?;
    let due = clock.answer_due_on().map_or_else(String::new, |day| format!(", due by {day}"));
    Ok(format!("stage {} of {} is open{due}; {told}", clock.stage, found.row.reference))
}

/// Begins a stage that was asked for: its clock, and who works on it. Nobody is told.
pub(super) async fn begin(
    tx: &mut Tx,
    gateway: &Gateway,
    found: &mut Found,
    by: &Actor,
    (event, because): (Event, Option<String>),
    procedure: &Procedure,
    at: Timestamp,
) -> Result<(StageClock, Clocked), ActFault> {
    let policy = gateway.policy();
    record(tx, gateway, found, by, event).await?;
    if let Some(because) = because {
        record(tx, gateway, found, by, Event::Note { text: because.into() }).await?;
    }
    let start = Start { policy_of: found.case.policy_of, ..Start::at(at) };
    let clock = procedure
        .clock(found.case.stage, start, &policy.calendar)
        .map_err(|fault| uncovered(&fault))?;
    let clocked = clock::started(&policy, &found.case)?;
    save(tx, gateway, found, Some(&clocked)).await?;
    requests::cancel_all(tx, found.row.id, gateway.clock.now()).await?;
    ask_for(tx, gateway, &policy, found, &clock).await?;
    Ok((clock, clocked))
}

/// Whether the customer may ask for the next stage on a day: after an answer within the time that the
/// procedure gives; before one, only once it is late.
fn in_time(
    policy: &Policy,
    procedure: &Procedure,
    found: &Found,
    asked_on: Date,
) -> Result<(), ActFault> {
    let case = &found.case;
    let accept = "accept it all the same with a reason, or say how to go to the Ombudsman";
    let Some(answered_at) = case.responded_at else {
        let limit = found.row.standard_due_on.as_deref().and_then(|day| day.parse::<Date>().ok());
        return match limit {
            Some(limit) if case.status == CaseStatus::Open && asked_on <= limit => {
                let why = format!(
                    "stage {} is not answered yet, and not late before {limit} has passed",
                    case.stage
                );
                Err(refused(why, "answer it first, or open the next stage with a reason"))
            }
            Some(_) | None => Ok(()),
        };
    };
    let limits = procedure.limits(case.stage, london_day(case.clock_started_at));
    let Some(days) = limits.map_err(|fault| uncovered(&fault))?.ask_next_within else {
        return Ok(());
    };
    let last = deadline::due(&policy.calendar, answered_at, StartRule::DayAfter, days)
        .map_err(|gap| uncovered(&gap))?
        .due_on;
    if asked_on > last {
        let why = format!(
            "stage {} was answered on {}, and the next could be asked for until {last}",
            case.stage,
            london_day(answered_at)
        );
        return Err(refused(why, accept));
    }
    Ok(())
}

/// Who works on a later stage: the Children Act's investigators and panel are named by a person, any
/// other stage is asked of the service that led the answer.
async fn ask_for(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    found: &Found,
    clock: &StageClock,
) -> Result<(), ActFault> {
    let now = gateway.clock.now();
    if found.case.record_type != RecordType::ChildrenActComplaint {
        if let Some(lead) = found.case.services.first() {
            ask_one(tx, gateway, found, lead, clock.answer_due_on()).await?;
        }
        return Ok(());
    }
    let limit = clock.standard_due_on.map_or_else(String::new, |day| format!(" by {day}"));
    let words = if clock.stage == 2 {
        format!(
            "stage 2: name an investigating officer and an independent person, agree the written \
             statement with the customer, and answer{limit}"
        )
    } else {
        let days = |days: Option<u16>| days.map_or_else(String::new, |n| format!(" {n}"));
        let procedure = policy.procedures.of(found.case.record_type, found.case.procedure_day());
        let limits = procedure.map(|one| one.limits(clock.stage, clock.received_on)).transpose()?;
        let (report, response) = (
            days(limits.and_then(|limits| limits.panel_report)),
            days(limits.and_then(|limits| limits.council_response)),
        );
        format!(
            "stage 3: call the panel of three independent people to meet{limit}; its report is due\
             {report} working days after that, the council's response{response} after the report"
        )
    };
    let task = NewTask {
        kind: "stage",
        case_id: Some(found.row.id),
        words: words.into(),
        ..NewTask::default()
    };
    tasks::add(tx, &task, now).await?;
    Ok(())
}

/// Records that the customer was told that we have it, by hand.
pub(super) async fn acknowledged(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    on: Option<DateTime>,
) -> Result<String, ActFault> {
    let at = moment_of(gateway, &found, on)?;
    let event = found.case.acknowledge(at)?;
    record(tx, gateway, &mut found, by, event).await?;
    let policy = gateway.policy();
    let clocked = clock::started(&policy, &found.case)?;
    save(tx, gateway, &found, Some(&clocked)).await?;
    let now = gateway.clock.now();
    cases::acknowledged(tx, &[found.row.id], at).await?;
    tasks::finish_of_case(tx, found.row.id, &["acknowledge_by_hand"], now).await?;
    Ok(match clocked.agreed_due_on {
        Some(due) => format!("{} is acknowledged; the answer is due by {due}", found.row.reference),
        None => format!("{} is acknowledged", found.row.reference),
    })
}

/// Records that the written statement of complaint was agreed; where the council counts from that day,
/// the dates move.
pub(super) async fn statement(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    agreed: Option<DateTime>,
) -> Result<String, ActFault> {
    let at = moment_of(gateway, &found, agreed)?;
    let event = found.case.agree_statement(at)?;
    record(tx, gateway, &mut found, by, event).await?;
    let policy = gateway.policy();
    let clocked = clock::started(&policy, &found.case)?;
    save(tx, gateway, &found, Some(&clocked)).await?;
    let day = london_day(at);
    Ok(match clocked.standard_due_on {
        Some(due) => {
            format!("the statement was agreed on {day}; the answer is due by {due} at the latest")
        }
        None => format!("the statement was agreed on {day}"),
    })
}

/// The customer took it back.
pub(super) async fn withdraw(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    because: String,
) -> Result<String, ActFault> {
    let event = found.case.withdraw(whoever(by))?;
    record(tx, gateway, &mut found, by, event).await?;
    record(tx, gateway, &mut found, by, Event::Note { text: because.into() }).await?;
    save(tx, gateway, &found, None).await?;
    over(tx, gateway, &found).await?;
    let about = post::received_on(&found);
    let context = post::customer_letter(gateway, &found, about, (None, None));
    let told = post::to_customer(tx, gateway, &found, LetterId::Withdrawal, &context).await?;
    Ok(format!("{} is withdrawn; {told}{}", found.row.reference, actions::owed(&found)))
}

/// An officer does not take it on; the customer is told why, and where to go instead.
pub(super) async fn reject(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    reason: RejectionReason,
    because: &str,
    say: Option<String>,
) -> Result<String, ActFault> {
    let event = found.case.reject(whoever(by), reason, because)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    over(tx, gateway, &found).await?;
    let now = gateway.clock.now();
    let answered = |gate: &&Gate| gate.reason() == reason && !gate.is_decided_by_itself();
    for gate in Gate::ALL.iter().filter(answered) {
        assessments::answer(tx, found.row.id, gate.id(), "taken", now).await?;
    }
    let context = rejection(gateway, &gateway.policy(), &found, reason, say)?;
    let told = post::to_customer(tx, gateway, &found, LetterId::Rejection, &context).await?;
    let left = actions::owed(&found);
    Ok(format!("{} is rejected ({}); {told}{left}", found.row.reference, reason.label()))
}

/// What the letter says that tells of a rejection.
pub(super) fn rejection(
    gateway: &Gateway,
    policy: &Policy,
    found: &Found,
    reason: RejectionReason,
    say: Option<String>,
) -> Result<RejectionLetter, StoreError> {
    let words = policy.routes.of(reason).cloned();
    let words =
        words.ok_or_else(|| uncovered(&format!("routes.toml says nothing for {reason}")))?;
    Ok(RejectionLetter {
        reference: found.row.reference.clone(),
        greeting_name: None,
        received_on: post::received_on(found).into(),
        why: words.why,
        route: words.route,
        note: say.map(Into::into),
        is_child: post::is_child(found),
        safeguarding: found.case.flags.contains(&Flag::Safeguarding),
        contact: gateway.contact(),
        council: gateway.council(),
    })
}

/// What the council found of one issue.
pub(super) async fn outcome(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    issue: Issue,
    outcome: Option<Outcome>,
) -> Result<String, ActFault> {
    let theme = issue.theme;
    let event = found.case.decide_issue(issue, outcome)?;
    record(tx, gateway, &mut found, by, event).await?;
    save(tx, gateway, &found, None).await?;
    let left = undecided(&found);
    Ok(match outcome {
        Some(outcome) => format!("{theme}: {}{left}", outcome.label().to_lowercase()),
        None => format!("{theme}: the finding is taken back{left}"),
    })
}

/// The themes of which nothing was found yet, as the end of a sentence.
pub(super) fn undecided(found: &Found) -> String {
    let left = found.case.undecided();
    if left.is_empty() || !found.case.record_type.is_complaint() {
        return String::new();
    }
    let left: Vec<&str> = left.iter().map(|theme| theme.id()).collect();
    format!("; nothing is found yet of {}", left.join(", "))
}

pub(super) fn whoever(by: &Actor) -> OfficerId {
    match by {
        Actor::Officer(officer) => officer.clone(),
        // The acts of officers alone come here.
        Actor::Gateway => OfficerId("gateway".to_owned()),
    }
}

impl From<ClockFault> for ActFault {
    fn from(fault: ClockFault) -> Self {
        match fault {
            ClockFault::NoSuchStage { procedure, stage, stages } => refused(
                format!("the {procedure} procedure has no stage {stage}: it has {stages}"),
                "close this stage first, or keep the type",
            ),
            ClockFault::NoProcedure(_)
            | ClockFault::NotYetInForce { .. }
            | ClockFault::NotCovered(_) => uncovered(&fault).into(),
        }
    }
}
