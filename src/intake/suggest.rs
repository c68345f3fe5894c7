//! What a message may have to do with what came before: offered to an officer, never done.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::open::Opened;
use super::settle::{Following, Scene};
use super::{InHand, history};
use crate::casework::vocabulary::{RecordType, ServiceId, Theme};
use crate::decide::Action;
use crate::email::{Email, SenderProof};
use crate::likeness::Shingles;
use crate::rules::Known;
use crate::store::suggestions::{self, AnsweredCase, NewSuggestion, OpenCase};
use crate::store::{StoreError, Tx};

/// From this share of common words on, two texts count as one sent twice.
const ALIKE: f64 = 0.7;
/// What an officer is asked.
const QUESTION: &str = ": is it the same matter?";
/// How many earlier messages one message is compared with: the first, which stand for their like.
const MOST_COMPARED: usize = 8;
/// A reply of fewer words of its own is no new matter.
const MATTER_WORDS: usize = 30;
/// As sure as this the rules must be that a reply is a matter of its own, in thousandths.
const MATTER_SURE: i64 = 500;

/// Earlier messages and cases that a wave of messages may have to do with.
#[derive(Default)]
pub(super) struct Neighbours {
    /// By message: the earlier ones that share a band with it.
    sharing: HashMap<i64, Vec<i64>>,
    earlier: BTreeMap<i64, Earlier>,
    open: Vec<OpenCase>,
    answered: Vec<AnsweredCase>,
}

/// What another message is compared with.
struct Earlier {
    case_id: i64,
    reference: String,
    /// Lower case.
    address: Option<String>,
    words: Option<Shingles>,
}

impl Neighbours {
    /// Looks them up for messages that may open a case.
    pub(super) async fn fetch(tx: &mut Tx, wave: &[&InHand]) -> Result<Self, StoreError> {
        let people: Vec<&&InHand> =
            wave.iter().filter(|one| !one.email.kind.is_automatic()).collect();
        let mut by_band: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for one in &people {
            for band in one.words.iter().flat_map(|(_, bands)| bands) {
                by_band.entry(*band).or_default().push(one.waiting.id);
            }
        }
        let mut sharing: HashMap<i64, Vec<i64>> = HashMap::new();
        let bands: Vec<i64> = by_band.keys().copied().collect();
        for (band, earlier) in suggestions::sharing(tx, &bands).await? {
            for message in by_band.get(&band).into_iter().flatten().filter(|id| **id != earlier) {
                sharing.entry(*message).or_default().push(earlier);
            }
        }
        // Those that came together, too: the later with the earlier.
        for together in by_band.values() {
            for (at, message) in together.iter().enumerate().skip(1) {
                sharing.entry(*message).or_default().extend(together.iter().take(at));
            }
        }
        for found in sharing.values_mut() {
            found.sort_unstable();
            found.dedup();
            found.truncate(MOST_COMPARED);
        }
        let ids: BTreeSet<i64> = sharing.values().flatten().copied().collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let earlier = suggestions::earlier(tx, &ids).await?.into_iter().map(|one| {
            let address = one.from.map(|from| from.address.to_lowercase());
            let words = Shingles::of(&one.reply_text);
            let (case_id, reference) = (one.case_id, one.reference);
            (one.id, Earlier { case_id, reference, address, words })
        });
        let earlier = earlier.collect();
        let senders: BTreeSet<String> =
            people.iter().filter_map(|one| history::sender_of(one)).collect();
        let senders: Vec<&str> = senders.iter().map(String::as_str).collect();
        let open = suggestions::open_cases_of(tx, &senders).await?;
        let answered = suggestions::answered_cases_of(tx, &senders).await?;
        Ok(Self { sharing, earlier, open, answered })
    }

    /// Adds what was opened in the same wave and is like another of it.
    pub(super) fn add_opened(&mut self, scenes: &[Scene<'_>], opened: &HashMap<i64, Opened>) {
        let wanted: BTreeSet<i64> = self.sharing.values().flatten().copied().collect();
        for one in
            scenes.iter().map(|scene| scene.one).filter(|one| wanted.contains(&one.waiting.id))
        {
            let id = one.waiting.id;
            if let Some(Opened { id: case_id, reference }) = opened.get(&id) {
                let address = history::sender_of(one);
                let words = one.words.as_ref().map(|(shingles, _)| shingles.clone());
                let (case_id, reference) = (*case_id, reference.clone());
                self.earlier.insert(id, Earlier { case_id, reference, address, words });
            }
        }
    }
}

/// Suggests what a settled message may have to do with, and keeps its words to be found by.
pub(super) fn suggest(
    scene: &Scene<'_>,
    near: &Neighbours,
    case_id: Option<i64>,
    after: &mut Following,
) {
    let id = scene.one.waiting.id;
    let found = match scene.decision.action {
        // An officer has decided that it belongs nowhere else.
        _ if scene.one.waiting.alone => Vec::new(),
        Action::Open { .. } => of_a_new_case(scene, near, case_id),
        Action::Attach { case } => new_matter(scene, case).into_iter().collect(),
        Action::AnswerRequest { .. }
        | Action::Ombudsman { .. }
        | Action::Opened { .. }
        | Action::Duplicate { .. }
        | Action::File { .. }
        | Action::Triage => Vec::new(),
    };
    // What says the same as an earlier one is found by that: a campaign's thousandth letter is
    // compared with the first, and not with all of them.
    let is_new = !found.iter().any(|one| matches!(one.kind, "duplicate" | "similar"));
    after.suggestions.extend(found);
    let belongs = matches!(scene.decision.action, Action::Open { .. } | Action::Attach { .. });
    if belongs && is_new && !scene.one.email.kind.is_automatic() {
        let bands = scene.one.words.iter().flat_map(|(_, bands)| bands);
        after.bands.extend(bands.map(|band| (*band, id)));
    }
}

/// The same complaint again, another open one of the same person, or one whose reference it quotes:
/// surest first, one a case.
fn of_a_new_case(scene: &Scene<'_>, near: &Neighbours, case_id: Option<i64>) -> Vec<NewSuggestion> {
    let message_id = scene.one.waiting.id;
    let mut found: BTreeMap<i64, NewSuggestion> = BTreeMap::new();
    let mut add = |about_case, kind, score, because| {
        let mut new = NewSuggestion { message_id, case_id, about_case, kind, score, because };
        if let Some(other) = found.remove(&about_case) {
            let (better, less) = if other.score >= score { (other, new) } else { (new, other) };
            new = NewSuggestion {
                because: format!("{}; {}", better.because, less.because),
                ..better
            };
        }
        found.insert(about_case, new);
    };
    // What it is most like, and of those the first: that one stands for the others.
    let alike = near.sharing.get(&message_id).into_iter().flatten();
    let alike = alike.filter_map(|id| near.earlier.get(id));
    let alike =
        alike.filter_map(|earlier| Some((earlier.case_id, sent_again(scene.one, earlier)?)));
    let most = alike.max_by_key(|(case, (_, score, _))| (*score, std::cmp::Reverse(*case)));
    if let Some((case, (kind, score, because))) = most {
        add(case, kind, score, because);
    }
    // Of an address that is not the sender's own nobody's cases are told.
    let sender = scene.sender().filter(|_| scene.one.email.sender_proof != SenderProof::Failed);
    for open in near.open.iter().filter(|open| Some(&open.address) == sender.as_ref()) {
        if let Some((score, because)) = of_an_open_case(scene, open) {
            add(open.id, "belongs", score, because);
        }
    }
    for (case, reference) in &scene.history.suggested_cases {
        let because = format!("it quotes {reference}, but its sender is no party to that case");
        add(*case, "belongs", 600, because);
    }
    let mut found: Vec<NewSuggestion> = found.into_values().collect();
    found.sort_by(|a, b| b.score.cmp(&a.score).then(a.about_case.cmp(&b.about_case)));
    found
}

/// The case of the same person that was answered at its last stage and seems to be about the same matter,
/// the last of them, in words for an officer (D16). The same matter is the same words again, or the same
/// service with a theme in common.
pub(super) fn exhausted(scene: &Scene<'_>, near: &Neighbours) -> Option<String> {
    let sender = scene.sender().filter(|_| scene.one.email.sender_proof != SenderProof::Failed)?;
    let mine = near.answered.iter().rev().filter(|case| case.address == sender);
    mine.filter(|case| is_at_its_last(scene, case)).find_map(|case| {
        let why = the_same_matter(scene, near, case)?;
        Some(format!(
            "{} was answered at stage {}, its last, and {why}{QUESTION}",
            case.reference, case.stage
        ))
    })
}

/// Whether a case was answered at the last stage of its procedure. A type with one stage has no next one
/// that could have been asked for, and nobody went through every stage of it.
fn is_at_its_last(scene: &Scene<'_>, case: &AnsweredCase) -> bool {
    let (Ok(record_type), Ok(received_on)) = (case.record_type.parse(), case.received_on.parse())
    else {
        return false;
    };
    let procedure = scene.policy.procedures.of(record_type, received_on);
    let stages = procedure.map_or(1, |procedure| i64::from(procedure.steps_total()));
    stages > 1 && case.stage >= stages
}

fn the_same_matter(
    scene: &Scene<'_>,
    near: &Neighbours,
    case: &AnsweredCase,
) -> Option<&'static str> {
    let alike = near.sharing.get(&scene.one.waiting.id).into_iter().flatten();
    let mut alike =
        alike.filter_map(|id| near.earlier.get(id)).filter(|one| one.case_id == case.id);
    if alike.any(|earlier| sent_again(scene.one, earlier).is_some()) {
        return Some("this says the same again");
    }
    let classification = scene.classification;
    let service = classification.services.iter().any(|id| id.as_str() == case.lead_service);
    let themes: Vec<Theme> = serde_json::from_str(&case.themes).unwrap_or_default();
    let theme = classification.themes.iter().any(|theme| themes.contains(theme));
    (service && theme && case.lead_service != "none")
        .then_some("this is about the same service and theme")
}

/// Whether a message says what an earlier one said. By the same person it is a duplicate; by another
/// it may have come by another way, or be a campaign.
fn sent_again(one: &InHand, earlier: &Earlier) -> Option<(&'static str, i64, String)> {
    let ((words, _), others) = (one.words.as_ref()?, earlier.words.as_ref()?);
    let alike = Some(words.likeness(others)).filter(|alike| *alike >= ALIKE)?;
    let address = history::sender_of(one);
    let same = address.is_some() && address == earlier.address;
    let (kind, score, who) = if same {
        ("duplicate", alike, "the same address")
    } else {
        ("similar", alike * 0.8, "another address")
    };
    #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
    let (percent, score) = ((alike * 100.0) as i64, (score * 1000.0) as i64);
    let reference = &earlier.reference;
    let because =
        format!("{percent} % of its words are those of {reference}, from {who}{QUESTION}");
    Some((kind, score, because))
}

/// The text by which a message is known again.
pub(super) fn words_of(email: &Email) -> &str {
    email.reply_text.as_str()
}

/// A message as if it answered nothing: its own words, without the thread that they stand in.
pub(crate) fn by_itself(email: &Email) -> Email {
    Email {
        subject: None,
        text: email.reply_text.clone(),
        case_references: Vec::new(),
        ..email.clone()
    }
}

/// Whether somebody who has an open case writes about that.
fn of_an_open_case(scene: &Scene<'_>, open: &OpenCase) -> Option<(i64, String)> {
    let classification = scene.classification;
    let follows = classification.record_type == RecordType::FollowUp;
    let same = classification.services.iter().any(|id| id.as_str() == open.lead_service)
        && open.lead_service != "none";
    let score = match (follows, same) {
        (true, true) => 800,
        (true, false) => 650,
        (false, true) => 550,
        (false, false) => return None,
    };
    let why = if follows { "reads like more on an open case" } else { "is about the same service" };
    Some((score, format!("its sender has {} open and it {why}{QUESTION}", open.reference)))
}

/// A new matter sent by pressing Reply: what the rules make of its own words when they know nothing
/// of the case, nor that it answers anything.
fn new_matter(scene: &Scene<'_>, case: i64) -> Option<NewSuggestion> {
    let (one, history) = (scene.one, scene.history);
    let known = history.token_case.as_ref().or(history.referenced_case.as_ref())?;
    let own = words_of(&one.email).split_whitespace().count();
    if own < MATTER_WORDS {
        return None;
    }
    let alone = scene.policy.rules.classify(&by_itself(&one.email), &Known::default());
    let lead = alone.services.first().map(ServiceId::as_str).filter(|lead| *lead != "none")?;
    #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
    let score = (alone.confidence * 1000.0) as i64;
    let is_new = score >= MATTER_SURE
        && alone.record_type.opens_case()
        && !history.case_services.iter().any(|service| service == lead);
    is_new.then(|| NewSuggestion {
        message_id: one.waiting.id,
        case_id: Some(case),
        about_case: case,
        kind: "new_matter",
        score,
        because: format!(
            "it answers {}, but reads like a new matter ({}, {lead}): open a case of its own?",
            known.reference,
            alone.record_type.label().to_lowercase()
        ),
    })
}
