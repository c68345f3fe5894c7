//! `postern case answer-draft`: what services answered.

use super::super::{Failure, Out};
use super::{attachment, history};
use crate::clock::london;
use crate::gateway::Gateway;
use crate::register::{self, Answer, Answers};

pub(super) async fn show(
    gateway: &Gateway,
    reference: &str,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let (reference, row, events) = history(gateway, reference, out).await?;
    let case = register::replayed(reference, &events)?;
    let answers = Answers::of(&gateway.db, &case, row.id).await?;
    if as_json {
        return Ok(out.json(&answers)?);
    }
    if answers.answers.is_empty() {
        out.note("postern: no service has answered through the gateway");
    }
    for line in answers.answers.iter().flat_map(lines) {
        out.line(&line)?;
    }
    for view in &answers.views {
        let at = when(view.at);
        let how = if view.by_code { "" } else { ", without a code" };
        out.line(&format!("seen by {} for {}, {at}{how}", view.mailbox, view.service))?;
    }
    Ok(())
}

fn when(at: jiff::Timestamp) -> String {
    at.to_zoned(london()).strftime("%-d %b %Y %H:%M").to_string()
}

/// An answer as a person reads it.
fn lines(answer: &Answer) -> Vec<String> {
    let who = answer.by_name.as_deref().or(answer.by_address.as_deref()).unwrap_or("unknown");
    let how = answer.message.map_or_else(|| "its page".to_owned(), |id| format!("message {id}"));
    let state = answer.state.replace('_', " ");
    let at = when(answer.given_at);
    let mut lines = vec![format!("{}  {state}, by {who}, {how}, {at}", answer.service)];
    lines.extend(answer.points.iter().flat_map(|one| {
        let finding = one.finding.label().to_lowercase();
        let head = format!("  {}: {finding}", one.point.label());
        std::iter::once(head).chain(indented(&one.why))
    }));
    lines.extend(indented(&answer.what));
    if let Some(remedy) = &answer.remedy {
        let by = remedy.by.map_or_else(String::new, |day| format!(" by {day}"));
        let whom = remedy.by_whom.as_ref().map_or_else(String::new, |name| format!(", {name}"));
        lines.push(format!("  to put right{by}{whom}:"));
        lines.extend(indented(&remedy.what));
    }
    lines.extend(answer.files.iter().map(|file| format!("  attached  {}", attachment::told(file))));
    lines.extend(answer.checks.iter().map(|check| {
        let met = match check.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "read it",
        };
        format!("  check  {}: {met}", check.what)
    }));
    lines.push(format!("  check  school grade {:.1}", answer.grade));
    lines.extend(answer.note.iter().map(|note| format!("  sent back: {note}")));
    lines
}

fn indented(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("    {line}"))
}
