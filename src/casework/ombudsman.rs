//! What comes from the Ombudsman: an `lgsco_case`, linked to the council's own case or to none yet, with the
//! dates that the Ombudsman sets (domain rules 2.1 and D3; procedure `lgsco`).
//!
//! No date here is ever computed: a contact is due on the day that its letter gives, a remedy on the day
//! that the decision says. What the gateway reads in a letter is a suggestion that an officer confirms.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::{Case, CaseStatus, Refusal};
use super::vocabulary::vocabulary;
use crate::private::Private;

mod letter;
pub use letter::{kind_of, references, suggested_date};

vocabulary! {
    /// What the Ombudsman wants with a letter.
    ContactKind {
        /// The council's stages are not done: the matter comes back.
        Premature = "premature", "Premature complaint returned";
        /// Asks the council about the matter.
        Enquiry = "enquiry", "Enquiry";
        /// Asks for papers.
        Documents = "documents", "Request for documents";
        /// A draft of the decision, for comments.
        Provisional = "provisional_decision", "Provisional decision";
        /// The decision.
        Decision = "decision", "Decision";
        /// About what was agreed to put things right.
        Remedy = "remedy", "Agreed remedy";
    }
}

vocabulary! {
    /// What the Ombudsman decided: the columns of table 12.
    Decided {
        /// Fault found.
        Upheld = "upheld", "Upheld";
        /// No fault found.
        NotUpheld = "not_upheld", "Not upheld";
        /// Ended without a finding.
        Closed = "closed", "Closed";
        /// Brought before the council's stages were done.
        Premature = "premature", "Premature";
    }
}

vocabulary! {
    /// Why the Ombudsman closed a complaint without a finding (note to table 12).
    ClosedBecause {
        /// Not for the Ombudsman to look into.
        OutOfJurisdiction = "out_of_jurisdiction", "Out of jurisdiction";
        /// Nothing more is done.
        NoFurtherAction = "no_further_action", "No further action";
        /// The complainant took it back.
        Withdrawn = "withdrawn", "Withdrawn";
    }
}

/// One step of the Ombudsman's case, as its history and that of the linked case keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum OmbudsmanStep {
    /// It was found to be about this case of the council.
    Linked {
        /// The Ombudsman's reference, where it is known.
        theirs: Option<String>,
    },
    /// The Ombudsman wrote, rang or sent a paper.
    Contacted {
        /// Contact row.
        contact: i64,
        /// What it is, as far as is known.
        about: ContactKind,
        /// The day on which it came.
        received_on: Date,
        /// The message, if it came by one.
        message: Option<String>,
    },
    /// An officer read it, and entered what it gives.
    Confirmed {
        /// Contact row.
        contact: i64,
        /// What it is.
        about: ContactKind,
        /// The day that it gives; none where it gives none.
        due_on: Option<Date>,
        /// What is asked.
        asks: Option<Private<String>>,
    },
    /// The council answered it.
    Answered {
        /// Contact row.
        contact: i64,
        /// When.
        on: Date,
    },
    /// The Ombudsman decided.
    Decided {
        /// What.
        outcome: Decided,
        /// Why it was closed, where it was.
        closed: Option<ClosedBecause>,
        /// The day of the decision.
        on: Date,
    },
    /// Something was agreed that puts things right.
    RemedyAgreed {
        /// Remedy row.
        remedy: i64,
        /// What.
        what: Private<String>,
        /// By when, as the decision says; none where it says nothing.
        due_on: Option<Date>,
    },
    /// A remedy is done.
    RemedyDone {
        /// Remedy row.
        remedy: i64,
        /// When.
        on: Date,
        /// What shows it.
        evidence: Private<String>,
    },
}

fn refused<T>(because: impl Into<String>, instead: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { because: because.into(), instead: instead.into() })
}

/// A day on which something happened that can only lie behind us.
///
/// # Errors
/// [`Refusal`] if it is still to come, or before `from`, which `from_words` names.
pub fn past_day(
    day: Option<Date>,
    today: Date,
    from: Option<(Date, &str)>,
) -> Result<Date, Refusal> {
    let day = day.unwrap_or(today);
    if day > today {
        return refused(format!("{day} is still to come"), "name the day on which it was");
    }
    match from {
        Some((from, words)) if day < from => {
            refused(format!("{words} {from}"), "name a day from then on")
        }
        Some(_) | None => Ok(day),
    }
}

/// An officer read a contact: what it is, and the day that it gives. That day is the letter's own, so
/// one before the letter came is a slip of the keyboard.
///
/// # Errors
/// [`Refusal`] if the day is before the contact, or it was answered before.
pub fn confirm(
    contact: i64,
    about: ContactKind,
    due_on: Option<Date>,
    asks: Option<String>,
    (received_on, answered_on): (Date, Option<Date>),
) -> Result<OmbudsmanStep, Refusal> {
    if let Some(on) = answered_on {
        return refused(format!("contact {contact} was answered on {on}"), "leave it as it is");
    }
    if due_on.is_some_and(|due| due < received_on) {
        let why = format!("contact {contact} came on {received_on}, and its date would be past");
        return refused(why, "enter the date that the letter gives");
    }
    let asks = asks.filter(|asks| !asks.trim().is_empty()).map(Private);
    Ok(OmbudsmanStep::Confirmed { contact, about, due_on, asks })
}

/// The council answered a contact.
///
/// # Errors
/// [`Refusal`] if it was answered before, or the day cannot be.
pub fn answer(
    contact: i64,
    on: Option<Date>,
    today: Date,
    (received_on, answered_on): (Date, Option<Date>),
) -> Result<OmbudsmanStep, Refusal> {
    if let Some(on) = answered_on {
        return refused(format!("contact {contact} was answered on {on}"), "leave it as it is");
    }
    let on = past_day(on, today, Some((received_on, "it came on")))?;
    Ok(OmbudsmanStep::Answered { contact, on })
}

/// The Ombudsman decided. A second decision on the same case puts the first right.
///
/// # Errors
/// [`Refusal`] if it is closed without a reason, has a reason and is not closed, is still to come, or
/// is what is recorded already.
pub fn decide(
    outcome: Decided,
    closed: Option<ClosedBecause>,
    on: Option<Date>,
    today: Date,
    before: Option<(Decided, Option<ClosedBecause>, Date)>,
) -> Result<OmbudsmanStep, Refusal> {
    let reasons = || {
        let all = ClosedBecause::ALL.iter().map(|one| one.id());
        format!("give one of {}", all.collect::<Vec<_>>().join(", "))
    };
    match (outcome, closed) {
        (Decided::Closed, None) => {
            return refused(
                "the annual report says why the Ombudsman closed a complaint",
                reasons(),
            );
        }
        (Decided::Upheld | Decided::NotUpheld | Decided::Premature, Some(_)) => {
            return refused(
                format!("a decision that is {outcome} is not closed"),
                "leave the reason out",
            );
        }
        (Decided::Closed, Some(_))
        | (Decided::Upheld | Decided::NotUpheld | Decided::Premature, None) => {}
    }
    let on = past_day(on, today, None)?;
    if before == Some((outcome, closed, on)) {
        return refused("that decision is recorded already", "leave it as it is");
    }
    Ok(OmbudsmanStep::Decided { outcome, closed, on })
}

/// Whether a remedy can be agreed, which is when fault was found.
///
/// # Errors
/// [`Refusal`] unless the decision is upheld, if nothing is said, or if the day is before the decision.
pub fn may_agree(
    decision: Option<(Decided, Date)>,
    what: &str,
    due_on: Option<Date>,
) -> Result<(), Refusal> {
    let Some((outcome, decided_on)) = decision else {
        return refused("the Ombudsman has not decided", "record the decision first");
    };
    if outcome != Decided::Upheld {
        let why =
            format!("a remedy is agreed where fault was found, and the decision is {outcome}");
        return refused(why, "put the decision right first");
    }
    if what.trim().is_empty() {
        return refused("nothing says what was agreed", "say it in a sentence");
    }
    if due_on.is_some_and(|due| due < decided_on) {
        let why = format!("the Ombudsman decided on {decided_on}");
        return refused(why, "enter the date that the decision says");
    }
    Ok(())
}

/// A remedy is done.
///
/// # Errors
/// [`Refusal`] if it was done before, nothing shows it, or the day cannot be.
pub fn remedy_done(
    remedy: i64,
    on: Option<Date>,
    evidence: &str,
    today: Date,
    (decided_on, done_on): (Option<Date>, Option<Date>),
) -> Result<OmbudsmanStep, Refusal> {
    if let Some(on) = done_on {
        return refused(format!("remedy {remedy} was done on {on}"), "leave it as it is");
    }
    let evidence = evidence.trim();
    if evidence.is_empty() {
        return refused("nothing shows that it is done", "say where the evidence is");
    }
    let from = decided_on.map(|day| (day, "the Ombudsman decided on"));
    let on = past_day(on, today, from)?;
    Ok(OmbudsmanStep::RemedyDone { remedy, on, evidence: Private(evidence.to_owned()) })
}

/// Where a case goes on that the Ombudsman sent back as premature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// It is open, and goes on as it is.
    GoesOn,
    /// Its stage was answered: the next one opens.
    NextStage,
    /// Its stage was never answered: it is taken up again.
    SameStage,
}

/// The first stage not done of a case with `steps_total` stages (D3).
///
/// # Errors
/// [`Refusal`] if it was merged into another, or every stage is done.
pub fn returned(case: &Case, steps_total: u8) -> Result<Returned, Refusal> {
    if let Some((into, _)) = &case.merged {
        return refused(format!("the case was merged into {into}"), format!("link it to {into}"));
    }
    match (case.status, case.responded_at) {
        (CaseStatus::Open, _) => Ok(Returned::GoesOn),
        (CaseStatus::Answered | CaseStatus::Closed, Some(_)) if case.stage < steps_total => {
            Ok(Returned::NextStage)
        }
        (CaseStatus::Answered | CaseStatus::Closed, Some(_)) => refused(
            format!("stage {} was answered, which is the last of {steps_total}", case.stage),
            "tell the Ombudsman that every stage is done, and record the contact as answered",
        ),
        (CaseStatus::Answered | CaseStatus::Closed, None)
        | (CaseStatus::Withdrawn | CaseStatus::Rejected, _) => Ok(Returned::SameStage),
    }
}

/// Why a case is taken up again after the Ombudsman's decision.
pub fn reopening_words(outcome: Decided, on: Date) -> String {
    format!("the Ombudsman's decision of {on}: {}", outcome.label().to_lowercase())
}

#[cfg(test)]
mod tests;
