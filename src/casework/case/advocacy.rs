//! Help for a child or young person who complains: the council must offer an advocate (Children Act s.26A; report
//! 4.5, 6.3).

use jiff::civil::Date;
use serde::Serialize;

use super::Case;
use crate::casework::vocabulary::{CustomerType, Flag, vocabulary};
use crate::private::Private;

vocabulary! {
    /// How an offer of advocacy goes on.
    AdvocacyStep {
        /// An advocate was offered.
        Offered = "offered", "offered";
        /// They want one.
        Wanted = "wanted", "wanted";
        /// They want none.
        Declined = "declined", "declined";
        /// One works with them.
        Works = "works", "an advocate works with them";
    }
}

/// What is known of the offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Advocacy {
    /// The day of the first offer: of the acknowledgement that made it, or of an officer's.
    #[schema(value_type = Option<String>, example = "2026-04-14")]
    pub offered_on: Option<Date>,
    /// Where it stands, and since when.
    #[schema(value_type = Option<(AdvocacyStep, String)>, example = json!(["wanted", "2026-04-14"]))]
    pub stands: Option<(AdvocacyStep, Date)>,
    /// Who works with them.
    #[schema(value_type = Option<String>)]
    pub advocate: Option<Private<String>>,
}

impl Advocacy {
    pub(super) fn take(
        &mut self,
        step: AdvocacyStep,
        on: Date,
        advocate: Option<&Private<String>>,
    ) {
        // What was wanted or declined was offered.
        self.offered_on = self.offered_on.or(Some(on));
        self.stands = Some((step, on));
        self.advocate = advocate.cloned();
    }
}

impl Case {
    /// Whether an advocate must be offered: a child, a young person or a care leaver writes.
    pub fn offers_advocate(&self) -> bool {
        let young = matches!(
            self.customer_type,
            CustomerType::ChildInCare | CustomerType::CareLeaver | CustomerType::ChildOrYoungPerson
        );
        young || self.flags.contains(&Flag::ChildAuthor)
    }
}
