//! `postern check`: is everything that people edit valid? No network.

use std::path::Path;

use super::{Failure, Out};
use crate::clock::{Clock, london_day};
use crate::config::{Config, Origin};
use crate::fault::Fault;
use crate::gateway;
use crate::policy::Policy;

pub(super) fn run(file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, origin) = super::configured(file)?;
    let policy = told(&config, &origin, out)?;
    let missing = config.missing_to_serve(&file.display().to_string());
    if !missing.is_empty() {
        return Err(Failure::Faults(missing));
    }
    report(&policy, &config.warnings(&origin), out)?;
    Ok(())
}

/// The configuration and everything it names, or every fault of both.
pub(super) fn checked(file: &Path, out: &mut Out) -> Result<(Config, Policy), Failure> {
    let (config, origin) = super::configured(file)?;
    let policy = told(&config, &origin, out)?;
    Ok((config, policy))
}

/// Says what is read, and reads everything that a configuration names.
fn told(config: &Config, origin: &Origin, out: &mut Out) -> Result<Policy, Failure> {
    tell_origin(config, origin, out)?;
    let policy = Policy::load(config).map_err(Failure::Faults)?;
    gateway::signer(config).map_err(super::serve::told)?;
    Ok(policy)
}

fn tell_origin(config: &Config, origin: &Origin, out: &mut Out) -> Result<(), Failure> {
    let from = origin
        .file
        .as_ref()
        .map_or("the shipped settings".to_owned(), |file| file.display().to_string());
    out.line(&format!("settings    {from}"))?;
    for variable in &origin.environment {
        out.line(&format!("            {variable} from the environment"))?;
    }
    let folder = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map_or("shipped".to_owned(), |path| path.display().to_string())
    };
    out.line(&format!("rules       {}", folder(&config.rules)))?;
    out.line(&format!("templates   {}", folder(&config.templates)))?;
    Ok(())
}

fn report(policy: &Policy, of_settings: &[Fault], out: &mut Out) -> Result<(), Failure> {
    let rules = &policy.rules;
    out.line(&format!("rules       {} rules, version {}", rules.len(), rules.version()))?;
    out.line(&format!("services    {}", rules.services().all().len()))?;
    out.line(&format!("officers    {}", policy.officers.all().len()))?;
    out.line(&format!("templates   version {}", policy.letters.version()))?;
    let today = london_day(Clock::System.now());
    let until = policy.calendar.covered_until();
    out.line(&format!("calendar    to {until}, version {}", policy.calendar.version()))?;
    for warning in super::calendar::warnings(&policy.calendar, today) {
        out.note(&format!("warning: {warning}"));
    }
    for warning in of_settings.iter().chain(&policy.warnings()) {
        out.note(&format!("warning: {warning}"));
    }
    out.line("everything is valid")?;
    Ok(())
}
