//! `postern services …`: who answers for what.

use std::path::Path;

use serde_json::{Value, json};

use super::arguments::Services as Asked;
use super::{Failure, Out};
use crate::config::Config;
use crate::fault::Fault;
use crate::policy::{self, Policy};
use crate::publication::{self, Kind, PublishFault};
use crate::rules::services::{Area, Contact, Service, import};

pub(super) fn run(asked: Asked, config: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    // As elsewhere, the settings that lie here; without any, the shipped directory by itself.
    let here = Path::new("postern.toml");
    let config = match config.or_else(|| here.is_file().then_some(here)) {
        Some(file) => super::configured(file)?.0,
        None => Config::default(),
    };
    match asked {
        Asked::List { json } => list(&config, json, out),
        Asked::Import { file, dry_run } => take(&config, &file, dry_run, out),
    }
}

fn list(config: &Config, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let files = policy::rule_files(config.rules.as_deref()).map_err(Failure::Faults)?;
    let rules = policy::rule_set(&files).map_err(Failure::Faults)?;
    for service in rules.services().all() {
        if as_json {
            out.json(&object(service))?;
        } else {
            let margin = service.checking_margin;
            let margin = margin.map_or(String::new(), |days| format!("  checked for {days} days"));
            let (manager, inbox) = (&service.responding_manager, &service.inbox.address);
            out.line(&format!(
                "{:<30}  {}  {:<24}  {inbox}{margin}",
                service.id, service.division, manager.name
            ))?;
            for area in &service.areas {
                out.line(&of_area(area))?;
            }
        }
    }
    Ok(())
}

/// An area, below its service: who answers there, and where it is.
fn of_area(area: &Area) -> String {
    let manager = area.responding_manager.as_ref().map_or("", |one| one.name.as_str());
    let inbox = area.inbox.as_ref().map_or("", |one| one.address.as_str());
    let margin = area.checking_margin;
    let margin = margin.map_or_else(String::new, |days| format!("  checked for {days} days"));
    let places: Vec<&str> =
        area.postcodes.iter().chain(&area.districts).map(String::as_str).collect();
    let places =
        if places.is_empty() { "chosen by officers".to_owned() } else { places.join(", ") };
    format!("  {:<28}       {manager:<24}  {inbox}{margin}  ({places})", area.id)
}

fn object(service: &Service) -> Value {
    let contact = |one: &Contact| json!({"name": one.name, "address": one.address});
    json!({
        "id": service.id,
        "label": service.label,
        "name": service.name,
        "table": service.table,
        "division": service.division,
        "checking_margin": service.checking_margin,
        "inbox": contact(&service.inbox),
        "responding_manager": contact(&service.responding_manager),
        "deputies": service.deputies.iter().map(contact).collect::<Vec<_>>(),
        "head_of_service": contact(&service.head_of_service),
        "divisional_director": contact(&service.divisional_director),
        "corporate_director": contact(&service.corporate_director),
        "ask": service.ask.unwrap_or_default(),
        "attach_message": service.attach_message,
        "skip": service.skip,
        "areas": service.areas.iter().map(area).collect::<Vec<_>>(),
    })
}

/// What an area says by itself; null is the service's.
fn area(area: &Area) -> Value {
    let contact = |one: &Contact| json!({"name": one.name, "address": one.address});
    let own = |one: &Option<Contact>| one.as_ref().map(contact);
    json!({
        "id": area.id,
        "name": area.name,
        "districts": area.districts,
        "postcodes": area.postcodes,
        "checking_margin": area.checking_margin,
        "inbox": own(&area.inbox),
        "responding_manager": own(&area.responding_manager),
        "deputies": area.deputies.iter().map(contact).collect::<Vec<_>>(),
        "head_of_service": own(&area.head_of_service),
        "ask": area.ask,
        "attach_message": area.attach_message,
        "skip": area.skip,
    })
}

fn take(config: &Config, list: &Path, dry_run: bool, out: &mut Out) -> Result<(), Failure> {
    let Some(folder) = config.rules.as_deref() else {
        out.note(&format!("postern: {}", PublishFault::NoFolder(Kind::Rules)));
        return Err(Failure::Said);
    };
    let live = policy::rules_of(Some(folder)).map_err(Failure::Faults)?;
    let Some((name, text)) = live.iter().find(|(name, _)| name.ends_with("services.toml")) else {
        let fault = Fault::new("services.toml", "is missing", "put it into the rules folder");
        return Err(Failure::Faults(vec![fault]));
    };
    let place = folder.join(name).display().to_string();
    let csv = read(list, out)?;
    let (next, changes) = import::changes(&place, text, &list.display().to_string(), &csv)
        .map_err(Failure::Faults)?;
    for change in &changes {
        let new = if change.is_new { ": new" } else { "" };
        let area = change.area.as_ref().map_or_else(String::new, |area| format!(" {area}"));
        out.line(&format!("{}{area}{new}", change.service))?;
        for field in &change.fields {
            let before = field.before.as_ref().map_or(String::new(), |it| format!("{it} -> "));
            out.line(&format!("    {}: {before}{}", field.field, field.after))?;
        }
    }
    if changes.is_empty() {
        out.note("postern: the directory holds all of it already");
        return Ok(());
    }
    let mut whole = live.clone();
    whole.insert(name.clone(), next);
    let draft = folder.display().to_string();
    Policy::with_rules(config, &draft, &whole).map_err(Failure::Faults)?;
    if dry_run {
        out.note("postern: nothing was written; without --dry-run this is");
        return Ok(());
    }
    publication::rewrite(folder, &live, &whole)?;
    out.note(&format!(
        "postern: {place} is written, and a running gateway takes it up; `postern rules publish` makes it a version"
    ));
    Ok(())
}

/// The list's text: UTF-8, with or without its mark, else as Windows writes Western European text.
fn read(list: &Path, out: &mut Out) -> Result<String, Failure> {
    let name = list.display().to_string();
    let bytes = std::fs::read(list).map_err(|error| {
        Failure::Faults(vec![Fault::unreadable(&name, &error, "name a list with a header line")])
    })?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    out.note(&format!(
        "postern: {name} is not UTF-8 and was read as Windows-1252: look at the names"
    ));
    Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
}
