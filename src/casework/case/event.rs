//! What can happen to a case.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::action::ActionStep;
use super::advocacy::AdvocacyStep;
use super::area::AreaWords;
use super::interest::Interest;
use super::part::Part;
use crate::casework::allocation::Ground;
use crate::casework::dates::Turn;
use crate::casework::ombudsman::OmbudsmanStep;
use crate::casework::reply::Says;
use crate::casework::vocabulary::{
    CustomerType, Flag, Outcome, RecordType, RejectionReason, ServiceId, SubTheme, Theme,
    vocabulary,
};
use crate::private::Private;

vocabulary! {
    /// What an officer can correct.
    CaseField {
        /// What it is registered as.
        RecordType = "record_type", "record type";
        /// Who answers, lead first, separated by commas.
        Services = "services", "services";
        /// Who wrote.
        CustomerType = "customer_type", "customer type";
        /// What is alleged, separated by commas.
        Themes = "themes", "themes";
        /// What to know or check, separated by commas.
        Flags = "flags", "flags";
    }
}

/// An officer of the council, by the id of their account.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct OfficerId(pub String);

impl std::fmt::Display for OfficerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The gateway by itself.
    Gateway,
    /// A person of the council.
    Officer(OfficerId),
}

/// One thing that happened to a case: who, when, what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    pub event: Event,
}

/// One thing alleged: a case has one or more, and each has its own outcome (report 4.2).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Its theme.
    pub theme: Theme,
    /// What exactly, where an officer said.
    pub part: Option<SubTheme>,
    /// Against which service, where several answer.
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceId>,
}

/// What happened. Messages and letters are named by their ids in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The council received it, and a case was opened. The clock of stage 1 starts at `at`.
    Received {
        /// The message, if it came by one.
        message: Option<String>,
        /// The moment the council's server took it.
        at: Timestamp,
        /// What it was registered as.
        record_type: RecordType,
        /// Who answers, lead first.
        services: Vec<ServiceId>,
        /// Who wrote.
        customer_type: CustomerType,
        /// What is alleged.
        themes: Vec<Theme>,
        /// What to know or check.
        flags: Vec<Flag>,
    },
    /// The customer was told that we have it.
    Acknowledged {
        /// The letter; none where it was done by hand.
        letter: Option<String>,
        /// When, where that was not when it was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// A service was asked to answer.
    ServiceAsked {
        /// Which.
        service: ServiceId,
        /// By when.
        due_on: Option<Date>,
        /// Whether the customer's message went with the request.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        message_attached: bool,
    },
    /// For which of its areas a service answers was read off what the customer wrote, or an officer said it.
    AreaSet {
        /// Which service.
        service: ServiceId,
        /// Which area; none where its own contacts answer.
        area: Option<String>,
        /// Whether that is sure: an officer said so, or the customer gave it as their home.
        is_sure: bool,
        /// The words that named it, or each of several.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words: Vec<AreaWords>,
        /// Why, in an officer's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Private<String>>,
    },
    /// An officer said what a service answers of the case, by when, and who there.
    PartSet {
        /// All that holds since.
        part: Part,
    },
    /// A service said that it will answer.
    ServiceAccepted {
        /// Which.
        service: ServiceId,
        /// Who said so on the answer page, as they wrote their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Private<String>>,
        /// Who will answer, where that is somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Private<String>>,
    },
    /// A service replied with something that is no answer yet, or added to its answer.
    ServiceReplied {
        /// Which.
        service: ServiceId,
        /// What it says.
        says: Says,
        /// The message; none where it was said on the answer page.
        message: Option<String>,
        /// Who said so on the answer page, as they wrote their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Private<String>>,
        /// What they wrote there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Private<String>>,
        /// By when they can answer, where they said that there, asking for longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
    },
    /// An officer decided that a service gets no more time than it has.
    MoreTimeRefused {
        /// Which.
        service: ServiceId,
        /// Why, in words for the service.
        because: Private<String>,
    },
    /// A service answered: nobody chases it any more.
    ServiceAnswered {
        /// Which.
        service: ServiceId,
        /// By which message, if by one.
        message: Option<String>,
        /// Who answered on the answer page, as they wrote their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Private<String>>,
    },
    /// An officer found that a service's answer is one.
    AnswerConfirmed {
        /// Which.
        service: ServiceId,
    },
    /// An officer sent a service's answer back: it is waited for again.
    AnswerSentBack {
        /// Which.
        service: ServiceId,
        /// What it lacks.
        note: Private<String>,
    },
    /// A service was chased.
    Reminded {
        /// Which.
        service: ServiceId,
        /// By which rung of the ladder.
        rung: String,
    },
    /// A later message was put with the case.
    MessageAttached {
        /// Which.
        message: String,
    },
    /// An officer put something right.
    Corrected {
        /// What.
        field: CaseField,
        /// Its value until then, as ids.
        before: String,
        /// Its value since.
        after: String,
        /// Why.
        because: Option<Private<String>>,
    },
    /// The customer asked for the next stage. Its clock starts at `at`.
    StageRequested {
        /// Which, from 2.
        stage: u8,
        /// The moment the council received the request.
        at: Timestamp,
    },
    /// Customer and council agreed in writing what the complaint of this stage is.
    StatementAgreed {
        /// The moment that the council had the customer's agreement.
        at: Timestamp,
    },
    /// What the council found of one issue, or that the finding is taken back.
    IssueDecided {
        /// Which.
        issue: Issue,
        /// What was found; none takes an earlier finding back.
        outcome: Option<Outcome>,
    },
    /// The council answered at the case's stage.
    Responded {
        /// The stage that was answered.
        stage: u8,
        /// The letter, if it went from here.
        letter: Option<String>,
    },
    /// The matter is over.
    Closed {
        /// Why, if there is more to say than that it was answered.
        because: Option<Private<String>>,
    },
    /// It is taken up again, from `at`.
    Reopened {
        /// When its new clock starts.
        at: Timestamp,
        /// Why.
        because: Private<String>,
    },
    /// The customer took it back.
    Withdrawn {
        /// The officer who confirmed it.
        confirmed_by: OfficerId,
    },
    /// An officer did not take it on. It cannot be written without one: a machine refuses nobody.
    Rejected {
        /// Who decided.
        decided_by: OfficerId,
        /// Which of the reasons of table 3.
        reason: RejectionReason,
        /// Why, in the officer's words.
        because: Private<String>,
    },
    /// An officer found that another case is about the same matter: what comes in goes there.
    Merged {
        /// The other case's reference.
        into: String,
        /// Why.
        because: Private<String>,
    },
    /// Another case goes on in this one since.
    Joined {
        /// Its reference.
        other: String,
        /// When the council received it: of both the earliest receipt counts (domain rules 2.3, D15).
        received_at: Timestamp,
    },
    /// It stands by itself again.
    Parted {
        /// Its reference.
        other: String,
    },
    /// A child or young person was offered an advocate, or said whether they want one.
    AdvocacyRecorded {
        /// What.
        step: AdvocacyStep,
        /// When.
        on: Date,
        /// Who works with them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        advocate: Option<Private<String>>,
    },
    /// An officer decided whether whoever writes has sufficient interest in the child's welfare. It cannot be written
    /// without one.
    InterestDecided {
        /// Who decided.
        decided_by: OfficerId,
        /// What.
        decision: Interest,
        /// Why, in the officer's words.
        because: Private<String>,
        /// What the child thinks of it, where that was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child_view: Option<Private<String>>,
    },
    /// What a member wrote is handled as a complaint of their constituent: the member is told and gets a copy of the
    /// answer, and the constituent is asked whether they agree (decision table, D5b).
    TakenForConstituent {
        /// Why.
        because: Private<String>,
    },
    /// The constituent said whether they agree.
    ConstituentSaid {
        /// Whether they do; if not, it is a member's enquiry again.
        agrees: bool,
        /// How they said so.
        how: Private<String>,
        /// When.
        on: Date,
    },
    /// A member's enquiry was answered by saying that their constituent's complaint is open: a copy of its
    /// answer follows (decision table, D5a).
    LinkedToComplaint {
        /// The complaint's reference.
        complaint: String,
    },
    /// A member is owed a copy of this case's answer.
    MemberWaits {
        /// The reference of the member's enquiry.
        member: String,
    },
    /// The member's enquiry was taken up again by itself.
    MemberWaitsNoLonger {
        /// Its reference.
        member: String,
    },
    /// An officer applied time limits to it that came into force after its clock had started (domain rules 4.3).
    PolicyApplied {
        /// The day whose time limits count since.
        in_force_on: Date,
        /// The day that the customer was told until then; none while the clock stands still.
        before: Option<Date>,
        /// The day since.
        after: Option<Date>,
        /// Why.
        because: Private<String>,
    },
    /// An officer moved the clock of the case's stage, or took such a move back.
    ClockTurned {
        /// How.
        turn: Turn,
        /// The day that the customer was told until then; none while the clock stood still.
        before: Option<Date>,
        /// The day since.
        after: Option<Date>,
        /// Why.
        because: Private<String>,
    },
    /// The bank holidays changed, and its dates were counted again. The day that the customer was told
    /// stays (domain rules 4.4).
    CalendarChanged {
        /// The new list ([`WorkingCalendar::version`](crate::casework::calendar::WorkingCalendar::version)).
        version: String,
        /// The standard date until then; none while it stood still.
        before: Option<Date>,
        /// The standard date since.
        after: Option<Date>,
        /// The day that the customer was told; none while the clock stands still.
        promised: Option<Date>,
        /// Where the new list would have that day.
        counted: Option<Date>,
    },
    /// An officer looks after it from now on, or nobody does.
    Allocated {
        /// Who; nobody, where none is named.
        officer: Option<OfficerId>,
        /// Who did until then.
        before: Option<OfficerId>,
        /// On what ground.
        ground: Ground,
        /// The same in words.
        because: Private<String>,
    },
    /// It stands by itself again.
    Separated {
        /// Why.
        because: Private<String>,
    },
    /// Something happened to what was agreed because of it.
    Action {
        /// Which action, from 1.
        number: u32,
        /// What.
        step: ActionStep,
    },
    /// Something happened between the Ombudsman and the council about it.
    Ombudsman {
        /// The Ombudsman's case, by its row.
        number: i64,
        /// What.
        #[serde(flatten)]
        step: OmbudsmanStep,
        /// When it was recorded, where the two cases were linked only later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<Timestamp>,
    },
    /// Something worth knowing.
    Note {
        /// What.
        text: Private<String>,
    },
}
