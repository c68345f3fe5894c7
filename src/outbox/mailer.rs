//! Ways for a letter to leave: a mail server, a folder of files, a list in memory.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{address::MailAddress, pool::SmtpPool};
use crate::{clock::Clock, private::Private};

/// Who a letter is from and to, as the mail server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where a bounce goes; nothing for `<>`, which gets none.
    pub from: Option<MailAddress>,
    /// The one recipient: were there two, one refusal would fail both.
    pub to: MailAddress,
}

/// What a mail server answered, in words for an officer that name nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits, where there was an answer.
    pub code: Option<u16>,
    /// RFC 3463 code, where given.
    pub enhanced: Option<String>,
    /// What it means.
    pub cause: String,
}

impl Reply {
    /// No answer, only a cause.
    pub fn without_code(cause: impl Into<String>) -> Self {
        Self { code: None, enhanced: None, cause: cause.into() }
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.cause)?;
        match (self.code, &self.enhanced) {
            (Some(code), Some(enhanced)) => write!(f, " ({code} {enhanced})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, _) => Ok(()),
        }
    }
}

/// What a delay concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// This letter: it waits for its next try, others go on.
    Letter,
    /// The server wants fewer letters: halve the rate and rest for a minute.
    Everything,
}

/// What became of one try. Nothing here is an error: each has its next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has the letter now and answers for it.
    Accepted {
        /// What it said.
        reply: Reply,
    },
    /// Not now; worth another try.
    Deferred {
        /// Why.
        reply: Reply,
        /// What waits.
        delay: Delay,
    },
    /// Never: a person must look.
    Refused {
        /// Why.
        reply: Reply,
    },
    /// No letter can leave until something of ours is put right: login, encryption, policy, or a
    /// server that does not answer. The letter is not to blame and its tries are not counted.
    QueueStopped {
        /// Why.
        reply: Reply,
    },
    /// The whole letter was sent and no answer came. To be sent once more with the same bytes: a
    /// second copy does no harm, a missing acknowledgement does.
    Unknown {
        /// Why.
        reply: Reply,
    },
}

impl Delivery {
    /// What was answered, whatever it means.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Accepted { reply }
            | Self::Deferred { reply, .. }
            | Self::Refused { reply }
            | Self::QueueStopped { reply }
            | Self::Unknown { reply } => reply,
        }
    }
}

/// A letter that the memory mailer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// From whom, to whom.
    pub envelope: Envelope,
    /// The letter.
    pub bytes: Private<Vec<u8>>,
}

/// A way for letters to leave. Cheap to clone; clones share what they hold.
#[derive(Debug, Clone)]
pub enum Mailer {
    /// A mail server, over connections that are used again.
    Smtp(SmtpPool),
    /// Files in a folder, one letter each (`<time>-<id>.eml`).
    Files {
        /// Created if missing.
        folder: PathBuf,
        /// Names the time in the file's name.
        clock: Clock,
    },
    /// A list, for tests and trials.
    Memory(Arc<Mutex<Vec<Delivered>>>),
    /// Nothing is set up: every letter waits in the outbox.
    Nowhere,
}

impl Mailer {
    /// Hands one letter over and says what became of it.
    ///
    /// Time limits sit inside, on each step of the conversation. A caller that drops this future
    /// half-way loses the answer but harms no other letter: the connection goes with it.
    pub async fn deliver(&self, envelope: &Envelope, bytes: &[u8]) -> Delivery {
        match self {
            Self::Smtp(pool) => pool.deliver(envelope, bytes).await,
            Self::Files { folder, clock } => {
                let name = file_name(bytes, clock);
                let (folder, bytes) = (folder.clone(), bytes.to_vec());
                let written =
                    tokio::task::spawn_blocking(move || write_file(&folder, &name, &bytes)).await;
                match written {
                    Ok(Ok(())) => {
                        Delivery::Accepted { reply: Reply::without_code("written to a file") }
                    }
                    Ok(Err(_)) | Err(_) => Delivery::QueueStopped {
                        reply: Reply::without_code(
                            "the folder for letters could not be written to",
                        ),
                    },
                }
            }
            Self::Memory(letters) => {
                let letter =
                    Delivered { envelope: envelope.clone(), bytes: Private(bytes.to_vec()) };
                letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
                Delivery::Accepted { reply: Reply::without_code("kept in memory") }
            }
            Self::Nowhere => Delivery::QueueStopped {
                reply: Reply::without_code("the settings name no server for outgoing mail"),
            },
        }
    }

    /// How many letters may be on their way at once.
    pub fn connections(&self) -> usize {
        match self {
            Self::Smtp(pool) => pool.sessions(),
            Self::Files { .. } | Self::Memory(_) | Self::Nowhere => 4,
        }
    }

    /// Takes leave of the mail server on idle connections.
    pub async fn close(&self) {
        match self {
            Self::Smtp(pool) => pool.close().await,
            Self::Files { .. } | Self::Memory(_) | Self::Nowhere => {}
        }
    }
}

/// `20261125T091500Z-<first 64 bits of the SHA-256 of the Message-ID>`: the id itself is not fit
/// for a file name everywhere.
fn file_name(bytes: &[u8], clock: &Clock) -> (String, String) {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(16 * 1024)).unwrap_or_default());
    let id = head
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("message-id"))
        })
        .map(|(_, id)| id.trim().to_owned());
    let digest = Sha256::digest(id.map_or_else(|| bytes.to_vec(), String::into_bytes));
    let id = digest.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
    let id = format!("{id:016x}");
    (clock.now().strftime("%Y%m%dT%H%M%SZ").to_string(), id)
}

/// Whole or not at all: a temporary file, flushed to the disk, then renamed. A letter that was
/// written before keeps its file.
fn write_file(folder: &Path, (time, id): &(String, String), bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let ending = format!("-{id}.eml");
    let earlier = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with(&ending));
    let name = earlier.unwrap_or_else(|| format!("{time}{ending}"));
    let temporary = folder.join(format!(".{name}.part"));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join(name))?;
    std::fs::File::open(folder)?.sync_all()
}
