//! What can be typed.

mod action_act;
mod calendar;
mod case;
mod case_act;
mod letters;
mod ombudsman;
mod services;
mod versions;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

pub(super) use action_act::ActionAct;
pub(super) use calendar::Calendar;
pub(super) use case::{Case, CaseCommand};
pub(super) use case_act::CaseAct;
pub(super) use letters::{HeldLetters, Letters, Preview};
pub(super) use ombudsman::Ombudsman;
pub(super) use services::Services;
pub(super) use versions::{Diff, Export, HowToPublish, Publish, Rollback, Versions};

use crate::account::Role;
use crate::telemetry::LogFormat;

/// Complaints intake gateway: takes a council's complaints mailbox in hand.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, env = "POSTERN_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(super) log_format: LogFormat,
    /// More log lines; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Only warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Arguments {
    /// Whether only warnings are logged: where that is asked for, and where a year's lines would bury what is printed.
    pub(super) fn is_quiet(&self) -> bool {
        let year = matches!(&self.command, Command::Demo(demo) if demo.simulate_year);
        self.quiet || (year && self.verbose == 0)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The whole product on sample mail, on this machine alone.
    #[command(
        after_help = "Example:\n  postern demo --once\n  postern demo --dir demo --at '+25 days' --once\n  postern demo --simulate-year"
    )]
    Demo(Demo),
    /// The daemon: intake, letters, reminders.
    #[command(after_help = "Example:\n  postern --config /etc/postern/postern.toml serve")]
    Serve(Serve),
    /// Is the configuration valid? No network.
    #[command(after_help = "Example:\n  postern --config postern.toml check")]
    Check,
    /// `check`, then a real connection to everything.
    #[command(after_help = "Example:\n  postern --config postern.toml doctor")]
    Doctor,
    /// What the gateway understands of messages; nothing is stored or sent.
    #[command(
        after_help = "Example:\n  postern inspect message.eml\n  postern inspect ~/Maildir --json"
    )]
    Inspect(Inspect),
    /// Takes mail into the register from files; safe to repeat.
    #[command(after_help = "Example:\n  postern import archive.mbox ~/Maildir")]
    Import(Import),
    /// The working-day sum with its steps.
    #[command(
        after_help = "Example:\n  postern deadline --received 2026-03-16T09:30 --days 20\n  postern deadline --received 2026-03-16 --procedure children_act --stage 1 --json"
    )]
    Deadline(Deadline),
    /// Bank holidays: which are known, and what moves when they change.
    #[command(subcommand)]
    Calendar(Calendar),
    /// What chasing is due and to whom.
    #[command(after_help = "Example:\n  postern remind --at 2026-04-15T08:30 --dry-run")]
    Remind(Remind),
    /// A new key for the tokens in letters, after the old one may have been seen.
    #[command(after_help = "Example:\n  postern --config postern.toml rotate-key")]
    RotateKey,
    /// The register from a terminal.
    Case(CaseCommand),
    /// What the Ombudsman asked, decided and is owed.
    #[command(subcommand)]
    Ombudsman(Ombudsman),
    /// Letters that have not arrived, and what to do with them.
    #[command(subcommand)]
    Letters(Letters),
    /// The rules by themselves.
    #[command(subcommand)]
    Rules(Rules),
    /// Who answers for what.
    #[command(subcommand)]
    Services(Services),
    /// Who may use the API.
    #[command(subcommand)]
    User(User),
    /// Shell completions.
    #[command(after_help = "Example:\n  postern completions bash > /etc/bash_completion.d/postern")]
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder for the mailbox, the register and the letters (postern-demo, where none is named).
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Port of the status page on 127.0.0.1.
    #[arg(long, default_value_t = 8080, value_name = "N")]
    pub(super) port: u16,
    /// One pass, then exit.
    #[arg(long)]
    pub(super) once: bool,
    /// The moment the demo believes it is: 2026-12-01T08:30, or `+10 days` from its last.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    /// Lives through a council year of 1,602 representations and prints what was sent to whom: the present year, or
    /// that of --at. In a folder that goes away, where --dir names none.
    #[arg(long, conflicts_with_all = ["once", "port"])]
    pub(super) simulate_year: bool,
    /// Which of the possible years.
    #[arg(long, default_value_t = 1, value_name = "N", requires = "simulate_year")]
    pub(super) seed: u64,
    /// Only every N-th of its representations.
    #[arg(long, default_value = "1", value_name = "N", requires = "simulate_year")]
    pub(super) every: NonZeroUsize,
    /// One JSON object.
    #[arg(long, requires = "simulate_year")]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Everything that waits now (mail, letters, reminders), then exit.
    #[arg(long)]
    pub(super) once: bool,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Messages: .eml, mbox, Maildir or a folder of them.
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
    /// One object a message, one line each.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Messages: .eml, mbox, Maildir or a folder of them.
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
    /// Acknowledge what is imported as if it had just arrived (not done by default).
    #[arg(long)]
    pub(super) acknowledge: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limit").required(true).args(["procedure", "days"]))]
pub(super) struct Deadline {
    /// When it was received: 2026-03-16, 2026-03-16T09:30 or with an offset.
    #[arg(long, value_name = "WHEN")]
    pub(super) received: String,
    /// Procedure, as rules/procedures.toml names it.
    #[arg(long, value_name = "P", requires = "stage")]
    pub(super) procedure: Option<String>,
    /// Its stage.
    #[arg(long, value_name = "N", requires = "procedure", conflicts_with = "days")]
    pub(super) stage: Option<u8>,
    /// Working days to count instead.
    #[arg(long, value_name = "N")]
    pub(super) days: Option<u16>,
    /// When it was acknowledged, for a stage whose answer counts from that.
    #[arg(long, value_name = "WHEN", requires = "procedure")]
    pub(super) acknowledged: Option<String>,
    /// How counting starts: `day_after`, `deemed_next_wd`, `deemed_next_wd_1700` or inclusive.
    #[arg(long, value_name = "RULE")]
    pub(super) rule: Option<String>,
    /// An object with `due` and `steps`.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Remind {
    /// The moment to reckon with; now without it.
    #[arg(long, value_name = "WHEN")]
    pub(super) at: Option<String>,
    /// Only say what would go to whom.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// One object a mail.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// Are the rules valid?
    #[command(after_help = "Example:\n  postern rules check\n  postern rules check --rules draft")]
    Check {
        /// The rules to check; those of the settings without it.
        #[arg(long, value_name = "FOLDER")]
        rules: Option<PathBuf>,
    },
    /// How accurate are they on a labelled corpus?
    ///
    /// The second opinion judges no message that it has learned from: examples of the same text are
    /// left out.
    #[command(
        after_help = "Example:\n  postern rules test tests/complaints/dev.jsonl\n  postern rules test labelled.jsonl --folds 5"
    )]
    Test {
        /// JSON Lines files with labels.
        #[arg(required = true)]
        corpus: Vec<PathBuf>,
        /// Cross-validation: so many parts, each judged by what the others teach.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=50))]
        folds: u8,
        /// The rules to measure; those of the settings without it.
        #[arg(long, value_name = "FOLDER")]
        rules: Option<PathBuf>,
    },
    /// What would change on past messages, and does it come nearer to what officers decided?
    ///
    /// Judges stored messages again and lists those whose result would be another than was recorded.
    /// Nothing is changed, and no message's sender or text is shown.
    #[command(
        after_help = "Example:\n  postern rules backtest --rules draft --since 2026-01-01\n  postern rules backtest --rules draft --limit 1000 --json"
    )]
    Backtest(OverPast),
    /// What do officers' corrections suggest?
    ///
    /// Proposes new and changed rules for what officers corrected, each with the past messages that it
    /// would put right and those that it would put wrong, of the newest 5,000 without --limit. Nothing
    /// takes effect: copy what is good into a draft, and publish that.
    #[command(
        after_help = "Example:\n  postern rules suggest --since 2026-01-01\n  postern rules suggest --rules draft --json"
    )]
    Suggest(OverPast),
    /// How right have the rules been, by what officers decided?
    ///
    /// By rule: on how many decided messages it fired for the value that was chosen, and how often
    /// officers chose another. By record type, service and customer type, and by month.
    #[command(
        after_help = "Example:\n  postern rules accuracy\n  postern rules accuracy --since 2026-01-01 --json"
    )]
    Accuracy {
        /// Only messages received since: 2026-01-31, or with a time.
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
        /// One object a rule, label or month.
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Versions(Versions),
    /// Why this result?
    #[command(after_help = "Example:\n  postern rules explain message.eml")]
    Explain {
        /// A message.
        message: PathBuf,
        /// The rules to ask; those of the settings without it.
        #[arg(long, value_name = "FOLDER")]
        rules: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Adds an account, or gives a disabled one another token. Prints the token, this once.
    #[command(
        after_help = "Example:\n  postern user add pat\n  postern user add dashboard --role reader"
    )]
    Add {
        /// Its name, as the history of cases will show it.
        name: String,
        /// What it may do: an officer acts on cases, a reader looks at them.
        #[arg(long, default_value = "officer", value_name = "officer|reader")]
        role: Role,
    },
    /// Every account.
    #[command(after_help = "Example:\n  postern user list")]
    List {
        /// One object an account.
        #[arg(long)]
        json: bool,
    },
    /// Ends an account's token; what it did stays in the history.
    #[command(after_help = "Example:\n  postern user disable pat")]
    Disable {
        /// Its name.
        name: String,
    },
}

/// Rules tried over past messages.
#[derive(Debug, Args)]
pub(super) struct OverPast {
    /// The rules to try; those of the settings without it.
    #[arg(long, value_name = "FOLDER")]
    pub(super) rules: Option<PathBuf>,
    /// Only messages received since: 2026-01-31, or with a time.
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<String>,
    /// Only the newest so many messages.
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// One object a line.
    #[arg(long)]
    pub(super) json: bool,
}
