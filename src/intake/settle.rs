//! One message from understood to done: everything that follows from it, in one transaction.

use jiff::Timestamp;

use super::{InHand, history, open};
use crate::casework::case::{Actor, Event};
use crate::casework::vocabulary::{RecordType, ServiceId};
use crate::decide::{Action, Decision, History, decide};
use crate::email::Kind;
use crate::gateway::Gateway;
use crate::letters::{DutyAlert, LetterId};
use crate::outbox::{Automatic, Posting};
use crate::policy::Policy;
use crate::rules::Classification;
use crate::store::messages::{self, Decided, Settled};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, json, letters, requests};

/// What became of a message.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Still to be recorded, in the same transaction.
    pub(super) decided: Decided,
    pub(super) reference: Option<String>,
}

/// Settles one message. None where another gateway has it in hand or has settled it.
pub(super) async fn settle(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    one: &InHand,
) -> Result<Option<Outcome>, StoreError> {
    if !messages::still_ours(tx, one.waiting.id, &gateway.id).await? {
        return Ok(None);
    }
    let now = gateway.clock.now();
    let (history, known) = history::of(tx, gateway, policy, one, now).await?;
    let classification = policy.rules.judge(&one.email, &one.seen, &known);
    let decision =
        decide(&one.email, &classification, &history, &gateway.standing, one.received_at());
    let scene = Scene { gateway, policy, one, classification: &classification, now };

    if decision.alert {
        alert(tx, &scene).await?;
    }
    let (case_id, reference) = act(tx, &scene, &decision, &history).await?;
    if one.email.kind == Kind::Bounce {
        note_bounce(tx, &scene, &history).await?;
    }
    leave_to_a_person(tx, &scene, &decision, &history, case_id).await?;

    let duplicate_of =
        if let Action::Duplicate { of, .. } = decision.action { Some(of) } else { None };
    let settled = Settled {
        action: decision.action.id(),
        reason: &decision.reason,
        case_id,
        duplicate_of,
        acknowledge: decision.acknowledgement.send,
        acknowledge_reason: &decision.acknowledgement.reason,
    };
    messages::settle(tx, one.waiting.id, &settled).await?;
    let decided = Decided {
        id: one.waiting.id,
        classification: json(&classification),
        action: decision.action.id(),
        reason: decision.reason.clone(),
        acknowledge_reason: decision.acknowledgement.reason.clone(),
    };
    Ok(Some(Outcome { decided, reference }))
}

/// What every act on one message is given.
pub(super) struct Scene<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) policy: &'a Policy,
    pub(super) one: &'a InHand,
    pub(super) classification: &'a Classification,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// The sender's address, lower case.
    pub(super) fn sender(&self) -> Option<String> {
        self.one.email.from.as_ref().map(|from| from.address.to_lowercase())
    }
}

/// Does what was decided. Gives the case that the message now belongs to.
async fn act(
    tx: &mut Tx,
    scene: &Scene<'_>,
    decision: &Decision,
    history: &History,
) -> Result<(Option<i64>, Option<String>), StoreError> {
    let message = scene.one.waiting.id;
    match &decision.action {
        Action::Open { record_type } => {
            let opened = open::open(tx, scene, *record_type, decision, history).await?;
            Ok((Some(opened.id), Some(opened.reference)))
        }
        Action::Attach { case } => {
            let event = Event::MessageAttached { message: message.to_string() };
            cases::record(tx, *case, &Actor::Gateway, &event, scene.now).await?;
            if decision.acknowledgement.send {
                open::receipt(tx, scene, *case).await?;
            }
            Ok((Some(*case), None))
        }
        Action::AnswerRequest { case, request } => {
            let service = history.sender_service.clone().unwrap_or_else(ServiceId::none);
            if requests::answered(tx, *request, Some(message), scene.now).await? {
                let event = Event::ServiceAnswered { service, message: Some(message.to_string()) };
                cases::record(tx, *case, &Actor::Gateway, &event, scene.now).await?;
            }
            Ok((Some(*case), None))
        }
        Action::Duplicate { of, case } => {
            if let Some(case) = case {
                note(tx, scene, *case, format!("message {message} repeats message {of}")).await?;
            }
            Ok((*case, None))
        }
        Action::File { case } => {
            if let Some(case) = case {
                note(tx, scene, *case, format!("message {message} filed: {}", decision.reason))
                    .await?;
            }
            Ok((*case, None))
        }
        Action::Triage => Ok((None, None)),
    }
}

/// Something worth knowing on a case, in words that name nobody.
async fn note(tx: &mut Tx, scene: &Scene<'_>, case: i64, words: String) -> Result<(), StoreError> {
    let event = Event::Note { text: words.into() };
    cases::record(tx, case, &Actor::Gateway, &event, scene.now).await
}

/// What a person must do because the gateway must not.
async fn leave_to_a_person(
    tx: &mut Tx,
    scene: &Scene<'_>,
    decision: &Decision,
    history: &History,
    case_id: Option<i64>,
) -> Result<(), StoreError> {
    let message_id = Some(scene.one.waiting.id);
    let by_hand = format!("acknowledge by hand: {}", decision.acknowledgement.reason);
    let task = |kind, words| NewTask { kind, case_id, message_id, letter_id: None, words };
    if decision.acknowledgement.by_hand {
        tasks::add(tx, &task("acknowledge_by_hand", &by_hand), scene.now).await?;
    }
    if decision.action == Action::Triage {
        tasks::add(tx, &task("triage", &decision.reason), scene.now).await?;
    }
    if let Some((kind, words)) = to_read(&decision.action, history) {
        tasks::add(tx, &task(kind, words), scene.now).await?;
    }
    let claims_request = matches!(decision.action, Action::Attach { .. })
        && scene.classification.record_type == RecordType::ServiceResponse;
    if claims_request {
        let words = "this may be a service's answer, from an address that is not the service's";
        tasks::add(tx, &task("confirm_answer", words), scene.now).await?;
    }
    Ok(())
}

/// What came in for a case is read by a person: nothing is attached in silence.
fn to_read(action: &Action, history: &History) -> Option<(&'static str, &'static str)> {
    let closed = history.token_case.as_ref().or(history.referenced_case.as_ref());
    match action {
        Action::Attach { .. } if closed.is_some_and(|case| case.closed) => Some((
            "reopen",
            "the customer wrote again after the case was closed: reopen it, or answer",
        )),
        Action::Attach { .. } => Some(("follow_up", "the customer added to the case: read it")),
        Action::AnswerRequest { .. } => {
            Some(("answer_in", "a service answered: check it and write to the customer"))
        }
        Action::Open { .. } | Action::Duplicate { .. } | Action::File { .. } | Action::Triage => {
            None
        }
    }
}

/// Calls the duty officer: first of all, and whatever else is decided.
async fn alert(tx: &mut Tx, scene: &Scene<'_>) -> Result<(), StoreError> {
    let message = scene.one.waiting.id;
    let words = "a child may be at risk: open the message now";
    let task =
        NewTask { kind: "safeguarding", message_id: Some(message), words, ..NewTask::default() };
    tasks::add(tx, &task, scene.now).await?;
    let duty = scene.gateway.config.duty.address.clone();
    let duty = duty
        .unwrap_or_else(|| scene.policy.rules.services().team.safeguarding_duty.address.clone());
    let received = scene.one.received_at().to_zoned(crate::clock::london());
    let context = DutyAlert {
        message_number: message,
        received: received.strftime("%-I:%M%P on %A %-d %B %Y").to_string(),
        is_second_call: false,
        message_url: None,
        council: scene.gateway.council(),
    };
    let Some(written) = open::write(scene, LetterId::SafeguardingAlert, &context) else {
        return Ok(());
    };
    let posting = Posting {
        purpose: LetterId::SafeguardingAlert.id(),
        once_key: format!("safeguarding:{message}"),
        case: None,
        request: None,
        message: Some(message),
        recipient: &duty,
        written: &written,
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: &[],
        due_at: scene.now,
    };
    scene.gateway.sender.post(tx, &posting, scene.now).await.map(drop)
}

/// A letter of ours came back: shown on its case, and a person told where it will not arrive.
async fn note_bounce(tx: &mut Tx, scene: &Scene<'_>, history: &History) -> Result<(), StoreError> {
    let Some(letter) = history.about_letter else { return Ok(()) };
    let bounce = scene.one.email.bounce.as_ref();
    let status = bounce.and_then(|bounce| bounce.status.first()).map_or("", String::as_str);
    // 4.x.x and "delayed" say only that the server still tries.
    let delayed = status.starts_with('4')
        || bounce.and_then(|bounce| bounce.action.as_deref()) == Some("delayed");
    if delayed {
        return Ok(());
    }
    letters::bounced(tx, letter, status, scene.now).await?;
    let words = format!("a letter came back ({status}): reach the person by other means");
    let task = NewTask {
        kind: "letter_bounced",
        case_id: history.token_case.as_ref().map(|case| case.id),
        message_id: Some(scene.one.waiting.id),
        letter_id: Some(letter),
        words: &words,
    };
    tasks::add(tx, &task, scene.now).await.map(drop)
}
