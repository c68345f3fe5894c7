//! What a member wrote for a constituent and is best handled as a complaint of theirs (decision table, D5b): the member
//! is told, gets a copy of the answer, and whether the constituent agrees is asked.

use jiff::civil::Date;

use super::moves::a_reason;
use super::{Case, CaseField, Event, Refusal};
use crate::casework::vocabulary::{CustomerType, RecordType, vocabulary};

vocabulary! {
    /// Whether a constituent agrees that what a member wrote is handled as their complaint.
    Constituent {
        /// They are asked.
        Asked = "asked", "whether the constituent agrees is asked";
        /// They agree.
        Agreed = "agreed", "the constituent agrees";
    }
}

impl Case {
    /// What a member wrote is handled as a complaint of their constituent.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open and a member's, if the type is no complaint, it is handled so already, or no
    /// reason is given.
    pub fn take_for_constituent(
        &self,
        record_type: RecordType,
        because: &str,
    ) -> Result<Vec<Event>, Refusal> {
        self.must_be_open("be handled for a constituent")?;
        if !record_type.is_complaint() {
            let why = format!("a {record_type} is no complaint");
            return Err(Refusal::new(why, "name corporate_complaint or children_act_complaint"));
        }
        if self.constituent.is_some() {
            let why = "it is handled for a constituent already";
            return Err(Refusal::new(why, "record what they say with `case constituent`"));
        }
        let is_members =
            self.record_type == RecordType::MemberEnquiry || self.record_type.is_complaint();
        if !is_members || self.customer_type != CustomerType::OtherCustomer {
            let why = format!("it is a {} of a {}", self.record_type, self.customer_type);
            let instead = "correct it first, if a member wrote: a member is an other_customer";
            return Err(Refusal::new(why, instead));
        }
        let reason = a_reason(because, "handling it for a constituent")?;
        let mut events = Vec::new();
        if self.record_type != record_type {
            let because = Some(reason.0.clone());
            events.push(self.correct(CaseField::RecordType, record_type.id(), because)?);
        }
        events.push(Event::TakenForConstituent { because: reason });
        Ok(events)
    }

    /// The constituent said whether they agree. Where they do not, it is a member's enquiry again.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open and they are asked, or if it is not said how they said so.
    pub fn constituent_said(
        &self,
        agrees: bool,
        how: &str,
        on: Date,
    ) -> Result<Vec<Event>, Refusal> {
        self.must_be_open("be agreed to")?;
        match self.constituent {
            Some(Constituent::Asked) => {}
            Some(Constituent::Agreed) => {
                let instead = "if they take it back, record that it was withdrawn";
                return Err(Refusal::new("the constituent agreed before", instead));
            }
            None => {
                let why = "it is not handled for a constituent";
                return Err(Refusal::new(why, "say so first with `case for-constituent`"));
            }
        }
        let how = a_reason(how, "what a constituent said")?;
        let mut events = vec![Event::ConstituentSaid { agrees, how, on }];
        if !agrees {
            let because = Some("the constituent does not agree to a complaint".to_owned());
            let enquiry = RecordType::MemberEnquiry.id();
            events.push(self.correct(CaseField::RecordType, enquiry, because)?);
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::case::tests::{by_officer, fresh as case};

    fn apply(case: &mut Case, events: Vec<Event>) {
        for event in events {
            case.apply(&by_officer(event));
        }
    }

    const ON: Date = Date::constant(2026, 11, 18);
    const COMPLAINT: RecordType = RecordType::CorporateComplaint;

    #[test]
    fn a_members_enquiry_becomes_a_complaint_until_the_constituent_says_no() {
        let mut case = case(RecordType::MemberEnquiry, CustomerType::OtherCustomer);
        let taken = case.take_for_constituent(COMPLAINT, "delay for two years").expect("possible");
        apply(&mut case, taken);
        assert_eq!((case.record_type, case.constituent), (COMPLAINT, Some(Constituent::Asked)));
        assert!(case.take_for_constituent(COMPLAINT, "x").is_err(), "once");
        let said = case.constituent_said(false, "rang", ON).expect("possible");
        apply(&mut case, said);
        assert_eq!((case.record_type, case.constituent), (RecordType::MemberEnquiry, None));
        let none = case.constituent_said(true, "rang", ON).expect_err("not asked").to_string();
        assert!(none.contains("say so first with `case for-constituent`"), "{none}");
    }

    #[test]
    fn what_was_opened_as_a_complaint_keeps_its_type() {
        let mut case = case(COMPLAINT, CustomerType::OtherCustomer);
        let taken = case.take_for_constituent(COMPLAINT, "an MP's office").expect("possible");
        assert_eq!(taken.len(), 1, "nothing is corrected");
        apply(&mut case, taken);
        let said = case.constituent_said(true, "by e-mail", ON).expect("possible");
        apply(&mut case, said);
        assert_eq!((case.record_type, case.constituent), (COMPLAINT, Some(Constituent::Agreed)));
        let later = case.constituent_said(false, "rang", ON).expect_err("agreed").to_string();
        assert!(later.contains("record that it was withdrawn"), "{later}");
    }

    #[test]
    fn what_no_member_wrote_is_not_handled_for_a_constituent() {
        let parent = case(COMPLAINT, CustomerType::Parent);
        let said = parent.take_for_constituent(COMPLAINT, "x").expect_err("a parent").to_string();
        assert!(said.contains("it is a corporate_complaint of a parent"), "{said}");
        let member = case(RecordType::MemberEnquiry, CustomerType::OtherCustomer);
        assert!(member.take_for_constituent(RecordType::Enquiry, "x").is_err());
        assert!(member.take_for_constituent(COMPLAINT, " ").is_err());
        let question = case(RecordType::Enquiry, CustomerType::OtherCustomer);
        assert!(question.take_for_constituent(COMPLAINT, "x").is_err());
    }
}
