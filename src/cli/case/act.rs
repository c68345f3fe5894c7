//! What was typed of a case, as the act it asks for.

use super::super::Failure;
use super::super::arguments::CaseAct as Asked;
use crate::casework::case::{CaseField, Interest, Issue};
use crate::casework::vocabulary::ServiceId;
use crate::officer::{Act, Move};

/// Which case, and what is to be done to it.
pub(super) fn of(asked: Asked) -> Result<(String, Act), Failure> {
    Ok(match asked {
        Asked::Correct { reference, record_type, service, customer, themes, flags, because } => {
            let changes = [
                (CaseField::RecordType, record_type),
                (CaseField::Services, service),
                (CaseField::CustomerType, customer),
                (CaseField::Themes, themes),
                (CaseField::Flags, flags),
            ];
            (reference, Act::Correct { changes: named(changes), because })
        }
        Asked::Adjust { reference, letters, format, because } => {
            (reference, Act::Adjust { letters, format, because })
        }
        Asked::Answered { reference, service } => (reference, Act::Answered { service }),
        Asked::AcceptAnswer { reference, service } => (reference, Act::AcceptAnswer { service }),
        Asked::SendBack { reference, service, note } => {
            (reference, Act::SendBack { service, note })
        }
        Asked::NoMoreTime { reference, service, because } => {
            (reference, Act::NoMoreTime { service, because })
        }
        Asked::Ask { reference, service } => (reference, Act::Ask { service }),
        Asked::Part { reference, service, points, due, by_the_customers_date, responder } => {
            (reference, Act::Part { service, points, due, by_the_customers_date, responder })
        }
        Asked::Area { reference, service, area, none: _, because } => {
            (reference, Act::Area { service, area, because })
        }
        Asked::ApplyPolicy { reference, in_force_on, because } => {
            (reference, Act::ApplyPolicy { in_force_on, because })
        }
        Asked::Advocacy { reference, step, on, advocate } => {
            (reference, Act::Advocacy { step, on, advocate })
        }
        Asked::LinkToComplaint { reference, complaint } => {
            (reference, Act::LinkToComplaint { complaint })
        }
        Asked::ForConstituent { reference, record_type, because } => {
            (reference, Act::ForConstituent { record_type, because })
        }
        Asked::Constituent { reference, agrees, declines: _, how, on } => {
            (reference, Act::Constituent { agrees, how, on })
        }
        Asked::Respond { reference, note } => (reference, Act::Respond { note }),
        Asked::Close { reference, because } => (reference, Act::Close { because }),
        Asked::Reopen { reference, because } => (reference, Act::Reopen { because }),
        Asked::Extend { reference, until, under, because } => {
            (reference, Act::Turn { wanted: Move::Extend { until, under }, because })
        }
        Asked::Pause { reference, why, because } => {
            (reference, Act::Turn { wanted: Move::Pause { why }, because })
        }
        Asked::Resume { reference, because } => {
            (reference, Act::Turn { wanted: Move::Resume, because })
        }
        Asked::TakeBack { reference, number, because } => {
            (reference, Act::Turn { wanted: Move::TakeBack { number }, because })
        }
        Asked::Restore { reference, number, because } => {
            (reference, Act::Turn { wanted: Move::Restore { number }, because })
        }
        Asked::Merge { reference, into, because } => (reference, Act::Merge { into, because }),
        Asked::Assign { reference, to, because } => (reference, Act::Assign { to, because }),
        Asked::Confirm { reference } => (reference, Act::Confirm),
        Asked::AskCustomer { reference, needed, say } => {
            (reference, Act::AskCustomer { needed, say })
        }
        Asked::Dismiss { reference, gate, because } => (reference, Act::Dismiss { gate, because }),
        Asked::HoldingLetter { reference, until, why } => {
            (reference, Act::HoldingLetter { until, why })
        }
        Asked::SufficientInterest { reference, granted, refused: _, because, child_view, say } => {
            let decision = if granted { Interest::Granted } else { Interest::Refused };
            (reference, Act::SufficientInterest { decision, because, child_view, say })
        }
        Asked::NextStage { reference, received, because } => {
            let received = when(received.as_deref())?;
            (reference, Act::NextStage { received, because })
        }
        Asked::Acknowledged { reference, on } => {
            let on = when(on.as_deref())?;
            (reference, Act::Acknowledged { on })
        }
        Asked::Statement { reference, agreed } => {
            let agreed = when(agreed.as_deref())?;
            (reference, Act::Statement { agreed })
        }
        Asked::Withdraw { reference, because } => (reference, Act::Withdraw { because }),
        Asked::Reject { reference, reason, because, say } => {
            (reference, Act::Reject { reason, because, say })
        }
        Asked::Outcome { reference, theme, part, service, outcome, take_back: _ } => {
            let issue = Issue { theme, part, service: service.map(ServiceId) };
            (reference, Act::Outcome { issue, outcome })
        }
        Asked::Separate { reference, because } => (reference, Act::Separate { because }),
    })
}

/// The fields that were named, each with its new value.
fn named(changes: [(CaseField, Option<String>); 5]) -> Vec<(CaseField, String)> {
    changes.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
}

/// A moment as it may be typed.
fn when(text: Option<&str>) -> Result<Option<jiff::civil::DateTime>, Failure> {
    let read = text.map(crate::casework::deadline::parse_received).transpose();
    read.map_err(|fault| Failure::Usage(fault.to_string()))
}
