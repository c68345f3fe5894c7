//! `postern demo --simulate-year`: a year of the annual report's volumes, and what it came to.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};

use super::super::arguments::Demo;
use super::super::{Failure, Out, moment, serve};
use super::Place;
use crate::casework::vocabulary::RecordType;
use crate::casework::working::short_words;
use crate::clock::{Clock, london, london_day};
use crate::demo::year::{self, Report, Year};

/// A folder that goes away with the process.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // Whatever is left is in the folder for passing things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn run(asked: &Demo, quiet: bool, out: &mut Out) -> Result<(), Failure> {
    let began = Instant::now();
    let (first, last) = year_of(asked.at.as_deref())?;
    let passing = asked.dir.is_none().then(|| {
        let name = format!("postern-year-{}", std::process::id());
        Passing(std::env::temp_dir().join(name))
    });
    let dir = passing.as_ref().map(|passing| passing.0.clone()).or_else(|| asked.dir.clone());
    let place = Place { dir: dir.unwrap_or_default() };
    if place.dir.join("postern.db").exists() {
        return Err(Failure::Usage(format!(
            "there is a register in {} already; name another --dir for the year",
            place.dir.display()
        )));
    }
    std::fs::create_dir_all(&place.dir)?;
    let config = place.configure()?;
    let _alone = serve::only_one(&config, out)?;
    let clock = Clock::fixed(first.to_zoned(london())?.timestamp());
    let gateway = serve::open(config, clock).await?;
    let matters = year::matters(first, asked.seed, asked.every.get());
    let outbox = asked.dir.is_some().then(|| place.outbox());
    let db = gateway.db.clone();
    let mut year = Year::new(gateway, matters, outbox).await?;
    let said = |day: Date| {
        if !quiet {
            out.note(&day.strftime("%B %Y").to_string());
        }
    };
    year.live(first, last, said).await?;
    let report = year.report(first, last).await?;
    if asked.json {
        out.json(&report)?;
    } else {
        print(&report, out)?;
        let kept = asked.dir.as_deref();
        the_end(kept, &place, began, out)?;
    }
    out.flush()?;
    db.close().await;
    Ok(())
}

/// The council year of a moment: 1 April to 31 March.
fn year_of(at: Option<&str>) -> Result<(Date, Date), Failure> {
    let day = london_day(at.map_or_else(|| Ok(Clock::System.now()), moment)?);
    let begins = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    let first = date(begins, 4, 1);
    Ok((first, first.checked_add(Span::new().years(1))?.checked_sub(1.day())?))
}

fn print(report: &Report, out: &mut Out) -> std::io::Result<()> {
    let Report { first, last, .. } = report;
    out.line(&format!(
        "A simulated year, {} to {}: {} representations",
        short_words(*first),
        short_words(*last),
        report.matters
    ))?;
    came(report, out)?;
    sent(report, out)?;
    answered(report, out)?;
    nothing(report, out)
}

/// What arrived, and what the rules made of it.
fn came(report: &Report, out: &mut Out) -> std::io::Result<()> {
    out.line("")?;
    out.line("How they came")?;
    for (method, count) in &report.methods {
        out.line(&format!("{count:>9} {method}"))?;
    }
    out.line(
        "          The gateway has no way yet to log what comes by telephone or post: here it comes by e-mail too.",
    )?;
    out.line("")?;
    out.line("Cases                              meant  registered  report")?;
    for one in &report.types {
        let label = label(one.record_type);
        out.line(&format!(
            "          {label:<24} {:>6} {:>11} {:>7}",
            one.meant, one.registered, one.report
        ))?;
    }
    out.line(&format!("{:>9} in all, of {} messages", report.cases, report.messages))?;
    if report.strays > 0 {
        out.line(&format!("{:>9} opened by what belonged to another case", report.strays))?;
    }
    let read = &report.read;
    out.line("")?;
    out.line(&format!(
        "What the rules made of {} cases, before an officer corrected them",
        read.cases
    ))?;
    for (count, words) in [
        (read.record_type, "the type as meant"),
        (read.service, "the leading service as meant"),
        (read.customer, "the customer as meant"),
        (read.all, "all three"),
    ] {
        out.line(&format!("{count:>9} {words}"))?;
    }
    Ok(())
}

/// What was sent to whom.
fn sent(report: &Report, out: &mut Out) -> std::io::Result<()> {
    out.line("")?;
    out.line("Letters that left")?;
    for (purpose, count) in &report.letters {
        out.line(&format!("{count:>9} {}", purpose.replace(['-', '_'], " ")))?;
    }
    out.line(&format!("{:>9} not sent", report.not_sent))?;
    out.line("")?;
    out.line("Mails a week at the council                               mean  highest  in all")?;
    for one in &report.weekly {
        out.line(&format!(
            "          {:<20} {:<38} {:>3}.{} {:>7} {:>8}",
            one.role,
            one.address,
            one.mean_tenths / 10,
            one.mean_tenths % 10,
            one.highest,
            one.mails
        ))?;
    }
    Ok(())
}

/// How customers were answered.
fn answered(report: &Report, out: &mut Out) -> std::io::Result<()> {
    out.line("")?;
    out.line("Answers in time                                                     in time     of  share  report")?;
    for one in &report.in_time {
        let percent = one.percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"));
        out.line(&format!(
            "          {:<30} {:<20} stage {} {:>7} {:>6} {percent:>6} {:>6}%",
            one.division,
            label(one.record_type),
            one.stage,
            one.in_time,
            one.answered,
            one.report_percent
        ))?;
    }
    out.line("")?;
    for (count, words) in [
        (report.stage_2, "went to stage 2"),
        (report.not_ours, "requests were not theirs, services said"),
        (report.more_time.0, "times a service asked for longer"),
        (report.more_time.1, "answers got longer, as the Children Act's stages can"),
        (report.holding.0, "holding letters"),
        (report.holding.1, "cases had three of them or more"),
        (report.open, "open at the end of the year"),
        (report.late, "of those late"),
        (report.acts, "acts of officers"),
    ] {
        out.line(&format!("{count:>9} {words}"))?;
    }
    for (words, count) in &report.refusals {
        out.line(&format!("{count:>9} acts not done: {words}"))?;
    }
    Ok(())
}

/// What must be nothing.
fn nothing(report: &Report, out: &mut Out) -> std::io::Result<()> {
    out.line("")?;
    out.line("The ladder")?;
    for (count, words) in [
        (report.rungs.0, "rungs sent"),
        (report.rungs.1, "passed over: the service was asked, or its day moved, after their day"),
        (report.rungs_doubled, "sent twice"),
        (report.rungs_off_their_day, "sent on another day than their own"),
        (report.digests_doubled, "people with two lists on one day"),
        (report.chases_on_closed_days, "requests or reminders on a day when the council is closed"),
    ] {
        out.line(&format!("{count:>9} {words}"))?;
    }
    let others: usize = report.closed_days.values().sum::<usize>() - report.chases_on_closed_days;
    out.line(&format!("{others:>9} answers to people who wrote on such a day, and alarms"))
}

fn the_end(
    kept: Option<&Path>,
    place: &Place,
    began: Instant,
    out: &mut Out,
) -> std::io::Result<()> {
    out.line("")?;
    out.line(&format!("Lived through in {} s", began.elapsed().as_secs()))?;
    if let Some(dir) = kept {
        let settings = place.settings();
        out.line(&format!("  letters that left   {}", place.outbox().display()))?;
        out.line(&format!(
            "  cases               postern --config {} case list",
            settings.display()
        ))?;
        out.line(&format!("  all of it           {}", dir.display()))?;
    }
    Ok(())
}

fn label(record_type: &str) -> &'static str {
    RecordType::ALL.iter().find(|one| one.id() == record_type).map_or("", |one| one.label())
}
