//! `postern demo`: the whole product on sample mail, on this machine alone.
//!
//! The sample mail arrives over the weeks before the demo's day, and the gateway lives through them
//! a day at a time: mail in the afternoon, reminders at half past eight, two services that answer.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use rust_embed::Embed;

mod year;

use super::arguments::Demo;
use super::{Failure, Out};
use crate::casework::vocabulary::RecordType;
use crate::casework::working::in_words;
use crate::clock::{Clock, london, london_day};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::store::{cases, letters, messages, tasks};
use crate::{daemon, email};

#[derive(Embed)]
#[folder = "src/demo/mailbox/"]
#[include = "*.eml"]
struct Samples;

/// How long ago the first sample message arrives.
const WEEKS: i32 = 5;
/// Settings that serve the demo, and anybody who wants to look at it with the other commands.
const SETTINGS: &str = include_str!("demo.toml");

/// Where the demo lives, if nobody says.
const FOLDER: &str = "postern-demo";

pub(super) async fn run(asked: Demo, quiet: bool, out: &mut Out) -> Result<(), Failure> {
    if asked.simulate_year {
        return year::run(&asked, quiet, out).await;
    }
    let dir = asked.dir.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
    fs::create_dir_all(&dir)?;
    let place = Place { dir: dir.clone() };
    let last = place.last_moment();
    let now = moment_of(asked.at.as_deref(), last)?;
    if last.is_some_and(|last| now < last) {
        return Err(Failure::Usage(format!(
            "the demo in {} has reached {}; name a later moment, or another --dir",
            dir.display(),
            shown(last.unwrap_or(now))
        )));
    }
    let config = place.configure()?;
    let _alone = super::serve::only_one(&config, out)?;
    let start = last.unwrap_or_else(|| now - SignedDuration::from_hours(24 * 7 * i64::from(WEEKS)));
    let clock = Clock::fixed(start);
    let gateway = super::serve::open(config, clock).await?;
    daemon::release_leases(&gateway).await?;

    out.line(&format!("Postern demo in {}", dir.display()))?;
    out.line(&format!("From {} to {}, a day at a time …", shown(start), shown(now)))?;
    out.flush()?;
    let waiting = if last.is_none() { samples(start, now) } else { Vec::new() };
    live(&gateway, &place, start, now, waiting).await?;
    place.remember(now)?;
    summary(&gateway, &place, out).await?;
    if !asked.once {
        keep_running(&gateway, asked.port, out).await?;
    }
    gateway.db.close().await;
    Ok(())
}

/// What `--at` means: a moment, a distance from the last one, or now.
fn moment_of(at: Option<&str>, last: Option<Timestamp>) -> Result<Timestamp, Failure> {
    let now = Clock::System.now();
    let Some(at) = at else { return Ok(last.map_or(now, |last| last.max(now))) };
    let Some(distance) = at.trim().strip_prefix('+') else { return super::moment(at) };
    let span: jiff::Span = distance.trim().parse().map_err(|_| {
        Failure::Usage(format!("`{at}` is no distance; write '+10 days' or '+36 hours'"))
    })?;
    Ok(last.unwrap_or(now).to_zoned(london()).checked_add(span)?.timestamp())
}

fn shown(at: Timestamp) -> String {
    format!("{} {}", in_words(london_day(at)), at.to_zoned(london()).strftime("%-I:%M%P"))
}

/// The demo's folder.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn mailbox(&self) -> PathBuf {
        self.dir.join("mailbox")
    }

    fn outbox(&self) -> PathBuf {
        self.dir.join("outbox")
    }

    fn settings(&self) -> PathBuf {
        self.dir.join("postern.toml")
    }

    fn last_moment(&self) -> Option<Timestamp> {
        fs::read_to_string(self.dir.join("clock")).ok()?.trim().parse().ok()
    }

    fn remember(&self, now: Timestamp) -> std::io::Result<()> {
        fs::write(self.dir.join("clock"), format!("{now}\n"))
    }

    fn configure(&self) -> Result<Config, Failure> {
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.mailbox().join(folder))?;
        }
        fs::create_dir_all(self.outbox())?;
        if !self.settings().exists() {
            fs::write(self.settings(), SETTINGS)?;
        }
        Ok(super::configured(&self.settings())?.0)
    }

    /// Delivers one message as a mail server does: whole, by a rename, named by its time.
    fn deliver(&self, at: Timestamp, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let unique = format!("{}.{name}.northmere", at.as_second());
        let part = self.mailbox().join("tmp").join(&unique);
        let mut file = fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(part, self.mailbox().join("new").join(unique))
    }
}

/// A sample message and when it arrives.
struct Sample {
    at: Timestamp,
    name: String,
    bytes: Vec<u8>,
}

/// The sample mail, its dates moved into the weeks before `end`, in order.
fn samples(start: Timestamp, end: Timestamp) -> Vec<Sample> {
    let mut all: Vec<(Option<Timestamp>, String, Vec<u8>)> = Samples::iter()
        .filter_map(|name| {
            let bytes = Samples::get(&name)?.data.into_owned();
            Some((header_date(&bytes), name.trim_end_matches(".eml").to_owned(), bytes))
        })
        .collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    let dated = |pick: fn(i64, i64) -> i64| {
        all.iter().filter_map(|(at, ..)| at.map(Timestamp::as_second)).reduce(pick)
    };
    let (Some(first), Some(last)) = (dated(i64::min), dated(i64::max)) else { return Vec::new() };
    // Equal dates stay equal: a copy of a message is a copy still.
    let span = (last - first).max(1);
    let room = end.as_second() - start.as_second() - 7200;
    let moved = |at: Timestamp| {
        let offset = (at.as_second() - first).saturating_mul(room) / span;
        Timestamp::from_second(start.as_second() + 3600 + offset).unwrap_or(end)
    };
    let mut previous = start;
    all.into_iter()
        .map(|(at, name, bytes)| {
            let at = at.map_or(previous, moved);
            previous = at;
            Sample { at, name, bytes: redated(bytes, at) }
        })
        .collect()
}

/// The value of the first `Date` header, as a moment.
fn header_date(bytes: &[u8]) -> Option<Timestamp> {
    let (from, to) = date_line(bytes)?;
    let value = std::str::from_utf8(bytes.get(from..to)?).ok()?;
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(value.trim()).ok()?;
    Some(zoned.timestamp())
}

/// Where the value of the first `Date` header stands.
fn date_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return None;
        }
        if line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"date:")) {
            return Some((at + 5, at + line.trim_ascii_end().len()));
        }
        at += line.len();
    }
    None
}

fn redated(mut bytes: Vec<u8>, at: Timestamp) -> Vec<u8> {
    let text = jiff::fmt::rfc2822::to_string(&at.to_zoned(london()));
    if header_date(&bytes).is_some()
        && let (Some((from, to)), Ok(text)) = (date_line(&bytes), text)
    {
        bytes.splice(from..to, format!(" {text}").into_bytes());
    }
    bytes
}

/// Lives through the days: reminders in the morning, the day's mail in the afternoon.
async fn live(
    gateway: &Arc<Gateway>,
    place: &Place,
    start: Timestamp,
    end: Timestamp,
    waiting: Vec<Sample>,
) -> Result<(), Failure> {
    let mut waiting = waiting.into_iter().peekable();
    let mut day = london_day(start);
    let answers = [day.saturating_add(9.days()), day.saturating_add(16.days())];
    while day <= london_day(end) {
        for (hour, minute) in [(8, 35), (17, 30)] {
            let at = moment_on(day, hour, minute)?.min(end);
            if at < start {
                continue;
            }
            gateway.clock.set(at);
            while let Some(sample) = waiting.next_if(|sample| sample.at <= at) {
                place.deliver(sample.at, &sample.name, &sample.bytes)?;
            }
            if hour == 17 && answers.contains(&day) {
                answer_a_request(place, at)?;
            }
            daemon::once(gateway).await?;
        }
        day = day.saturating_add(1.day());
    }
    gateway.clock.set(end);
    for sample in waiting {
        place.deliver(sample.at, &sample.name, &sample.bytes)?;
    }
    Ok(daemon::once(gateway).await?)
}

fn moment_on(day: Date, hour: i8, minute: i8) -> Result<Timestamp, Failure> {
    Ok(day.to_datetime(time(hour, minute, 0, 0)).to_zoned(london())?.timestamp())
}

/// A service answers: the first request in the outbox that nobody answered yet gets a reply, as a
/// manager's mail program writes it.
fn answer_a_request(place: &Place, at: Timestamp) -> Result<(), Failure> {
    let mut names: Vec<PathBuf> =
        fs::read_dir(place.outbox())?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    let limits = email::Limits::default();
    let done = place.dir.join("answered");
    let answered = fs::read_to_string(&done).unwrap_or_default();
    for name in names {
        let letter = email::read(&fs::read(&name)?, &limits);
        let subject = letter.subject.as_ref().map_or("", |subject| subject.as_str());
        let id = letter.message_id.clone().unwrap_or_default();
        if !subject.starts_with("Please answer by") || answered.contains(&id) {
            continue;
        }
        let (Some(service), Some(reply_to)) = (letter.to.first(), letter.reply_to.first()) else {
            continue;
        };
        let date = jiff::fmt::rfc2822::to_string(&at.to_zoned(london()))?;
        let (service, reply_to) = (service.as_str(), reply_to.as_str());
        let answer = format!(
            "From: Responding manager <{service}>\r\nTo: {reply_to}\r\nSubject: RE: {subject}\r\n\
             Date: {date}\r\nMessage-ID: <answer-{}@northmere.example>\r\nIn-Reply-To: <{id}>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Point 1: upheld. We are sorry. The work was not done in time, and it is now planned.\r\n\
             Please tell the customer that we will ring this week.\r\n",
            at.as_second()
        );
        place.deliver(at, "answer", answer.as_bytes())?;
        fs::write(&done, format!("{answered}{id}\n"))?;
        return Ok(());
    }
    Ok(())
}

/// What it did, and where to look.
async fn summary(gateway: &Gateway, place: &Place, out: &mut Out) -> Result<(), Failure> {
    let db = &gateway.db;
    let rows = cases::list(db, true).await?;
    let counts = messages::counts(db).await?;
    let of = |wanted: &str| -> i64 {
        counts
            .iter()
            .filter(|(state, action, _)| state == wanted || action == wanted)
            .map(|(_, _, n)| n)
            .sum()
    };
    let total: i64 = counts.iter().map(|(_, _, count)| count).sum();
    out.line("")?;
    out.line(&format!("{total:>5} messages taken in"))?;
    for (word, words) in [
        ("opened", "opened a case"),
        ("attached", "joined a case"),
        ("answered_request", "answered what a service was asked"),
        ("duplicate", "were copies of another"),
        ("filed", "are machines' mail, filed and never answered"),
        ("triage", "wait for an officer"),
        ("quarantined", "are in quarantine"),
    ] {
        out.line(&format!("{:>9} {words}", of(word)))?;
    }
    out.line("")?;
    out.line(&format!("{:>5} cases", rows.len()))?;
    for record_type in RecordType::ALL {
        let count = rows.iter().filter(|row| row.record_type == record_type.id()).count();
        if count > 0 {
            out.line(&format!("{count:>9} {}", record_type.label()))?;
        }
    }
    let today = london_day(gateway.clock.now());
    let late = |row: &&cases::CaseRow| super::case::is_overdue(row, today);
    out.line(&format!("{:>9} overdue", rows.iter().filter(late).count()))?;
    out.line("")?;
    out.line("      letters")?;
    for (purpose, state, count) in letters::counts(db).await? {
        out.line(&format!("{count:>9} {} {state}", purpose.replace(['-', '_'], " ")))?;
    }
    out.line(&format!("{:>5} tasks for officers", tasks::open(db).await?.len()))?;
    out.line("")?;
    for row in rows.iter().take(5) {
        let due = super::case::due(row);
        out.line(&format!(
            "      {}  {}, {}, {}, due {due}",
            row.reference, row.record_type, row.lead_service, row.customer_type
        ))?;
    }
    let (dir, settings) = (place.dir.display(), place.settings().display().to_string());
    // As it was typed, so that a line can be copied.
    let program = std::env::args().next().unwrap_or_else(|| "postern".to_owned());
    out.line("")?;
    out.line("Where to look")?;
    out.line(&format!("  letters that left   {}", place.outbox().display()))?;
    out.line(&format!("  the mailbox         {} (done: .Processed)", place.mailbox().display()))?;
    out.line(&format!("  cases               {program} --config {settings} case list"))?;
    if let Some(row) = rows.first() {
        out.line(&format!(
            "  one case            {program} --config {settings} case show {}",
            row.reference
        ))?;
    }
    out.line(&format!("  what waits for you  {program} --config {settings} case list --waiting"))?;
    out.line(&format!("  ten days later      {program} demo --dir {dir} --at '+10 days' --once"))?;
    out.flush()?;
    Ok(())
}

/// Goes on as the daemon does, until stopped.
async fn keep_running(gateway: &Arc<Gateway>, port: u16, out: &mut Out) -> Result<(), Failure> {
    let page = crate::console::listen(("127.0.0.1", port)).await?;
    out.line("")?;
    out.line(&format!("  the status page     http://{}/", page.local_addr()?))?;
    out.line("Drop a message into the mailbox's new folder and watch it. Ctrl-C ends the demo.")?;
    out.flush()?;
    let _ticking = tokio::spawn(go_on(gateway.clock.clone()));
    Ok(daemon::serve(Arc::clone(gateway), Some(page)).await?)
}

/// The demo's clock goes on from where it stands, at the pace of every other.
async fn go_on(clock: Clock) {
    let ahead = clock.now().duration_since(Clock::System.now());
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        clock.set(Clock::System.now().saturating_add(ahead).unwrap_or(clock.now()));
    }
}
