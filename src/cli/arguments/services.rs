//! `postern services …` as it can be typed.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Services {
    /// Every service, who answers for it, and how long its draft is checked.
    #[command(after_help = "Example:\n  postern services list")]
    List {
        /// One object a service.
        #[arg(long)]
        json: bool,
    },
    /// Takes contacts from a list (CSV) into rules/services.toml; comments stay.
    ///
    /// The first line names the columns: id, and any of label, name, table, division, `checking_margin`, and
    /// name and address of inbox, `responding_manager`, `head_of_service`, `divisional_director`, `corporate_director`
    /// (`inbox_name`, `inbox_address` and so on); ask, `attach_message` and skip. A line with an `area` is of that area
    /// of the service, with districts and postcodes (several in a cell have ; between them) and the contacts up to
    /// `head_of_service`. An empty cell changes nothing; what is not listed stays.
    #[command(
        after_help = "Example:\n  postern services import staff.csv --dry-run\n  postern services import staff.csv"
    )]
    Import {
        /// The list, in UTF-8 or as Excel writes it on Windows.
        file: PathBuf,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
}
