//! What the store knows about a message beyond its own text.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::InHand;
use crate::casework::adjustment::Adjustment;
use crate::casework::case::Alarm;
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::decide::{FromOmbudsman, History, KnownCase, LettersLately};
use crate::email::{Kind, SenderProof};
use crate::gateway::Gateway;
use crate::letters::LetterId;
use crate::policy::Policy;
use crate::rules::{Known, Services};
use crate::store::cases::{self, CaseRow};
use crate::store::letters::{self, About, Lately};
use crate::store::refusals::{self, Refusing};
use crate::store::{StoreError, Tx, messages, moment, requests};
use crate::store::{actions, adjustments};
use crate::token::{self, Purpose, Token};

/// What is looked up for several messages at once, before each is decided on by itself.
pub(super) struct Shelf {
    /// By content key: the message that holds its place in the register.
    holders: HashMap<String, i64>,
    /// By address: the letters that it had lately.
    lately: HashMap<String, Lately>,
    /// By address: since when it refuses our mail.
    refusing: HashMap<String, Refusing>,
    /// By address: how it is to be written to.
    adjustments: HashMap<String, Adjustment>,
}

impl Shelf {
    /// Fetches it for messages of which none depends on what becomes of another.
    pub(super) async fn fetch(
        tx: &mut Tx,
        messages: &[&InHand],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut contents = BTreeMap::new();
        for one in messages.iter().filter(|one| !one.content_key.is_empty()) {
            contents.entry(one.content_key.as_str()).or_insert(one.waiting.id);
        }
        let senders: BTreeSet<String> = messages.iter().filter_map(|one| sender_of(one)).collect();
        let senders: Vec<&str> = senders.iter().map(String::as_str).collect();
        Ok(Self {
            holders: messages::holders_of_content(tx, &contents).await?,
            lately: letters::lately(tx, &senders, now).await?,
            refusing: refusals::refusing(tx, &senders, now).await?,
            adjustments: adjustments::of(tx, &senders).await?,
        })
    }

    /// How whoever wrote a message is to be written to.
    pub(super) fn adjustment_of(&self, one: &InHand) -> &Adjustment {
        const NONE: &Adjustment = &Adjustment::NONE;
        sender_of(one).and_then(|sender| self.adjustments.get(&sender)).unwrap_or(NONE)
    }

    /// The earlier message with the same content.
    fn first_of(&self, one: &InHand) -> Option<i64> {
        self.holders.get(&one.content_key).copied().filter(|holder| *holder != one.waiting.id)
    }
}

/// The sender's address, lower case.
pub(super) fn sender_of(one: &InHand) -> Option<String> {
    one.email.from.as_ref().map(|from| from.address.to_lowercase())
}

/// Whether a message names others: what it comes to may depend on any message before it.
pub(super) fn has_ties(gateway: &Gateway, one: &InHand) -> bool {
    let email = &one.email;
    !email.in_reply_to.is_empty()
        || !email.references.is_empty()
        || !email.case_references.is_empty()
        || token_of(gateway, one).is_some()
}

/// Looks up everything that a decision on one message needs, in the transaction that will hold it.
pub(super) async fn of(
    tx: &mut Tx,
    gateway: &Gateway,
    policy: &Policy,
    one: &InHand,
    shelf: &Shelf,
    now: Timestamp,
) -> Result<(History, Known), StoreError> {
    let mut history = History { imported: one.waiting.silent, ..History::default() };
    // An officer said that it is a matter of its own: what it answers or repeats no longer counts.
    let alone = one.waiting.alone;
    // Nor is the trust in an address for whoever only claims to write from it, or typed it into a form.
    let genuine = one.email.sender_proof != SenderProof::Failed && one.email.form.is_none();
    if let Some(first) = shelf.first_of(one).filter(|_| !alone) {
        history.duplicate_of = Some((first, messages::case_of(tx, first).await?));
    }
    let sender = sender_of(one);
    let services = policy.rules.services();
    let trusted = sender.as_deref().filter(|_| genuine);
    history.sender_service = trusted.and_then(|sender| services.is_service_address(sender));
    history.ombudsman =
        match &sender {
            Some(sender) if services.is_ombudsman(sender) && one.email.form.is_none() => {
                if genuine { FromOmbudsman::Yes } else { FromOmbudsman::Forged }
            }
            Some(_) | None => FromOmbudsman::No,
        };

    let token = token_of(gateway, one);
    let about = letter_of(tx, one, token.as_ref()).await?;
    let case = match &about {
        _ if alone => None,
        Some(About { case_id: Some(case), .. }) => cases::standing(tx, *case).await?,
        _ => case_of_thread(tx, one, trusted).await?,
    };
    history.token_case = case.as_ref().map(known_case);
    history.about_letter = about.as_ref().map(|letter| letter.id);
    history.alarm = alarm_of(about.as_ref(), trusted, services);
    let quoted = if alone { None } else { quoted_case(tx, one, trusted, &mut history).await? };
    let row = case.or(quoted);

    if let (Some(row), Some(sender)) = (&row, trusted) {
        // Whom an officer named to answer a part speaks for its service in this case.
        if let Some(request) = requests::open_to(tx, row.id, sender).await? {
            history.sender_service = Some(ServiceId(request.service));
        }
    }
    if let (Some(row), Some(sender)) = (&row, trusted) {
        let asked = deputised(tx, services, row.id, sender, history.sender_service.as_ref());
        if let Some(service) = asked.await? {
            history.sender_service = Some(service);
        }
    }
    if let Some(row) = &row {
        history.about_action = is_about_action(tx, about.as_ref(), row, trusted).await?;
    }
    if let (Some(row), Some(service), false) = (&row, &history.sender_service, history.about_action)
    {
        let request = requests::open_of(tx, row.id, service.as_str()).await?;
        let request = request.filter(|request| {
            let named = request.responder_address.as_deref();
            let area = request.area.as_deref();
            let other = |sender: &str| {
                services.is_of_another_area(sender, service, area) && named != Some(sender)
            };
            // What was moved from an area is answered by the area that it was moved to.
            !trusted.is_some_and(other)
        });
        history.request = request.map(|request| request.id);
        let document = one.email.attachments.iter().any(|file| !file.inline);
        let says = policy.replies.read(&one.email.reply_text, document);
        history.says = history.request.map(|_| says);
    }
    if let Some(row) = &row {
        history.case_services.push(row.lead_service.clone());
        history.case_services.extend(requests::services_of(tx, row.id).await?);
    }
    if let Some(sender) = &sender {
        let lately = shelf.lately.get(sender).copied().unwrap_or_default();
        history.letters_lately = letters_lately(tx, sender, lately, row.as_ref(), now).await?;
        history.refuses_since =
            shelf.refusing.get(sender).map(|one| london_day(moment(one.since_at)));
    }
    if let Some(row) = &row {
        let Lately { ten_minutes, hour, day } = letters::lately_of_case(tx, row.id, now).await?;
        history.case_letters_lately =
            LettersLately { ten_minutes, hour, day, ..LettersLately::default() };
    }
    let known = Known {
        sender_is_service: history.sender_service.is_some()
            || trusted.is_some_and(|sender| services.is_council_address(sender)),
        answers_request: history.request.is_some(),
        sender_has_case: row.is_some(),
        sender_service: history.sender_service.clone(),
        case_services: row
            .as_ref()
            .map(|row| vec![ServiceId(row.lead_service.clone())])
            .unwrap_or_default(),
        case_customer: row.as_ref().and_then(|row| row.customer_type.parse().ok()),
        ..Known::default()
    };
    Ok((history, known))
}

/// Our keyed token, in the address that it was sent to or in the ids that it answers.
fn token_of(gateway: &Gateway, one: &InHand) -> Option<Token> {
    let sender = &gateway.sender;
    let email = &one.email;
    let addresses = email.to.iter().chain(&email.delivered_to).map(|address| address.as_str());
    token::find_in_addresses(addresses, &sender.keys, &sender.instance).or_else(|| {
        let bounced =
            email.bounce.as_ref().and_then(|bounce| bounce.original_message_id.as_deref());
        let ids = email.in_reply_to.iter().chain(email.references.iter().rev()).map(String::as_str);
        token::find_in_message_ids(bounced.into_iter().chain(ids), &sender.keys, &sender.instance)
    })
}

/// The letter of ours that a token names. A bounce token in anything but a bounce names nothing.
async fn letter_of(
    tx: &mut Tx,
    one: &InHand,
    token: Option<&Token>,
) -> Result<Option<About>, StoreError> {
    let Some(token) = token else { return Ok(None) };
    if token.purpose == Purpose::Bounce && one.email.kind == Kind::Human {
        return Ok(None);
    }
    letters::about(tx, i64::try_from(token.sequence).unwrap_or(0)).await
}

/// What a call was about, where whoever was called, or somebody of the council, replies to it.
fn alarm_of(letter: Option<&About>, sender: Option<&str>, services: &Services) -> Option<Alarm> {
    let (letter, sender) = (letter?, sender?);
    let theirs =
        letter.recipient.eq_ignore_ascii_case(sender) || services.is_council_address(sender);
    let is_call = letter.purpose == LetterId::SafeguardingAlert.id();
    let about = letter.message_id.map(Alarm::Message).or(letter.case_id.map(Alarm::Case));
    about.filter(|_| is_call && theirs)
}

/// The case of an earlier message that this one answers, where the sender is its party.
async fn case_of_thread(
    tx: &mut Tx,
    one: &InHand,
    sender: Option<&str>,
) -> Result<Option<CaseRow>, StoreError> {
    let Some(sender) = sender else { return Ok(None) };
    let ids = one.email.in_reply_to.iter().chain(one.email.references.iter().rev()).take(20);
    for id in ids {
        if let Some(case) = messages::case_of_message_id(tx, id, sender).await? {
            return cases::standing(tx, case).await;
        }
    }
    Ok(None)
}

/// The case whose bare reference stands in the message. It counts only where the sender is a party
/// to it; for anybody else it is a suggestion.
async fn quoted_case(
    tx: &mut Tx,
    one: &InHand,
    sender: Option<&str>,
    history: &mut History,
) -> Result<Option<CaseRow>, StoreError> {
    for reference in one.email.case_references.iter().take(20) {
        let Some(quoted) = cases::by_reference(tx, reference).await? else { continue };
        let Some(row) = cases::standing(tx, quoted.id).await? else { continue };
        let party = match sender {
            Some(sender) => cases::is_party(tx, row.id, sender).await?,
            None => false,
        };
        if party {
            history.referenced_case = Some(known_case(&row));
            return Ok(Some(row));
        }
        history.suggested_cases.push((row.id, row.reference.clone()));
    }
    Ok(None)
}

/// The service that owes an answer in a case and for which the sender stands in; none where their own owes one.
async fn deputised(
    tx: &mut Tx,
    services: &Services,
    case: i64,
    sender: &str,
    own: Option<&ServiceId>,
) -> Result<Option<ServiceId>, StoreError> {
    let others = services.stands_in_for(sender);
    if others.is_empty() {
        return Ok(None);
    }
    for service in own.into_iter().chain(&others) {
        if requests::open_of(tx, case, service.as_str()).await?.is_some() {
            return Ok(Some(service.clone()));
        }
    }
    Ok(None)
}

/// Whether somebody writes of an action: they answer a list that had nothing but actions of the case, or are
/// a party to it for no other reason.
async fn is_about_action(
    tx: &mut Tx,
    letter: Option<&About>,
    row: &CaseRow,
    sender: Option<&str>,
) -> Result<bool, StoreError> {
    if let Some(letter) = letter.filter(|letter| letter.case_id.is_some()) {
        let is_list = letter.purpose == LetterId::Digest.id();
        return Ok(is_list && letter.request_id.is_none());
    }
    match sender {
        Some(sender) => cases::is_party_as(tx, row.id, sender, actions::PARTY).await,
        None => Ok(false),
    }
}

fn known_case(row: &CaseRow) -> KnownCase {
    KnownCase {
        id: row.id,
        reference: row.reference.clone(),
        closed: !matches!(row.status.as_str(), "open" | "answered"),
    }
}

async fn letters_lately(
    tx: &mut Tx,
    sender: &str,
    lately: Lately,
    case: Option<&CaseRow>,
    now: Timestamp,
) -> Result<LettersLately, StoreError> {
    let Lately { ten_minutes, hour, day } = lately;
    let receipts_today = match case {
        Some(case) if day > 0 => {
            let since = now - SignedDuration::from_hours(24);
            letters::receipts_since(tx, case.id, sender, since).await?
        }
        _ => 0,
    };
    Ok(LettersLately { ten_minutes, hour, day, receipts_today })
}
