//! A letter as it would go out on a case now. Nothing is kept and nobody is written to.

use std::sync::Arc;

use jiff::civil::Date;

use super::{ActFault, Found, ask, find, holding, interest, parsed, post, stage};
use crate::casework::adjustment::{Adjustment, Format};
use crate::casework::assessment::Needed;
use crate::casework::case::Refusal;
use crate::casework::vocabulary::{RecordType, RejectionReason};
use crate::clock::london_day;
use crate::email::Email;
use crate::gateway::Gateway;
use crate::intake::Asking;
use crate::letters::letter::{ContextKind, LetterId, record_words};
use crate::letters::{CustomerLetter, LetterFault, Written};
use crate::policy::Policy;
use crate::store::messages;

/// Which letter, and how.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which.
    pub letter: LetterId,
    /// In which letters (`usual` for those that everybody gets); none as the customer is written to.
    pub edition: Option<String>,
    /// In which form; none as the customer is written to.
    pub format: Option<Format>,
    /// Why the case would not be taken on, for the letter that says so.
    pub reason: RejectionReason,
}

/// What stands where an officer writes when they send the letter.
const IN_THEIR_WORDS: &str = "Here stands why, in an officer's own words.";
/// How many working days later an answer is promised in a draft (domain 7.5), or waited for.
const LATER: i32 = 10;

/// Writes a letter as it would go out on a case now: to its customer, or to the service that leads its answer.
///
/// # Errors
/// [`ActFault`] where there is no such case, or the letter is not about a single case.
pub async fn preview(
    gateway: &Arc<Gateway>,
    reference: &str,
    wanted: Wanted,
) -> Result<Written, ActFault> {
    let reference = parsed(reference)?;
    let inner = Arc::clone(gateway);
    gateway
        .db
        .write(move |tx| {
            Box::pin(async move {
                let found = find(tx, &reference).await?;
                let email = messages::reading(tx, found.row.opened_by).await?;
                written(&inner, &found, &wanted, email.as_ref())
            })
        })
        .await
}

fn written(
    gateway: &Gateway,
    found: &Found,
    wanted: &Wanted,
    email: Option<&Email>,
) -> Result<Written, ActFault> {
    let policy = gateway.policy();
    let recorded = found.row.adjustment();
    let said = wanted.edition.clone();
    let edition = super::adjust::edition(&policy.letters, recorded.edition, said)?;
    let adjustment = Adjustment { edition, format: wanted.format.unwrap_or(recorded.format) };
    let today = london_day(gateway.clock.now());
    let later = |from| {
        let day = policy.calendar.add_working_days(from, LATER);
        day.map_err(|gap| stage::uncovered(&gap))
    };
    let (letter, letters) = (wanted.letter, &policy.letters);
    let reads = match letter.context() {
        ContextKind::Customer => {
            letters.write_as(letter, &customer(gateway, found, letter), &adjustment)
        }
        ContextKind::Holding => {
            let promised = day(found.row.agreed_due_on.as_ref()).unwrap_or(today);
            let days = holding::Days { was_due: promised, answer_by: later(promised)? };
            let context = holding::context(gateway, &found.row, days, IN_THEIR_WORDS);
            letters.write_as(letter, &context, &adjustment)
        }
        ContextKind::Asking => {
            let context = post::asking_letter(gateway, &found.row, Needed::Details, later(today)?);
            letters.write_as(letter, &context, &adjustment)
        }
        ContextKind::Rejection => {
            let context = stage::rejection(gateway, &policy, found, wanted.reason, None)?;
            letters.write_as(letter, &context, &adjustment)
        }
        ContextKind::Interest => {
            let why = IN_THEIR_WORDS.to_owned();
            letters.write_as(letter, &interest::letter(gateway, found, why), &adjustment)
        }
        ContextKind::ServiceRequest => request(gateway, &policy, found, email)?,
        ContextKind::Reminder
        | ContextKind::Digest
        | ContextKind::OverdueDigest
        | ContextKind::OfficerNotice
        | ContextKind::DutyAlert
        | ContextKind::AnswerCode
        | ContextKind::AnswerLink
        | ContextKind::AnswerCopy
        | ContextKind::SentBack => {
            let because = format!("`{letter}` is not written from a case alone");
            let instead = format!(
                "see it for invented people (`postern letters preview {letter}`), or what would go to whom \
                 (`postern remind --dry-run`)"
            );
            return Err(Refusal { because, instead }.into());
        }
    };
    Ok(reads.map_err(|fault| {
        crate::store::StoreError::unsuitable("write a letter", fault.to_string())
    })?)
}

fn day(text: Option<&String>) -> Option<Date> {
    text.and_then(|text| text.parse().ok())
}

/// A letter to the customer as the gateway fills it in: undecided, or a receipt, where it is that letter.
fn customer(gateway: &Gateway, found: &Found, letter: LetterId) -> CustomerLetter {
    let dates = (day(found.row.target_on.as_ref()), day(found.row.agreed_due_on.as_ref()));
    let context = post::customer_letter(gateway, found, post::received_on(found), dates);
    if letter == LetterId::AcknowledgementNeutral {
        return CustomerLetter {
            record_type: None,
            record_words: record_words(None).to_owned(),
            step_words: None,
            answer_by: None,
            aim_by: None,
            tell_by: found.row.acknowledge_by_on.parse::<Date>().ok().map(Into::into),
            lead: None,
            helpers: Vec::new(),
            ..context
        };
    }
    if letter == LetterId::FollowUp {
        let record_type = Some(RecordType::FollowUp);
        return CustomerLetter { record_type, step_words: None, aim_by: None, ..context };
    }
    context
}

fn request(
    gateway: &Gateway,
    policy: &Policy,
    found: &Found,
    email: Option<&Email>,
) -> Result<Result<Written, LetterFault>, ActFault> {
    let refused = |because: &str| -> ActFault {
        let because = because.to_owned();
        Refusal { because, instead: "preview a letter to the customer".to_owned() }.into()
    };
    let lead = found.case.services.first().ok_or_else(|| refused("no service answers the case"))?;
    let part = found.case.part(lead);
    let due = day(found.row.agreed_due_on.as_ref());
    let due = due.ok_or_else(|| refused("no day is promised for the answer"))?;
    let case = crate::outbox::TokenCase::of(&found.row);
    let case = case.ok_or_else(|| refused("the reference cannot be read"))?;
    let reference = found.row.reference.clone();
    let area = found.case.area(lead);
    let asking = super::asking(policy, found, &reference, (case, 1, due), (&part, area))?;
    let attached = ask::written(gateway, policy, found, (lead, area), email);
    let asking = Asking { attached, ..asking };
    let context = crate::intake::request_letter(gateway, policy, &asking);
    let context = context.map_err(|gap| stage::uncovered(&gap))?;
    Ok(policy.letters.write(LetterId::ServiceRequest, &context))
}
