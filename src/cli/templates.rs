//! `postern letters templates` and `preview`: what letters are written with.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use super::arguments::Preview;
use super::{Failure, Out};
use crate::casework::adjustment::{Adjustment, Format};
use crate::clock::Clock;
use crate::config::Config;
use crate::letters::{LetterId, Letters, Written, reading};
use crate::officer::ActFault;
use crate::officer::preview::{self, Wanted};
use crate::policy::Policy;

/// The settings, with a draft in the place of their templates. Without a file of settings, what is shipped.
fn settings(file: &Path, draft: Option<PathBuf>) -> Result<Config, Failure> {
    let mut config = if file.is_file() { super::configured(file)?.0 } else { Config::default() };
    if draft.is_some() {
        config.templates = draft;
    }
    Ok(config)
}

/// What the settings name; a draft is refused for what would not be written in its own words.
fn whole(config: &Config, is_draft: bool) -> Result<Policy, Failure> {
    let policy = Policy::load(config).map_err(Failure::Faults)?;
    match policy.letters.replaced() {
        [] => Ok(policy),
        faults if is_draft => Err(Failure::Faults(faults.to_vec())),
        _ => Ok(policy),
    }
}

pub(super) fn list(
    file: &Path,
    draft: Option<PathBuf>,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let is_draft = draft.is_some();
    let policy = whole(&settings(file, draft)?, is_draft)?;
    let letters = &policy.letters;
    for &letter in LetterId::ALL {
        let to = if letter.is_to_customer() { "customer" } else { "staff" };
        let editions: Vec<&str> = letters
            .editions()
            .filter(|edition| letters.is_in(letter, &edition.id))
            .map(|edition| edition.id.as_str())
            .collect();
        let written = letters.samples(letter, &Adjustment::NONE);
        let grades = written.iter().map(|(_, written)| reading::read(&written.text).grade);
        let hardest = grades.fold(0.0_f64, f64::max);
        if as_json {
            out.json(&json!({
                "letter": letter.id(), "to": to, "editions": editions,
                "grade": (hardest * 10.0).round() / 10.0,
            }))?;
        } else {
            let also = editions.join(", ");
            out.line(
                format!("{:<32} {to:<9} grade {hardest:>4.1}  {also}", letter.id()).trim_end(),
            )?;
        }
    }
    if as_json {
        return Ok(());
    }
    for edition in letters.editions() {
        out.note(&format!("{}: {} ({})", edition.id, edition.name, edition.lang));
    }
    out.note(&format!("version {}", letters.version()));
    Ok(())
}

pub(super) async fn preview(file: &Path, typed: Preview, out: &mut Out) -> Result<(), Failure> {
    let config = settings(file, typed.templates.clone())?;
    let written = match &typed.case {
        None => {
            let policy = whole(&config, typed.templates.is_some())?;
            invented(&policy.letters, &typed)?
        }
        Some(reference) => {
            let gateway = super::serve::open(config, Clock::System).await?;
            let wanted = Wanted {
                letter: typed.letter,
                edition: typed.letters.clone(),
                format: typed.format,
                reason: typed.reason,
            };
            let written = preview::preview(&gateway, reference, wanted).await;
            gateway.db.close().await;
            match written {
                Ok(written) => vec![(String::new(), written)],
                Err(ActFault::Store(fault)) => return Err(fault.into()),
                Err(fault) => {
                    out.note(&format!("postern: {fault}"));
                    return Err(Failure::Said);
                }
            }
        }
    };
    for (about, written) in &written {
        show(about, written, typed.json, out)?;
    }
    let Some(place) = typed.html else { return Ok(()) };
    let pages = written.iter().filter_map(|(_, written)| written.html.as_ref());
    let html: String = pages.map(|html| html.as_str()).collect();
    std::fs::write(&place, html).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(())
}

/// Every branch of a letter, for invented people.
fn invented(letters: &Letters, typed: &Preview) -> Result<Vec<(String, Written)>, Failure> {
    let edition = typed.letters.clone().filter(|edition| edition != "usual");
    if let Some(id) = edition.as_ref().filter(|id| !letters.is_in(typed.letter, id)) {
        let there: Vec<&str> = letters
            .editions()
            .filter(|edition| letters.is_in(typed.letter, &edition.id))
            .map(|edition| edition.id.as_str())
            .collect();
        return Err(Failure::Usage(format!(
            "`{}` is not written in `{id}`; it is in: {}",
            typed.letter,
            std::iter::once("usual").chain(there).collect::<Vec<_>>().join(", ")
        )));
    }
    let format = typed.format.unwrap_or(Format::Usual);
    let written = letters.samples(typed.letter, &Adjustment { edition, format });
    Ok(written.into_iter().map(|(about, written)| (about.to_owned(), written)).collect())
}

fn show(about: &str, written: &Written, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    if as_json {
        let object = json!({
            "letter": written.letter, "about": about, "subject": written.subject, "text": written.text,
            "html": written.html, "language": written.language,
            "by_hand": written.by_hand.map(Format::id),
        });
        return Ok(out.json(&object)?);
    }
    if !about.is_empty() {
        out.line(&format!("== {about}"))?;
    }
    if let Some(format) = written.by_hand {
        out.line(&format!("== sent {}, by a person", format.label()))?;
    }
    out.line(&format!("Subject: {}", written.subject))?;
    out.line("")?;
    Ok(out.line(&written.text)?)
}
