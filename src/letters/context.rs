//! What each letter is written from. A template can use these fields and no others; none of them
//! ever holds words that a sender supplied, except `greeting_name`, which only an officer sets.

use serde::Serialize;

use super::letter::ContextKind;
use super::words::InFull;
use crate::casework::assessment::Needed;
use crate::casework::vocabulary::RecordType;
use crate::private::Private;

/// Something that a letter can be written from.
pub trait Context: Serialize {
    /// Which letters it fits.
    const KIND: ContextKind;
}

/// A person whom the reader can ring or write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Full name: a member of staff, or the team where nobody is named yet.
    pub name: String,
    /// As people dial it.
    pub phone: String,
    /// The team's monitored mailbox.
    pub email: String,
}

/// What the council says of itself, from its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Council {
    /// `Northmere County Council`.
    pub name: String,
    /// `Children's complaints team`.
    pub team: String,
    /// The team's telephone.
    pub phone: String,
    /// For emergencies when the offices are closed.
    pub out_of_hours_phone: String,
    /// The privacy notice.
    pub privacy_url: String,
    /// The Ombudsman's page on how to complain.
    pub ombudsman_url: String,
    /// Who helps children and young people to complain, free of charge (CA 1989 section 26A).
    pub advocate_name: String,
    /// The advocates' telephone.
    pub advocate_phone: String,
    /// Free advice on special educational needs, mediation and the tribunal.
    pub sen_advice_url: String,
}

/// A letter to a customer: every acknowledgement, and the receipt for a follow-up.
#[expect(clippy::struct_excessive_bools, reason = "each is one question that a template may ask")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerLetter {
    /// The case reference.
    pub reference: String,
    /// The council's day on which the message came, not the day of this letter.
    pub received_on: InFull,
    /// How to address the reader, once an officer has released it. Empty in automatic mail, which
    /// never repeats what a sender wrote (RFC 3834 section 4).
    pub greeting_name: Option<Private<String>>,
    /// What it is registered as; empty while undecided.
    pub record_type: Option<RecordType>,
    /// The same in everyday words: `a complaint`, `a question`.
    pub record_words: String,
    /// `the first of two steps`, where there are steps.
    pub step_words: Option<String>,
    /// The last day for the answer; empty where none is owed.
    pub answer_by: Option<InFull>,
    /// The day aimed for, where that is earlier (Children Act stage 1).
    pub aim_by: Option<InFull>,
    /// By when we say who will answer, while the type is undecided.
    pub tell_by: Option<InFull>,
    /// Plain name of the service that answers.
    pub lead: Option<String>,
    /// Plain names of the services that help it.
    pub helpers: Vec<String>,
    /// Whom the reader can ask.
    pub contact: Contact,
    /// The council.
    pub council: Council,
    /// The reader is a child: the danger line comes first, and the words are the plainest.
    pub is_child: bool,
    /// The reader left care.
    pub is_care_leaver: bool,
    /// The matter is special educational needs.
    pub is_sen: bool,
    /// The matter is a child's, so the child's file may hold a copy.
    pub about_child: bool,
    /// Someone may be at risk: the danger line comes first.
    pub safeguarding: bool,
    /// A complaint on the same matter is open already (member enquiries).
    pub complaint_open: bool,
    /// The matter's own route, as sentences from the council's rules: which, how, by when.
    pub route: Option<String>,
}

impl Context for CustomerLetter {
    const KIND: ContextKind = ContextKind::Customer;
}

/// A letter that says the answer will be late. The gateway drafts it, an officer releases it.
#[expect(clippy::struct_excessive_bools, reason = "each is one question that a template may ask")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldingLetter {
    /// The case reference.
    pub reference: String,
    /// How to address the reader, once an officer has released it.
    pub greeting_name: Option<Private<String>>,
    /// The day on which the message came.
    pub received_on: InFull,
    /// The day that was promised.
    pub was_due: InFull,
    /// The new day.
    pub answer_by: InFull,
    /// Why, in one plain sentence that an officer wrote.
    pub why: Private<String>,
    /// The latest day has passed, so the reader may ask for the next stage (Children Act).
    pub may_ask_next_stage: bool,
    /// Whether the Ombudsman may look at it.
    pub ombudsman: bool,
    /// The reader is a child.
    pub is_child: bool,
    /// Someone may be at risk.
    pub safeguarding: bool,
    /// Whom the reader can ask.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for HoldingLetter {
    const KIND: ContextKind = ContextKind::Holding;
}

/// Asks a customer for what is needed before their case can be taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskingLetter {
    /// The case reference.
    pub reference: String,
    /// How to address the reader.
    pub greeting_name: Option<Private<String>>,
    /// The day on which the message came.
    pub received_on: InFull,
    /// What is needed.
    pub needed: Needed,
    /// The last day that we wait.
    pub answer_by: InFull,
    /// It was asked for before.
    pub is_reminder: bool,
    /// More, in words that an officer wrote for this reader.
    pub note: Option<Private<String>>,
    /// The reader is a child.
    pub is_child: bool,
    /// Someone may be at risk.
    pub safeguarding: bool,
    /// Whom the reader can ask.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for AskingLetter {
    const KIND: ContextKind = ContextKind::Asking;
}

/// Tells a customer that an officer does not take the case on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectionLetter {
    /// The case reference.
    pub reference: String,
    /// How to address the reader.
    pub greeting_name: Option<Private<String>>,
    /// The day on which the message came.
    pub received_on: InFull,
    /// Why, in plain words (`rules/routes.toml`).
    pub why: String,
    /// What the reader can do instead (`rules/routes.toml`).
    pub route: String,
    /// More, in words that an officer wrote for this reader.
    pub note: Option<Private<String>>,
    /// The reader is a child.
    pub is_child: bool,
    /// Someone may be at risk.
    pub safeguarding: bool,
    /// Whom the reader can ask.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for RejectionLetter {
    const KIND: ContextKind = ContextKind::Rejection;
}

/// Tells somebody that an officer found no sufficient interest of theirs in a child's welfare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterestLetter {
    /// The case reference.
    pub reference: String,
    /// How to address the reader.
    pub greeting_name: Option<Private<String>>,
    /// The day on which the message came.
    pub received_on: InFull,
    /// Why, in words that an officer wrote for this reader.
    pub why: Private<String>,
    /// The reader is a child: never, as a child may complain as of right.
    pub is_child: bool,
    /// Someone may be at risk.
    pub safeguarding: bool,
    /// Whom the reader can ask.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for InterestLetter {
    const KIND: ContextKind = ContextKind::Interest;
}

/// Asks a service for its answer. Holds nothing of the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceRequest {
    /// The case reference.
    pub reference: String,
    /// Plain name of the service asked.
    pub service: String,
    /// `Corporate complaint`.
    pub type_words: String,
    /// `step 1`, `stage 2`; empty where the type has none.
    pub stage_words: Option<String>,
    /// What the service must answer, by the report's own words; empty while nobody has said.
    pub points: Vec<String>,
    /// It changes what was asked before.
    pub is_change: bool,
    /// By when we need the draft.
    pub answer_by: InFull,
    /// How far off that is: `in 12 working days`.
    pub time_left: String,
    /// By when to accept it or say that it is not theirs.
    pub accept_by: InFull,
    /// When the answer goes to the customer.
    pub customer_due: InFull,
    /// The page to answer on; empty where the answer comes by mail.
    pub answer_url: Option<String>,
    /// The message goes with this request as an attachment.
    pub message_attached: bool,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for ServiceRequest {
    const KIND: ContextKind = ContextKind::ServiceRequest;
}

/// Chases one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reminder {
    /// The case reference.
    pub reference: String,
    /// First name of the manager, where known.
    pub greeting_name: Option<String>,
    /// Plain name of the service.
    pub service: String,
    /// `Corporate complaint`.
    pub type_words: String,
    /// `step 1`; empty where the type has none.
    pub stage_words: Option<String>,
    /// The day by which we need, or needed, the answer.
    pub due: InFull,
    /// `due in 3 working days`, `due today`, `6 working days late`.
    pub due_words: String,
    /// What we wait for: `your answer`.
    pub waiting_for: String,
    /// How often we have asked before.
    pub times_chased: usize,
    /// Who hears next: `your head of service`; empty where nobody does.
    pub next_to: Option<String>,
    /// When they hear.
    pub next_on: Option<InFull>,
    /// The page to answer on.
    pub answer_url: Option<String>,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for Reminder {
    const KIND: ContextKind = ContextKind::Reminder;
}

/// Tells an officer what a case needs of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfficerNotice {
    /// The case reference.
    pub reference: String,
    /// First name, where known.
    pub greeting_name: Option<String>,
    /// What to do, as the subject says it: `send or write`, `acknowledge by hand`.
    pub act: String,
    /// By when.
    pub by: InFull,
    /// `Corporate complaint`.
    pub type_words: String,
    /// `step 1`; empty where the type has none.
    pub stage_words: Option<String>,
    /// What has come in: `Front door answered on 24 November`.
    pub is_in: Vec<String>,
    /// What is missing: `SEN, North: asked 9 times`.
    pub is_missing: Vec<String>,
    /// The case's page.
    pub case_url: Option<String>,
    /// The page of the holding letter drafted, if one is.
    pub draft_url: Option<String>,
    /// The council.
    pub council: Council,
}

impl Context for OfficerNotice {
    const KIND: ContextKind = ContextKind::OfficerNotice;
}

/// Calls the duty officer to a message, or to a case, in which a child may be at risk. Says nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DutyAlert {
    /// The message's number in the register.
    pub message_number: Option<i64>,
    /// The case's reference, where a service typed it on the answer page and no message brought it.
    pub reference: Option<String>,
    /// When it came, in words: `2:05pm on Wednesday 25 November 2026`.
    pub received: String,
    /// Nobody has opened it in time, so a second person is called.
    pub is_second_call: bool,
    /// The message's page.
    pub message_url: Option<String>,
    /// The council.
    pub council: Council,
}

impl Context for DutyAlert {
    const KIND: ContextKind = ContextKind::DutyAlert;
}

/// Six digits that show that whoever holds a link reads the mailbox that it was sent to. Says of no case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerCode {
    /// The digits.
    pub code: String,
    /// How long they can be used.
    pub minutes: i64,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for AnswerCode {
    const KIND: ContextKind = ContextKind::AnswerCode;
}

/// Another link to the answer page. Says of no case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerLink {
    /// The page.
    pub answer_url: String,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for AnswerLink {
    const KIND: ContextKind = ContextKind::AnswerLink;
}

/// A copy of what a service answered on its page, to the mailbox of its link: the service's own words, and nothing
/// that the customer wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerCopy {
    /// The case reference.
    pub reference: String,
    /// Plain name of the service.
    pub service: String,
    /// Who typed their name.
    pub by_name: Private<String>,
    /// When, in words: `Wednesday 25 November 2026 at 2:05pm`.
    pub given_at: String,
    /// What it says is left out: a child may be at risk, or who wrote withholds who they are.
    pub is_withheld: bool,
    /// Its points.
    pub points: Vec<PointCopy>,
    /// What happened, line by line.
    pub what: Vec<Private<String>>,
    /// What will be put right, line by line.
    pub remedy: Vec<Private<String>>,
    /// By when.
    pub remedy_by: Option<InFull>,
    /// By whom.
    pub remedy_by_whom: Option<Private<String>>,
    /// The names of its files.
    pub files: Vec<Private<String>>,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

/// One point of an answer, as its copy has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PointCopy {
    /// Which.
    pub label: String,
    /// What was found: `partly upheld`.
    pub finding: String,
    /// Why, line by line.
    pub why: Vec<Private<String>>,
}

impl Context for AnswerCopy {
    const KIND: ContextKind = ContextKind::AnswerCopy;
}

/// Tells a service what an officer decided: that its answer needs more, or whether it gets more time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentBack {
    /// The case reference.
    pub reference: String,
    /// Plain name of the service.
    pub service: String,
    /// `Corporate complaint`.
    pub type_words: String,
    /// `step 1`; empty where the type has none.
    pub stage_words: Option<String>,
    /// By when we need it; empty while the clock stands still.
    pub answer_by: Option<InFull>,
    /// How far off that is: `in 12 working days`.
    pub time_left: Option<String>,
    /// What it lacks, or why the day stays, in an officer's words, where there is no page to read them on.
    pub note: Option<Private<String>>,
    /// The page to answer on; empty where the answer comes by mail.
    pub answer_url: Option<String>,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for SentBack {
    const KIND: ContextKind = ContextKind::SentBack;
}
