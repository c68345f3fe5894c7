//! `postern remind`: what chasing is due and to whom; or do it now.

use std::collections::BTreeSet;
use std::path::Path;

use super::arguments::Remind;
use super::{Failure, Out};
use crate::casework::reminder::Role;
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::outbox;
use crate::reminders::{self, Plan};
use crate::tick::Tick;

pub(super) async fn run(asked: Remind, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, _) = super::configured(file)?;
    let clock = super::clock_at(asked.at.as_deref())?;
    let now = clock.now();
    let lock = if asked.dry_run { None } else { super::serve::try_only_one(&config)? };
    let gateway = super::serve::open(config, clock).await?;
    let plan = if asked.dry_run {
        reminders::rehearse(&gateway, now).await?
    } else {
        reminders::run_if_time(&gateway, now).await?
    };
    let Some(plan) = plan else {
        out.line(&format!(
            "no reminders at {} on {}: they have run, it is too early, or it is no working day",
            now.to_zoned(crate::clock::london()).strftime("%-I:%M%P"),
            in_words(london_day(now))
        ))?;
        return Ok(());
    };
    tell(&plan, asked.json, out)?;
    // A gateway that serves this store sends what was queued; otherwise it is done here.
    if !asked.dry_run && (lock.is_some() || gateway.db.is_postgres()) {
        while outbox::tick(&gateway, || true).await? == Tick::Busy {}
    }
    gateway.db.close().await;
    Ok(())
}

/// What goes to whom, and why.
pub(super) fn tell(plan: &Plan, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    if as_json {
        for mail in &plan.mails {
            out.json(mail)?;
        }
        return Ok(());
    }
    out.line(&format!(
        "{}: {} mails for {} requests and {} actions",
        in_words(plan.day),
        plan.mails.len(),
        plan.rungs.len(),
        plan.actions.len()
    ))?;
    for mail in &plan.mails {
        let roles: BTreeSet<Role> = mail.roles.union(&mail.action_roles).copied().collect();
        let roles: Vec<&str> = roles.iter().map(|role| role.label()).collect();
        out.line(&format!("{}  {}, {}", mail.recipient, mail.name, roles.join(", ")))?;
        for (reference, rung) in &mail.because {
            let row = mail.rows.iter().find(|row| row.reference == *reference);
            let days = row.map_or(String::new(), |row| days_words(row.days_left));
            out.line(&format!("    {reference}  {rung:<14} {days}"))?;
        }
        for row in &mail.actions {
            let Some(rung) = &row.rung else { continue };
            let (reference, number, days) = (&row.reference, row.number, days_words(row.days_left));
            out.line(&format!("    {reference}  action {number}, {rung:<14} {days}"))?;
        }
        for one in &mail.ombudsman {
            let case = one.reference.clone().unwrap_or_else(|| format!("case {}", one.number));
            let days = match one.item.as_str() {
                "undated" => format!("decided on {}", one.due_on),
                _ => days_words(one.days_left),
            };
            out.line(&format!("    Ombudsman: {case}  {} {}  {days}", one.item, one.item_id))?;
        }
    }
    for (_, words) in &plan.by_hand {
        out.line(&format!("a task for an officer: {words}"))?;
    }
    for fault in &plan.faults {
        out.note(&format!("postern: {fault}"));
    }
    Ok(())
}

fn days_words(left: i32) -> String {
    let days = |count: i32| match count {
        1 => "1 working day".to_owned(),
        more => format!("{more} working days"),
    };
    match left {
        0 => "today".to_owned(),
        left if left < 0 => format!("{} late", days(-left)),
        left => format!("in {}", days(left)),
    }
}
