//! The register as scripts are given it: a case, a list, a clock, what waits. The terminal's `--json` and the API
//! give the same values.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::casework::adjustment::Format;
use crate::casework::assessment::{Gate, Needed};
use crate::casework::case::{Advocacy, AreaOf, Case, Constituent, Interest, Issue, Part, Recorded};
use crate::casework::dates::{Pause, Turn};
use crate::casework::deadline::Step;
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::{Outcome, RejectionReason, ServiceId};
use crate::gateway::Gateway;
use crate::officer;
use crate::store::actions::{self, ActionRow};
use crate::store::assessments::{self, AwaitedRow, ProposalRow};
use crate::store::attachments::{self, AttachmentRow};
use crate::store::cases::{self, CaseRow};
use crate::store::holding::{self, HoldingRow};
use crate::store::letters::{self, LetterRow};
use crate::store::messages::{self, MessageRow};
use crate::store::requests::{self, RequestRow, RungRow};
use crate::store::suggestions::{self, SuggestionRow};
use crate::store::tasks::{self, TaskRow};
use crate::store::{Db, StoreError, moment};

mod answers;
mod ombudsman;
mod why;
mod workload;

pub use answers::{Answer, Answers, PointAnswered, Remedy, View};
pub use ombudsman::OmbudsmanCase;
pub use why::Judged;
pub use workload::{Given, Shared, Work, workload};

/// A case as lists give it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CaseInList)]
pub struct Brief {
    /// Reference.
    pub reference: String,
    /// Counts up with every act of an officer; what arrives by mail leaves it as it is.
    pub version: i64,
    /// `open`, `answered`, `closed`, `withdrawn`, `rejected`.
    pub status: String,
    /// What it is registered as.
    pub record_type: String,
    /// The service that leads the answer.
    pub lead_service: String,
    /// Who wrote.
    pub customer_type: String,
    /// What is alleged.
    pub themes: Vec<String>,
    /// What to know or check.
    pub flags: Vec<String>,
    /// Whether the rules were not sure, and no officer has acted since.
    pub needs_officer: bool,
    /// How sure the rules were, from 0 to 1.
    pub confidence: f64,
    /// The procedure that sets its dates.
    pub procedure: String,
    /// The procedure's stage, from 1.
    pub stage: i64,
    /// When the council's server took the message.
    pub received_at: Timestamp,
    /// The day of that, in London.
    pub received_on: String,
    /// Last day for the acknowledgement.
    pub acknowledge_by: String,
    /// The day aimed for.
    pub target: Option<String>,
    /// The limit, which the annual report measures.
    pub standard_due: Option<String>,
    /// The day that the customer was told; none while the clock stands still.
    pub due: Option<String>,
    /// When the acknowledgement left.
    pub acknowledged_at: Option<Timestamp>,
    /// When the customer was answered.
    pub answered_at: Option<Timestamp>,
    /// The officer of `officers.toml` who looks after it; null where nobody does.
    pub owner: Option<String>,
}

impl Brief {
    /// A row, as lists give it.
    pub fn of(row: &CaseRow) -> Self {
        let listed = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            reference: row.reference.clone(),
            version: row.version,
            status: row.status.clone(),
            record_type: row.record_type.clone(),
            lead_service: row.lead_service.clone(),
            customer_type: row.customer_type.clone(),
            themes: listed(&row.themes),
            flags: listed(&row.flags),
            needs_officer: row.needs_officer,
            confidence: f64::from(u16::try_from(row.confidence).unwrap_or(0)) / 1000.0,
            procedure: row.procedure_id.clone(),
            stage: row.stage,
            received_at: moment(row.received_at),
            received_on: row.received_on.clone(),
            acknowledge_by: row.acknowledge_by_on.clone(),
            target: row.target_on.clone(),
            standard_due: row.standard_due_on.clone(),
            due: row.agreed_due_on.clone(),
            acknowledged_at: row.acknowledged_at.map(moment),
            answered_at: row.answered_at.map(moment),
            owner: row.owner.clone(),
        }
    }
}

/// Everything about one case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Case)]
pub struct Whole {
    /// As lists give it.
    #[serde(flatten)]
    pub brief: Brief,
    /// The customer's address.
    pub customer_address: Option<String>,
    /// The letters that the customer gets; none for the usual ones.
    pub letters_in: Option<String>,
    /// The form in which the customer gets letters.
    pub letters_as: Format,
    /// The customer's name, as they write it.
    pub customer_name: Option<String>,
    /// What they wrote about.
    pub subject: Option<String>,
    /// Its messages, in order of arrival.
    pub messages: Vec<MessageRow>,
    /// References of the cases that were merged into it.
    pub merged: Vec<String>,
    /// What a message of it may have to do with other cases.
    pub suggestions: Vec<SuggestionRow>,
    /// What came attached.
    pub attachments: Vec<AttachmentRow>,
    /// What may stand in its way, by the gates of the decision table.
    pub proposals: Vec<Proposed>,
    /// What its customer was asked.
    pub awaited: Vec<AwaitedRow>,
    /// What is left to do on it.
    pub tasks: Vec<TaskRow>,
    /// When the written statement of the complaint was agreed, at its present stage.
    pub statement_agreed_at: Option<Timestamp>,
    /// Whether an advocate was offered to a child or young person, and what they said.
    pub advocacy: Advocacy,
    /// What was decided of its writer's interest in the child's welfare.
    pub interest: Option<Interest>,
    /// Whether the constituent agrees, where what a member wrote is handled as their complaint.
    pub constituent: Option<Constituent>,
    /// The constituent's complaint whose answer the member gets a copy of.
    pub complaint: Option<String>,
    /// The member enquiries that wait for a copy of its answer.
    pub members: Vec<String>,
    /// The day whose time limits an officer applied to it.
    #[schema(value_type = Option<String>)]
    pub policy_of: Option<Date>,
    /// What was found, issue by issue.
    pub findings: Vec<Finding>,
    /// What was found of the whole: upheld or not where all findings agree, partly upheld where some are.
    pub outcome: Option<Outcome>,
    /// What each service answers.
    pub parts: Vec<PartOfCase>,
    /// For which of its areas each service answers, where something names one.
    pub areas: Vec<AreaOf>,
    /// Why it was not taken on.
    pub rejected: Option<RejectionReason>,
    /// What was agreed because of it, or of a case that was merged into it.
    pub actions: Vec<ActionRow>,
    /// The services that were asked.
    pub requests: Vec<RequestRow>,
    /// How they were chased.
    pub rungs: Vec<RungRow>,
    /// What we wrote.
    pub letters: Vec<LetterRow>,
    /// The holding letters among them: which day was promised, and which instead.
    pub holding_letters: Vec<HoldingRow>,
    /// What came from the Ombudsman about it.
    pub ombudsman: Vec<OmbudsmanCase>,
    /// What happened, oldest first: when (`at`), who (`by`), what (`event`, with its `kind`).
    pub events: Vec<Recorded>,
}

impl Whole {
    /// A case that was found, with all that belongs to it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn of(
        db: &Db,
        reference: CaseReference,
        row: &CaseRow,
        events: Vec<Recorded>,
    ) -> Result<Self, StoreError> {
        let case = replayed(reference, &events)?;
        let mut tasks = tasks::open(db).await?;
        tasks.retain(|task| task.reference.as_ref() == Some(&row.reference));
        let proposals = assessments::of_case(db, row.id).await?;
        Ok(Self {
            proposals: proposals.iter().filter_map(Proposed::of).collect(),
            awaited: assessments::awaited_of(db, row.id).await?,
            tasks,
            statement_agreed_at: case.statement_agreed_at,
            advocacy: case.advocacy.clone(),
            interest: case.interest,
            constituent: case.constituent,
            complaint: case.complaint.clone(),
            members: case.members.clone(),
            policy_of: case.policy_of,
            findings: case.findings.iter().map(Finding::of).collect(),
            outcome: case.outcome(),
            parts: case.services.iter().map(|one| PartOfCase::of(&case, one)).collect(),
            areas: case.areas.clone(),
            rejected: case.rejected,
            brief: Brief::of(row),
            customer_address: row.customer_address.clone(),
            letters_in: row.adjustment().edition,
            letters_as: row.adjustment().format,
            customer_name: row.customer_name.clone(),
            subject: row.subject.clone(),
            messages: messages::of_case(db, row.id).await?,
            merged: cases::merged_into(db, row.id).await?,
            suggestions: suggestions::of_case(db, row.id).await?,
            attachments: attachments::of_case(db, row.id).await?,
            actions: actions::of_case(db, row.id).await?,
            requests: requests::of_case(db, row.id).await?,
            rungs: requests::rungs_of_case(db, row.id).await?,
            letters: letters::of_case(db, row.id).await?,
            holding_letters: holding::of_case(db, row.id).await?,
            ombudsman: OmbudsmanCase::of_case(db, row.id).await?,
            events,
        })
    }
}

/// What was found of one issue.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// Which.
    #[serde(flatten)]
    pub issue: Issue,
    /// What.
    pub outcome: Outcome,
}

impl Finding {
    fn of((issue, outcome): &(Issue, Outcome)) -> Self {
        Self { issue: issue.clone(), outcome: *outcome }
    }
}

/// What one service answers of a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PartOfCase {
    /// Which service, its points, its own day, who answers there.
    #[serde(flatten)]
    pub part: Part,
    /// What was found of it.
    pub outcome: Option<Outcome>,
}

impl PartOfCase {
    fn of(case: &Case, service: &ServiceId) -> Self {
        Self { part: case.part(service), outcome: case.outcome_of(service) }
    }
}

/// What may stand in the way of a case; an officer decides.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Proposal)]
pub struct Proposed {
    /// Reference.
    pub reference: String,
    /// The gate of the decision table.
    pub gate: Gate,
    /// What it is about.
    pub words: &'static str,
    /// The reason for which the case may be rejected.
    pub reason: RejectionReason,
    /// What the customer can be asked first.
    pub ask_customer_for: Option<Needed>,
    /// The words that led there.
    pub evidence: Vec<Witness>,
    /// `taken`, `dismissed`; none while nobody has decided.
    pub answer: Option<String>,
}

/// Words that speak for something.
#[derive(Debug, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Witness {
    /// The rule that found them.
    pub rule: String,
    /// Where they stand.
    #[serde(rename = "where")]
    pub place: String,
    /// The words.
    pub text: String,
}

impl Proposed {
    /// A row as it is given; none for a gate that only a later version knows.
    fn of(row: &ProposalRow) -> Option<Self> {
        let gate: Gate = row.gate.parse().ok()?;
        Some(Self {
            reference: row.reference.clone(),
            gate,
            words: gate.label(),
            reason: gate.reason(),
            ask_customer_for: gate.asks(),
            evidence: serde_json::from_str(&row.evidence).unwrap_or_default(),
            answer: row.answer.clone(),
        })
    }
}

/// Some actions of all cases, those due first first; only one owner's, by name or address, where one is
/// named. Where a service owns one, its responding manager does, or whoever names the service itself.
///
/// # Errors
/// When the database refuses.
pub async fn actions(
    gateway: &Gateway,
    which: actions::Listed<'_>,
    owner: Option<&str>,
    count: usize,
) -> Result<Vec<ActionRow>, StoreError> {
    let policy = gateway.policy();
    let is = |text: &str| owner.is_none_or(|owner| text.eq_ignore_ascii_case(owner.trim()));
    let theirs = policy.rules.services().all().iter().filter(|service| {
        let manager = &service.responding_manager;
        is(&service.id) || is(&manager.name) || is(&manager.address)
    });
    let theirs: Vec<&str> = theirs.map(|service| service.id.as_str()).collect();
    let is_theirs = |row: &ActionRow| {
        owner.is_none()
            || [&row.owner_name, &row.owner_address].into_iter().flatten().any(|text| is(text))
            || row.owner_service.as_ref().is_some_and(|service| theirs.contains(&service.as_str()))
    };
    let mut wanted = Vec::new();
    let mut last: Option<ActionRow> = which.after.cloned();
    while wanted.len() < count {
        let which = actions::Listed { after: last.as_ref(), ..which };
        let rows = actions::page(&gateway.db, which, AT_ONCE).await?;
        let Some(end) = rows.last().cloned() else { break };
        last = Some(end);
        wanted.extend(rows.into_iter().filter(is_theirs));
    }
    wanted.truncate(count);
    Ok(wanted)
}

/// How many rows are read at once where not all of them are wanted.
const AT_ONCE: i64 = 500;

/// A case and what happened to it, by its reference.
///
/// # Errors
/// When the database refuses.
pub async fn found(
    db: &Db,
    reference: &CaseReference,
) -> Result<Option<(CaseRow, Vec<Recorded>)>, StoreError> {
    let Some(row) = cases::find(db, &reference.to_string()).await? else { return Ok(None) };
    let mut tx = db.snapshot().await?;
    let events = cases::events(&mut tx, row.id).await?;
    Ok(Some((row, events)))
}

/// What officers did to a case since it was of a version, oldest first; and the version that it has.
///
/// # Errors
/// When the database refuses.
pub async fn changed_since(
    db: &Db,
    reference: &CaseReference,
    version: i64,
) -> Result<Option<(i64, Vec<Recorded>)>, StoreError> {
    let Some(row) = cases::find(db, &reference.to_string()).await? else { return Ok(None) };
    let mut tx = db.snapshot().await?;
    Ok(Some((row.version, cases::acts_since(&mut tx, row.id, version).await?)))
}

/// How the date of a case was counted, and what moved it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Clock)]
pub struct ClockOfCase {
    /// Reference.
    #[schema(value_type = String)]
    pub reference: CaseReference,
    /// Stage, from 1.
    pub stage: u8,
    /// What the annual report measures; none while it stands still.
    pub standard_due_on: Option<Date>,
    /// What the customer was told; none while it stands still.
    pub agreed_due_on: Option<Date>,
    /// Working days that the answer may take.
    pub days: u16,
    /// When the clock stood still.
    pub pauses: Vec<Pause>,
    /// Every day from the start to the agreed date; a pause is one step.
    pub steps: Vec<Step>,
    /// What moved it, in order; a move's number is its place, from 1.
    pub turns: Vec<Turn>,
    /// Which list of holidays it was counted by.
    pub calendar_version: String,
    /// What may still move the date, and where the customer was told another one.
    pub warnings: Vec<String>,
}

impl ClockOfCase {
    /// The clock of a case. None where no answer is owed.
    ///
    /// # Errors
    /// When the count leaves the calendar, or the time limits.
    pub fn of(gateway: &Gateway, case: &Case) -> Result<Option<Self>, StoreError> {
        let sum = officer::sum(gateway, case)?;
        Ok(sum.map(|sum| Self {
            reference: case.reference.clone(),
            stage: case.stage,
            standard_due_on: sum.dates.standard_due_on,
            agreed_due_on: sum.dates.agreed_due_on,
            days: sum.dates.days,
            pauses: sum.dates.pauses,
            steps: sum.steps,
            turns: case.turns.clone(),
            calendar_version: sum.calendar_version,
            warnings: sum.warnings,
        }))
    }
}

/// The case that a history tells.
///
/// # Errors
/// When it tells none.
pub fn replayed(reference: CaseReference, events: &[Recorded]) -> Result<Case, StoreError> {
    Case::replay(reference, events)
        .map_err(|fault| StoreError::unsuitable("read a case's history", fault.to_string()))
}

/// Something that waits for a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "waiting", rename_all = "snake_case")]
pub enum Waiting {
    /// A message that could not be placed, or not be read.
    Message(MessageRow),
    /// What a message may have to do with a case.
    Suggestion(SuggestionRow),
    /// What may stand in the way of a case.
    Proposal(Proposed),
    /// What the gateway must not do by itself.
    Task(TaskRow),
}

/// Everything that waits for a person.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(db: &Db) -> Result<Vec<Waiting>, StoreError> {
    let messages = messages::waiting_for_a_person(db).await?.into_iter().map(Waiting::Message);
    let suggestions = suggestions::open(db).await?.into_iter().map(Waiting::Suggestion);
    let proposals = assessments::open(db).await?;
    let proposals = proposals.iter().filter_map(Proposed::of).map(Waiting::Proposal);
    let tasks = tasks::open(db).await?.into_iter().map(Waiting::Task);
    Ok(messages.chain(suggestions).chain(proposals).chain(tasks).collect())
}
