//! `postern rules …`: the rules by themselves.

mod accuracy;
mod backtest;
mod suggest;

use std::path::Path;

use super::arguments::Rules;
use super::inspect::Understanding;
use super::{Failure, Out, versions};
use crate::config::Config;
use crate::fault::Fault;
use crate::mailfiles::messages_in;
use crate::policy::{self, Policy};
use crate::publication::Kind;
use crate::rules::trial::{self, Labelled};
use crate::store::Db;

pub(super) async fn run(asked: Rules, config: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    // As elsewhere, the settings that lie here; without any, the shipped rules by themselves.
    let here = Path::new("postern.toml");
    let config = config.or_else(|| here.is_file().then_some(here));
    match asked {
        Rules::Check { rules } => {
            let policy = policy(config, rules.as_deref())?;
            let rules = &policy.rules;
            Ok(out.line(&format!(
                "{} rules are valid, version {}",
                rules.len(),
                rules.version()
            ))?)
        }
        Rules::Test { corpus, folds, rules } => {
            let policy = policy(config, rules.as_deref())?;
            let mut labelled = Vec::new();
            for file in &corpus {
                read(file, &mut labelled)?;
            }
            let judged = trial::judge(policy.rules, &labelled, usize::from(folds));
            Ok(out.line(trial::score(&judged).to_string().trim_end())?)
        }
        Rules::Explain { message, rules } => {
            let mut understanding = Understanding::prepare(config)?;
            if let Some(draft) = rules {
                understanding.policy = policy(config, Some(&draft))?;
            }
            for file in messages_in(&message) {
                let file = file?;
                let understood = understanding.understand(file.bytes).await;
                out.line(&file.name)?;
                out.line(crate::rules::explain(&understood.classification).trim_end())?;
            }
            Ok(())
        }
        Rules::Backtest(typed) => {
            on_store(config, out, async |db, config, out| {
                backtest::run(db, config, typed, out).await
            })
            .await
        }
        Rules::Suggest(typed) => {
            on_store(config, out, async |db, config, out| {
                suggest::run(db, config, typed, out).await
            })
            .await
        }
        Rules::Accuracy { since, json } => {
            on_store(config, out, async |db, _, out| {
                accuracy::run(db, since.as_deref(), json, out).await
            })
            .await
        }
        Rules::Versions(typed) => {
            versions::run(typed, Kind::Rules, &super::required(config), out).await
        }
    }
}

/// Works on the store that the settings name. The live rules need not be valid for that.
async fn on_store(
    file: Option<&Path>,
    out: &mut Out,
    work: impl AsyncFnOnce(&Db, &Config, &mut Out) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (config, _) = super::configured(&super::required(file))?;
    let db = Db::open(&config.store.url).await?;
    let done = work(&db, &config, out).await;
    db.close().await;
    done
}

/// What the settings name, or the shipped set without them; with a draft in the place of its rules.
fn policy(config: Option<&Path>, draft: Option<&Path>) -> Result<Policy, Failure> {
    let config = match config {
        Some(file) => super::configured(file)?.0,
        None => Config::default(),
    };
    let Some(draft) = draft else { return Policy::load(&config).map_err(Failure::Faults) };
    let files = policy::rules_of(Some(draft)).map_err(Failure::Faults)?;
    Policy::with_rules(&config, &draft.display().to_string(), &files).map_err(Failure::Faults)
}

fn read(file: &Path, labelled: &mut Vec<Labelled>) -> Result<(), Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let cure = "name a file with one labelled message a line";
        Failure::Faults(vec![Fault::unreadable(&name.to_string(), &error, cure)])
    })?;
    for (line, read) in trial::lines(&text) {
        labelled.push(read.map_err(|fault| {
            let cure = "write one labelled message a line";
            Failure::Usage(format!("{name}, line {line}: {fault}; {cure}"))
        })?);
    }
    Ok(())
}
