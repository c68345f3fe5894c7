//! `postern rules versions`, `publish`, `rollback`, `diff` and `export`, and the same of `postern letters`:
//! what staff edit as versions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::arguments::{Diff, Export, HowToPublish, Publish, Rollback, Versions};
use super::{Failure, Out};
use crate::clock::{Clock, london};
use crate::config::Config;
use crate::policy::{self, RuleFiles};
use crate::publication::{self, By, HandEdits, Kind, Named, PublishFault, Published};
use crate::rules::difference;
use crate::store::published::{self, SetRow};
use crate::store::{Db, moment};

/// Does what was typed, on the store that the settings name. The live set need not be valid for that: a good one can
/// be published over it.
pub(super) async fn run(
    typed: Versions,
    kind: Kind,
    file: &Path,
    out: &mut Out,
) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let db = Db::open(&config.store.url).await?;
    let done = match typed {
        Versions::Published { json } => versions(&db, &config, kind, json, out).await,
        Versions::Publish(typed) => publish(&db, &config, kind, typed, out).await,
        Versions::Rollback(typed) => rollback(&db, &config, kind, typed, out).await,
        Versions::Diff(typed) => diff(&db, &config, kind, typed, out).await,
        Versions::Export(typed) => export(&db, &config, kind, typed, out).await,
    };
    db.close().await;
    done
}

/// A fault as a command tells it: what is wrong with files and settings is status 2.
fn told(fault: PublishFault, out: &mut Out) -> Failure {
    match fault {
        PublishFault::Faults(faults) => Failure::Faults(faults),
        fault @ PublishFault::NoFolder(_) => Failure::Usage(fault.to_string()),
        PublishFault::Store(fault) => fault.into(),
        fault @ PublishFault::Write { .. } => fault.into(),
        fault @ (PublishFault::NothingChanged(_)
        | PublishFault::EditedByHand { .. }
        | PublishFault::Meanwhile(_)
        | PublishFault::NoSuch(_)) => {
            out.note(&format!("postern: {fault}"));
            Failure::Said
        }
    }
}

async fn versions(
    db: &Db,
    config: &Config,
    kind: Kind,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let live = publication::live_version(config, kind).map_err(Failure::Faults)?;
    let rows = published::list(db, kind).await?;
    let word = kind.word();
    let newest = rows.iter().find(|row| row.version == live).map(|row| row.id);
    for row in &rows {
        let is_live = newest == Some(row.id);
        if as_json {
            out.json(&object(row, is_live))?;
        } else {
            out.line(&line(row, is_live))?;
        }
    }
    match (newest, kind.folder(config)) {
        (Some(_), _) => {}
        (None, None) => out.note(&format!("the shipped {word} serve, version {live}")),
        (None, Some(_)) if rows.is_empty() => {
            out.note(&format!("nothing was published yet; live is version {live}"));
        }
        (None, Some(folder)) => out.note(&format!(
            "{} was edited since the last publication and is no version ({live}): \
             `postern {word} diff` shows what was edited, `postern {word} publish` makes it a version",
            folder.display()
        )),
    }
    Ok(())
}

fn object(row: &SetRow, live: bool) -> Value {
    json!({
        "version": row.version,
        "published_at": moment(row.published_at),
        "author": row.author,
        "reason": row.reason,
        "previous": row.previous,
        "live": live,
    })
}

fn line(row: &SetRow, live: bool) -> String {
    let at = moment(row.published_at).to_zoned(london()).strftime("%-d %b %Y %H:%M").to_string();
    let live = if live { "live" } else { "" };
    format!("{}  {live:<4}  {at:<17}  {}: {}", row.version, row.author, row.reason)
}

async fn publish(
    db: &Db,
    config: &Config,
    kind: Kind,
    typed: Publish,
    out: &mut Out,
) -> Result<(), Failure> {
    let Some(live) = kind.folder(config) else {
        return Err(told(PublishFault::NoFolder(kind), out));
    };
    let folder = typed.draft.as_deref().unwrap_or(live);
    let files = kind.files_of(Some(folder)).map_err(Failure::Faults)?;
    let draft = Named { name: folder.display().to_string(), files };
    let other = match kind {
        Kind::Rules => other_files(folder, live)?,
        Kind::Letters => Vec::new(),
    };
    make_live(db, config, kind, draft, typed.how, out).await?;
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

async fn rollback(
    db: &Db,
    config: &Config,
    kind: Kind,
    typed: Rollback,
    out: &mut Out,
) -> Result<(), Failure> {
    let row = publication::version(db, kind, &typed.version).await;
    let row = row.map_err(|fault| told(fault, out))?;
    let files = published::files(db, kind, row.id).await?;
    let draft = Named { name: row.version, files };
    make_live(db, config, kind, draft, typed.how, out).await
}

async fn make_live(
    db: &Db,
    config: &Config,
    kind: Kind,
    draft: Named,
    how: HowToPublish,
    out: &mut Out,
) -> Result<(), Failure> {
    let by = By { author: how.author, reason: how.reason };
    if by.author.trim().is_empty() || by.reason.trim().is_empty() {
        return Err(Failure::Usage(
            "a version needs an author and a reason: say who and why in a few words".to_owned(),
        ));
    }
    let edits = if how.adopt { HandEdits::Adopt } else { HandEdits::Refuse };
    let now = Clock::System.now();
    let done = publication::publish(db, config, kind, draft, by, edits, now).await;
    let Published { version, count, adopted, files } = done.map_err(|fault| told(fault, out))?;
    if let Some(adopted) = adopted {
        out.line(&format!("recorded  {adopted}, the live set as it stood"))?;
    }
    out.line(&format!(
        "published {version}, {count} {}; files changed in the live set: {files}",
        kind.word()
    ))?;
    Ok(())
}

async fn diff(
    db: &Db,
    config: &Config,
    kind: Kind,
    typed: Diff,
    out: &mut Out,
) -> Result<(), Failure> {
    let first = match typed.before {
        Some(name) => name,
        None => match published::list(db, kind).await?.into_iter().next() {
            Some(last) => last.version,
            None => "shipped".to_owned(),
        },
    };
    let mut sets = Vec::new();
    for name in [first, typed.after.unwrap_or_else(|| "live".to_owned())] {
        sets.push(
            publication::named(db, config, kind, &name).await.map_err(|fault| told(fault, out))?,
        );
    }
    let [before, after] = sets.as_slice() else { return Ok(()) };
    let version = |set: &Named| kind.version(&set.files);
    let called = |set: &Named| match version(set) {
        version if version == set.name => version,
        version => format!("{} ({version})", set.name),
    };
    let heading = format!("from {} to {}", called(before), called(after));
    if kind == Kind::Letters {
        return lines_that_differ(&before.files, &after.files, &heading, typed.json, out);
    }
    let found = difference::differences(&before.files, &after.files).map_err(Failure::Faults)?;
    if typed.json {
        for one in &found {
            out.json(one)?;
        }
        return Ok(());
    }
    out.line(&heading)?;
    if found.is_empty() && version(before) != version(after) {
        out.line("no rule, row or service differs: only comments, or where things stand")?;
    } else if found.is_empty() {
        out.line("nothing differs")?;
    }
    Ok(out.text(difference::in_words(&found).as_bytes())?)
}

/// Prose is compared line by line: what went with `-`, what came with `+`, below the name of its file.
fn lines_that_differ(
    before: &RuleFiles,
    after: &RuleFiles,
    heading: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut said = false;
    for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
        let of = |set: &RuleFiles| set.get(name).cloned().unwrap_or_default();
        let (was, is) = (of(before), of(after));
        let diff = TextDiff::from_lines(was.as_str(), is.as_str());
        let lines = |tag| {
            let changes = diff.iter_all_changes().filter(move |change| change.tag() == tag);
            changes.map(|change| change.value().trim_end().to_owned()).collect::<Vec<_>>()
        };
        let (gone, new) = (lines(ChangeTag::Delete), lines(ChangeTag::Insert));
        if as_json {
            out.json(&json!({ "file": name, "gone": gone, "new": new }))?;
            continue;
        }
        if !said {
            out.line(heading)?;
            said = true;
        }
        out.line(name)?;
        for change in diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal) {
            let sign = if change.tag() == ChangeTag::Delete { '-' } else { '+' };
            out.line(&format!("  {sign} {}", change.value().trim_end()))?;
        }
    }
    if !said && !as_json {
        out.line("nothing differs")?;
    }
    Ok(())
}

/// Writes a set into a new folder, with everything that stands beside it: to be edited as a draft, or
/// to become the live folder.
async fn export(
    db: &Db,
    config: &Config,
    kind: Kind,
    typed: Export,
    out: &mut Out,
) -> Result<(), Failure> {
    let set = publication::named(db, config, kind, &typed.set).await;
    let set = set.map_err(|fault| told(fault, out))?;
    let folder = &typed.folder;
    let there = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if there {
        return Err(Failure::Usage(format!(
            "{} is there already and not empty: name a new folder",
            folder.display()
        )));
    }
    let mut files = set.files;
    if kind == Kind::Rules {
        let shipped = typed.set == "shipped";
        let beside = config.rules.as_deref().filter(|_| !shipped);
        let mut others = policy::all_of(beside).map_err(Failure::Faults)?;
        others.retain(|name, _| !crate::rules::is_of_a_set(name));
        files.extend(others);
    }
    for (name, text) in &files {
        let place = folder.join(name);
        let made = place.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&place, text))
            .with_context(|| format!("cannot write {}", place.display()))?;
    }
    Ok(out.line(&format!("{} files written to {}", files.len(), folder.display()))?)
}
