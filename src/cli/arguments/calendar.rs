//! What can be typed of the calendar.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Calendar {
    /// The bank holidays, and how far they reach.
    #[command(
        after_help = "Example:\n  postern calendar show\n  postern calendar show --year 2027 --json"
    )]
    Show {
        /// Only this year.
        #[arg(long, value_name = "YEAR")]
        year: Option<i16>,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Writes a calendar file that goes on by rule to the end of a year.
    ///
    /// The file goes to standard output: what is listed now, and the days that the rules give for the
    /// years after it. Each of those says in its notes that it is not proclaimed yet. Nothing changes
    /// until you put the file into the rules folder.
    #[command(
        after_help = "Example:\n  postern calendar extend --until 2029 > bank-holidays-england.json"
    )]
    Extend {
        /// The last year.
        #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(2000..=2199))]
        until: i16,
    },
    /// Open cases whose dates the last change of the bank holidays moved.
    ///
    /// The standard date, which the annual report measures, moves by itself. The day that the customer was
    /// told stays until an officer moves it with `case extend`.
    #[command(after_help = "Example:\n  postern calendar moved\n  postern calendar moved --json")]
    Moved {
        /// One object a case.
        #[arg(long)]
        json: bool,
    },
    /// Counts open cases again by the present calendar.
    ///
    /// A running gateway does this by itself when the calendar's file changes. By hand it also returns to
    /// a calendar that the register has counted by before.
    #[command(
        after_help = "Example:\n  postern calendar recompute --dry-run\n  postern calendar recompute"
    )]
    Recompute {
        /// Only list what would move.
        #[arg(long)]
        dry_run: bool,
        /// One object a case that moves.
        #[arg(long)]
        json: bool,
    },
}
