//! What can be done to the actions agreed from a case.

use clap::{ArgGroup, Subcommand};
use jiff::civil::Date;

use crate::casework::vocabulary::{SubTheme, Theme};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ActionAct {
    /// Records what is to be done because of a complaint, by whom and by when.
    #[command(
        group = ArgGroup::new("who").required(true).multiple(true).args(["owner", "service"]),
        after_help = "Example:\n  postern case agree-action NCC-2026-00412-7 --what 'train the duty team' --service sen --due 2026-05-29\n  postern case agree-action NCC-2026-00412-7 --what 'new leaflet' --owner 'Sam Reed' --address sam.reed@northmere.example --due 2026-05-29\n\nThe service's responding manager owns it, where no owner is named. The owner is reminded in the one mail\nthat they get a day (rules/reminders.toml); the mail does not say what the action is."
    )]
    AgreeAction {
        /// The reference.
        reference: String,
        /// What is to be done.
        #[arg(long)]
        what: String,
        /// By when.
        #[arg(long, value_name = "DAY")]
        due: Date,
        /// The service that it is for.
        #[arg(long)]
        service: Option<String>,
        /// The person who owns it.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// Where mail reaches that person; without it an officer is asked to remind them.
        #[arg(long, requires = "owner")]
        address: Option<String>,
        /// The theme of the issue that it puts right.
        #[arg(long)]
        theme: Option<Theme>,
        /// What exactly within the theme.
        #[arg(long, requires = "theme")]
        part: Option<SubTheme>,
        /// When it was agreed; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        agreed: Option<Date>,
    },
    /// Moves the date of an action; its reminders start anew.
    #[command(
        after_help = "Example:\n  postern case move-action NCC-2026-00412-7 1 --due 2026-06-12 --because 'the trainer is ill'"
    )]
    MoveAction {
        /// The reference.
        reference: String,
        /// The action's number, as `case show` gives it.
        number: u32,
        /// By when.
        #[arg(long, value_name = "DAY")]
        due: Date,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Records that an action was done, and what shows it.
    #[command(
        group = ArgGroup::new("proof").required(true).multiple(true).args(["evidence", "message"]),
        after_help = "Example:\n  postern case action-done NCC-2026-00412-7 1 --evidence 'attendance list of 26 May' --message 31/1"
    )]
    ActionDone {
        /// The reference.
        reference: String,
        /// The action's number, as `case show` gives it.
        number: u32,
        /// How it is known.
        #[arg(long)]
        evidence: Option<String>,
        /// A message (17) or an attachment (17/1) of the case that shows it.
        #[arg(long, value_name = "MESSAGE[/NUMBER]")]
        message: Option<String>,
        /// When it was done; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
    },
    /// Records that an action will not be done.
    #[command(
        after_help = "Example:\n  postern case drop-action NCC-2026-00412-7 1 --because 'the service was closed'"
    )]
    DropAction {
        /// The reference.
        reference: String,
        /// The action's number, as `case show` gives it.
        number: u32,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Takes an action up again that was done or dropped.
    #[command(
        after_help = "Example:\n  postern case reopen-action NCC-2026-00412-7 1 --due 2026-06-12 --because 'half of the team was not there'"
    )]
    ReopenAction {
        /// The reference.
        reference: String,
        /// The action's number, as `case show` gives it.
        number: u32,
        /// By when; the day that it had, where it is not given.
        #[arg(long, value_name = "DAY")]
        due: Option<Date>,
        /// Why.
        #[arg(long)]
        because: String,
    },
}
