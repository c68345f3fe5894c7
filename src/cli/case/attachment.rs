//! `postern case attachment …`: what came attached, as a line and as a file.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::cli::{Failure, Out};
use crate::gateway::Gateway;
use crate::officer;
use crate::store::attachments::{AttachmentRow, Carrier, Scan};

/// An attachment as a line: number, name, type by content, size, what to know, what the scanner said.
pub(super) fn told(one: &AttachmentRow) -> String {
    let mut facts = vec![one.media_type.clone(), format!("{} bytes", one.bytes)];
    facts.extend(one.inline.then(|| "in the text".to_owned()));
    facts.extend(one.notes.iter().map(|note| note.words().to_owned()));
    format!(
        "{}/{} {} ({}): {}",
        one.carrier().map_or_else(String::new, |carrier| carrier.to_string()),
        one.number,
        one.name.as_deref().unwrap_or("unnamed"),
        facts.join(", "),
        scanned(one)
    )
}

fn scanned(one: &AttachmentRow) -> String {
    match &one.scan_answer {
        Some(answer) => format!("{} ({answer})", one.scan.words()),
        None => one.scan.words().to_owned(),
    }
}

/// Saves one attachment under a name of the officer's choosing.
pub(super) async fn save(
    gateway: &Gateway,
    asked: &str,
    file: &Path,
    even_infected: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let numbers = asked.split_once('/').and_then(|(carrier, number)| {
        Some((carrier.trim().parse::<Carrier>().ok()?, number.trim().parse().ok()?))
    });
    let Some((carrier, number)) = numbers else {
        return Err(Failure::Usage(format!(
            "`{asked}` names no attachment; write message and number as `postern case show` does: 17/1, or a3/1 for \
             what came with an answer"
        )));
    };
    let Some(one) = officer::attachment(gateway, carrier, number).await? else {
        out.note(&format!("postern: there is no attachment {carrier}/{number}"));
        return Err(Failure::Said);
    };
    if one.scan == Scan::Infected && !even_infected {
        out.note(&format!(
            "postern: attachment {asked} is not saved: {}; --even-infected saves it nonetheless",
            scanned(&one)
        ));
        return Err(Failure::Said);
    }
    let Some(bytes) = officer::attachment_bytes(gateway, &one).await? else {
        out.note(&format!("postern: attachment {asked} could not be read back"));
        return Err(Failure::Said);
    };
    write_new(file, &bytes).with_context(|| format!("cannot save to {}", file.display()))?;
    out.line(&format!("saved {}", told(&one)))?;
    Ok(())
}

/// Writes a file that was not there and that only its owner may read.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
