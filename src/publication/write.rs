//! One set of files in the place of another.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::PublishFault;
use crate::policy::RuleFiles;

/// Makes a folder hold `next` where it held `live`: every file that differs is written beside its
/// place first, then all are renamed at once, so that a daemon that looks meanwhile finds each file
/// old or new and none half. Other files of the folder are left alone. Gives how many changed.
pub(super) fn replace(
    folder: &Path,
    live: &RuleFiles,
    next: &RuleFiles,
) -> Result<usize, PublishFault> {
    let mut ready: Vec<(PathBuf, PathBuf)> = Vec::new();
    for (name, text) in next.iter().filter(|(name, text)| live.get(*name) != Some(*text)) {
        let place = folder.join(name);
        match beside(&place, text) {
            Ok(written) => ready.push((written, place)),
            Err(source) => {
                for (written, _) in &ready {
                    // What stays is hidden, read by nobody, and written anew the next time.
                    let _ = fs::remove_file(written);
                }
                return Err(fault(&place, source));
            }
        }
    }
    for (written, place) in &ready {
        fs::rename(written, place).map_err(|source| fault(place, source))?;
    }
    let gone: Vec<&String> = live.keys().filter(|name| !next.contains_key(*name)).collect();
    for name in &gone {
        let place = folder.join(name);
        fs::remove_file(&place).map_err(|source| fault(&place, source))?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| fault(folder, e))?;
    Ok(ready.len() + gone.len())
}

fn fault(file: &Path, source: io::Error) -> PublishFault {
    PublishFault::Write { file: file.display().to_string(), source }
}

/// Writes a file's next text under a hidden name, which no reader of rules takes for a rule. Whoever
/// could read the old file can read the new one.
fn beside(place: &Path, text: &str) -> io::Result<PathBuf> {
    let folder = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let written = folder.join(format!(".{name}.new"));
    let mut file = File::create(&written)?;
    if let Ok(about) = fs::metadata(place) {
        file.set_permissions(about.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> RuleFiles {
        all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// Every file of a folder, hidden ones too.
    fn found(folder: &Path) -> RuleFiles {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let read = |entry: fs::DirEntry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        };
        entries.filter(|entry| entry.path().is_file()).map(read).collect()
    }

    #[test]
    fn what_differs_is_replaced_and_what_is_gone_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let live = files(&[("10-a.toml", "a"), ("20-b.toml", "b"), ("30-c.toml", "c")]);
        for (name, text) in &live {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("procedures.toml"), "p").unwrap();
        let next = files(&[("10-a.toml", "a"), ("20-b.toml", "B"), ("40-d.toml", "d")]);
        assert_eq!(replace(folder.path(), &live, &next).unwrap(), 3);
        let mut expected = next.clone();
        expected.insert("procedures.toml".to_owned(), "p".to_owned());
        assert_eq!(found(folder.path()), expected);
        assert_eq!(replace(folder.path(), &next, &next).unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_written_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let live = files(&[("10-a.toml", "a")]);
        fs::write(folder.path().join("10-a.toml"), "a").unwrap();
        // A file stands where a folder should be made.
        let next = files(&[("10-a.toml", "A"), ("10-a.toml/20-b.toml", "b")]);
        let fault = replace(folder.path(), &live, &next).unwrap_err();
        assert!(fault.to_string().contains("20-b.toml"), "{fault}");
        assert_eq!(found(folder.path()), live);
    }
}
