//! A written letter becomes a row of the outbox: numbered, addressed, with its keyed token, its
//! bytes fixed. Part of the transaction of whatever causes the letter.

use jiff::Timestamp;

use super::message::{Automatic, Draft};
use crate::casework::reference::CaseReference;
use crate::letters::Written;
use crate::store::cases::CaseRow;
use crate::store::letters::{self, NewLetter};
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
pub struct Posting<'a> {
    /// What for, as the outbox names it.
    pub purpose: &'a str,
    /// What must happen only once.
    pub once_key: String,
    /// The case it is about.
    pub case: Option<TokenCase>,
    /// The request it is about.
    pub request: Option<i64>,
    /// The message that it answers.
    pub message: Option<i64>,
    /// To whom.
    pub recipient: &'a str,
    /// What is written.
    pub written: &'a Written,
    /// Whether it answers a message by itself or was made by itself.
    pub automatic: Automatic,
    /// Message-ID of what it answers.
    pub in_reply_to: Option<&'a str>,
    /// The thread of what it answers.
    pub references: &'a [String],
    /// When it may leave.
    pub due_at: Timestamp,
}

impl Sender {
    /// Queues a letter, once. None when the same was queued before. A letter that cannot be put into
    /// the form of mail (an impossible address) is held for a person; nothing is lost.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn post(
        &self,
        tx: &mut Tx,
        posting: &Posting<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let new = NewLetter {
            purpose: posting.purpose,
            once_key: &posting.once_key,
            case_id: posting.case.map(|case| case.id),
            request_id: posting.request,
            message_id: posting.message,
            recipient: posting.recipient,
            due_at: posting.due_at,
        };
        let Some(id) = letters::begin(tx, &new, now).await? else { return Ok(None) };
        let draft = self.draft(id, posting, now);
        match draft.render() {
            Ok(bytes) => {
                let from = self.address_with(Purpose::Bounce, id, posting.case);
                letters::finish(tx, id, &from, &posting.written.subject, &draft.message_id, &bytes)
                    .await?;
            }
            Err(fault) => letters::hold(tx, id, &fault.to_string()).await?,
        }
        Ok(Some(id))
    }

    fn draft(&self, letter: i64, posting: &Posting<'_>, now: Timestamp) -> Draft {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let token = self.token(Purpose::MessageId, letter, posting.case);
        Draft {
            from: (self.name.clone(), self.address.clone()),
            to: posting.recipient.to_owned().into(),
            reply_to: Some(self.address_with(Purpose::Reply, letter, posting.case)),
            subject: posting.written.subject.clone(),
            text: posting.written.text.clone(),
            html: Some(posting.written.html.clone()),
            message_id: token::message_id(&token, domain),
            in_reply_to: posting.in_reply_to.map(str::to_owned),
            references: posting.references.to_vec(),
            automatic: posting.automatic,
            instance: self.instance.clone(),
            date: now,
            language: "en-GB".to_owned(),
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
