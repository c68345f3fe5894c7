//! How right the rules are: the same function over many messages whose answer is known.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use serde::Deserialize;

use super::{Classification, Known, RuleSet, Services};
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::email::{Address, Attachment, Email};
use crate::private::Private;

/// What a person said a message is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Labels {
    /// What the council registers.
    pub record_type: RecordType,
    /// Who must answer, lead first.
    pub service: Vec<ServiceId>,
    /// Who writes.
    pub customer_type: CustomerType,
    /// What is alleged.
    pub themes: Vec<Theme>,
    /// What a person must know or check.
    pub flags: Vec<Flag>,
}

/// One line of a labelled corpus.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// The line's own id.
    pub id: String,
    /// The message, as its reader would give it.
    pub email: Email,
    /// The answer.
    pub labels: Labels,
}

/// A line that is not a labelled message.
#[derive(Debug, thiserror::Error)]
#[error("not a labelled message")]
pub struct NotLabelled(#[from] serde_json::Error);

/// A labelled message as it is written.
#[derive(Clone, Deserialize)]
pub(super) struct Line {
    id: String,
    #[serde(default)]
    from_name: String,
    #[serde(default)]
    from_addr: String,
    #[serde(default)]
    subject: String,
    body: String,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    quoted: Option<String>,
    #[serde(default)]
    attachments: Vec<LineAttachment>,
    labels: Labels,
}

#[derive(Clone, Deserialize)]
struct LineAttachment {
    name: String,
    #[serde(default, rename = "type")]
    media_type: String,
}

impl Labelled {
    /// Reads one line of JSON: `id`, `from_name`, `from_addr`, `subject`, `body`, `signature`,
    /// `quoted`, `attachments` and `labels`.
    ///
    /// # Errors
    /// If the line is not such an object.
    pub fn from_json(line: &str) -> Result<Self, NotLabelled> {
        Ok(serde_json::from_str::<Line>(line)?.into())
    }

    /// What the directory alone knows of the sender.
    pub fn known(&self, services: &Services) -> Known {
        services.known_of(&self.email)
    }
}

impl From<Line> for Labelled {
    fn from(line: Line) -> Self {
        let signature = line.signature.as_deref().unwrap_or_default();
        let mut text = line.body.clone();
        if !signature.is_empty() {
            text = format!("{text}\n\n-- \n{signature}");
        }
        if let Some(quoted) = &line.quoted {
            text = format!("{text}\n\n-----Original Message-----\n{quoted}");
        }
        let attachments = line.attachments.into_iter().map(|attachment| Attachment {
            name: Some(Private(attachment.name)),
            declared: attachment.media_type.clone(),
            media_type: attachment.media_type,
            bytes: 0,
            sha256: String::new(),
            inline: false,
            notes: Vec::new(),
        });
        let mut email = Email::blank();
        email.from = (!line.from_addr.is_empty()).then(|| Address {
            address: Private(line.from_addr),
            name: (!line.from_name.is_empty()).then_some(Private(line.from_name)),
        });
        email.subject = (!line.subject.is_empty()).then_some(Private(line.subject));
        email.text = Private(text);
        email.reply_text = Private(line.body);
        email.attachments = attachments.collect();
        Self { id: line.id, email, labels: line.labels }
    }
}

/// The labelled messages of a file, or what is none, each with its line's number from 1. Blank lines
/// are passed over.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Result<Labelled, NotLabelled>)> + '_ {
    written(text).map(|(number, line)| (number, line.map(Labelled::from)))
}

/// The same as they are written.
pub(super) fn written(text: &str) -> impl Iterator<Item = (usize, Result<Line, NotLabelled>)> + '_ {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| (index + 1, serde_json::from_str(line).map_err(NotLabelled::from)))
}

impl Services {
    /// What the directory alone knows of a message's sender. Its address must have been
    /// authenticated for this to mean anything.
    pub fn known_of(&self, email: &Email) -> Known {
        // Anybody's address can be typed into a form.
        let from = email.from.as_ref().filter(|_| email.form.is_none());
        let address = from.map_or("", |from| from.address.as_str());
        Known {
            sender_is_service: self.is_council_address(address),
            sender_service: self.is_service_address(address),
            ..Known::default()
        }
    }
}

/// Found, missed and wrongly found members of a set over many messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetScore {
    /// In both.
    pub found: usize,
    /// Only in the answer.
    pub missed: usize,
    /// Only in the classification.
    pub wrong: usize,
}

impl SetScore {
    fn add<T: Ord>(&mut self, want: &BTreeSet<T>, have: &BTreeSet<T>) {
        self.found += want.intersection(have).count();
        self.missed += want.difference(have).count();
        self.wrong += have.difference(want).count();
    }

    /// Micro-averaged F1: 1 when all agree, also when there was nothing to find.
    pub fn f1(&self) -> f64 {
        let all = 2 * self.found + self.missed + self.wrong;
        if all == 0 { 1.0 } else { share(2 * self.found, all) }
    }
}

/// Where each band of confidence begins, in hundredths. From 70 on no officer looks first.
const BANDS: [u16; 5] = [0, 50, 70, 80, 90];

/// Messages of which the rules were about as sure: how many, and whether they were right as often as
/// they said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Band {
    /// Messages.
    pub messages: usize,
    /// Those of them that are right in record type, lead service and customer type.
    pub right: usize,
    /// What the rules said, added up, in hundredths.
    pub said: usize,
}

/// How right the rules were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages compared.
    pub messages: usize,
    /// Record types right.
    pub record_type: usize,
    /// Lead services right.
    pub lead_service: usize,
    /// Customer types right.
    pub customer_type: usize,
    /// Service sets.
    pub services: SetScore,
    /// Theme sets.
    pub themes: SetScore,
    /// Flag sets.
    pub flags: SetScore,
    /// Messages that disclose a child at risk.
    pub at_risk: usize,
    /// Those of them that were flagged.
    pub at_risk_found: usize,
    /// Messages that need no officer first.
    pub without_officer: usize,
    /// Those of them that are right in record type, lead service and customer type.
    pub without_officer_right: usize,
    /// Whether they are right as often as they say, from the least sure to the surest band.
    pub calibration: [Band; BANDS.len()],
    /// What was taken for what, by field: (field, wanted, got) with how often.
    pub confused: BTreeMap<(&'static str, String, String), usize>,
}

/// Judges labelled messages, none of which the second opinion has seen: examples of the same text are
/// left out. With two folds or more it learns from the others of them besides: each fold is judged
/// by what the rest teaches.
pub fn judge(
    mut rules: RuleSet,
    corpus: &[Labelled],
    folds: usize,
) -> Vec<(Labels, Classification)> {
    let texts: HashSet<&str> = corpus.iter().map(|one| one.email.reply_text.as_str()).collect();
    let mut others = rules.examples();
    others.retain(|example| !texts.contains(example.email.reply_text.as_str()));
    let folds = folds.max(1);
    let mut judged: Vec<(usize, Labels, Classification)> = Vec::with_capacity(corpus.len());
    for fold in 0..folds {
        let rest = corpus.iter().enumerate().filter(|(number, _)| number % folds != fold);
        let rest = rest.map(|(_, one)| one.clone());
        rules = rules.with_examples(others.iter().cloned().chain(rest).collect());
        let these = corpus.iter().enumerate().filter(|(number, _)| number % folds == fold);
        judged.extend(these.map(|(number, one)| {
            let known = one.known(rules.services());
            (number, one.labels.clone(), rules.classify(&one.email, &known))
        }));
    }
    judged.sort_by_key(|(number, _, _)| *number);
    judged.into_iter().map(|(_, labels, classification)| (labels, classification)).collect()
}

/// Compares classifications with their answers.
pub fn score(labelled: &[(Labels, Classification)]) -> Report {
    let mut report = Report::default();
    for (want, have) in labelled {
        report.add(want, have);
    }
    report
}

impl Report {
    fn add(&mut self, want: &Labels, have: &Classification) {
        let lead =
            |services: &[ServiceId]| services.first().map_or("none", ServiceId::as_str).to_owned();
        let fields = [
            ("record_type", want.record_type.to_string(), have.record_type.to_string()),
            ("lead_service", lead(&want.service), lead(&have.services)),
            ("customer_type", want.customer_type.to_string(), have.customer_type.to_string()),
        ];
        self.messages += 1;
        let mut all_right = true;
        let counters = [&mut self.record_type, &mut self.lead_service, &mut self.customer_type];
        for ((field, wanted, got), right) in fields.into_iter().zip(counters) {
            if wanted == got {
                *right += 1;
            } else {
                all_right = false;
                *self.confused.entry((field, wanted, got)).or_default() += 1;
            }
        }
        let answering = |services: &[ServiceId]| -> BTreeSet<ServiceId> {
            services.iter().filter(|service| service.as_str() != "none").cloned().collect()
        };
        self.services.add(&answering(&want.service), &answering(&have.services));
        let set = |themes: &[Theme]| themes.iter().copied().collect::<BTreeSet<_>>();
        self.themes.add(&set(&want.themes), &set(&have.themes));
        let set = |flags: &[Flag]| flags.iter().copied().collect::<BTreeSet<_>>();
        self.flags.add(&set(&want.flags), &set(&have.flags));
        if want.flags.contains(&Flag::Safeguarding) {
            self.at_risk += 1;
            self.at_risk_found += usize::from(have.flags.contains(&Flag::Safeguarding));
        }
        self.calibrate(have.confidence, all_right);
        if !have.needs_officer {
            self.without_officer += 1;
            self.without_officer_right += usize::from(all_right);
        }
    }

    fn calibrate(&mut self, confidence: f64, right: bool) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share between 0 and 1"
        )]
        let said = (confidence.clamp(0.0, 1.0) * 100.0).round() as u16;
        let band = BANDS.iter().rposition(|from| said >= *from);
        if let Some(band) = band.and_then(|band| self.calibration.get_mut(band)) {
            band.messages += 1;
            band.right += usize::from(right);
            band.said += usize::from(said);
        }
    }

    /// The share of messages that a count of this report is.
    pub fn share_of(&self, count: usize) -> f64 {
        share(count, self.messages)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "messages               {}", self.messages)?;
        let rows = [
            ("record type right", self.share_of(self.record_type)),
            ("lead service right", self.share_of(self.lead_service)),
            ("customer type right", self.share_of(self.customer_type)),
            ("services F1", self.services.f1()),
            ("themes F1", self.themes.f1()),
            ("flags F1", self.flags.f1()),
        ];
        for (name, value) in rows {
            writeln!(f, "{name:<22} {value:.3}")?;
        }
        writeln!(f, "children at risk found {} of {}", self.at_risk_found, self.at_risk)?;
        writeln!(
            f,
            "without an officer     {} of {}, of them wholly right {} ({:.3})",
            self.without_officer,
            self.messages,
            self.without_officer_right,
            share(self.without_officer_right, self.without_officer)
        )?;
        writeln!(f, "how sure      messages  wholly right  said")?;
        for (number, (from, band)) in BANDS.iter().zip(&self.calibration).enumerate() {
            let to = BANDS.get(number + 1).copied().unwrap_or(100);
            let edges =
                format!("{:.2} to {:.2}", share(usize::from(*from), 100), share(to.into(), 100));
            if band.messages == 0 {
                writeln!(f, "  {edges}  {:>6}", 0)?;
                continue;
            }
            let (right, said) =
                (share(band.right, band.messages), share(band.said, band.messages * 100));
            writeln!(
                f,
                "  {edges}  {:>6}  {:>5} ({right:.3})  {said:.3}",
                band.messages, band.right
            )?;
        }
        let mut confused: Vec<_> = self.confused.iter().collect();
        confused.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for ((field, want, got), count) in confused {
            writeln!(f, "  {count:3}  {field}: {want} taken for {got}")?;
        }
        Ok(())
    }
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 1.0 } else { number(part) / number(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id": "a", "from_name": "Ann", "from_addr": "ann@example.org", "subject": "School",
        "body": "My son has no place.", "signature": "Ann", "quoted": "Dear Ann", "attachments": [],
        "labels": {"record_type": "corporate_complaint", "service": ["fair_access"],
                   "customer_type": "parent", "themes": ["service_issue"], "flags": ["safeguarding"]}}"#;

    fn classified(record_type: RecordType, flags: Vec<Flag>) -> Classification {
        Classification {
            record_type,
            services: vec![ServiceId("fair_access".to_owned())],
            customer_type: CustomerType::Parent,
            themes: vec![Theme::ServiceIssue, Theme::Communication],
            flags,
            confidence: 0.9,
            needs_officer: false,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn a_line_becomes_a_message_and_its_answer() {
        let line = Labelled::from_json(LINE).unwrap();
        assert_eq!(line.labels.record_type, RecordType::CorporateComplaint);
        assert_eq!(line.email.reply_text.as_str(), "My son has no place.");
        assert!(line.email.text.contains("Dear Ann"));
        assert!(Labelled::from_json("{}").is_err());
    }

    #[test]
    fn what_is_wrong_counts_against_the_rules() {
        let labels = Labelled::from_json(LINE).unwrap().labels;
        let right = classified(RecordType::CorporateComplaint, vec![Flag::Safeguarding]);
        let wrong = classified(RecordType::Enquiry, Vec::new());
        let report = score(&[(labels.clone(), right), (labels, wrong)]);
        assert_eq!((report.messages, report.record_type, report.lead_service), (2, 1, 2));
        assert_eq!((report.at_risk, report.at_risk_found), (2, 1));
        assert_eq!(report.themes, SetScore { found: 2, missed: 0, wrong: 2 });
        assert_eq!((report.without_officer, report.without_officer_right), (2, 1));
        let text = report.to_string();
        assert!(text.contains("corporate_complaint taken for enquiry"), "{text}");
    }

    #[test]
    fn being_sure_is_measured_against_being_right() {
        let labels = Labelled::from_json(LINE).unwrap().labels;
        let sure = |confidence, record_type| {
            let found = Classification { confidence, ..classified(record_type, Vec::new()) };
            (labels.clone(), found)
        };
        let right = RecordType::CorporateComplaint;
        let report = score(&[
            sure(0.0, right),
            sure(0.49, right),
            sure(0.7, RecordType::Enquiry),
            sure(0.79, right),
            sure(0.9, right),
            sure(1.0, right),
        ]);
        let bands: Vec<_> =
            report.calibration.map(|band| (band.messages, band.right, band.said)).into();
        assert_eq!(bands, [(2, 2, 49), (0, 0, 0), (2, 1, 149), (0, 0, 0), (2, 2, 190)]);
        let text = report.to_string();
        assert!(text.contains("  0.70 to 0.80       2      1 (0.500)  0.745\n"), "{text}");
        assert!(text.contains("  0.50 to 0.70       0\n"), "{text}");
    }
}
