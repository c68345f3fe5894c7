//! Whether what a service typed on its answer page may tell of a child at risk: judged by the rules, and with the
//! knowledge of its sender, that its reply by mail would be.

use std::sync::Arc;

use crate::casework::vocabulary::{Flag, ServiceId};
use crate::email::{Address, Attachment, Email};
use crate::gateway::Gateway;
use crate::policy::Policy;
use crate::private::Private;
use crate::rules::Known;
use crate::store::cases::CaseRow;

/// What was typed, and by whom.
#[derive(Debug)]
pub(crate) struct FromPage {
    /// All its words.
    pub(crate) words: String,
    /// The files that came with it, by their names.
    pub(crate) files: Vec<Attachment>,
    /// The mailbox of the link.
    pub(crate) by_address: String,
    pub(crate) service: ServiceId,
}

/// Whether it may tell of a child at risk. What could not be judged counts as if it did.
pub(crate) async fn is_at_risk(gateway: &Gateway, case: &CaseRow, typed: FromPage) -> bool {
    let policy = gateway.policy();
    let known = known(case, &typed.service);
    // Not on this task: whoever asks first has the rules learn from their examples.
    let judging = tokio::task::spawn_blocking(move || judged(&policy, &known, typed));
    judging.await.unwrap_or(true)
}

/// What is known of a sender who is asked for an answer to a case.
fn known(case: &CaseRow, service: &ServiceId) -> Known {
    Known {
        sender_is_service: true,
        answers_request: true,
        sender_has_case: true,
        sender_service: Some(service.clone()),
        case_services: vec![ServiceId(case.lead_service.clone())],
        case_customer: case.customer_type.parse().ok(),
        ..Known::default()
    }
}

fn judged(policy: &Arc<Policy>, known: &Known, typed: FromPage) -> bool {
    let from = Address { address: Private(typed.by_address), name: None };
    let words = Private(typed.words);
    let email = Email {
        from: Some(from),
        text: words.clone(),
        reply_text: words,
        attachments: typed.files,
        ..Email::blank()
    };
    policy.rules.classify(&email, known).flags.contains(&Flag::Safeguarding)
}
