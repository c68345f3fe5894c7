//! What to do with a message: a [`Decision`]; nothing has happened yet.
//!
//! The gateway proposes and a person decides: no decision here ever refuses, rejects or drops. The
//! weakest thing that can happen to a message is that a person looks at it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::case::Alarm;
use crate::casework::reply::Says;
use crate::casework::vocabulary::{Flag, RecordType, ServiceId};
use crate::casework::working::short_words;
use crate::email::{Email, Kind, ReturnPath, SenderProof};
use crate::rules::Classification;

/// What the store knows about a message beyond its own text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// An earlier message with the same content, and the case it belongs to.
    pub duplicate_of: Option<(i64, Option<i64>)>,
    /// The case whose keyed token the message carries: the writer has seen our mail.
    pub token_case: Option<KnownCase>,
    /// The open request that the token, or a reference quoted by the service itself, points to.
    pub request: Option<i64>,
    /// What the message says to that request.
    pub says: Option<Says>,
    /// Whether it comes from somebody who was reminded of an action of its case and of nothing else: it is
    /// neither the customer's nor a service's answer.
    pub about_action: bool,
    /// What may tell of a child at risk and to whose call this message replies, from where the call went or from the
    /// council.
    pub alarm: Option<Alarm>,
    /// A case whose bare reference stands in the message and to which the sender is a party.
    pub referenced_case: Option<KnownCase>,
    /// Cases whose references it quotes and to which the sender is no party: suggestions for an officer.
    pub suggested_cases: Vec<(i64, String)>,
    /// The services that answer the case which the message belongs to.
    pub case_services: Vec<String>,
    /// The service that the sender's address belongs to, per the directory.
    pub sender_service: Option<ServiceId>,
    /// The letter of ours that this bounce or receipt is about.
    pub about_letter: Option<i64>,
    /// Automatic letters to this address lately.
    pub letters_lately: LettersLately,
    /// Automatic letters to the customers of its case lately.
    pub case_letters_lately: LettersLately,
    /// The day since when the sender's address refuses our mail.
    pub refuses_since: Option<Date>,
    /// Whether it comes from the Ombudsman.
    pub ombudsman: FromOmbudsman,
    /// It was imported from a file, not received.
    pub imported: bool,
}

/// Whether a message comes from the Ombudsman, by its sender's address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FromOmbudsman {
    /// It does not say so.
    #[default]
    No,
    /// It does, and nothing disowns it.
    Yes,
    /// It says so, and the mail server says that it does not.
    Forged,
}

/// A case as far as deciding needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCase {
    /// Its row.
    pub id: i64,
    /// Its reference.
    pub reference: String,
    /// Whether it is closed, withdrawn or rejected.
    pub closed: bool,
}

/// How many letters one address, or one case, had from us in the last ten minutes, hour and day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LettersLately {
    /// In ten minutes.
    pub ten_minutes: i64,
    /// In an hour.
    pub hour: i64,
    /// In a day.
    pub day: i64,
    /// Follow-up receipts for the same case in a day.
    pub receipts_today: i64,
}

impl LettersLately {
    /// Whether one more would pass a budget: 10 in ten minutes, 25 in an hour, 100 in a day.
    pub fn spent(self) -> bool {
        self.ten_minutes >= 10 || self.hour >= 25 || self.day >= 100
    }
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Opens a case of this type.
    Open {
        /// What it is registered as; an officer may correct it.
        record_type: RecordType,
    },
    /// Joins a case as a further message of the customer.
    Attach {
        /// The case's row.
        case: i64,
    },
    /// A service replies to what it was asked: the message joins the case, and its request goes on by what it says.
    AnswerRequest {
        /// The case's row.
        case: i64,
        /// The request's row.
        request: i64,
        /// What it says.
        says: Says,
    },
    /// Comes from the Ombudsman: kept as a contact, and put before the link officer (D3).
    Ombudsman {
        /// The case of the council that it names; none where it names none, or several.
        case: Option<i64>,
    },
    /// Somebody says that they have opened what may tell of a child at risk: nobody else is called.
    Opened {
        /// What they were called to.
        alarm: Alarm,
    },
    /// The same message again: linked to the first and to its case.
    Duplicate {
        /// The first message's row.
        of: i64,
        /// Its case, where it has one.
        case: Option<i64>,
    },
    /// A machine's mail: kept and shown with the case that it is about, where there is one. It never
    /// changes a case's state and never stops a chaser.
    File {
        /// The case it is about.
        case: Option<i64>,
    },
    /// Waits for an officer: a person wrote it and nothing tells what it is.
    Triage,
}

impl Action {
    /// The word that the register keeps.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Open { .. } => "opened",
            Self::Attach { .. } => "attached",
            Self::AnswerRequest { .. } => "answered_request",
            Self::Ombudsman { .. } => "ombudsman",
            Self::Opened { .. } => "alarm_opened",
            Self::Duplicate { .. } => "duplicate",
            Self::File { .. } => "filed",
            Self::Triage => "triage",
        }
    }
}

/// Whether to answer by itself, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Whether a letter goes.
    pub send: bool,
    /// Why, or why not, in words.
    pub reason: String,
    /// Whether a person must acknowledge by hand instead: a person wrote and gets no letter.
    pub by_hand: bool,
}

/// The whole decision on one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is done with it.
    pub action: Action,
    /// Why, in words for an officer.
    pub reason: String,
    /// Whether it is answered.
    pub acknowledgement: Acknowledgement,
    /// Whether the duty officer is told at once. Beside the action and not inside it, so that no
    /// branch can forget a child at risk.
    pub alert: bool,
}

/// What the council's settings say that matters to a decision.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Every address that is ours, lower case, without plus part.
    pub own_addresses: Vec<String>,
    /// Mail received before this moment is registered without an acknowledgement.
    pub cut_over: Option<Timestamp>,
}

/// Decides what to do with one message.
pub fn decide(
    email: &Email,
    classification: &Classification,
    history: &History,
    standing: &Standing,
    received_at: Timestamp,
) -> Decision {
    let (action, reason) = act(email, classification, history);
    let acknowledgement = acknowledge(email, &action, history, standing, received_at);
    // Whoever was called writes about a call that was made.
    let is_call = history.alarm.is_some();
    let at_risk = classification.flags.contains(&Flag::Safeguarding);
    let alert = at_risk && !is_call && !email.kind.is_automatic();
    Decision { action, reason, acknowledgement, alert }
}

fn act(email: &Email, classification: &Classification, history: &History) -> (Action, String) {
    let known = history.token_case.as_ref().or(history.referenced_case.as_ref());
    if let Some((of, case)) = history.duplicate_of {
        return (Action::Duplicate { of, case }, "the same message arrived before".to_owned());
    }
    // A machine of the Ombudsman may send what a person there wrote; nothing answers it either way.
    let speaks = matches!(email.kind, Kind::Human | Kind::Notification);
    if history.ombudsman == FromOmbudsman::Yes && speaks {
        let case = known.map(|case| case.id).or(only_suggested(history));
        return (Action::Ombudsman { case }, "the Ombudsman writes".to_owned());
    }
    if email.kind.is_automatic() {
        let case = known.map(|case| case.id);
        return (Action::File { case }, format!("a machine's mail ({})", kind_words(email.kind)));
    }
    if history.ombudsman == FromOmbudsman::Forged {
        let why = "it says that the Ombudsman writes, and the mail server says not: a person looks";
        return (Action::Triage, why.to_owned());
    }
    if let Some(alarm) = history.alarm {
        return if says_opened(&email.reply_text) {
            (Action::Opened { alarm }, "they have opened what they were called for".to_owned())
        } else {
            let why = "who was called because a child may be at risk writes: read it now";
            (Action::Triage, why.to_owned())
        };
    }
    if let Some(case) = known {
        let how = if history.token_case.is_some() {
            "it carries the case's keyed token"
        } else {
            "it quotes the reference and its sender is a party to the case"
        };
        return match (history.request, &history.sender_service) {
            (Some(request), Some(service)) => (
                answer(case.id, request, history),
                format!("{service} {}; {how}", history.says.unwrap_or(Says::Answers).label()),
            ),
            _ => (Action::Attach { case: case.id }, how.to_owned()),
        };
    }
    open_or_triage(classification, history)
}

/// Whether a reply to a call says that the message is opened: its first line has the word, and no `not`.
fn says_opened(reply: &str) -> bool {
    let first = reply.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let words: Vec<String> = first
        .split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}')
        .map(str::to_lowercase)
        .collect();
    let denied =
        |word: &String| word == "not" || word.ends_with("n't") || word.ends_with("n\u{2019}t");
    words.iter().any(|word| word == "opened") && !words.iter().any(denied)
}

fn answer(case: i64, request: i64, history: &History) -> Action {
    // Taken for the answer where nothing is known: a person reads it either way.
    Action::AnswerRequest { case, request, says: history.says.unwrap_or(Says::Answers) }
}

/// The one case that a message quotes whose sender is no party to it; none where it quotes several.
fn only_suggested(history: &History) -> Option<i64> {
    match history.suggested_cases.as_slice() {
        [first, rest @ ..] => rest.iter().all(|one| one.0 == first.0).then_some(first.0),
        [] => None,
    }
}

/// A person's message that belongs to no case yet.
fn open_or_triage(classification: &Classification, history: &History) -> (Action, String) {
    let wanted = classification.record_type;
    if wanted.opens_case() {
        return (Action::Open { record_type: wanted }, format!("logged as {}", wanted.label()));
    }
    match wanted {
        RecordType::NotForUs => {
            (Action::Triage, "the rules find nothing for us in it; a person must say so".to_owned())
        }
        RecordType::ServiceResponse if history.sender_service.is_some() => (
            Action::Triage,
            "a service writes, but nothing shows which request it answers".to_owned(),
        ),
        // It says that a complaint is open and we cannot tell which: the clock must not wait for
        // that, so it opens as an enquiry that an officer can join to the right case.
        RecordType::ServiceResponse
        | RecordType::FollowUp
        | RecordType::ChildrenActComplaint
        | RecordType::CorporateComplaint
        | RecordType::Representation
        | RecordType::MemberEnquiry
        | RecordType::Enquiry
        | RecordType::Comment
        | RecordType::Compliment => (
            Action::Open { record_type: RecordType::Enquiry },
            format!("reads as {} but belongs to no case that we know", wanted.label()),
        ),
    }
}

/// Whether to answer, decided once and with one reason; every row must allow it.
pub fn acknowledge(
    email: &Email,
    action: &Action,
    history: &History,
    standing: &Standing,
    received_at: Timestamp,
) -> Acknowledgement {
    let no = |reason: &str, by_hand: bool| Acknowledgement {
        send: false,
        reason: reason.to_owned(),
        by_hand,
    };
    if email.kind == Kind::Malformed {
        return no("it could not be read", true);
    }
    if let Some(reason) = never(email, standing) {
        return no(&reason, false);
    }
    let opens = match action {
        Action::Open { .. } => true,
        Action::Attach { .. } if history.about_action => {
            return no("it comes from who sees to an action, not from the customer", false);
        }
        Action::Attach { .. } => false,
        Action::Opened { .. } => return no("it replies to a call of ours", false),
        Action::Ombudsman { .. } => return no("the link officer answers the Ombudsman", false),
        Action::AnswerRequest { .. } => return no("a service's answer needs no receipt", false),
        Action::Duplicate { .. } => return no("the first copy was answered", false),
        Action::File { .. } => return no("it is filed, not answered", false),
        Action::Triage => return no("an officer decides first", false),
    };
    if history.imported {
        return no("imported from a file", false);
    }
    if standing.cut_over.is_some_and(|cut_over| received_at < cut_over) {
        return no("received before the cut-over date", false);
    }
    if let Some(reason) = doubtful(email) {
        return no(&reason, opens);
    }
    if let Some(day) = history.refuses_since {
        return no(&format!("its address refuses our mail since {}", short_words(day)), opens);
    }
    if history.letters_lately.spent() {
        return no("this address had as many letters as the budget allows", opens);
    }
    if history.case_letters_lately.spent() {
        return no("this case had as many letters as the budget allows", opens);
    }
    if opens {
        return Acknowledgement {
            send: true,
            reason: "a person wrote and a case was opened".to_owned(),
            by_hand: false,
        };
    }
    if history.letters_lately.receipts_today > 0 {
        return no("a receipt for this case went today", false);
    }
    Acknowledgement { send: true, reason: "a person added to a case".to_owned(), by_hand: false }
}

/// What must never be answered, whoever seems to have written it.
fn never(email: &Email, standing: &Standing) -> Option<String> {
    if email.kind.is_automatic() {
        return Some(format!("a machine sent it ({})", kind_words(email.kind)));
    }
    if email.return_path == ReturnPath::Null {
        return Some("its return path is empty (RFC 5321 section 4.5.5)".to_owned());
    }
    let sender = email.from.as_ref().map(|from| bare(&from.address))?;
    standing.own_addresses.contains(&sender).then(|| "it comes from our own address".to_owned())
}

/// What a person may have written but a machine should not answer: a person does.
fn doubtful(email: &Email) -> Option<String> {
    if email.from.is_none() {
        return Some("no sender's address can be read".to_owned());
    }
    if email.from_count != 1 {
        return Some("it names more than one sender".to_owned());
    }
    if let Some(header) = email.suppress_answer.first() {
        return Some(format!("its {header} asks for no automatic answer"));
    }
    if email.sender_proof == SenderProof::Failed {
        // Whoever owns the address has not written to us (RFC 3834 section 4).
        return Some("the mail server says that its sender's address is not genuine".to_owned());
    }
    let from = email.from.as_ref().map(|from| domain(&from.address));
    let elsewhere = email.reply_to.iter().any(|to| from.as_deref() != Some(domain(to).as_str()));
    elsewhere.then(|| "it asks for the answer at another domain".to_owned())
}

/// An address in lower case and without its plus part.
pub fn bare(address: &str) -> String {
    let lower = address.to_lowercase();
    match lower.rsplit_once('@') {
        Some((local, domain)) => {
            let local = local.split('+').next().unwrap_or(local);
            format!("{local}@{domain}")
        }
        None => lower,
    }
}

fn domain(address: &str) -> String {
    address.rsplit('@').next().unwrap_or_default().to_lowercase()
}

/// What kind of machine, in words.
fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Human => "a person",
        Kind::AutoReply => "an automatic reply",
        Kind::OutOfOffice => "an out-of-office notice",
        Kind::Bounce => "a delivery report",
        Kind::ReadReceipt => "a read receipt",
        Kind::AbuseReport => "an abuse report",
        Kind::MailingList => "a mailing list",
        Kind::Newsletter => "a newsletter",
        Kind::Notification => "a notification",
        Kind::Calendar => "a calendar message",
        Kind::OwnMessage => "our own mail come back",
        Kind::Spam => "marked as spam",
        Kind::Malformed => "unreadable",
    }
}

#[cfg(test)]
mod tests;
