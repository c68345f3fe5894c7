//! What the Ombudsman writes: kept as a contact with its case, and put before the link officer the same day
//! (D3). What the letter seems to be and to ask is a suggestion; an officer confirms it.

use jiff::Timestamp;
use jiff::civil::Date;

use super::settle::{Following, Scene};
use crate::casework::case::{Actor, Event};
use crate::casework::ombudsman::{ContactKind, OmbudsmanStep, kind_of, references, suggested_date};
use crate::casework::working::short_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::{InFull, LetterId, OfficerNotice};
use crate::outbox::{Automatic, Posting};
use crate::policy::Policy;
use crate::store::ombudsman::{self, NewContact, OmbudsmanRow};
use crate::store::tasks::NewTask;
use crate::store::{StoreError, Tx, cases};

/// Keeps a message as a contact. Gives the council's case that it belongs to, if any.
pub(super) async fn take_note(
    tx: &mut Tx,
    scene: &Scene<'_>,
    named: Option<i64>,
    after: &mut Following,
) -> Result<Option<i64>, StoreError> {
    let message = scene.one.waiting.id;
    let text = text_of(scene);
    let theirs = references(&text);
    // With two references it may be about either: an officer says.
    let theirs = if let [one] = theirs.as_slice() { Some(one.as_str()) } else { None };
    let row = case_of_theirs(tx, scene, theirs, named).await?;
    let case = match row.case_id {
        Some(case) => cases::standing(tx, case).await?,
        None => None,
    };
    let case_id = case.as_ref().map(|case| case.id);
    let received_on = london_day(scene.one.received_at());
    let new = NewContact {
        ombudsman: row.id,
        message: Some(message),
        kind: kind_of(&text),
        received_at: scene.one.received_at(),
        received_on,
        suggested_on: suggested_date(&text, received_on),
    };
    let Some(contact) = ombudsman::add_contact(tx, &new).await? else { return Ok(case_id) };
    let step = OmbudsmanStep::Contacted {
        contact,
        about: new.kind,
        received_on,
        message: Some(message.to_string()),
    };
    record(tx, scene, row.id, case_id, step, after).await?;
    let words = format!(
        "the Ombudsman wrote (contact {contact}): read it today, and confirm what it is and the date that \
         it gives"
    );
    after.tasks.push(NewTask {
        kind: "ombudsman",
        case_id,
        message_id: Some(message),
        words: words.into(),
        ..NewTask::default()
    });
    let ours = case.map(|case| case.reference);
    tell_link_officer(scene, &row, ours.as_deref(), contact, &new, after);
    Ok(case_id)
}

/// Everything that a letter says.
fn text_of(scene: &Scene<'_>) -> String {
    let email = &scene.one.email;
    let subject = email.subject.as_ref().map_or("", |subject| subject.as_str());
    format!("{subject}\n{}", email.reply_text.as_str())
}

/// The Ombudsman's case that a message belongs to: that of their reference, or the one that is open about
/// the case which it names; else a new one.
async fn case_of_theirs(
    tx: &mut Tx,
    scene: &Scene<'_>,
    theirs: Option<&str>,
    named: Option<i64>,
) -> Result<OmbudsmanRow, StoreError> {
    let known = match theirs {
        Some(theirs) => ombudsman::by_reference(tx, theirs).await?,
        None => None,
    };
    let known = match (known, named) {
        (Some(row), _) => Some(row),
        (None, Some(case)) => the_one_about(tx, case, theirs).await?,
        (None, None) => None,
    };
    let known = match known {
        Some(row) => ombudsman::hold(tx, row.id).await?,
        None => None,
    };
    let id = match &known {
        Some(row) => row.id,
        None => ombudsman::open(tx, theirs, None, scene.now).await?,
    };
    if let (Some(row), Some(theirs)) = (&known, theirs)
        && row.theirs.is_none()
    {
        ombudsman::name(tx, id, theirs).await?;
    }
    if let (None, Some(case)) = (known.as_ref().and_then(|row| row.case_id), named) {
        link(tx, scene, id, case, theirs).await?;
    }
    let row = ombudsman::by_id(tx, id).await?;
    row.ok_or_else(|| {
        StoreError::unsuitable("keep what the Ombudsman wrote", "its case is not there".to_owned())
    })
}

/// The Ombudsman's one case about a case of the council, unless the message has another reference.
async fn the_one_about(
    tx: &mut Tx,
    case: i64,
    theirs: Option<&str>,
) -> Result<Option<OmbudsmanRow>, StoreError> {
    let mut all = ombudsman::of_case(tx, case).await?;
    all.retain(|row| theirs.is_none() || row.theirs.is_none());
    Ok(if all.len() == 1 { all.pop() } else { None })
}

/// Links the two, with what happened before.
async fn link(
    tx: &mut Tx,
    scene: &Scene<'_>,
    number: i64,
    case: i64,
    theirs: Option<&str>,
) -> Result<(), StoreError> {
    if !ombudsman::link(tx, number, case).await? {
        return Ok(());
    }
    let before = ombudsman::history(tx, number).await?;
    let linked = OmbudsmanStep::Linked { theirs: theirs.map(str::to_owned) };
    ombudsman::record(tx, number, &Actor::Gateway, &linked, scene.now).await?;
    let mut events = vec![(case, Event::Ombudsman { number, step: linked, earlier: None })];
    events.extend(
        before
            .into_iter()
            .map(|one| (case, Event::Ombudsman { number, step: one.step, earlier: Some(one.at) })),
    );
    cases::record_all(tx, &Actor::Gateway, &events, scene.now).await?;
    for contact in ombudsman::contacts(tx, number).await? {
        if let Some(message) = contact.message_id {
            crate::store::messages::put_with(tx, message, case).await?;
        }
    }
    Ok(())
}

async fn record(
    tx: &mut Tx,
    scene: &Scene<'_>,
    number: i64,
    case: Option<i64>,
    step: OmbudsmanStep,
    after: &mut Following,
) -> Result<(), StoreError> {
    ombudsman::record(tx, number, &Actor::Gateway, &step, scene.now).await?;
    if let Some(case) = case {
        after.events.push((case, Event::Ombudsman { number, step, earlier: None }));
    }
    Ok(())
}

/// Writes to the link officer of what came by mail.
fn tell_link_officer(
    scene: &Scene<'_>,
    row: &OmbudsmanRow,
    ours: Option<&str>,
    contact: i64,
    new: &NewContact,
    after: &mut Following,
) {
    if scene.history.imported {
        return;
    }
    let came = Came { row, ours, contact, new, reading: Reading::Unread };
    after.letters.extend(notice(scene.gateway, scene.policy, &came, scene.now));
}

/// A contact of the Ombudsman of which the link officer is told.
pub(crate) struct Came<'a> {
    /// The Ombudsman's case.
    pub(crate) row: &'a OmbudsmanRow,
    /// The council's, by its reference.
    pub(crate) ours: Option<&'a str>,
    /// Its row.
    pub(crate) contact: i64,
    /// What it is, and when it came.
    pub(crate) new: &'a NewContact,
    /// Whether a person has read it.
    pub(crate) reading: Reading,
}

/// What is known of the date that a contact gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nobody has read it yet.
    Unread,
    /// A person has, and it gives this date, or none.
    Read(Option<Date>),
}

/// What the link officer is told of a contact: references and dates, and nothing that it says.
pub(crate) fn notice(
    gateway: &Gateway,
    policy: &Policy,
    came: &Came<'_>,
    now: Timestamp,
) -> Option<Posting> {
    let officer = policy.rules.services().team.link_officer.clone();
    let Came { row, contact, new, .. } = came;
    let unread = came.reading == Reading::Unread;
    let by = match came.reading {
        Reading::Read(Some(day)) => day,
        Reading::Read(None) | Reading::Unread => london_day(now),
    };
    let context = OfficerNotice {
        reference: came.ours.map_or_else(|| format!("Ombudsman case {}", row.id), str::to_owned),
        greeting_name: officer.name.split_whitespace().next().map(str::to_owned),
        act: if unread { "read the Ombudsman's letter" } else { "see to what the Ombudsman wrote" }
            .to_owned(),
        by: InFull(by),
        type_words: if new.message.is_some() {
            "A letter from the Ombudsman".to_owned()
        } else {
            "By post or telephone from the Ombudsman".to_owned()
        },
        stage_words: None,
        is_in: is_in(came),
        is_missing: if unread {
            vec!["What it asks, and the date that it gives: confirm both".to_owned()]
        } else {
            Vec::new()
        },
        case_url: None,
        draft_url: None,
        council: gateway.council(),
    };
    let written = super::open::write(policy, LetterId::OfficerNotice, &context)?;
    let once_key = match new.message {
        Some(message) => format!("ombudsman:{message}"),
        None => format!("ombudsman-contact:{contact}"),
    };
    Some(Posting {
        purpose: LetterId::OfficerNotice.id(),
        once_key,
        case: None,
        request: None,
        message: new.message,
        recipient: officer.address,
        written,
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    })
}

fn is_in(came: &Came<'_>) -> Vec<String> {
    let Came { row, contact, new, .. } = came;
    let kind: ContactKind = new.kind;
    let theirs = row.theirs.as_deref();
    let mut lines = vec![format!("Contact {contact} on case {} of the Ombudsman", row.id)];
    lines.extend(theirs.map(|theirs| format!("Their reference: {theirs}")));
    lines.push(format!("Came on {}", short_words(new.received_on)));
    let label = kind.label().to_lowercase();
    match came.reading {
        Reading::Read(day) => {
            lines.push(format!("It is: {label}"));
            lines.push(day.map_or_else(
                || "It gives no date".to_owned(),
                |day| format!("The date that it gives: {}", short_words(day)),
            ));
        }
        Reading::Unread => {
            lines.push(format!("Looks like: {label}"));
            let suggested =
                |day: Date| format!("A date found in it, to be confirmed: {}", short_words(day));
            lines.extend(new.suggested_on.map(suggested));
        }
    }
    lines
}
