//! `postern case why`: which words of a case's messages made it what it is.

use super::super::{Failure, Out};
use super::history;
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::register::Judged;
use crate::rules;
use crate::store::moment;

pub(super) async fn show(
    gateway: &Gateway,
    reference: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (reference, row, _) = history(gateway, reference, out).await?;
    let judged = Judged::of(&gateway.db, row.id).await?;
    if judged.is_empty() {
        out.note(&format!("postern: no message of {reference} was read by rules"));
        return Err(Failure::Said);
    }
    for (number, one) in judged.iter().enumerate() {
        if as_json {
            out.json(one)?;
            continue;
        }
        if number > 0 {
            out.line("")?;
        }
        let came = in_words(london_day(moment(one.received_at)));
        out.line(&format!(
            "message {}, {}, received on {came}, read by the rules {}",
            one.message,
            one.action.as_deref().unwrap_or("kept"),
            one.rules_version
        ))?;
        out.line("")?;
        out.line(rules::explain(&one.classification).trim_end())?;
    }
    Ok(())
}
