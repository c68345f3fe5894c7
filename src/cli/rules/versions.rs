//! `postern rules versions`, `publish`, `rollback`, `diff` and `export`: rules as versions.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::cli::arguments::{ByWhom, Diff, Export, Publish, Rollback};
use crate::cli::{Failure, Out};
use crate::clock::{Clock, london};
use crate::config::Config;
use crate::policy;
use crate::publication::{self, By, HandEdits, Named, PublishFault, Published};
use crate::rules::difference;
use crate::store::rule_sets::{self, RuleSetRow};
use crate::store::{Db, moment};

/// A fault as a command tells it: what is wrong with files and settings is status 2.
fn told(fault: PublishFault, out: &mut Out) -> Failure {
    match fault {
        PublishFault::Faults(faults) => Failure::Faults(faults),
        fault @ PublishFault::NoFolder => Failure::Usage(fault.to_string()),
        PublishFault::Store(fault) => fault.into(),
        fault @ PublishFault::Write { .. } => fault.into(),
        fault @ (PublishFault::NothingChanged(_)
        | PublishFault::EditedByHand { .. }
        | PublishFault::Meanwhile
        | PublishFault::NoSuch(_)) => {
            out.note(&format!("postern: {fault}"));
            Failure::Said
        }
    }
}

pub(super) async fn versions(
    db: &Db,
    config: &Config,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let live = publication::live_version(config).map_err(Failure::Faults)?;
    let rows = rule_sets::list(db).await?;
    let newest = rows.iter().find(|row| row.version == live).map(|row| row.id);
    for row in &rows {
        let is_live = newest == Some(row.id);
        if as_json {
            out.json(&object(row, is_live))?;
        } else {
            out.line(&line(row, is_live))?;
        }
    }
    match (newest, &config.rules) {
        (Some(_), _) => {}
        (None, None) => out.note(&format!("the shipped rules serve, version {live}")),
        (None, Some(_)) if rows.is_empty() => {
            out.note(&format!("nothing was published yet; live is version {live}"));
        }
        (None, Some(folder)) => out.note(&format!(
            "{} was edited since the last publication and is no version ({live}): \
             `postern rules diff` shows what was edited, `postern rules publish` makes it a version",
            folder.display()
        )),
    }
    Ok(())
}

fn object(row: &RuleSetRow, live: bool) -> Value {
    json!({
        "version": row.version,
        "published_at": moment(row.published_at),
        "author": row.author,
        "reason": row.reason,
        "previous": row.previous,
        "live": live,
    })
}

fn line(row: &RuleSetRow, live: bool) -> String {
    let at = moment(row.published_at).to_zoned(london()).strftime("%-d %b %Y %H:%M").to_string();
    let live = if live { "live" } else { "" };
    format!("{}  {live:<4}  {at:<17}  {}: {}", row.version, row.author, row.reason)
}

pub(super) async fn publish(
    db: &Db,
    config: &Config,
    typed: Publish,
    out: &mut Out,
) -> Result<(), Failure> {
    let Some(live) = config.rules.as_deref() else {
        return Err(told(PublishFault::NoFolder, out));
    };
    let folder = typed.rules.as_deref().unwrap_or(live);
    let files = policy::rules_of(Some(folder)).map_err(Failure::Faults)?;
    let draft = Named { name: folder.display().to_string(), files };
    let other = other_files(folder, live)?;
    make_live(db, config, draft, typed.by.into(), typed.adopt, out).await?;
    for name in other {
        out.note(&format!(
            "{name} differs in {} and is no part of a rule set: copy it yourself if it should hold",
            folder.display()
        ));
    }
    Ok(())
}

/// Files of a draft that a publication leaves alone, although they differ from the live ones.
fn other_files(draft: &Path, live: &Path) -> Result<Vec<String>, Failure> {
    let of = |folder: &Path| policy::others_of(folder).map_err(Failure::Faults);
    let (draft, live) = (of(draft)?, of(live)?);
    let differ = draft.into_iter().filter(|(name, text)| live.get(name) != Some(text));
    Ok(differ.map(|(name, _)| name).collect())
}

pub(super) async fn rollback(
    db: &Db,
    config: &Config,
    typed: Rollback,
    out: &mut Out,
) -> Result<(), Failure> {
    let row = publication::version(db, &typed.version).await.map_err(|fault| told(fault, out))?;
    let files = rule_sets::files(db, row.id).await?;
    let draft = Named { name: row.version, files };
    make_live(db, config, draft, typed.by.into(), typed.adopt, out).await
}

async fn make_live(
    db: &Db,
    config: &Config,
    draft: Named,
    by: By,
    adopt: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    if by.author.trim().is_empty() || by.reason.trim().is_empty() {
        return Err(Failure::Usage(
            "a version needs an author and a reason: say who and why in a few words".to_owned(),
        ));
    }
    let edits = if adopt { HandEdits::Adopt } else { HandEdits::Refuse };
    let now = Clock::System.now();
    let done = publication::publish(db, config, draft, by, edits, now).await;
    let Published { version, rules, adopted, files } = done.map_err(|fault| told(fault, out))?;
    if let Some(adopted) = adopted {
        out.line(&format!("recorded  {adopted}, the live set as it stood"))?;
    }
    out.line(&format!(
        "published {version}, {rules} rules; files changed in the live set: {files}"
    ))?;
    Ok(())
}

pub(super) async fn diff(
    db: &Db,
    config: &Config,
    typed: Diff,
    out: &mut Out,
) -> Result<(), Failure> {
    let first = match typed.before {
        Some(name) => name,
        None => match rule_sets::list(db).await?.into_iter().next() {
            Some(last) => last.version,
            None => "shipped".to_owned(),
        },
    };
    let mut sets = Vec::new();
    for name in [first, typed.after.unwrap_or_else(|| "live".to_owned())] {
        sets.push(publication::named(db, config, &name).await.map_err(|fault| told(fault, out))?);
    }
    let [before, after] = sets.as_slice() else { return Ok(()) };
    let found = difference::differences(&before.files, &after.files).map_err(Failure::Faults)?;
    if typed.json {
        for one in &found {
            out.json(one)?;
        }
        return Ok(());
    }
    let version = |set: &Named| crate::rules::version(&set.files);
    let called = |set: &Named| match version(set) {
        version if version == set.name => version,
        version => format!("{} ({version})", set.name),
    };
    out.line(&format!("from {} to {}", called(before), called(after)))?;
    if found.is_empty() && version(before) != version(after) {
        out.line("no rule, row or service differs: only comments, or where things stand")?;
    } else if found.is_empty() {
        out.line("nothing differs")?;
    }
    Ok(out.text(difference::in_words(&found).as_bytes())?)
}

/// Writes a set into a new folder, with everything that stands beside it: to be edited as a draft, or
/// to become the live folder.
pub(super) async fn export(
    db: &Db,
    config: &Config,
    typed: Export,
    out: &mut Out,
) -> Result<(), Failure> {
    let set = publication::named(db, config, &typed.set).await.map_err(|fault| told(fault, out))?;
    let folder = &typed.folder;
    let there = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if there {
        return Err(Failure::Usage(format!(
            "{} is there already and not empty: name a new folder",
            folder.display()
        )));
    }
    let shipped = typed.set == "shipped";
    let beside = config.rules.as_deref().filter(|_| !shipped);
    let mut files = policy::all_of(beside).map_err(Failure::Faults)?;
    files.retain(|name, _| !crate::rules::is_of_a_set(name));
    files.extend(set.files);
    for (name, text) in &files {
        let place = folder.join(name);
        let made = place.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&place, text))
            .with_context(|| format!("cannot write {}", place.display()))?;
    }
    Ok(out.line(&format!("{} files written to {}", files.len(), folder.display()))?)
}

impl From<ByWhom> for By {
    fn from(typed: ByWhom) -> Self {
        Self { author: typed.author, reason: typed.reason }
    }
}
