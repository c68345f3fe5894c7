//! What can be typed about letters: those that wait, and the templates that they are written with.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Versions;
use crate::casework::adjustment::Format;
use crate::casework::vocabulary::RejectionReason;
use crate::letters::LetterId;

#[derive(Debug, Subcommand)]
pub(crate) enum Letters {
    /// Letters that have not left or came back, oldest first.
    #[command(after_help = "Example:\n  postern letters list --held")]
    List {
        /// Only those that wait for a person.
        #[arg(long, conflicts_with_all = ["failed", "queued"])]
        held: bool,
        /// Only those that were given up.
        #[arg(long, conflicts_with = "queued")]
        failed: bool,
        /// Only those that leave when they are due.
        #[arg(long)]
        queued: bool,
        /// One object a letter.
        #[arg(long)]
        json: bool,
    },
    /// The words of a letter, as it was written.
    #[command(after_help = "Example:\n  postern letters show 17")]
    Show {
        /// Its number, as `letters list` and `case show` have it.
        letter: i64,
    },
    /// Lets held letters leave.
    #[command(
        after_help = "Example:\n  postern letters release 17 18\n  postern letters release --held"
    )]
    Release(HeldLetters),
    /// Decides that held letters never leave.
    #[command(
        after_help = "Example:\n  postern letters cancel 17\n  postern letters cancel --held"
    )]
    Cancel(HeldLetters),
    /// Lets automatic mail go again to an address that refused it.
    #[command(after_help = "Example:\n  postern letters allow ann@example.org")]
    Allow {
        /// The address.
        address: String,
    },
    /// Which letters there are, in which languages, and how plain each is.
    #[command(
        after_help = "Example:\n  postern letters templates\n  postern letters templates --json"
    )]
    Templates {
        /// The templates to list; those of the settings without it.
        #[arg(long, value_name = "FOLDER")]
        templates: Option<PathBuf>,
        /// One object a letter.
        #[arg(long)]
        json: bool,
    },
    /// Writes a letter as it would go out on a case now, or on invented ones. Nothing is kept or sent.
    #[command(
        after_help = "Example:\n  postern letters preview holding --case NCC-2026-00412-7\n  postern letters preview acknowledgement-corporate --letters cy --templates draft\n  postern letters preview holding --format large_print --html letter.html"
    )]
    Preview(Preview),
    #[command(flatten)]
    Versions(Versions),
}

#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// Which letter, as `letters templates` lists them.
    pub(crate) letter: LetterId,
    /// The reference of a case; without one the letter is written for invented people.
    #[arg(long, value_name = "REF")]
    pub(crate) case: Option<String>,
    /// In which letters; without it as the customer of the case is written to.
    #[arg(long, value_name = "EDITION")]
    pub(crate) letters: Option<String>,
    /// In which form; without it as the customer of the case is written to.
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// For `rejection`: why the case would not be taken on.
    #[arg(long, default_value = "other_organisation")]
    pub(crate) reason: RejectionReason,
    /// A draft of the templates; those of the settings without it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) templates: Option<PathBuf>,
    /// Writes the HTML to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// One object a letter.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HeldLetters {
    /// Their numbers, as `letters list --held` shows them.
    #[arg(required_unless_present = "held", conflicts_with = "held")]
    pub(crate) letters: Vec<i64>,
    /// All answers that are held because there were too many in ten minutes.
    #[arg(long)]
    pub(crate) held: bool,
}
