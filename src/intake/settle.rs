//! Messages from understood to done: everything that follows from them, in one transaction.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;

use super::assess::Before;
use super::history::Shelf;
use super::open::Opening;
use super::reply::{Said, take};
use super::suggest::{Neighbours, by_itself, exhausted, suggest};
use super::{InHand, assess, bounces, history, ombudsman, open};
use crate::alarm::{self, Called};
use crate::casework::adjustment::Adjustment;
use crate::casework::answer::Given;
use crate::casework::case::{Actor, Event};
use crate::casework::reply::Says;
use crate::casework::vocabulary::{RecordType, ServiceId};
use crate::decide::{Action, Decision, History, decide};
use crate::email::{Kind, SenderProof};
use crate::gateway::Gateway;
use crate::outbox::Posting;
use crate::policy::Policy;
use crate::rules::{Classification, Known};
use crate::store::actions;
use crate::store::alarms::{self, NewAlarm};
use crate::store::assessments::{self, NewProposal};
use crate::store::messages::{self, Settled};
use crate::store::rungs::{self, Chased, NewRung};
use crate::store::suggestions::{self, NewSuggestion};
use crate::store::tasks::{self, NewTask};
use crate::store::{StoreError, Tx, cases, json};

/// What became of a message.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) settled: Settled,
    pub(super) reference: Option<String>,
}

/// Settles messages, in their order. Those that another gateway has in hand or has settled are
/// passed over.
///
/// They go in waves: what is looked up and what is written for a wave is one statement a kind,
/// however many messages it has.
pub(super) async fn settle(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    messages: &[&InHand],
) -> Result<Vec<Outcome>, StoreError> {
    let ids: Vec<i64> = messages.iter().map(|one| one.waiting.id).collect();
    let ours = messages::still_ours(tx, &ids, &gateway.id).await?;
    let messages: Vec<&InHand> =
        messages.iter().copied().filter(|one| ours.contains(&one.waiting.id)).collect();
    let mut outcomes = Vec::with_capacity(messages.len());
    for wave in waves(&messages, |one| history::has_ties(gateway, one)) {
        outcomes.extend(settle_wave(tx, gateway, policy, wave).await?);
    }
    Ok(outcomes)
}

/// Cuts messages into waves within which none depends on what becomes of another: none but the first
/// names other messages or cases, and no two have one sender or one content.
fn waves<'a, 'm>(
    messages: &'a [&'m InHand],
    has_ties: impl Fn(&InHand) -> bool,
) -> Vec<&'a [&'m InHand]> {
    let mut waves = Vec::new();
    let (mut rest, mut from) = (messages, 0);
    let mut seen: HashSet<String> = HashSet::new();
    for (at, one) in messages.iter().enumerate() {
        let marks = [history::sender_of(one), Some(one.content_key.clone())];
        let marks: Vec<String> =
            marks.into_iter().flatten().filter(|mark| !mark.is_empty()).collect();
        if has_ties(one) || marks.iter().any(|mark| seen.contains(mark)) {
            let (wave, after) = rest.split_at(at - from);
            waves.push(wave);
            (rest, from) = (after, at);
            seen.clear();
        }
        seen.extend(marks);
    }
    waves.push(rest);
    waves.retain(|wave| !wave.is_empty());
    waves
}

async fn settle_wave(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    wave: &[&InHand],
) -> Result<Vec<Outcome>, StoreError> {
    let now = gateway.clock.now();
    let shelf = Shelf::fetch(tx, wave, now).await?;
    let mut near = Neighbours::fetch(tx, wave).await?;
    let mut judged = Vec::with_capacity(wave.len());
    for one in wave {
        let (history, known) = history::of(tx, gateway, policy, one, &shelf, now).await?;
        let classification = if one.waiting.alone {
            policy.rules.classify(&by_itself(&one.email), &known)
        } else {
            policy.rules.judge(&one.email, &one.seen, &known)
        };
        let decision =
            decide(&one.email, &classification, &history, &gateway.standing, one.received_at());
        judged.push((one, classification, decision, history, known));
    }
    let scenes: Vec<Scene<'_>> = judged
        .iter()
        .map(|(one, classification, decision, history, known)| Scene {
            gateway,
            policy,
            one,
            classification,
            decision,
            history,
            known,
            adjustment: shelf.adjustment_of(one),
            now,
        })
        .collect();
    let mut after = Following::default();
    for scene in scenes.iter().filter(|scene| scene.decision.alert) {
        alert(scene, &mut after);
    }
    let opening: Vec<_> = scenes.iter().filter_map(Opening::of).collect();
    let mut opened = open::open_all(tx, &opening, &mut after).await?;
    near.add_opened(&scenes, &opened);
    let mut outcomes = Vec::with_capacity(scenes.len());
    for scene in &scenes {
        let (case_id, reference) = match opened.remove(&scene.one.waiting.id) {
            Some(opened) => (Some(opened.id), Some(opened.reference)),
            None => (act(tx, scene, &mut after).await?, None),
        };
        if scene.one.email.kind == Kind::Bounce {
            bounces::take_note(tx, scene, &mut after).await?;
        }
        leave_to_a_person(scene, case_id, &mut after);
        suggest(scene, &near, case_id, &mut after);
        if let (Action::Open { record_type }, Some(case)) = (&scene.decision.action, case_id) {
            let same = |one: &NewSuggestion| one.case_id == case_id && one.kind == "duplicate";
            let is_duplicate = after.suggestions.iter().any(same);
            let before = Before { is_duplicate, exhausted: exhausted(scene, &near) };
            after.proposals.extend(assess::proposals(scene, case, *record_type, &before));
        }
        outcomes.push(Outcome { settled: settled(scene, case_id), reference });
    }
    after.write(tx, gateway, now).await?;
    let settled: Vec<Settled> = outcomes.iter().map(|one| one.settled.clone()).collect();
    messages::settle(tx, &settled, policy.rules.version(), now).await?;
    Ok(outcomes)
}

fn settled(scene: &Scene<'_>, case_id: Option<i64>) -> Settled {
    let decision = scene.decision;
    let duplicate_of =
        if let Action::Duplicate { of, .. } = decision.action { Some(of) } else { None };
    Settled {
        id: scene.one.waiting.id,
        action: decision.action.id(),
        reason: decision.reason.clone(),
        case_id,
        duplicate_of,
        acknowledge: decision.acknowledgement.send,
        acknowledge_reason: decision.acknowledgement.reason.clone(),
        classification: json(scene.classification),
        known: Some(json(scene.known)),
    }
}

/// What follows from a wave and is asked for by nothing in it: written at its end, a statement a kind.
#[derive(Default)]
pub(crate) struct Following {
    pub(crate) events: Vec<(i64, Event)>,
    pub(crate) parties: Vec<(i64, String, &'static str)>,
    pub(crate) rungs: Vec<NewRung<'static>>,
    pub(crate) tasks: Vec<NewTask<'static>>,
    pub(crate) letters: Vec<Posting>,
    pub(crate) suggestions: Vec<NewSuggestion>,
    pub(crate) proposals: Vec<NewProposal>,
    pub(crate) alarms: Vec<NewAlarm>,
    /// Bands with their messages.
    pub(crate) bands: Vec<(i64, i64)>,
}

impl Following {
    pub(crate) async fn write(
        &self,
        tx: &mut Tx,
        gateway: &Gateway,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let parties: Vec<_> = self
            .parties
            .iter()
            .map(|(case, address, role)| (*case, address.as_str(), *role))
            .collect();
        cases::record_all(tx, &Actor::Gateway, &self.events, now).await?;
        cases::add_parties(tx, &parties).await?;
        rungs::record(tx, Chased::Requests, &self.rungs, now).await?;
        tasks::add_all(tx, &self.tasks, now).await?;
        suggestions::add_all(tx, &self.suggestions, now).await?;
        suggestions::keep_bands(tx, &self.bands).await?;
        assessments::propose(tx, &self.proposals, now).await?;
        for alarm in &self.alarms {
            alarms::raise(tx, alarm, now).await?;
        }
        gateway.sender.post(tx, &self.letters, now).await
    }
}

/// What every act on one message is given.
pub(super) struct Scene<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) policy: &'a Policy,
    pub(super) one: &'a InHand,
    pub(super) classification: &'a Classification,
    pub(super) decision: &'a Decision,
    pub(super) history: &'a History,
    pub(super) known: &'a Known,
    /// How its sender is to be written to.
    pub(super) adjustment: &'a Adjustment,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// The sender's address, lower case.
    pub(super) fn sender(&self) -> Option<String> {
        history::sender_of(self.one)
    }
}

/// Does what was decided where no case is opened. Gives the case that the message now belongs to.
async fn act(
    tx: &mut Tx,
    scene: &Scene<'_>,
    after: &mut Following,
) -> Result<Option<i64>, StoreError> {
    let message = scene.one.waiting.id;
    match &scene.decision.action {
        Action::Attach { case } => {
            let event = Event::MessageAttached { message: message.to_string() };
            after.events.push((*case, event));
            if !scene.history.about_action {
                heard(tx, scene, *case, after).await?;
            }
            if scene.decision.acknowledgement.send {
                open::receipt(tx, scene, *case, after).await?;
            }
            Ok(Some(*case))
        }
        Action::AnswerRequest { case, request, says } => {
            replied(tx, scene, (*case, *request, *says), after).await?;
            Ok(Some(*case))
        }
        Action::Ombudsman { case } => ombudsman::take_note(tx, scene, *case, after).await,
        Action::Opened { alarm } => {
            let by = scene.sender().unwrap_or_default();
            alarms::opened(tx, *alarm, &by, scene.now).await?;
            Ok(None)
        }
        Action::Duplicate { of, case } => {
            if let Some(case) = case {
                after.events.push(note(*case, format!("message {message} repeats message {of}")));
            }
            Ok(*case)
        }
        Action::File { case } => {
            if let Some(case) = case {
                let words = format!("message {message} filed: {}", scene.decision.reason);
                after.events.push(note(*case, words));
            }
            Ok(*case)
        }
        Action::Triage | Action::Open { .. } => Ok(None),
    }
}

/// A service replied to what it was asked.
async fn replied(
    tx: &mut Tx,
    scene: &Scene<'_>,
    (case, request, says): (i64, i64, Says),
    after: &mut Following,
) -> Result<(), StoreError> {
    let email = &scene.one.email;
    let given = (says == Says::Answers)
        .then(|| Given { what: email.reply_text.clone(), ..Given::default() });
    let sender = scene.sender();
    let said = Said {
        case,
        request,
        service: scene.history.sender_service.clone().unwrap_or_else(ServiceId::none),
        says,
        message: Some(scene.one.waiting.id),
        by_name: None,
        by_address: sender.as_deref(),
        words: None,
        until: None,
        given,
        files: &[],
        // What a message tells of a child is seen to where every message is judged.
        at_risk: false,
    };
    take(tx, scene.gateway, &said, scene.now, after).await.map(drop)
}

/// The customer of a case was asked for something, and wrote: nobody waits for them any longer. Whether
/// it is what was asked for, a person says; until then the clock stays as it is.
async fn heard(
    tx: &mut Tx,
    scene: &Scene<'_>,
    case: i64,
    after: &mut Following,
) -> Result<(), StoreError> {
    if assessments::end(tx, case, scene.now).await? {
        after.tasks.push(NewTask {
            kind: "customer_answered",
            case_id: Some(case),
            message_id: Some(scene.one.waiting.id),
            words: "the customer wrote, who had been asked for something: read it and let the clock go on"
                .into(),
            ..NewTask::default()
        });
    }
    Ok(())
}

/// Something worth knowing on a case, in words that name nobody.
pub(super) fn note(case: i64, words: String) -> (i64, Event) {
    (case, Event::Note { text: words.into() })
}

/// What a person must do because the gateway must not.
fn leave_to_a_person(scene: &Scene<'_>, case_id: Option<i64>, after: &mut Following) {
    let decision = scene.decision;
    let mut task = |kind, words: Cow<'static, str>| {
        let message_id = Some(scene.one.waiting.id);
        after.tasks.push(NewTask { kind, case_id, message_id, letter_id: None, words });
    };
    if decision.acknowledgement.by_hand {
        let by_hand = format!("acknowledge by hand: {}", decision.acknowledgement.reason);
        task("acknowledge_by_hand", by_hand.into());
    }
    if decision.action == Action::Triage {
        task("triage", decision.reason.clone().into());
    }
    if let Some((kind, words)) = to_read(&decision.action, scene.history) {
        task(kind, words.into());
    }
    let claim = scene.sender().and_then(|from| scene.policy.rules.services().claim_of(&from));
    if let Some(claim) = claim.filter(|_| scene.one.email.sender_proof == SenderProof::Failed) {
        let words =
            format!("it claims {claim}, and the mail server says it is not: trust nothing in it");
        task("forged", words.into());
    }
    let claims_request = matches!(decision.action, Action::Attach { .. })
        && scene.classification.record_type == RecordType::ServiceResponse;
    if claims_request {
        let words = "this may be a service's answer, from an address that is not the service's";
        task("confirm_answer", words.into());
    }
}

/// What came in for a case is read by a person: nothing is attached in silence.
fn to_read(action: &Action, history: &History) -> Option<(&'static str, &'static str)> {
    let closed = history.token_case.as_ref().or(history.referenced_case.as_ref());
    match action {
        Action::Attach { .. } if history.about_action => Some((
            actions::REPLY,
            "who sees to an action wrote: see whether it is done, and record that",
        )),
        Action::Attach { .. } if closed.is_some_and(|case| case.closed) => Some((
            "reopen",
            "the customer wrote again after the case was closed: reopen it, or answer",
        )),
        Action::Attach { .. } if history.sender_service.is_some() => {
            Some(("follow_up", "a service added to the case: read it"))
        }
        Action::Attach { .. } => Some(("follow_up", "the customer added to the case: read it")),
        // What a service's reply leaves to do is said where it is taken.
        Action::AnswerRequest { .. }
        | Action::Open { .. }
        | Action::Ombudsman { .. }
        | Action::Opened { .. }
        | Action::Duplicate { .. }
        | Action::File { .. }
        | Action::Triage => None,
    }
}

/// Calls the duty officer: before anybody else is written to, and whatever else is decided.
fn alert(scene: &Scene<'_>, after: &mut Following) {
    let message = scene.one.waiting.id;
    after.tasks.push(NewTask {
        kind: "safeguarding",
        message_id: Some(message),
        words: "a child may be at risk: open the message now".into(),
        ..NewTask::default()
    });
    let received_at = scene.one.received_at();
    let about = Called::Message(message);
    let call = alarm::call(scene.gateway, scene.policy, about, received_at, scene.now);
    if let Some((letter, alarm)) = call {
        after.letters.push(letter);
        after.alarms.push(alarm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::{Address, Email};
    use crate::private::Private;
    use crate::store::messages::Waiting;

    fn in_hand(id: i64, sender: &str, content: &str) -> InHand {
        let address = Private(sender.to_owned());
        let from = (!sender.is_empty()).then_some(Address { address, name: None });
        let waiting = Waiting {
            id,
            state: "stored".to_owned(),
            attempts: 1,
            size_bytes: 1,
            received_at: 0,
            silent: false,
            alone: false,
        };
        let email = Email { from, ..Email::blank() };
        let seen = crate::rules::Seen::default();
        InHand { waiting, email, content_key: content.to_owned(), seen, words: None, fresh: true }
    }

    fn check(messages: &[(&str, &str)], tied: &[i64], waves_expected: &[&[i64]]) {
        let messages: Vec<InHand> = (0..)
            .zip(messages)
            .map(|(id, (sender, content))| in_hand(id, sender, content))
            .collect();
        let messages: Vec<&InHand> = messages.iter().collect();
        let waves = waves(&messages, |one| tied.contains(&one.waiting.id));
        let ids: Vec<Vec<i64>> =
            waves.into_iter().map(|wave| wave.iter().map(|one| one.waiting.id).collect()).collect();
        assert_eq!(ids, waves_expected);
    }

    #[test]
    fn strangers_settle_together() {
        check(&[("a@x", "1"), ("b@x", "2"), ("", ""), ("", "")], &[], &[&[0, 1, 2, 3]]);
        check(&[], &[], &[]);
    }

    #[test]
    fn whoever_writes_twice_and_whatever_comes_twice_waits_for_the_first() {
        check(&[("a@x", "1"), ("A@X", "2"), ("b@x", "3")], &[], &[&[0], &[1, 2]]);
        check(&[("a@x", "1"), ("b@x", "1"), ("a@x", "3")], &[], &[&[0], &[1, 2]]);
    }

    #[test]
    fn what_names_others_waits_for_all_before_it() {
        let four = [("a@x", "1"), ("b@x", "2"), ("c@x", "3"), ("d@x", "4")];
        check(&four, &[0], &[&[0, 1, 2, 3]]);
        check(&four, &[2], &[&[0, 1], &[2, 3]]);
        check(&four, &[1, 2], &[&[0], &[1], &[2, 3]]);
    }
}
