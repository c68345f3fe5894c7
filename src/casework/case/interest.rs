//! Whether somebody who is not eligible as of right has sufficient interest in a child's welfare to complain by the
//! Children Act's procedure (Children Act 1989 s.26(3)(e); SI 2006/1738; domain rules 2.2). An officer decides, never a
//! machine.

use super::moves::a_reason;
use super::{Case, Event, OfficerId, Refusal};
use crate::casework::assessment::asks_for_interest;
use crate::casework::vocabulary::{CustomerType, Flag, vocabulary};
use crate::private::Private;

vocabulary! {
    /// What was decided of somebody's interest in a child's welfare.
    Interest {
        /// They have it, and are eligible.
        Granted = "granted", "Sufficient interest";
        /// They have not; nothing further follows.
        Refused = "refused", "No sufficient interest";
    }
}

impl Case {
    /// Whether it stands to be decided if its writer has sufficient interest in the child's welfare.
    pub fn asks_for_interest(&self) -> bool {
        // A member's standing is not in question.
        self.interest.is_none()
            && self.constituent.is_none()
            && asks_for_interest(self.record_type, self.customer_type, &self.flags)
    }

    /// An officer decides whether its writer has sufficient interest in the child's welfare.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open at its first stage, if it is of no kind that asks for it, if its writer is
    /// eligible as of right, the same was decided before, or no reason is given.
    pub fn decide_interest(
        &self,
        decided_by: OfficerId,
        decision: Interest,
        because: &str,
        child_view: Option<String>,
    ) -> Result<Event, Refusal> {
        self.must_be_open("have the interest of its writer decided")?;
        if self.stage > 1 {
            let why = "the case was taken on at stage 1";
            return Err(Refusal::new(why, "answer it, or close it with a reason"));
        }
        if !crate::casework::assessment::is_of_the_act(self.record_type) {
            let why = format!("a {} asks nobody for an interest in a child", self.record_type);
            return Err(Refusal::new(why, "register it as a children_act_complaint first"));
        }
        let doubtful =
            [CustomerType::FamilyMember, CustomerType::OtherCustomer, CustomerType::Unknown];
        let child = self.flags.contains(&Flag::ChildAuthor);
        if child || !doubtful.contains(&self.customer_type) {
            let who = if child { "child" } else { self.customer_type.id() };
            let why = format!("a {who} is eligible as of right");
            return Err(Refusal::new(why, "correct the customer type first, if it is wrong"));
        }
        if self.interest == Some(decision) {
            let why = format!("that is decided already ({})", decision.label().to_lowercase());
            return Err(Refusal::new(why, "leave it as it is"));
        }
        let because = a_reason(because, "a decision on somebody's interest")?;
        let child_view = child_view.filter(|view| !view.trim().is_empty()).map(Private);
        Ok(Event::InterestDecided { decided_by, decision, because, child_view })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::case::CaseStatus;
    use crate::casework::case::tests::{by_officer, fresh as case};
    use crate::casework::vocabulary::RecordType;

    fn decide(case: &Case, decision: Interest) -> Result<Event, Refusal> {
        case.decide_interest(OfficerId("pat".to_owned()), decision, "her gran since birth", None)
    }

    #[test]
    fn a_relative_without_care_waits_for_an_officer_until_it_is_decided() {
        let mut case = case(RecordType::ChildrenActComplaint, CustomerType::FamilyMember);
        assert!(case.asks_for_interest());
        case.apply(&by_officer(decide(&case, Interest::Granted).expect("possible")));
        assert!(!case.asks_for_interest());
        assert_eq!(case.interest, Some(Interest::Granted));
        assert_eq!(case.status, CaseStatus::Open);
        let again = decide(&case, Interest::Granted).expect_err("twice").to_string();
        assert!(again.contains("decided already (sufficient interest)"), "{again}");
        assert!(decide(&case, Interest::Refused).is_ok(), "an officer may have been wrong");
        // Taken up again, what was refused is looked at anew, and what was granted stands.
        let at = "2026-12-17T09:00:00Z".parse().expect("a moment");
        let reopened = by_officer(Event::Reopened { at, because: Private("new".to_owned()) });
        case.apply(&reopened);
        assert_eq!(case.interest, Some(Interest::Granted));
        case.apply(&by_officer(decide(&case, Interest::Refused).expect("possible")));
        case.apply(&reopened);
        assert_eq!(case.interest, None);
    }

    #[test]
    fn who_is_eligible_as_of_right_is_not_decided_upon() {
        let said = |record_type, customer| {
            decide(&case(record_type, customer), Interest::Refused)
                .expect_err("refused")
                .to_string()
        };
        let act = RecordType::ChildrenActComplaint;
        assert!(said(act, CustomerType::Parent).contains("a parent is eligible as of right"));
        assert!(said(act, CustomerType::ChildInCare).contains("eligible as of right"));
        let corporate = said(RecordType::CorporateComplaint, CustomerType::FamilyMember);
        assert!(corporate.contains("register it as a children_act_complaint first"), "{corporate}");
        let mut child = case(act, CustomerType::Unknown);
        child.flags.push(Flag::ChildAuthor);
        let child = decide(&child, Interest::Refused).expect_err("a child").to_string();
        assert!(child.contains("a child is eligible as of right"), "{child}");
        let concern = case(RecordType::Representation, CustomerType::OtherCustomer);
        assert!(decide(&concern, Interest::Granted).is_ok());
        let no_reason =
            concern.decide_interest(OfficerId("pat".to_owned()), Interest::Granted, " ", None);
        assert!(no_reason.is_err());
    }
}
