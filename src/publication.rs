//! Rules and letters as versions: a draft becomes the live set with an author and a reason, and an earlier
//! set again. Every version is kept whole in the store; the live set is files in the rules folder or the
//! templates folder, which a running daemon takes up by itself.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tracing::info;

use crate::config::Config;
use crate::fault::Fault;
use crate::letters;
use crate::policy::{self, Policy, RuleFiles};
use crate::rules;
use crate::store::published::{self, NewSet, SetRow};
use crate::store::{Db, StoreError};

mod write;

pub use published::Kind;

impl Kind {
    /// As the command line calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Letters => "letters",
        }
    }

    /// The setting that names its folder, which is also what the folder is called.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Letters => "templates",
        }
    }

    /// The live folder, where the settings name one.
    pub fn folder(self, config: &Config) -> Option<&Path> {
        match self {
            Self::Rules => config.rules.as_deref(),
            Self::Letters => config.templates.as_deref(),
        }
    }

    /// The files of a folder that make a set, or of the shipped set, by their names below it.
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn files_of(self, folder: Option<&Path>) -> Result<RuleFiles, Vec<Fault>> {
        match self {
            Self::Rules => policy::rules_of(folder),
            Self::Letters => policy::letters_of(folder),
        }
    }

    /// Twelve hexadecimal digits over a set.
    pub fn version(self, files: &RuleFiles) -> String {
        match self {
            Self::Rules => rules::version(files),
            Self::Letters => letters::version(files),
        }
    }

    /// Checks a draft as it will stand, with all that the settings name beside it. Gives how many rules or
    /// letters it has.
    ///
    /// # Errors
    /// Every fault of every file.
    fn check(self, config: &Config, draft: &Named) -> Result<usize, Vec<Fault>> {
        match self {
            Self::Rules => {
                Policy::with_rules(config, &draft.name, &draft.files).map(|whole| whole.rules.len())
            }
            Self::Letters => Policy::with_letters(config, &draft.name, &draft.files)
                .map(|whole| whole.letters.len()),
        }
    }
}

/// Why a set was not published, and what can be done.
#[derive(Debug, thiserror::Error)]
pub enum PublishFault {
    /// Only the compiled-in set serves.
    #[error(
        "the settings name no {folder} folder, so the shipped {word} serve and nothing can be published: \
         write them out with `postern {word} export {folder}` and name the folder in the settings \
         ({folder} = \"{folder}\")",
        word = .0.word(), folder = .0.setting()
    )]
    NoFolder(Kind),
    /// The set is not valid.
    #[error("the set is not valid")]
    Faults(Vec<Fault>),
    /// What would be published is live already.
    #[error("nothing changed: version {0} is the live set already")]
    NothingChanged(String),
    /// Something that no version holds would be lost.
    #[error(
        "{folder} was edited since {since} ({}), and what was edited would be lost: look at it with \
         `postern {} diff`, then publish with --adopt, which first records it as a version of its own",
        .files.join(", "), .kind.word()
    )]
    EditedByHand {
        /// What.
        kind: Kind,
        /// The live folder.
        folder: String,
        /// The last publication, in words.
        since: String,
        /// The files that differ from it.
        files: Vec<String>,
    },
    /// Somebody else published in between.
    #[error("somebody else published meanwhile: look at `postern {} versions` and try again", .0.word())]
    Meanwhile(Kind),
    /// No such version.
    #[error("{0}")]
    NoSuch(String),
    /// The live folder cannot be written.
    #[error("cannot write {file}; the version is recorded: put that right and publish it again")]
    Write {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who publishes, and why.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// What to do with edits of the live folder that no version holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandEdits {
    /// Publish nothing.
    Refuse,
    /// Record them as a version of their own first.
    Adopt,
}

/// What a publication did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The version that is live now.
    pub version: String,
    /// How many rules or letters it has.
    pub count: usize,
    /// The live set as it was found, where no version held it.
    pub adopted: Option<String>,
    /// How many files of the live folder were written or removed.
    pub files: usize,
}

/// A set and what it is called.
#[derive(Debug, Clone)]
pub struct Named {
    /// `live`, `shipped`, a version or a folder.
    pub name: String,
    /// Its files.
    pub files: RuleFiles,
}

/// Makes a draft the live set, and records it as a version. The draft is checked as it will stand:
/// with everything else that the settings name.
///
/// # Errors
/// [`PublishFault`]; the live folder is as it was unless it is [`PublishFault::Write`].
pub async fn publish(
    db: &Db,
    config: &Config,
    kind: Kind,
    draft: Named,
    by: By,
    edits: HandEdits,
    now: Timestamp,
) -> Result<Published, PublishFault> {
    let folder = kind.folder(config).ok_or(PublishFault::NoFolder(kind))?;
    let live = kind.files_of(Some(folder)).map_err(PublishFault::Faults)?;
    let count = kind.check(config, &draft).map_err(PublishFault::Faults)?;
    let draft = draft.files;
    let (version, live_version) = (kind.version(&draft), kind.version(&live));
    let listed = published::list(db, kind).await?;
    let last = listed.first();
    let recorded = last.is_some_and(|last| last.version == version);
    if recorded && live == draft {
        return Err(PublishFault::NothingChanged(version));
    }
    let unrecorded = unrecorded(db, kind, &listed, (&live, &draft)).await?;
    if let Some(last) = last
        && !unrecorded.is_empty()
        && edits == HandEdits::Refuse
    {
        let since = in_words(last);
        let folder = folder.display().to_string();
        return Err(PublishFault::EditedByHand { kind, folder, since, files: unrecorded });
    }
    let mut new = Vec::new();
    let mut adopted = None;
    if !unrecorded.is_empty() {
        let reason = match last {
            Some(last) => format!("the live set as it stood, edited since {}", last.version),
            None => "the live set as it stood before the first publication".to_owned(),
        };
        adopted = Some(live_version.clone());
        let author = by.author.clone();
        new.push(NewSet { version: live_version, author, reason, files: live.clone() });
    }
    if !recorded || adopted.is_some() {
        let By { author, reason } = by;
        new.push(NewSet { version: version.clone(), author, reason, files: draft.clone() });
    }
    record(db, kind, new, last.map(|last| last.id), now).await?;
    // Recorded first: whatever stops here, no text of the folder is lost, and the same publication
    // again writes the rest.
    let files = write::replace(folder, &live, &draft)?;
    info!(version, "{} published", kind.word());
    Ok(Published { version, count, adopted, files })
}

/// Writes files of the live folder anew, as an edit by hand does: no version is recorded. Each that differs is
/// replaced whole or not at all. Gives how many.
///
/// # Errors
/// A file that cannot be written.
pub fn rewrite(folder: &Path, live: &RuleFiles, next: &RuleFiles) -> Result<usize, PublishFault> {
    write::replace(folder, live, next)
}

/// Keeps publications one after the other, all or none.
async fn record(
    db: &Db,
    kind: Kind,
    new: Vec<NewSet>,
    mut after: Option<i64>,
    now: Timestamp,
) -> Result<(), PublishFault> {
    let kept = db
        .write(move |tx| {
            Box::pin(async move {
                for one in &new {
                    after = Some(published::add(tx, kind, one, after, now).await?);
                }
                Ok::<_, StoreError>(())
            })
        })
        .await;
    match kept {
        Err(fault) if fault.is_unique_violation() => Err(PublishFault::Meanwhile(kind)),
        kept => Ok(kept?),
    }
}

/// The files of the live folder whose text, or absence, would be lost: it stands neither in the draft
/// nor in one of the last two publications. Two, because the last may not have been written whole.
async fn unrecorded(
    db: &Db,
    kind: Kind,
    listed: &[SetRow],
    (live, draft): (&RuleFiles, &RuleFiles),
) -> Result<Vec<String>, StoreError> {
    let mut known = vec![draft.clone()];
    for row in listed.iter().take(2) {
        known.push(published::files(db, kind, row.id).await?);
    }
    let names: std::collections::BTreeSet<&String> =
        live.keys().chain(known.iter().flat_map(RuleFiles::keys)).collect();
    let is_known = |name: &str| known.iter().any(|files| files.get(name) == live.get(name));
    Ok(names.into_iter().filter(|name| !is_known(name)).cloned().collect())
}

/// A publication as people speak of it.
pub fn in_words(row: &SetRow) -> String {
    let on = crate::clock::london_day(crate::store::moment(row.published_at));
    let on = crate::casework::working::short_words(on);
    format!("version {}, which {} published on {on}", row.version, row.author)
}

/// The version of the live set; of the shipped one where the settings name no folder.
///
/// # Errors
/// Every file that cannot be read.
pub fn live_version(config: &Config, kind: Kind) -> Result<String, Vec<Fault>> {
    Ok(kind.version(&kind.files_of(kind.folder(config))?))
}

/// The set that somebody names: `live`, `shipped`, the beginning of a version, or a folder.
///
/// # Errors
/// [`PublishFault::NoSuch`] where it is none of these, [`PublishFault::Faults`] where its files cannot
/// be read.
pub async fn named(
    db: &Db,
    config: &Config,
    kind: Kind,
    name: &str,
) -> Result<Named, PublishFault> {
    let read = |folder: Option<&Path>| kind.files_of(folder).map_err(PublishFault::Faults);
    let files = match name {
        "live" => read(kind.folder(config))?,
        "shipped" => read(None)?,
        _ => match version(db, kind, name).await {
            Ok(row) => {
                let files = published::files(db, kind, row.id).await?;
                return Ok(Named { name: row.version, files });
            }
            Err(fault) if !PathBuf::from(name).is_dir() => return Err(fault),
            Err(_) => read(Some(Path::new(name)))?,
        },
    };
    Ok(Named { name: name.to_owned(), files })
}

/// The newest publication whose version begins so.
///
/// # Errors
/// [`PublishFault::NoSuch`] where there is none, or more than one.
pub async fn version(db: &Db, kind: Kind, beginning: &str) -> Result<SetRow, PublishFault> {
    let mut rows = published::list(db, kind).await?;
    rows.retain(|row| beginning.len() >= 4 && row.version.starts_with(beginning));
    let Some(first) = rows.first() else {
        return Err(PublishFault::NoSuch(format!(
            "`{beginning}` is no version: `postern {} versions` lists them; write four digits or more",
            kind.word()
        )));
    };
    if let Some(other) = rows.iter().find(|row| row.version != first.version) {
        return Err(PublishFault::NoSuch(format!(
            "`{beginning}` begins more than one version, {} and {}: write more digits",
            first.version, other.version
        )));
    }
    Ok(rows.swap_remove(0))
}
