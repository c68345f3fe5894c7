//! The commands: one file each, one writer for what they print.
//!
//! Data goes to standard output, everything else to standard error. Exit status: 0 done, 1 the
//! thing asked for failed, 2 wrong usage or invalid configuration.

mod arguments;
mod calendar;
mod case;
mod check;
mod deadline;
mod demo;
mod doctor;
mod import;
mod inspect;
mod letters;
mod ombudsman;
mod out;
mod remind;
mod rotate_key;
mod rules;
mod serve;
mod services;
mod templates;
mod user;
mod versions;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::clock::Clock;
use crate::config::{Config, Origin};
use crate::fault::Fault;
use crate::telemetry;

use arguments::{Arguments, Command};
use out::Out;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or invalid configuration: exit status 2.
    Usage(String),
    /// Faults in files that people edit: exit status 2.
    Faults(Vec<Fault>),
    /// The thing asked for failed and has been explained: exit status 1.
    Said,
    /// Anything else: exit status 1.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// Runs one command line to its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap writes help to standard output and faults to standard error by itself.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    telemetry::start(arguments.log_format, arguments.verbose, arguments.is_quiet());
    let mut out = Out::standard(arguments.log_format);
    let done = dispatch(arguments, &mut out);
    // What cannot be written out was not done, whatever the command thinks.
    match done.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::from(1),
        Err(Failure::Usage(words)) => {
            out.note(&format!("postern: {words}"));
            ExitCode::from(2)
        }
        Err(Failure::Faults(faults)) => {
            for fault in &faults {
                out.note(&fault.to_string());
            }
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) if out::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(Failure::Other(error)) => {
            out.note(&format!("postern: {error:#}"));
            ExitCode::from(1)
        }
    }
}

fn dispatch(arguments: Arguments, out: &mut Out) -> Result<(), Failure> {
    let file = arguments.config;
    match arguments.command {
        Command::Deadline(what) => deadline::run(&what, file.as_deref(), out),
        Command::Calendar(what) => calendar::run(&what, file.as_deref(), out),
        Command::Inspect(what) => block_on(inspect::run(what, file.as_deref(), out)),
        Command::Check => check::run(&required(file.as_deref()), out),
        Command::Doctor => block_on(doctor::run(&required(file.as_deref()), out)),
        Command::Import(what) => block_on(import::run(what, &required(file.as_deref()), out)),
        Command::Serve(what) => block_on(serve::run(what, &required(file.as_deref()), out)),
        Command::Demo(what) if what.simulate_year => {
            block_on_one_thread(demo::run(what, arguments.quiet, out))
        }
        Command::Demo(what) => block_on(demo::run(what, arguments.quiet, out)),
        Command::Remind(what) => block_on(remind::run(what, &required(file.as_deref()), out)),
        Command::RotateKey => block_on(rotate_key::run(&required(file.as_deref()), out)),
        Command::Case(what) => block_on(case::run(what, &required(file.as_deref()), out)),
        Command::Ombudsman(what) => block_on(ombudsman::run(what, &required(file.as_deref()), out)),
        Command::Letters(what) => block_on(letters::run(what, &required(file.as_deref()), out)),
        Command::Services(what) => services::run(what, file.as_deref(), out),
        Command::User(what) => block_on(user::run(what, &required(file.as_deref()), out)),
        Command::Rules(what) => block_on(rules::run(what, file.as_deref(), out)),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "postern", &mut script);
            Ok(out.text(&script)?)
        }
    }
}

fn required(file: Option<&std::path::Path>) -> std::path::PathBuf {
    file.map_or_else(|| std::path::PathBuf::from("postern.toml"), std::path::Path::to_path_buf)
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// For work that is one thing after the other: where each statement wakes a thread, a third of a year's time is
/// spent on changing from one thread to another.
fn block_on_one_thread(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// The configuration, or its faults.
fn configured(file: &std::path::Path) -> Result<(Config, Origin), Failure> {
    Config::load(file, std::env::vars()).map_err(Failure::Faults)
}

/// The machine's clock, or one that stands at `--at`.
fn clock_at(at: Option<&str>) -> Result<Clock, Failure> {
    match at {
        None => Ok(Clock::System),
        Some(text) => Ok(Clock::fixed(moment(text)?)),
    }
}

/// A moment as people write it: RFC 3339, or a local date with or without time.
pub(crate) fn moment(text: &str) -> Result<jiff::Timestamp, Failure> {
    use jiff::civil::{Date, DateTime};
    let local = |at: DateTime| at.to_zoned(crate::clock::london()).map(|zoned| zoned.timestamp());
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at);
    }
    // A bare day parses as a date-time too; a length tells them apart.
    if text.len() > 10
        && let Ok(at) = text.replace(' ', "T").parse::<DateTime>()
    {
        return Ok(local(at)?);
    }
    if let Ok(day) = text.parse::<Date>() {
        return Ok(local(day.at(9, 0, 0, 0))?);
    }
    Err(Failure::Usage(format!(
        "`{text}` is no moment; write 2026-03-16, 2026-03-16T09:30 or 2026-03-16T09:30:00+00:00"
    )))
}
