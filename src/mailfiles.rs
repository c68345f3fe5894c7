//! Messages kept in files: single ones, mboxes, Maildirs and folders of any of these.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

/// Largest single message taken from a file, in bytes; what stands behind is left out.
const MESSAGE_BYTES: u64 = 64 * 1024 * 1024;

/// One message from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFile {
    /// The path as given; below a folder that folder, then the path in it. A message of an mbox
    /// has its number behind a `#`.
    pub name: String,
    /// The raw message.
    pub bytes: Vec<u8>,
    /// When it arrived, as far as the file says.
    pub received_at: Option<Timestamp>,
}

/// A file or folder that could not be read. The others still come.
#[derive(Debug, Error)]
#[error("cannot read {name}")]
pub struct MailFileError {
    /// Path of what could not be read.
    pub name: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Every message at or below a path, in sorted order, one in memory at a time.
pub fn messages_in(path: &Path) -> impl Iterator<Item = Result<MailFile, MailFileError>> {
    Walk { waiting: vec![path.to_owned()], mbox: None, top: true }
}

struct Walk {
    /// Paths still to visit, the next one last.
    waiting: Vec<PathBuf>,
    mbox: Option<Mbox>,
    /// The path that was asked for is followed and read whatever its name.
    top: bool,
}

impl Iterator for Walk {
    type Item = Result<MailFile, MailFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mbox) = &mut self.mbox {
                if let Some(message) = mbox.next_message() {
                    return Some(message);
                }
                self.mbox = None;
            }
            let path = self.waiting.pop()?;
            let top = std::mem::take(&mut self.top);
            match self.visit(&path, top) {
                Ok(None) => {}
                Ok(Some(message)) => return Some(Ok(message)),
                Err(source) => return Some(Err(failed(&path, source))),
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> MailFileError {
    MailFileError { name: path.display().to_string(), source }
}

impl Walk {
    fn visit(&mut self, path: &Path, top: bool) -> io::Result<Option<MailFile>> {
        let about = if top { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        if about.is_dir() {
            self.waiting.extend(entries(path)?.into_iter().rev());
            return Ok(None);
        }
        // A link below a folder could lead out of it or round in circles; a pipe never ends.
        if !about.is_file() {
            return Ok(None);
        }
        let mut file = BufReader::new(File::open(path)?);
        let head = file.fill_buf()?;
        // An `.eml` may begin with the line of the mbox it was cut from: it is still one message.
        let single = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("eml"));
        if !single && is_separator(head.split(|b| *b == b'\n').next().unwrap_or_default()) {
            self.mbox = Some(Mbox::new(path, file, modified(&about)));
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(MESSAGE_BYTES).read_to_end(&mut bytes)?;
        let received_at = maildir_time(path).or_else(|| modified(&about));
        Ok(Some(MailFile { name: path.display().to_string(), bytes, received_at }))
    }
}

/// What stands in a folder, sorted; of a Maildir only its messages, the new ones last.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.push(entry?.path());
    }
    found.sort();
    let is_maildir = ["cur", "new", "tmp"].iter().all(|name| folder.join(name).is_dir());
    if is_maildir {
        // `tmp` holds what is still being written; index files are no messages. Subfolders of
        // Maildir++ begin with a dot.
        found.retain(|p| {
            let name = p.file_name().unwrap_or_default().to_string_lossy();
            name == "cur" || name == "new" || (name.starts_with('.') && p.is_dir())
        });
    } else {
        found.retain(|p| {
            !p.file_name().unwrap_or_default().to_string_lossy().starts_with('.') || p.is_dir()
        });
    }
    Ok(found)
}

fn modified(about: &fs::Metadata) -> Option<Timestamp> {
    Timestamp::try_from(about.modified().ok()?).ok()
}

/// The seconds with which a Maildir's file names begin, where the file lies in one.
fn maildir_time(path: &Path) -> Option<Timestamp> {
    let folder = path.parent()?.file_name()?;
    if folder != "cur" && folder != "new" {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    let seconds: i64 = name.split('.').next()?.parse().ok()?;
    (seconds > 100_000_000).then(|| Timestamp::from_second(seconds).ok()).flatten()
}

/// An open mbox: messages begin with a line `From ` after a blank one.
struct Mbox {
    path: PathBuf,
    file: BufReader<File>,
    /// When the file was written: for messages whose `From ` line does not say when they came.
    written_at: Option<Timestamp>,
    number: usize,
    /// The `From ` line of the next message has been read already.
    begun: bool,
    /// When the next message came, as that line says.
    begun_at: Option<Timestamp>,
    failed: bool,
}

impl Mbox {
    fn new(path: &Path, file: BufReader<File>, written_at: Option<Timestamp>) -> Self {
        let path = path.to_owned();
        Self { path, file, written_at, number: 0, begun: false, begun_at: None, failed: false }
    }

    fn next_message(&mut self) -> Option<Result<MailFile, MailFileError>> {
        if self.failed {
            return None;
        }
        match self.read_message() {
            Ok(message) => {
                let (bytes, came_at) = message?;
                let received_at = came_at.or(self.written_at);
                self.number += 1;
                let name = format!("{}#{}", self.path.display(), self.number);
                Some(Ok(MailFile { name, bytes, received_at }))
            }
            Err(source) => {
                self.failed = true;
                Some(Err(failed(&self.path, source)))
            }
        }
    }

    /// The next message, and when it came.
    fn read_message(&mut self) -> io::Result<Option<(Vec<u8>, Option<Timestamp>)>> {
        let mut bytes = Vec::new();
        let mut line = Vec::new();
        let mut after_blank = true;
        loop {
            line.clear();
            // A line longer than the limit cannot fill the memory either.
            let got = (&mut self.file).take(MESSAGE_BYTES).read_until(b'\n', &mut line)?;
            if got == 0 {
                let any = std::mem::take(&mut self.begun);
                let came_at = self.begun_at.take();
                return Ok((any || !bytes.is_empty()).then_some((bytes, came_at)));
            }
            if after_blank && is_separator(&line) {
                let came_at = std::mem::replace(&mut self.begun_at, separator_time(&line));
                if self.begun {
                    // The blank line before `From ` belongs to the mbox, not to the message.
                    drop_last_blank(&mut bytes);
                    return Ok(Some((bytes, came_at)));
                }
                self.begun = true;
                after_blank = false;
                continue;
            }
            after_blank = line.trim_ascii().is_empty();
            if bytes.len() as u64 + line.len() as u64 <= MESSAGE_BYTES {
                bytes.extend_from_slice(unquoted(&line));
            }
        }
    }
}

/// `From sender date`: the time's colon tells it from a letter's own "From here on".
fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ")
        && line.contains(&b':')
        && line.iter().filter(|b| b.is_ascii_digit()).count() >= 5
}

/// The moment at the end of a `From ` line: `Mon Mar  2 10:00:00 2026` in UTC (RFC 4155), or with its offset before
/// the year, as some mail providers export it.
fn separator_time(line: &[u8]) -> Option<Timestamp> {
    let words: Vec<&str> = std::str::from_utf8(line).ok()?.split_whitespace().collect();
    let (rest, year) = words.split_last().map(|(year, rest)| (rest, *year))?;
    let (rest, offset) = match rest.split_last() {
        Some((offset, rest)) if offset.starts_with(['+', '-']) => (rest, *offset),
        _ => (rest, "+0000"),
    };
    let [.., month, day, time] = rest else { return None };
    Timestamp::strptime("%b %d %H:%M:%S %z %Y", format!("{month} {day} {time} {offset} {year}"))
        .ok()
}

fn drop_last_blank(bytes: &mut Vec<u8>) {
    let ends: [&[u8]; 2] = [b"\r\n\r\n", b"\n\n"];
    if let Some(end) = ends.iter().find(|e| bytes.ends_with(e)) {
        bytes.truncate(bytes.len() - end.len() / 2);
    }
}

/// `>From `, `>>From ` … lose one `>` (the mboxrd format).
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|b| **b == b'>').count();
    let is_quoted = marks > 0 && line.get(marks..).is_some_and(|l| l.starts_with(b"From "));
    if is_quoted { line.get(1..).unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let found = messages_in(path).map(|m| m.unwrap().name);
        found.map(|n| n.replace(&path.display().to_string(), "@")).collect()
    }

    #[test]
    fn folders_are_walked_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.eml", "b/z.eml", "b/a.eml", "a.eml"] {
            fs::write(folder.path().join(name), "Subject: x\n\n").unwrap();
        }
        assert_eq!(names(folder.path()), ["@/a.eml", "@/b/a.eml", "@/b/z.eml", "@/c.eml"]);
    }

    #[test]
    fn an_mbox_is_taken_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.mbox");
        let mbox = "From a@b Mon Mar  2 10:00:00 2026\nSubject: 1\n\nFrom here on\n>From me\n>>From you\n\nFrom a@b Tue Mar  3 10:00:00 2026\nSubject: 2\n\nx\n";
        fs::write(&path, mbox).unwrap();
        let found: Vec<_> = messages_in(&path).map(|m| m.unwrap()).collect();
        let bodies: Vec<_> =
            found.iter().map(|m| String::from_utf8_lossy(&m.bytes).into_owned()).collect();
        assert_eq!(
            bodies,
            ["Subject: 1\n\nFrom here on\nFrom me\n>From you\n", "Subject: 2\n\nx\n"]
        );
        assert_eq!(names(&path), ["@#1", "@#2"]);
        let came: Vec<_> = found.iter().map(|m| m.received_at.unwrap().to_string()).collect();
        assert_eq!(
            came,
            ["2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"],
            "not when the file was written"
        );
    }

    #[test]
    fn a_separator_says_when_its_message_came() {
        let time = |line: &str| separator_time(line.as_bytes()).map(|at| at.to_string());
        let two = Some("2026-03-02T10:00:00Z".to_owned());
        assert_eq!(time("From a@b Mon Mar  2 10:00:00 2026\n"), two);
        assert_eq!(time("From 17@xxx Mon Mar 02 11:00:00 +0100 2026\r\n"), two);
        assert_eq!(time("From - Mon Mar 2 10:00:00 2026"), two);
        for none in
            ["From here: 12345", "From a@b Mon Mar 32 10:00:00 2026", "From a@b 2026", "From"]
        {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn a_maildir_gives_its_messages_with_their_times() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cur", "new", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("cur/1700000000.M1.host:2,S"), "Subject: x\n\n").unwrap();
        fs::write(folder.path().join("tmp/1700000001.M2.host"), "half").unwrap();
        fs::write(folder.path().join("dovecot.index"), "no mail").unwrap();
        let found: Vec<_> = messages_in(folder.path()).map(|m| m.unwrap()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].received_at.unwrap().as_second(), 1_700_000_000);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_comes() {
        let missing = messages_in(Path::new("/nonexistent/x.eml")).next().unwrap();
        assert_eq!(missing.unwrap_err().name, "/nonexistent/x.eml");
    }
}
