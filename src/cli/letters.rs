//! `postern letters …`: letters that have not arrived, what an officer does with them, and what they are written with.

use std::path::Path;
use std::sync::Arc;

use mail_parser::MessageParser;

use super::arguments::{HeldLetters, Letters as Asked};
use super::case::whoever;
use super::{Failure, Out};
use super::{templates, versions};
use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::officer::{self, Fate};
use crate::publication::Kind;
use crate::store::held::{self, GoOn, ListedLetter};

pub(super) async fn run(asked: Asked, file: &Path, out: &mut Out) -> Result<(), Failure> {
    match asked {
        Asked::Versions(typed) => versions::run(typed, Kind::Letters, file, out).await,
        Asked::Templates { templates, json } => templates::list(file, templates, json, out),
        Asked::Preview(typed) => templates::preview(file, typed, out).await,
        Asked::List { held, failed, queued, json } => {
            let states: &[&str] = match (held, failed, queued) {
                (true, ..) => &["held"],
                (_, true, _) => &["failed", "unknown"],
                (.., true) => &["queued"],
                _ => &["queued", "held", "failed", "unknown"],
            };
            let all = !(held || failed || queued);
            on_outbox(file, out, async |gateway, out| list(gateway, states, all, json, out).await)
                .await
        }
        Asked::Show { letter } => {
            on_outbox(file, out, async |gateway, out| show(gateway, letter, out).await).await
        }
        Asked::Release(which) => {
            let work =
                async |gateway: &_, out: &mut _| go_on(gateway, which, GoOn::Leave, out).await;
            on_outbox(file, out, work).await
        }
        Asked::Cancel(which) => {
            let work =
                async |gateway: &_, out: &mut _| go_on(gateway, which, GoOn::Never, out).await;
            on_outbox(file, out, work).await
        }
        Asked::Allow { address } => {
            on_outbox(file, out, async |gateway, out| allow(gateway, address, out).await).await
        }
    }
}

/// Works on the letters of the store that the settings name.
async fn on_outbox(
    file: &Path,
    out: &mut Out,
    work: impl AsyncFnOnce(&Arc<Gateway>, &mut Out) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let gateway = super::serve::open(config, Clock::System).await?;
    let done = work(&gateway, out).await;
    gateway.db.close().await;
    out.flush()?;
    done
}

async fn list(
    gateway: &Gateway,
    states: &[&str],
    came_back: bool,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    for letter in held::list(&gateway.db, states, came_back).await? {
        if as_json {
            out.json(&letter)?;
        } else {
            out.line(&line(&letter))?;
        }
    }
    Ok(())
}

fn line(letter: &ListedLetter) -> String {
    let reference = letter.reference.as_deref().unwrap_or("no case");
    let cause = letter.last_cause.as_deref().unwrap_or("");
    let back = super::case::came_back(letter.bounced_at, letter.bounce_status.as_deref());
    format!(
        "{:>6}  {:<8} {:<18} {reference:<17}  {}  {cause}{back}",
        letter.id, letter.state, letter.purpose, letter.recipient
    )
}

async fn show(gateway: &Gateway, id: i64, out: &mut Out) -> Result<(), Failure> {
    let bytes = held::bytes(&gateway.db, id).await?;
    let Some(mail) = bytes.as_ref().and_then(|bytes| MessageParser::default().parse(bytes)) else {
        out.note(&format!(
            "postern: there is no letter {id} that was written; `postern letters list` shows their numbers"
        ));
        return Err(Failure::Said);
    };
    let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
    out.line(&format!("To: {}", to.unwrap_or_default()))?;
    out.line(&format!("Subject: {}", mail.subject().unwrap_or_default()))?;
    out.line("")?;
    Ok(out.line(mail.body_text(0).unwrap_or_default().trim_end())?)
}

async fn go_on(
    gateway: &Arc<Gateway>,
    which: HeldLetters,
    how: GoOn,
    out: &mut Out,
) -> Result<(), Failure> {
    let these = (!which.held).then_some(which.letters);
    let fates = officer::release(gateway, &whoever(), these, how).await?;
    let done = match how {
        GoOn::Leave => "released",
        GoOn::Never => "cancelled",
    };
    if which.held {
        return Ok(out.line(&format!("held answers {done}: {}", fates.len()))?);
    }
    let mut failed = false;
    for (id, fate) in fates {
        let why = match fate {
            Fate::Done => {
                out.line(&format!("letter {id} is {done}"))?;
                continue;
            }
            Fate::NoSuchLetter => {
                format!("there is no letter {id}; `postern letters list --held` shows them")
            }
            Fate::NotHeld(state) => {
                format!(
                    "letter {id} is not held but {state}; `postern letters list --held` shows those that are"
                )
            }
            Fate::NotWritten => format!(
                "letter {id} could not be put into the form of mail and cannot leave: \
                 write to the person yourself, then `postern letters cancel {id}`"
            ),
        };
        failed = true;
        out.note(&format!("postern: {why}"));
    }
    if failed { Err(Failure::Said) } else { Ok(()) }
}

async fn allow(gateway: &Arc<Gateway>, address: String, out: &mut Out) -> Result<(), Failure> {
    if address.parse::<lettre::Address>().is_err() {
        let words = "that is no e-mail address; write one as `postern letters list` shows it";
        return Err(Failure::Usage(words.to_owned()));
    }
    match officer::allow(gateway, &whoever(), address).await? {
        None => {
            out.note("postern: nothing stops mail to that address; write it as `postern letters list` shows it");
            Err(Failure::Said)
        }
        Some(held) if held.is_empty() => Ok(out.line("automatic mail goes to it again")?),
        Some(held) => {
            let numbers: Vec<String> = held.iter().map(ToString::to_string).collect();
            Ok(out.line(&format!(
                "automatic mail goes to it again; what was held is not sent by itself: `postern letters release {}`",
                numbers.join(" ")
            ))?)
        }
    }
}
