//! What can be asked and recorded of the Ombudsman.

use clap::{ArgGroup, Subcommand};
use jiff::civil::Date;

use crate::casework::ombudsman::{ClosedBecause, ContactKind, Decided};
use crate::casework::vocabulary::RecordType;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ombudsman {
    /// The Ombudsman's cases on which something is left to do or to hear.
    #[command(after_help = "Example:\n  postern ombudsman list")]
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
        /// One object a case.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one case of the Ombudsman.
    #[command(after_help = "Example:\n  postern ombudsman show 3")]
    Show {
        /// Its number here.
        number: i64,
        /// One object.
        #[arg(long)]
        json: bool,
    },
    /// Says which case of the council a case of the Ombudsman is about.
    #[command(after_help = "Example:\n  postern ombudsman link 3 NCC-2026-00412-7")]
    Link {
        /// Its number here.
        number: i64,
        /// The council's case.
        reference: String,
    },
    /// Records what came from the Ombudsman by post or telephone, and tells the link officer.
    #[command(
        after_help = "Example:\n  postern ombudsman contact --kind enquiry --case NCC-2026-00412-7 --theirs '25 012 345' --by 2026-04-28 --asks 'our file'\n\nKinds: premature, enquiry, documents, provisional_decision, decision, remedy.\nThe date is the one that the letter gives; leave it out where it gives none."
    )]
    Contact {
        /// What it is.
        #[arg(long)]
        kind: ContactKind,
        /// The council's case that it is about, where that is known.
        #[arg(long, value_name = "REFERENCE")]
        case: Option<String>,
        /// The Ombudsman's case, by its number here.
        #[arg(long)]
        number: Option<i64>,
        /// The Ombudsman's reference.
        #[arg(long, value_name = "REFERENCE")]
        theirs: Option<String>,
        /// The day it came; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        received: Option<Date>,
        /// The day that it gives.
        #[arg(long, value_name = "DAY")]
        by: Option<Date>,
        /// What is asked.
        #[arg(long)]
        asks: Option<String>,
    },
    /// Confirms what a contact is and the date that it gives, once a person has read it.
    #[command(
        group = ArgGroup::new("date").required(true).args(["by", "no_date"]),
        after_help = "Example:\n  postern ombudsman confirm 5 --kind enquiry --by 2026-04-28 --asks 'our file and comments'\n\nKinds: premature, enquiry, documents, provisional_decision, decision, remedy."
    )]
    Confirm {
        /// The contact's number.
        contact: i64,
        /// What it is.
        #[arg(long)]
        kind: ContactKind,
        /// The day that it gives.
        #[arg(long, value_name = "DAY")]
        by: Option<Date>,
        /// It gives none.
        #[arg(long)]
        no_date: bool,
        /// What is asked.
        #[arg(long)]
        asks: Option<String>,
    },
    /// Records that the council answered a contact, and stops its reminders.
    #[command(after_help = "Example:\n  postern ombudsman answered 5 --on 2026-04-27")]
    Answered {
        /// The contact's number.
        contact: i64,
        /// When; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
    },
    /// Records what the Ombudsman decided.
    #[command(
        after_help = "Example:\n  postern ombudsman decision 3 --outcome upheld --on 2026-06-02\n\nOutcomes: upheld, not_upheld, closed, premature.\nClosed because: out_of_jurisdiction, no_further_action, withdrawn."
    )]
    Decision {
        /// The number of the Ombudsman's case.
        number: i64,
        /// What was decided.
        #[arg(long)]
        outcome: Decided,
        /// Why it was closed.
        #[arg(long, value_name = "REASON")]
        closed: Option<ClosedBecause>,
        /// The day of the decision; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
    },
    /// Records what was agreed to put things right; one at a time.
    #[command(
        after_help = "Example:\n  postern ombudsman remedy 3 --what 'a written apology' --by 2026-07-02"
    )]
    Remedy {
        /// The number of the Ombudsman's case.
        number: i64,
        /// What was agreed.
        #[arg(long)]
        what: String,
        /// By when, as the decision says.
        #[arg(long, value_name = "DAY")]
        by: Option<Date>,
    },
    /// Records that a remedy is done, and stops its reminders.
    #[command(
        after_help = "Example:\n  postern ombudsman done 2 --on 2026-06-20 --evidence 'copy of the letter of 20 June'"
    )]
    Done {
        /// The remedy's number.
        remedy: i64,
        /// When; today, where it is not given.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
        /// What shows it.
        #[arg(long)]
        evidence: String,
    },
    /// Takes up what came back as premature: the linked case, at its first stage not done.
    #[command(
        after_help = "Example:\n  postern ombudsman resume 5\n\nThe new clock runs from the day on which the referral came."
    )]
    Resume {
        /// The number of the contact with which it came back.
        contact: i64,
    },
    /// Opens a case for what came back as premature and belongs to none.
    #[command(
        after_help = "Example:\n  postern ombudsman open 5 --type corporate_complaint --service sen\n\nIts clock runs from the day on which the referral came."
    )]
    Open {
        /// The number of the contact with which it came, by mail, post or telephone.
        contact: i64,
        /// Record type.
        #[arg(long = "type", value_name = "TYPE")]
        record_type: RecordType,
        /// The service that answers.
        #[arg(long)]
        service: String,
    },
    /// Takes the linked case up again because of what the Ombudsman decided.
    #[command(after_help = "Example:\n  postern ombudsman reopen 3")]
    Reopen {
        /// The number of the Ombudsman's case.
        number: i64,
    },
}
