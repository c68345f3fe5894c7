//! What can be done to a case.

use clap::{ArgGroup, Subcommand};
use jiff::civil::Date;

use crate::casework::adjustment::Format;
use crate::casework::assessment::{Gate, Needed};
use crate::casework::case::{AdvocacyStep, Point};
use crate::casework::dates::PauseReason;
use crate::casework::vocabulary::{Outcome, RecordType, RejectionReason, SubTheme, Theme};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CaseAct {
    /// Corrects what the gateway made of it; the receipt date stays.
    #[command(
        group = ArgGroup::new("correction").required(true).multiple(true)
            .args(["record_type", "service", "customer", "themes", "flags"]),
        after_help = "Example:\n  postern case correct NCC-2026-00412-7 --type enquiry --service sen --because 'asks for advice'"
    )]
    Correct {
        /// The reference.
        reference: String,
        /// Record type.
        #[arg(long = "type", value_name = "TYPE")]
        record_type: Option<String>,
        /// Services that answer, the lead first, separated by commas.
        #[arg(long)]
        service: Option<String>,
        /// Customer type.
        #[arg(long)]
        customer: Option<String>,
        /// Themes, separated by commas; empty for none.
        #[arg(long)]
        themes: Option<String>,
        /// Flags, separated by commas; empty for none.
        #[arg(long)]
        flags: Option<String>,
        /// Why, kept with the correction.
        #[arg(long)]
        because: String,
    },
    /// Gives a case to an officer of officers.toml.
    #[command(
        after_help = "Example:\n  postern case assign NCC-2026-00412-7 --to ann --because 'she knows the family'"
    )]
    Assign {
        /// The reference.
        reference: String,
        /// The officer's id; `nobody` takes it from whoever has it.
        #[arg(long, value_name = "OFFICER")]
        to: String,
        /// Why, kept with the case.
        #[arg(long)]
        because: Option<String>,
    },
    /// Records that a service answered, and stops its reminders.
    #[command(after_help = "Example:\n  postern case answered NCC-2026-00412-7 --service sen")]
    Answered {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
    },
    /// Accepts the answer that a service gave, on its page or by mail.
    #[command(after_help = "Example:\n  postern case accept-answer NCC-2026-00412-7 --service sen")]
    AcceptAnswer {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
    },
    /// Sends the answer that a service gave back, and chases it for a better one from where it was.
    #[command(
        after_help = "Example:\n  postern case send-back NCC-2026-00412-7 --service sen --note 'says nothing of the second visit'\n\nThe service reads the note on the answer page, behind its code. Where there is no page\n(console.public_url) the note stands in the mail: name nobody then."
    )]
    SendBack {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
        /// What the answer lacks.
        #[arg(long)]
        note: String,
    },
    /// How the customer is written to from now on, in every case of theirs: in other letters, in another form.
    #[command(
        after_help = "Example:\n  postern case adjust NCC-2026-00412-7 --letters easy-read\n  postern case adjust NCC-2026-00412-7 --format large_print --because 'asked on the telephone'\n\nLetters: usual, and what `postern letters templates` lists. Forms: usual, large_print, plain_text; a letter\non paper, in braille, audio, by telephone or in sign_language is written and held, with a task to send it."
    )]
    Adjust {
        /// The reference.
        reference: String,
        /// Which letters: `usual`, `cy`, `easy-read`.
        #[arg(long, required_unless_present = "format")]
        letters: Option<String>,
        /// In which form.
        #[arg(long)]
        format: Option<Format>,
        /// What was agreed, in a few words.
        #[arg(long)]
        because: Option<String>,
    },
    /// Gives a service that asked for more time none: it is told why, and its day stays.
    #[command(
        after_help = "Example:\n  postern case no-more-time NCC-2026-00412-7 --service sen --because 'the customer has waited once already'\n\nThe service reads why on the answer page, behind its code. Where there is no page (console.public_url)\nit stands in the mail: name nobody then. To give it more time, move its day: `case extend`, `case part`."
    )]
    NoMoreTime {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
        /// Why, in words for the service.
        #[arg(long)]
        because: String,
    },
    /// Asks one more service.
    #[command(
        after_help = "Example:\n  postern case ask NCC-2026-00412-7 --service home_to_school_transport"
    )]
    Ask {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
    },
    /// Says what a service answers of a case, by when, and who there; it is told.
    #[command(
        group = ArgGroup::new("what").required(true).multiple(true)
            .args(["points", "due", "by_the_customers_date", "responder"]),
        after_help = "Example:\n  postern case part NCC-2026-00412-7 --service home_to_school_transport --points delay,no_contact --due 2026-04-14"
    )]
    Part {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
        /// The points that it answers, separated by commas: themes, or what exactly within one.
        #[arg(long, value_delimiter = ',')]
        points: Option<Vec<Point>>,
        /// By when its part is with the complaints team: a working day, not after the customer's date.
        #[arg(long)]
        due: Option<Date>,
        /// Its day is counted back from the customer's date again.
        #[arg(long, conflicts_with = "due")]
        by_the_customers_date: bool,
        /// Who answers, as `Name <address>`; `none` for whom the services' file names.
        #[arg(long)]
        responder: Option<String>,
    },
    /// Says for which of its areas a service answers a case.
    #[command(
        group = ArgGroup::new("which").required(true).args(["area", "none"]),
        after_help = "Example:\n  postern case area NCC-2026-00412-7 --service sen --area south --because 'the school is in the north, they live in the south'\n\nWhere a request to the service is open it ends, and whoever answers for the area is asked anew."
    )]
    Area {
        /// The reference.
        reference: String,
        /// Which service.
        #[arg(long)]
        service: String,
        /// Which of its areas, by its id in services.toml.
        #[arg(long)]
        area: Option<String>,
        /// None of them: the service's own contacts answer.
        #[arg(long)]
        none: bool,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Applies time limits to a case that came into force after its clock had started.
    #[command(
        after_help = "Example:\n  postern case apply-policy NCC-2026-00412-7 --in-force-on 2026-04-14 --because 'agreed with the customer'"
    )]
    ApplyPolicy {
        /// The reference.
        reference: String,
        /// The day whose time limits count since.
        #[arg(long, value_name = "DAY")]
        in_force_on: Date,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Records that a child or young person was offered an advocate, or what they said.
    #[command(after_help = "Example:\n  postern case advocacy NCC-2026-00412-7 --is wanted")]
    Advocacy {
        /// The reference.
        reference: String,
        /// What.
        #[arg(long = "is", value_name = "STEP")]
        step: AdvocacyStep,
        /// When; today, where no day is named.
        #[arg(long)]
        on: Option<Date>,
        /// Who works with them, with `works`.
        #[arg(long, value_name = "NAME")]
        advocate: Option<String>,
    },
    /// Answers a member's enquiry by saying that their constituent's complaint is open.
    #[command(
        after_help = "Example:\n  postern case link-to-complaint NCC-2026-00412-7 --complaint NCC-2026-00398-5"
    )]
    LinkToComplaint {
        /// The reference of the member's enquiry.
        reference: String,
        /// The reference of the complaint.
        #[arg(long, value_name = "REFERENCE")]
        complaint: String,
    },
    /// Handles what a member wrote as a complaint of their constituent, and tells the member.
    #[command(
        after_help = "Example:\n  postern case for-constituent NCC-2026-00412-7 --type corporate_complaint --because 'the family has waited a year'\n\nThe complaint's clock runs from the receipt. The member gets a copy of the answer later. Whether the constituent\nagrees is asked: `postern case constituent` records it."
    )]
    ForConstituent {
        /// The reference.
        reference: String,
        /// Which kind of complaint: corporate, or by the Children Act.
        #[arg(long = "type", value_name = "TYPE")]
        record_type: RecordType,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Records whether a constituent agrees that what a member wrote is their complaint.
    #[command(
        group = ArgGroup::new("said").required(true).args(["agrees", "declines"]),
        after_help = "Example:\n  postern case constituent NCC-2026-00412-7 --agrees --how 'on the telephone'\n\nWhere they do not agree it is a member's enquiry again, by its own clock from the receipt, and the member is told."
    )]
    Constituent {
        /// The reference.
        reference: String,
        /// They agree.
        #[arg(long)]
        agrees: bool,
        /// They do not.
        #[arg(long)]
        declines: bool,
        /// How they said so.
        #[arg(long, value_name = "WORDS")]
        how: String,
        /// When; today, where no day is named.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
    },
    /// Records that the customer has been answered.
    #[command(
        after_help = "Example:\n  postern case respond NCC-2026-00412-7 --note 'letter of 3 March'"
    )]
    Respond {
        /// The reference.
        reference: String,
        /// What was sent.
        #[arg(long)]
        note: String,
    },
    /// Closes a case.
    #[command(
        after_help = "Example:\n  postern case close NCC-2026-00412-7 --because 'answered, nothing further'"
    )]
    Close {
        /// The reference.
        reference: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Takes a closed or answered case up again.
    #[command(
        after_help = "Example:\n  postern case reopen NCC-2026-00412-7 --because 'new evidence'"
    )]
    Reopen {
        /// The reference.
        reference: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Gives the answer more time, up to the procedure's limit, before its date has passed.
    #[command(
        after_help = "Example:\n  postern case extend NCC-2026-00412-7 --until 2026-04-14 --because 'two services must answer'\n  postern case extend NCC-2026-00412-7 --until 2026-06-24 --under longer_2026 --because 'no risk; the service is closed'\n\nA temporary policy of procedures.toml gives more than the procedure. The date that the annual report measures\nstays."
    )]
    Extend {
        /// The reference.
        reference: String,
        /// The last day.
        #[arg(long, value_name = "DAY")]
        until: Date,
        /// The temporary policy of procedures.toml that allows more than the procedure does.
        #[arg(long, value_name = "POLICY")]
        under: Option<String>,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Lets the clock of a case stand still from today; nobody is chased for it.
    #[command(
        after_help = "Example:\n  postern case pause NCC-2026-00412-7 --for awaiting_customer --because 'asked which school'\n\nReasons: awaiting_authority, awaiting_customer, proceedings, policy_suspension, adjustment, statute.\nOnly proceedings and statute move the date that the annual report measures."
    )]
    Pause {
        /// The reference.
        reference: String,
        /// The kind of reason.
        #[arg(long = "for", value_name = "REASON")]
        why: PauseReason,
        /// Why, in words.
        #[arg(long)]
        because: String,
    },
    /// Lets the clock of a case go on from today.
    #[command(
        after_help = "Example:\n  postern case resume NCC-2026-00412-7 --because 'the customer has answered'"
    )]
    Resume {
        /// The reference.
        reference: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Takes back a move of the clock: the dates are as if it had never been.
    #[command(
        after_help = "Example:\n  postern case take-back NCC-2026-00412-7 2 --because 'paused by mistake'"
    )]
    TakeBack {
        /// The reference.
        reference: String,
        /// The move's number, as `case clock` gives it.
        number: usize,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Restores a move of the clock that was taken back.
    #[command(
        after_help = "Example:\n  postern case restore NCC-2026-00412-7 2 --because 'it was right after all'"
    )]
    Restore {
        /// The reference.
        reference: String,
        /// The move's number, as `case clock` gives it.
        number: usize,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Merges a case into another about the same matter, which goes on for both.
    #[command(
        after_help = "Example:\n  postern case merge NCC-2026-00412-7 --into NCC-2026-00398-5 --because 'the same complaint by e-mail and by form'"
    )]
    Merge {
        /// The reference.
        reference: String,
        /// The case that goes on.
        #[arg(long, value_name = "REFERENCE")]
        into: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Confirms that the gateway read a case right.
    #[command(after_help = "Example:\n  postern case confirm NCC-2026-00412-7")]
    Confirm {
        /// The reference.
        reference: String,
    },
    /// Asks the customer, once, for what is needed before a case can be taken on; they are reminded once.
    #[command(
        after_help = "Example:\n  postern case ask-customer NCC-2026-00412-7 --for authority\n\nThey have ten working days. The clock of the answer stands still meanwhile; the date that the annual report\nmeasures does not."
    )]
    AskCustomer {
        /// The reference.
        reference: String,
        /// What is needed: authority, details, name.
        #[arg(long = "for", value_name = "WHAT")]
        needed: Needed,
        /// More for the customer to read, in plain words.
        #[arg(long)]
        say: Option<String>,
    },
    /// Records that a gate of the decision table does not stand in the way of a case.
    #[command(
        after_help = "Example:\n  postern case dismiss NCC-2026-00412-7 D19 --because 'she was in hospital until May'"
    )]
    Dismiss {
        /// The reference.
        reference: String,
        /// The gate, as `case show` gives it: D19.
        gate: Gate,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Writes to the customer that the answer will be late, why, and by when it comes.
    ///
    /// The gateway drafts such a letter two working days before the promised day; this one goes in its place.
    /// The clock does not move.
    #[command(
        after_help = "Example:\n  postern case holding-letter NCC-2026-00412-7 --until 2026-04-28 --why 'The transport team still has to find the records of the taxi.'"
    )]
    HoldingLetter {
        /// The reference.
        reference: String,
        /// By when the answer comes: a working day.
        #[arg(long, value_name = "DAY")]
        until: Date,
        /// Why, in one plain sentence that stands in the letter.
        #[arg(long)]
        why: String,
    },
    /// Records whether whoever writes has sufficient interest in the child's welfare, which an officer decides.
    #[command(
        group = ArgGroup::new("decision").required(true).args(["granted", "refused"]),
        after_help = "Example:\n  postern case sufficient-interest NCC-2026-00412-7 --granted --because 'her grandmother, weekly until May'\n  postern case sufficient-interest NCC-2026-00412-7 --refused --because 'has not met the child' --say 'You told us that you do not know the child.'\n\nTo be decided as soon as possible, with the child's view where that is suitable. Who is refused is told so by a\nletter, and that nothing further follows; whether the child is told is a task for a person."
    )]
    SufficientInterest {
        /// The reference.
        reference: String,
        /// They have it: they are eligible, and the case goes on.
        #[arg(long)]
        granted: bool,
        /// They have not: they are told, and the case is over.
        #[arg(long, requires = "say")]
        refused: bool,
        /// Why, for the record.
        #[arg(long)]
        because: String,
        /// What the child thinks of it, where that was asked.
        #[arg(long, value_name = "WORDS")]
        child_view: Option<String>,
        /// Why not, in plain words for the person to read.
        #[arg(long, value_name = "WORDS", conflicts_with = "granted")]
        say: Option<String>,
    },
    /// Opens the next stage of a case, which the customer asked for.
    #[command(
        after_help = "Example:\n  postern case next-stage NCC-2026-00412-7 --received 2026-04-14\n\nThe new clock runs from the day on which the request came. A request that comes too early or too late\nneeds a reason."
    )]
    NextStage {
        /// The reference.
        reference: String,
        /// When the request came (2026-04-14, 2026-04-14T09:30); now, where it is not given.
        #[arg(long, value_name = "WHEN")]
        received: Option<String>,
        /// Why it is taken on all the same, where it is early or late.
        #[arg(long)]
        because: Option<String>,
    },
    /// Records that the customer was told by hand that the council has their message.
    #[command(
        after_help = "Example:\n  postern case acknowledged NCC-2026-00412-7 --on 2026-04-14"
    )]
    Acknowledged {
        /// The reference.
        reference: String,
        /// When (2026-04-14); now, where it is not given.
        #[arg(long, value_name = "WHEN")]
        on: Option<String>,
    },
    /// Records that the customer agreed the written statement of complaint of a later stage.
    #[command(
        after_help = "Example:\n  postern case statement NCC-2026-00412-7 --agreed 2026-04-20"
    )]
    Statement {
        /// The reference.
        reference: String,
        /// When (2026-04-20); now, where it is not given.
        #[arg(long, value_name = "WHEN")]
        agreed: Option<String>,
    },
    /// Records that the customer took it back, and confirms that to them.
    #[command(
        after_help = "Example:\n  postern case withdraw NCC-2026-00412-7 --because 'said so on the telephone on 3 March'"
    )]
    Withdraw {
        /// The reference.
        reference: String,
        /// How they said so.
        #[arg(long)]
        because: String,
    },
    /// Does not take a case on, and tells the customer why and where to go instead.
    #[command(
        after_help = "Example:\n  postern case reject NCC-2026-00412-7 --reason other_organisation --because 'an academy answers for its staff'\n\nReasons: not_authorised, legal_proceedings, other_organisation, duplicate, ongoing_assessment, anonymous,\nservice_request, insufficient_information, over_12_months, hr_matter, enquiry, all_stages_done, other.\nThe letter's words for each are in routes.toml."
    )]
    Reject {
        /// The reference.
        reference: String,
        /// Which of the reasons of the annual report.
        #[arg(long)]
        reason: RejectionReason,
        /// Why, for the record.
        #[arg(long)]
        because: String,
        /// More for the customer to read, in plain words.
        #[arg(long)]
        say: Option<String>,
    },
    /// Records what was found of one issue of a case.
    #[command(
        group = ArgGroup::new("finding").required(true).args(["outcome", "take_back"]),
        after_help = "Example:\n  postern case outcome NCC-2026-00412-7 --theme service_issue --part delay --outcome upheld\n\nThemes: communication, equalities_regulatory, service_issue, policy_procedure, staff_conduct.\nOutcomes: upheld, partly_upheld, not_upheld, withdrawn, no_finding."
    )]
    Outcome {
        /// The reference.
        reference: String,
        /// Its theme.
        #[arg(long)]
        theme: Theme,
        /// What exactly within the theme.
        #[arg(long)]
        part: Option<SubTheme>,
        /// Against which service, where several answer.
        #[arg(long)]
        service: Option<String>,
        /// What was found.
        #[arg(long)]
        outcome: Option<Outcome>,
        /// Takes back what was found of this issue.
        #[arg(long)]
        take_back: bool,
    },
    /// Undoes a merger.
    #[command(
        after_help = "Example:\n  postern case separate NCC-2026-00412-7 --because 'two different children'"
    )]
    Separate {
        /// The reference of the case that was merged.
        reference: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
}
