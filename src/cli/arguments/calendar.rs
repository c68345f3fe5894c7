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
}
