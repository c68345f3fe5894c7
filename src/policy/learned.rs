//! What a set of rules learned from its examples, kept in a folder of the user's caches from one run to the next: to
//! learn it takes seconds, to read it a few hundredths of one. Whatever is wrong with the folder, it is learned again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tracing::debug;

use crate::rules::Shelf;

/// What our files begin with.
const PREFIX: &str = "learned-";
/// So many files are kept, those that were written last.
const MOST_FILES: usize = 16;
/// Bytes of the hash that stands before what was learned.
const HASH: usize = 32;

/// A folder of what was learned, each in a file that is named after the set and the program.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Another program may read the same examples otherwise.
    program: String,
}

impl Folder {
    /// The one that systemd gives a service (`CacheDirectory=`), else `postern` among the user's caches. Nothing for
    /// who has neither.
    pub(super) fn of_this_user() -> Option<Self> {
        let folder = |name: &str| {
            // More than one, separated by colons, where a unit names several; a relative one is none of ours to find.
            let named = std::env::var_os(name)?;
            std::env::split_paths(&named).next().filter(|path| path.is_absolute())
        };
        let path = folder("CACHE_DIRECTORY")
            .or_else(|| folder("XDG_CACHE_HOME").map(|caches| caches.join("postern")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/postern")))?;
        Some(Self { path, program: program()? })
    }

    fn file(&self, set: &str) -> PathBuf {
        self.path.join(format!("{PREFIX}{set}-{}", self.program))
    }
}

impl Shelf for Folder {
    fn take(&self, set: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.file(set)).ok()?;
        let (hash, learned) = bytes.split_at_checked(HASH)?;
        if *Sha256::digest(learned) != *hash {
            debug!("what was learned is damaged and is learned again");
            return None;
        }
        Some(learned.to_vec())
    }

    fn put(&self, set: &str, learned: &[u8]) {
        if let Err(fault) = put(&self.path, &self.file(set), learned) {
            debug!(%fault, "what was learned is not kept");
        }
    }
}

/// Writes a file whole or not at all: two processes may do it at once.
fn put(folder: &Path, file: &Path, learned: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = file.with_extension(std::process::id().to_string());
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut open| {
            open.write_all(&Sha256::digest(learned))?;
            open.write_all(learned)
        })
        .and_then(|()| fs::rename(&unfinished, file));
    if written.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&unfinished);
    }
    written.and_then(|()| forget_the_oldest(folder))
}

/// Removes what was written longest ago.
fn forget_the_oldest(folder: &Path) -> io::Result<()> {
    let mut ours = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Another process may have removed it meanwhile.
        let Ok(written) = entry.metadata().and_then(|metadata| metadata.modified()) else {
            continue;
        };
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            ours.push((written, entry.path()));
        }
    }
    ours.sort();
    let too_many = ours.len().saturating_sub(MOST_FILES);
    for (_, path) in ours.into_iter().take(too_many) {
        // The same.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Tells one build of the program from another: by the size and time of its file.
fn program() -> Option<String> {
    let file = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let time = file.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{}-{}", file.len(), time.as_nanos()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn folder(path: &Path) -> Folder {
        Folder { path: path.join("below/postern"), program: "one".into() }
    }

    fn files(folder: &Folder) -> Vec<PathBuf> {
        fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_is_put_there_is_found_by_the_same_program_for_the_same_set() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = folder(temporary.path());
        assert_eq!(folder.take("set"), None);
        folder.put("set", b"figures");
        assert_eq!(folder.take("set"), Some(b"figures".to_vec()));
        assert_eq!(folder.take("another set"), None);
        let other = Folder { path: folder.path.clone(), program: "two".into() };
        assert_eq!(other.take("set"), None);
    }

    #[test]
    fn what_is_damaged_is_not_taken_and_is_replaced() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = folder(temporary.path());
        for damage in [&b""[..], b"short", &[7; 60]] {
            folder.put("set", b"figures");
            fs::write(&files(&folder)[0], damage).unwrap();
            assert_eq!(folder.take("set"), None);
        }
        folder.put("set", b"figures");
        assert_eq!(folder.take("set"), Some(b"figures".to_vec()));
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_kept() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = folder(temporary.path());
        fs::write(temporary.path().join("below"), "a file in its place").unwrap();
        folder.put("set", b"figures");
        assert_eq!(folder.take("set"), None);
    }

    #[test]
    fn what_was_written_last_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = folder(temporary.path());
        let set = |number: u64| format!("set {number}");
        let most = MOST_FILES as u64;
        for number in 0..most {
            folder.put(&set(number), b"figures");
            let file = File::options().append(true).open(folder.file(&set(number))).unwrap();
            let written = SystemTime::UNIX_EPOCH + Duration::from_secs(number);
            file.set_modified(written).unwrap();
        }
        fs::write(folder.path.join("not ours"), "").unwrap();
        assert!(folder.take(&set(0)).is_some());
        folder.put(&set(most), b"figures");
        assert_eq!(folder.take(&set(0)), None, "written longest ago");
        for number in 1..=most {
            assert!(folder.take(&set(number)).is_some(), "{number}");
        }
        assert_eq!(files(&folder).len(), MOST_FILES + 1);
    }
}
