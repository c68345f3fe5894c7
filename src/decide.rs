//! What to do with a message: a [`Decision`]; nothing has happened yet.
//!
//! The gateway proposes and a person decides: no decision here ever refuses, rejects or drops. The
//! weakest thing that can happen to a message is that a person looks at it.

use jiff::Timestamp;
use jiff::civil::Date;

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
    /// Answers a request to a service: joins the case and stops that request's reminders.
    AnswerRequest {
        /// The case's row.
        case: i64,
        /// The request's row.
        request: i64,
    },
    /// Comes from the Ombudsman: kept as a contact, and put before the link officer (D3).
    Ombudsman {
        /// The case of the council that it names; none where it names none, or several.
        case: Option<i64>,
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
    let alert = classification.flags.contains(&Flag::Safeguarding) && !email.kind.is_automatic();
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
    if let Some(case) = known {
        let how = if history.token_case.is_some() {
            "it carries the case's keyed token"
        } else {
            "it quotes the reference and its sender is a party to the case"
        };
        return match (history.request, &history.sender_service) {
            (Some(request), Some(service)) => (
                Action::AnswerRequest { case: case.id, request },
                format!("{service} answers what it was asked; {how}"),
            ),
            _ => (Action::Attach { case: case.id }, how.to_owned()),
        };
    }
    open_or_triage(classification, history)
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
        Action::Attach { .. } => false,
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
mod tests {
    use super::*;
    use crate::casework::vocabulary::CustomerType;
    use crate::email::Address;
    use crate::private::Private;

    fn email() -> Email {
        let ann = Address { address: Private("ann@example.org".to_owned()), name: None };
        Email { from: Some(ann), ..Email::blank() }
    }

    fn classified(record_type: RecordType) -> Classification {
        Classification {
            record_type,
            services: vec![ServiceId("sen".to_owned())],
            customer_type: CustomerType::Parent,
            themes: Vec::new(),
            flags: Vec::new(),
            confidence: 0.9,
            needs_officer: false,
            evidence: Vec::new(),
        }
    }

    fn decided(email: &Email, record_type: RecordType, history: &History) -> Decision {
        let standing = Standing {
            own_addresses: vec!["complaints@northmere.example".to_owned()],
            cut_over: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        };
        let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
        decide(email, &classified(record_type), history, &standing, received_at)
    }

    #[test]
    fn a_persons_complaint_opens_a_case_and_is_acknowledged() {
        let decision = decided(&email(), RecordType::CorporateComplaint, &History::default());
        assert_eq!(decision.action, Action::Open { record_type: RecordType::CorporateComplaint });
        assert!(decision.acknowledgement.send);
    }

    #[test]
    fn no_kind_of_machine_is_ever_answered_and_none_opens_a_case() {
        for kind in [
            Kind::AutoReply,
            Kind::OutOfOffice,
            Kind::Bounce,
            Kind::ReadReceipt,
            Kind::AbuseReport,
            Kind::MailingList,
            Kind::Newsletter,
            Kind::Notification,
            Kind::Calendar,
            Kind::OwnMessage,
            Kind::Spam,
        ] {
            let email = Email { kind, ..email() };
            let decision = decided(&email, RecordType::CorporateComplaint, &History::default());
            assert_eq!(decision.action, Action::File { case: None }, "{kind:?}");
            assert!(!decision.acknowledgement.send, "{kind:?}");
        }
    }

    #[test]
    fn an_automatic_reply_on_a_request_is_filed_and_does_not_answer_it() {
        let history = History {
            token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
            request: Some(3),
            sender_service: Some(ServiceId("sen".to_owned())),
            ..History::default()
        };
        let away = Email { kind: Kind::OutOfOffice, ..email() };
        let decision = decided(&away, RecordType::NotForUs, &history);
        assert_eq!(decision.action, Action::File { case: Some(7) });
        let person = decided(&email(), RecordType::ServiceResponse, &history);
        assert_eq!(person.action, Action::AnswerRequest { case: 7, request: 3 });
    }

    #[test]
    fn a_token_without_a_services_address_attaches_but_does_not_answer() {
        let history = History {
            token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
            request: Some(3),
            ..History::default()
        };
        let decision = decided(&email(), RecordType::ServiceResponse, &history);
        assert_eq!(decision.action, Action::Attach { case: 7 });
    }

    #[test]
    fn a_reference_of_a_stranger_attaches_nothing() {
        let history = History {
            suggested_cases: vec![(7, "NCC-2026-00001-1".to_owned())],
            ..History::default()
        };
        let decision = decided(&email(), RecordType::FollowUp, &history);
        assert_eq!(decision.action, Action::Open { record_type: RecordType::Enquiry });
    }

    #[test]
    fn what_seems_not_for_us_waits_for_a_person() {
        let decision = decided(&email(), RecordType::NotForUs, &History::default());
        assert_eq!(decision.action, Action::Triage);
        assert!(!decision.acknowledgement.send);
    }

    #[test]
    fn every_reason_not_to_answer_a_person_leaves_it_to_a_person() {
        let cases = [
            Email { from: None, ..email() },
            Email { from_count: 2, ..email() },
            Email { suppress_answer: vec!["Precedence".to_owned()], ..email() },
            Email { reply_to: vec![Private("x@elsewhere.example".to_owned())], ..email() },
            Email { sender_proof: SenderProof::Failed, ..email() },
        ];
        for email in cases {
            let decision = decided(&email, RecordType::Enquiry, &History::default());
            assert!(!decision.acknowledgement.send, "{:?}", decision.acknowledgement);
            assert!(decision.acknowledgement.by_hand, "{:?}", decision.acknowledgement);
        }
    }

    #[test]
    fn our_own_address_and_an_empty_return_path_are_never_answered() {
        let own =
            Address { address: Private("Complaints+x@Northmere.example".to_owned()), name: None };
        for email in [
            Email { from: Some(own), ..email() },
            Email { return_path: ReturnPath::Null, ..email() },
        ] {
            let decision = decided(&email, RecordType::Enquiry, &History::default());
            assert!(!decision.acknowledgement.send);
        }
    }

    #[test]
    fn the_budget_stops_the_eleventh_letter_in_ten_minutes() {
        let mut history = History::default();
        history.letters_lately.ten_minutes = 9;
        assert!(decided(&email(), RecordType::Enquiry, &history).acknowledgement.send);
        history.letters_lately.ten_minutes = 10;
        assert!(!decided(&email(), RecordType::Enquiry, &history).acknowledgement.send);
    }

    #[test]
    fn each_budget_stops_the_next_letter_of_an_address_and_of_a_case() {
        let spent = [(10, 10, 10), (0, 25, 25), (0, 0, 100)];
        let left = [(9, 24, 99), (0, 0, 99), (0, 24, 24)];
        for (budget, sends) in spent.map(|b| (b, false)).into_iter().chain(left.map(|b| (b, true)))
        {
            let (ten_minutes, hour, day) = budget;
            let lately = LettersLately { ten_minutes, hour, day, receipts_today: 0 };
            let of_address = History { letters_lately: lately, ..History::default() };
            let case = Some(KnownCase { id: 7, reference: String::new(), closed: false });
            let of_case =
                History { token_case: case, case_letters_lately: lately, ..History::default() };
            for history in [of_address, of_case] {
                let answer = decided(&email(), RecordType::Enquiry, &history).acknowledgement;
                assert_eq!(answer.send, sends, "{budget:?}: {answer:?}");
            }
        }
    }

    #[test]
    fn an_address_that_refuses_our_mail_is_left_to_a_person() {
        let history =
            History { refuses_since: Some(jiff::civil::date(2026, 3, 3)), ..History::default() };
        let decision = decided(&email(), RecordType::CorporateComplaint, &history);
        assert!(matches!(decision.action, Action::Open { .. }), "the case is opened all the same");
        let answer = decision.acknowledgement;
        assert_eq!((answer.send, answer.by_hand), (false, true));
        assert_eq!(answer.reason, "its address refuses our mail since 3 March 2026");
    }

    #[test]
    fn old_mail_is_registered_without_a_letter() {
        let standing = Standing {
            own_addresses: Vec::new(),
            cut_over: Some("2026-04-01T00:00:00Z".parse().unwrap()),
        };
        let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
        let decision = decide(
            &email(),
            &classified(RecordType::CorporateComplaint),
            &History::default(),
            &standing,
            received_at,
        );
        assert!(matches!(decision.action, Action::Open { .. }));
        assert!(!decision.acknowledgement.send);
        assert!(!decision.acknowledgement.by_hand);
    }

    #[test]
    fn a_child_at_risk_alerts_whatever_is_done() {
        let mut classification = classified(RecordType::NotForUs);
        classification.flags.push(Flag::Safeguarding);
        let received_at = "2026-03-16T09:00:00Z".parse().unwrap();
        let decision = decide(
            &email(),
            &classification,
            &History::default(),
            &Standing::default(),
            received_at,
        );
        assert!(decision.alert);
    }

    #[test]
    fn what_the_ombudsman_writes_is_a_contact_and_never_answered() {
        let quoted = |cases: &[i64]| History {
            ombudsman: FromOmbudsman::Yes,
            suggested_cases: cases.iter().map(|id| (*id, String::new())).collect(),
            ..History::default()
        };
        for kind in [Kind::Human, Kind::Notification] {
            for (cases, case) in
                [(&[][..], None), (&[7], Some(7)), (&[7, 7], Some(7)), (&[7, 8], None)]
            {
                let email = Email { kind, ..email() };
                let decision = decided(&email, RecordType::CorporateComplaint, &quoted(cases));
                assert_eq!(decision.action, Action::Ombudsman { case }, "{kind:?} {cases:?}");
                let answer = decision.acknowledgement;
                assert_eq!((answer.send, answer.by_hand), (false, false), "{kind:?}");
            }
        }
        let away = Email { kind: Kind::OutOfOffice, ..email() };
        let decision = decided(&away, RecordType::NotForUs, &quoted(&[7]));
        assert_eq!(decision.action, Action::File { case: None });
    }

    #[test]
    fn whoever_only_claims_to_be_the_ombudsman_waits_for_a_person_whatever_they_quote() {
        let history = History {
            ombudsman: FromOmbudsman::Forged,
            token_case: Some(KnownCase { id: 7, reference: String::new(), closed: false }),
            suggested_cases: vec![(7, String::new())],
            ..History::default()
        };
        let forged = Email { sender_proof: SenderProof::Failed, ..email() };
        let decision = decided(&forged, RecordType::CorporateComplaint, &history);
        assert_eq!(decision.action, Action::Triage);
        assert!(!decision.acknowledgement.send);
    }
}
