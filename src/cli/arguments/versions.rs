//! What can be typed about rules and letters as versions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Versions {
    /// What was published, by whom, when and why, newest first.
    #[command(
        name = "versions",
        after_help = "Example:\n  postern rules versions\n  postern letters versions --json"
    )]
    Published {
        /// One object a version.
        #[arg(long)]
        json: bool,
    },
    /// Makes a draft the live set, and records it as a version.
    ///
    /// The draft is checked whole first. A rule set is the numbered files and services.toml; a set of letters is
    /// the folder letters of the templates. Other files stay as they are. A running daemon takes it up within
    /// seconds.
    #[command(
        after_help = "Example:\n  postern rules publish --rules draft --author 'Pat Lee' --reason 'EHC plans by their short name'\n  postern letters publish --templates draft --author 'Pat Lee' --reason 'the new telephone times'"
    )]
    Publish(Publish),
    /// What differs between two sets: by rule, row and service, or by line.
    #[command(
        after_help = "Example:\n  postern rules diff\n  postern rules diff live draft\n  postern letters diff 3f2a9c1b77de live --json"
    )]
    Diff(Diff),
    /// Publishes an earlier version again.
    #[command(
        after_help = "Example:\n  postern rules rollback 3f2a9c1b77de --author 'Pat Lee' --reason 'too many taken for transport'\n  postern letters rollback 9a1c --author 'Pat Lee' --reason 'the old words were plainer'"
    )]
    Rollback(Rollback),
    /// Writes a set into a new folder, to be edited as a draft.
    #[command(
        after_help = "Example:\n  postern rules export draft\n  postern letters export templates\n  postern rules export before 3f2a9c1b77de"
    )]
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct HowToPublish {
    /// Who publishes.
    #[arg(long, value_name = "NAME")]
    pub(crate) author: String,
    /// Why, in a few words.
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
    /// Record edits of the live folder as a version first, where there are any.
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) how: HowToPublish,
    /// The draft; without it, what was edited in the live folder becomes a version.
    #[arg(long, visible_aliases = ["rules", "templates"], value_name = "FOLDER")]
    pub(crate) draft: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The version, or its first digits.
    pub(crate) version: String,
    #[command(flatten)]
    pub(crate) how: HowToPublish,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A version, `live`, `shipped` or a folder; the last version without it.
    #[arg(value_name = "A")]
    pub(crate) before: Option<String>,
    /// The same; `live` without it.
    #[arg(value_name = "B")]
    pub(crate) after: Option<String>,
    /// One object a rule, row, service or file that differs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder to make.
    pub(crate) folder: PathBuf,
    /// A version, `live`, `shipped` or a folder.
    #[arg(default_value = "live")]
    pub(crate) set: String,
}
