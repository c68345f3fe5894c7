//! A Maildir as a mailbox: files in `new/` and `cur/`, each a message.
//!
//! A file that vanishes between two looks is someone else's doing and no error.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// A Maildir could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}", .path.display())]
pub struct MaildirError {
    what: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaildirEntry {
    /// Its unique name, without the flags that mail programs add and change.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was delivered: the seconds at the start of its name, else the file's own time.
    pub received_at: Option<Timestamp>,
}

/// A folder with `new/`, `cur/` and `tmp/`.
#[derive(Debug, Clone)]
pub struct Maildir {
    root: PathBuf,
    trusts_the_power: bool,
}

impl Maildir {
    /// Opens a Maildir that exists.
    ///
    /// # Errors
    /// [`MaildirError`] if `path` has no `new/` and `cur/` that can be read: a mistyped path must
    /// not look like an empty mailbox.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, MaildirError> {
        let root = path.into();
        for part in ["new", "cur"] {
            let folder = root.join(part);
            std::fs::read_dir(&folder).map_err(fault("cannot open the Maildir folder", &folder))?;
        }
        Ok(Self { root, trusts_the_power: false })
    }

    /// The same, which does not wait for the disk where `it_does`: what a power failure would lose is lost.
    /// For simulations.
    #[must_use]
    pub fn trusting_the_power(self, it_does: bool) -> Self {
        Self { trusts_the_power: it_does, ..self }
    }

    /// The messages that wait, oldest first by name.
    ///
    /// # Errors
    /// [`MaildirError`] if a folder cannot be read.
    pub fn list(&self) -> Result<Vec<MaildirEntry>, MaildirError> {
        let mut found = BTreeMap::new();
        for (path, key) in self.files()? {
            // Gone, or no message: not ours to worry about.
            let Ok(meta) = std::fs::metadata(&path) else { continue };
            if !meta.is_file() {
                continue;
            }
            let received_at = seconds_in(&key)
                .or_else(|| meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok()));
            let entry = MaildirEntry { key: key.clone(), size: meta.len(), received_at };
            found.insert(key, entry);
        }
        let mut entries: Vec<MaildirEntry> = found.into_values().collect();
        entries.sort_by(|a, b| (seconds_in(&a.key), &a.key).cmp(&(seconds_in(&b.key), &b.key)));
        Ok(entries)
    }

    /// The whole message; `None` if it is gone.
    ///
    /// # Errors
    /// [`MaildirError`] if it is there and cannot be read.
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, MaildirError> {
        // A mail program may rename it from `new` to `cur`, or change its flags, as we look.
        for _ in 0..3 {
            let Some(path) = self.find_one(key)? else { return Ok(None) };
            match std::fs::read(&path) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault("cannot read the message", &path)(error)),
            }
        }
        Ok(None)
    }

    /// Moves messages to a sub-folder (`Processed` becomes `.Processed/cur`, made if absent) as
    /// seen; those that were moved. Safe to repeat.
    ///
    /// # Errors
    /// [`MaildirError`] if the sub-folder cannot be made or a file cannot be moved.
    pub fn set_aside(&self, keys: &[&str], folder: &str) -> Result<Vec<String>, MaildirError> {
        let target = self.sub_folder(folder)?;
        let mut moved = Vec::new();
        for (key, path) in self.find(keys)? {
            let goal = free_name(&target, &key);
            match std::fs::rename(&path, &goal) {
                Ok(()) => moved.push(key),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault("cannot move the message", &path)(error)),
            }
        }
        // The names must survive a power cut as the messages themselves do.
        if self.trusts_the_power {
            return Ok(moved);
        }
        for folder in [&target, &self.root.join("new"), &self.root.join("cur")] {
            std::fs::File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(fault("cannot write the Maildir folder", folder))?;
        }
        Ok(moved)
    }

    /// A sub-folder in the Maildir++ manner; its `cur`.
    fn sub_folder(&self, name: &str) -> Result<PathBuf, MaildirError> {
        let name = name.replace('/', ".");
        let name = name.trim_matches('.');
        let root = self.root.join(format!(".{name}"));
        let hostile = name.is_empty() || name.chars().any(char::is_control);
        if hostile {
            let error = io::Error::from(io::ErrorKind::InvalidInput);
            return Err(fault("cannot use this as a sub-folder's name:", &root)(error));
        }
        for part in ["cur", "new", "tmp"] {
            let folder = root.join(part);
            std::fs::create_dir_all(&folder).map_err(fault("cannot make the folder", &folder))?;
        }
        // Tells Maildir++ programs that this is a folder and no mailbox of its own.
        let mark = root.join("maildirfolder");
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&mark)
            .map_err(fault("cannot make the file", &mark))?;
        Ok(root.join("cur"))
    }

    /// Where a message is now. The likely names first: listing a folder of thousands for every
    /// message in it would take for ever.
    fn find_one(&self, key: &str) -> Result<Option<PathBuf>, MaildirError> {
        if key.contains('/') {
            return Ok(None);
        }
        let flagged = |flags: &str| self.root.join("cur").join(format!("{key}{flags}"));
        let likely =
            [self.root.join("new").join(key), flagged(""), flagged(":2,"), flagged(":2,S")];
        match likely.into_iter().find(|path| path.is_file()) {
            Some(path) => Ok(Some(path)),
            None => Ok(self.find(&[key])?.remove(key)),
        }
    }

    /// Where these messages are now, of those that are there.
    fn find(&self, keys: &[&str]) -> Result<BTreeMap<String, PathBuf>, MaildirError> {
        let keys: HashSet<&str> = keys.iter().copied().collect();
        let mut found = BTreeMap::new();
        for (path, key) in self.files()? {
            if keys.contains(key.as_str()) {
                found.insert(key, path);
            }
        }
        Ok(found)
    }

    fn files(&self) -> Result<Vec<(PathBuf, String)>, MaildirError> {
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            let folder = self.root.join(part);
            let cannot = fault("cannot list the Maildir folder", &folder);
            let names = std::fs::read_dir(&folder)
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .map_err(cannot)?;
            for name in names {
                let text = name.file_name().to_string_lossy().into_owned();
                if !text.starts_with('.') {
                    files.push((name.path(), key_of(&text).to_owned()));
                }
            }
        }
        Ok(files)
    }
}

/// A name under which nothing stands yet: two messages of one name must both be kept.
fn free_name(folder: &Path, key: &str) -> PathBuf {
    let taken = |path: &PathBuf| path.symlink_metadata().is_ok();
    let mut path = folder.join(format!("{key}:2,S"));
    let mut copy = 2;
    while taken(&path) {
        path = folder.join(format!("{key}-{copy}:2,S"));
        copy += 1;
    }
    path
}

fn fault(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MaildirError {
    let path = path.to_owned();
    move |source| MaildirError { what, path, source }
}

/// A file's unique name: what stands before `:2,` and its flags.
fn key_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(key, _)| key)
}

/// The seconds since 1970 with which delivery programs begin a name; a small number is a count.
fn seconds_in(key: &str) -> Option<Timestamp> {
    let (seconds, _) = key.split_once('.')?;
    Timestamp::from_second(seconds.parse().ok()?).ok().filter(|at| at.as_second() > 100_000_000)
}
