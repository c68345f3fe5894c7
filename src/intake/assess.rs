//! What an officer decides of a new case, beside what it is: whether it can be taken up, and for whom.

use std::collections::BTreeMap;

use super::settle::Scene;
use crate::casework::assessment::{Facts, Gate, gates};
use crate::casework::vocabulary::{Flag, RecordType, ServiceId};
use crate::store::assessments::NewProposal;
use crate::store::json;

/// A fact holds from this sum of its rules' weights on (`rules/README.md`).
const HOLDS: f64 = 1.0;
/// Most pieces of evidence kept with a proposal.
const MOST_EVIDENCE: usize = 5;

/// Whether a flag may end in a refusal, which only an officer decides (domain rules D17, D19, D21).
pub(super) fn may_stand_in_the_way(flag: Flag) -> bool {
    matches!(flag, Flag::LegalProceedings | Flag::Over12Months | Flag::Anonymous)
}

/// What an officer is asked about a new case by its flags, where no gate of the decision table asks it.
pub(super) fn asked_of_an_officer(flag: Flag) -> Option<&'static str> {
    match flag {
        Flag::ChildAuthor => Some("a child wrote this: read it today, and offer an advocate"),
        // The gates ask after these.
        Flag::LegalProceedings
        | Flag::Over12Months
        | Flag::Anonymous
        | Flag::Representative
        | Flag::OtherOrganisation
        // What is asked for is answered with the rest; what is at risk has had its own alarm.
        | Flag::DataRequest
        | Flag::AdjustmentNeeded
        | Flag::Safeguarding => None,
    }
}

/// What the register itself knows of the matter of a new case.
pub(super) struct Before {
    /// An open case of the same person says the same.
    pub(super) is_duplicate: bool,
    /// A case of the same person about it was answered at its last stage: which, in words.
    pub(super) exhausted: Option<String>,
}

/// Evidence that no rule found: what the register says.
#[derive(serde::Serialize)]
struct OfRegister<'a> {
    rule: &'static str,
    #[serde(rename = "where")]
    place: &'static str,
    text: &'a str,
}

/// Whether a member of a council or of Parliament wrote, as far as the rules tell.
pub(super) fn is_members(scene: &Scene<'_>) -> bool {
    let said =
        scene.classification.evidence.iter().filter(|one| one.label == "fact:elected_member");
    scene.known.sender_is_member || said.map(|one| one.weight).sum::<f64>() >= HOLDS
}

/// What may stand in the way of a new case, with the words that say so.
pub(super) fn proposals(
    scene: &Scene<'_>,
    case_id: i64,
    record_type: RecordType,
    before: &Before,
) -> Vec<NewProposal> {
    let classification = scene.classification;
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for one in &classification.evidence {
        if let Some(fact) = one.label.strip_prefix("fact:") {
            *sums.entry(fact).or_default() += one.weight;
        }
    }
    let found: Vec<&str> =
        sums.into_iter().filter(|(_, sum)| *sum >= HOLDS).map(|(fact, _)| fact).collect();
    let facts = Facts {
        record_type,
        customer_type: classification.customer_type,
        flags: &classification.flags,
        found: &found,
        tells_nothing: classification.services.iter().all(|id| *id == ServiceId::none())
            && classification.themes.is_empty(),
        is_duplicate: before.is_duplicate,
        is_exhausted: before.exhausted.is_some(),
    };
    let proposed = gates(facts).into_iter().map(|gate| {
        let reason = gate.reason().id();
        let labels = [format!("flag:{reason}"), format!("fact:{reason}")];
        let named = classification.evidence.iter().filter(|one| {
            labels.contains(&one.label) || speaks_for(gate.id()).contains(&one.label.as_str())
        });
        let register = before
            .exhausted
            .as_deref()
            .filter(|_| gate == Gate::D16)
            .map(|text| json_value(&OfRegister { rule: "register", place: "register", text }));
        let named = named.map(json_value);
        let evidence: Vec<_> = register.into_iter().chain(named).take(MOST_EVIDENCE).collect();
        NewProposal { case_id, gate: gate.id(), evidence: json(&evidence) }
    });
    proposed.collect()
}

fn json_value(evidence: &impl serde::Serialize) -> serde_json::Value {
    // Plain structs: they cannot fail to become JSON.
    serde_json::to_value(evidence).unwrap_or_default()
}

/// Under which labels the evidence for a gate stands, where it has not the name of its reason.
fn speaks_for(gate: &str) -> &'static [&'static str] {
    match gate {
        "D14" => &["fact:own_employment"],
        "D20" => &["flag:representative", "fact:acts_for", "fact:for_constituent"],
        "D21_court" => &["fact:court_live", "fact:tribunal_live", "fact:letter_before_action"],
        "D21_assessment" => &["fact:enquiry_live"],
        "D22_interest" => &["customer:family_member", "customer:other_customer"],
        _ => &[],
    }
}
