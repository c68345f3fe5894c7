//! A written letter becomes a row of the outbox: numbered, addressed, with its keyed token, its
//! bytes fixed. Part of the transaction of whatever causes the letter.

use std::sync::Arc;

use jiff::Timestamp;

use super::dkim::Signer;
use super::holding::hold_back;
use super::message::{Automatic, Draft};
use crate::casework::reference::CaseReference;
use crate::letters::Written;
use crate::store::cases::CaseRow;
use crate::store::letters::{self, Finished, NewLetter};
use crate::store::{StoreError, Tx};
use crate::token::{self, Keys, Purpose, Token};

/// As whom we write.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The display name.
    pub name: String,
    /// The monitored address.
    pub address: String,
    /// What our tokens are keyed with.
    pub keys: Keys,
    /// Tells this installation apart from every other.
    pub instance: String,
    /// How many answers may go by themselves in ten minutes.
    pub answers_in_ten_minutes: u32,
    /// Who signs for our domain, if we sign ourselves.
    pub signer: Option<Arc<Signer>>,
    /// Where services reach the answer page, if they reach one; without a last slash.
    pub page: Option<String>,
}

/// A case as a token names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCase {
    /// Row.
    pub id: i64,
    /// Year of the reference.
    pub year: i16,
    /// Number of the reference.
    pub number: u32,
}

impl TokenCase {
    /// A case of the register. None for a reference that no token can name.
    pub fn of(row: &CaseRow) -> Option<Self> {
        let reference: CaseReference = row.reference.parse().ok()?;
        Some(Self { id: row.id, year: reference.year(), number: reference.number() })
    }
}

/// A letter to queue.
#[derive(Debug, Clone)]
pub struct Posting {
    /// What for, as the outbox names it.
    pub purpose: &'static str,
    /// What must happen only once.
    pub once_key: String,
    /// The case it is about.
    pub case: Option<TokenCase>,
    /// The request it is about.
    pub request: Option<i64>,
    /// The message that it answers.
    pub message: Option<i64>,
    /// To whom.
    pub recipient: String,
    /// What is written; several may get the same words.
    pub written: Arc<Written>,
    /// Whether it answers a message by itself or was made by itself.
    pub automatic: Automatic,
    /// Message-ID of what it answers.
    pub in_reply_to: Option<String>,
    /// The thread of what it answers.
    pub references: Vec<String>,
    /// When it may leave.
    pub due_at: Timestamp,
}

impl Posting {
    /// Whether it answers a person's message by itself. The store counts by the same words.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self.purpose, "acknowledgement" | "receipt")
    }
}

impl Sender {
    /// Queues letters, each once, in their order; the same as one queued before is passed over. A
    /// letter that cannot be put into the form of mail (an impossible address), whose address refuses
    /// our mail, or that is an answer too many, is held for a person; nothing is lost.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn post(
        &self,
        tx: &mut Tx,
        postings: &[Posting],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new: Vec<NewLetter<'_>> = postings.iter().map(new_letter).collect();
        let numbers = letters::begin(tx, &new, now).await?;
        let mut finished = Vec::with_capacity(postings.len());
        let mut queued = Vec::with_capacity(postings.len());
        for (posting, number) in postings.iter().zip(numbers) {
            let Some(id) = number else { continue };
            let draft = self.draft(id, posting, now);
            match draft.render() {
                Ok(bytes) => {
                    // Once, here: every try sends these bytes.
                    let bytes = match &self.signer {
                        Some(signer) => signer.sign(&bytes),
                        None => bytes,
                    };
                    queued.push((id, posting));
                    finished.push(Finished {
                        id,
                        envelope_from: self.address_with(Purpose::Bounce, id, posting.case),
                        subject: posting.written.subject.clone(),
                        header_message_id: draft.message_id,
                        bytes,
                    });
                }
                Err(fault) => letters::hold(tx, id, &fault.to_string()).await?,
            }
        }
        letters::finish(tx, &finished).await?;
        hold_back(tx, self.answers_in_ten_minutes, &queued, now).await
    }

    fn draft(&self, letter: i64, posting: &Posting, now: Timestamp) -> Draft {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let token = self.token(Purpose::MessageId, letter, posting.case);
        Draft {
            from: (self.name.clone(), self.address.clone()),
            to: posting.recipient.clone().into(),
            reply_to: Some(self.address_with(Purpose::Reply, letter, posting.case)),
            subject: posting.written.subject.clone(),
            text: posting.written.text.clone(),
            html: posting.written.html.clone(),
            attached: posting.written.attached.clone(),
            message_id: token::message_id(&token, domain),
            in_reply_to: posting.in_reply_to.clone(),
            references: posting.references.clone(),
            automatic: posting.automatic,
            instance: self.instance.clone(),
            date: now,
            language: posting.written.language.clone(),
        }
    }

    fn address_with(&self, purpose: Purpose, letter: i64, case: Option<TokenCase>) -> String {
        // An address too long for a plus part still gets letters, and threads by their Message-ID.
        token::reply_address(&self.address, &self.token(purpose, letter, case))
            .unwrap_or_else(|| self.address.clone())
    }

    fn token(&self, purpose: Purpose, letter: i64, case: Option<TokenCase>) -> String {
        let token = Token {
            purpose,
            year: case.map_or(0, |case| case.year),
            case_number: case.map_or(0, |case| case.number),
            sequence: u64::try_from(letter).unwrap_or(0),
        };
        token.encode(&self.keys, &self.instance)
    }
}

fn new_letter(posting: &Posting) -> NewLetter<'_> {
    NewLetter {
        purpose: posting.purpose,
        template: posting.written.letter,
        once_key: &posting.once_key,
        case_id: posting.case.map(|case| case.id),
        request_id: posting.request,
        message_id: posting.message,
        recipient: &posting.recipient,
        due_at: posting.due_at,
    }
}
