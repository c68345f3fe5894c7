//! `postern rules …`: the rules by themselves.

mod backtest;
mod versions;

use std::path::Path;

use super::arguments::Rules;
use super::inspect::Understanding;
use super::{Failure, Out};
use crate::fault::Fault;
use crate::mailfiles::messages_in;
use crate::policy::Policy;
use crate::rules::trial::{self, Labelled};

pub(super) async fn run(asked: Rules, config: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    match asked {
        Rules::Check => {
            let policy = policy(config)?;
            let rules = &policy.rules;
            Ok(out.line(&format!(
                "{} rules are valid, version {}",
                rules.len(),
                rules.version()
            ))?)
        }
        Rules::Test { corpus } => {
            let policy = policy(config)?;
            let mut judged = Vec::new();
            for file in &corpus {
                test(&policy, file, &mut judged)?;
            }
            Ok(out.line(trial::score(&judged).to_string().trim_end())?)
        }
        Rules::Backtest(what) => backtest::run(what, &super::required(config), out).await,
        versions @ (Rules::Versions { .. }
        | Rules::Publish(_)
        | Rules::Rollback(_)
        | Rules::Diff(_)
        | Rules::Export(_)) => versions::run(versions, &super::required(config), out).await,
        Rules::Explain { message } => {
            let understanding = Understanding::prepare(config)?;
            for file in messages_in(&message) {
                let file = file?;
                let understood = understanding.understand(file.bytes).await;
                out.line(&file.name)?;
                out.line(crate::rules::explain(&understood.classification).trim_end())?;
            }
            Ok(())
        }
    }
}

fn policy(config: Option<&Path>) -> Result<Policy, Failure> {
    match config {
        Some(file) => Policy::load(&super::configured(file)?.0),
        None => Policy::shipped(),
    }
    .map_err(Failure::Faults)
}

type Judged = (trial::Labels, crate::rules::Classification);

fn test(policy: &Policy, file: &Path, judged: &mut Vec<Judged>) -> Result<(), Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let cure = "name a file with one labelled message a line";
        Failure::Faults(vec![Fault::unreadable(&name.to_string(), &error, cure)])
    })?;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let labelled = Labelled::from_json(line).map_err(|fault| {
            Failure::Usage(format!(
                "{name}, line {}: {fault}; write one labelled message a line",
                index + 1
            ))
        })?;
        let known = labelled.known(policy.rules.services());
        let result = policy.rules.classify(&labelled.email, &known);
        judged.push((labelled.labels, result));
    }
    Ok(())
}
