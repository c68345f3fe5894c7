//! What can be asked of cases, messages and tasks.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::action_act::ActionAct;
use super::case_act::CaseAct;

#[derive(Debug, Args)]
pub(in crate::cli) struct CaseCommand {
    /// Only if the case is still of this version, as `case show` gives it; else says what changed.
    #[arg(long, global = true, value_name = "N")]
    pub(in crate::cli) if_version: Option<i64>,
    #[command(subcommand)]
    pub(in crate::cli) asked: Case,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Case {
    /// Cases, worst first.
    #[command(after_help = "Example:\n  postern case list --overdue")]
    List {
        /// Only those whose date has passed.
        #[arg(long)]
        overdue: bool,
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        /// Messages that wait for an officer, and those in quarantine, instead.
        #[arg(long, conflicts_with_all = ["overdue", "all", "paused", "owner"])]
        waiting: bool,
        /// Only those whose clock stands still.
        #[arg(long)]
        paused: bool,
        /// Only those of this officer of officers.toml; `nobody` for those that no officer has.
        #[arg(long, value_name = "OFFICER")]
        owner: Option<String>,
        /// One object a case.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one case.
    #[command(after_help = "Example:\n  postern case show NCC-2026-00412-7")]
    Show {
        /// The reference, in any spelling.
        reference: String,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Shows what services answered to a case, and what can be told of each answer's quality.
    #[command(after_help = "Example:\n  postern case answer-draft NCC-2026-00412-7")]
    AnswerDraft {
        /// The reference, in any spelling.
        reference: String,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Shows why the gateway read a case as it did: which words of each message, where, by which rule, and by which
    /// version of the rules.
    #[command(
        after_help = "Example:\n  postern case why NCC-2026-00412-7\n\nWhat other rules would make of the same message, `postern rules backtest` tells; of a message that is in a file, `postern rules explain`."
    )]
    Why {
        /// The reference.
        reference: String,
        /// One object a message.
        #[arg(long)]
        json: bool,
    },
    /// Shows how the date of a case was counted, day by day, and what moved it.
    #[command(after_help = "Example:\n  postern case clock NCC-2026-00412-7")]
    Clock {
        /// The reference.
        reference: String,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Shows what each officer of officers.toml has, and who is away.
    #[command(after_help = "Example:\n  postern case workload")]
    Workload {
        /// One object an officer.
        #[arg(long)]
        json: bool,
    },
    /// Evens out the work of those who are there with the fewest moves; or hands over all open cases of one.
    #[command(
        after_help = "Example:\n  postern case rebalance --dry-run\n  postern case rebalance --from ann --because 'on leave until May'\n\nA case with a child at risk moves only with --from, and a task says so."
    )]
    Rebalance {
        /// Whose open cases all go to others: to whoever stands in, else as new cases do. `nobody` for those that
        /// no officer has.
        #[arg(long, value_name = "OFFICER")]
        from: Option<String>,
        /// Why, kept with each case.
        #[arg(long)]
        because: Option<String>,
        /// Only say what would move.
        #[arg(long)]
        dry_run: bool,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Ends a task of `case list --waiting`.
    #[command(after_help = "Example:\n  postern case done 12")]
    Done {
        /// The task's number.
        task: i64,
    },
    /// Makes a message a case of its own, whatever it answers.
    #[command(after_help = "Example:\n  postern case split 17")]
    Split {
        /// The message's number, as `case show` gives it.
        message: i64,
    },
    /// Declines a suggestion of `case list --waiting`.
    #[command(after_help = "Example:\n  postern case decline 5")]
    Decline {
        /// The suggestion's number.
        suggestion: i64,
    },
    /// Saves an attachment; the gateway itself never opens one.
    #[command(after_help = "Example:\n  postern case attachment 17/1 --save letter.pdf")]
    Attachment {
        /// Message and number, as `case show` gives them: 17/1; a3/1 came with answer 3 on the answer page.
        #[arg(value_name = "MESSAGE/NUMBER")]
        attachment: String,
        /// The file to make; one that is there is left alone.
        #[arg(long, value_name = "FILE")]
        save: PathBuf,
        /// Save it although the scanner found it infected.
        #[arg(long)]
        even_infected: bool,
    },
    /// Tries a message in quarantine again.
    #[command(after_help = "Example:\n  postern case retry 17")]
    Retry {
        /// The message's number, as `case list --waiting` shows it.
        message: i64,
    },
    /// What was agreed because of complaints, what is due first first.
    #[command(
        after_help = "Example:\n  postern case actions --overdue\n  postern case actions --owner lena.park@northmere.example --all"
    )]
    Actions {
        /// Only open ones whose date has passed.
        #[arg(long)]
        overdue: bool,
        /// Only those of this owner: a name or an address.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// Only those for this service.
        #[arg(long)]
        service: Option<String>,
        /// Those that were done or dropped, too.
        #[arg(long, conflicts_with = "overdue")]
        all: bool,
        /// One object an action.
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Action(ActionAct),
    #[command(flatten)]
    Act(CaseAct),
}
