//! What it is: an [`Email`] in, a [`Classification`] with its evidence out.

mod classify;
pub mod compare;
mod decision;
pub mod difference;
mod explain;
mod expression;
mod file;
mod label;
mod load;
mod matcher;
pub mod services;
mod text;
pub mod trial;

use serde::{Deserialize, Serialize};

use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::email::Email;
use crate::fault::Fault;
use crate::private::Private;

pub use explain::explain;
pub use load::{is_of_a_set, version};
pub use services::Services;

/// One rule that fired, on which words, with what weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it speaks for, as `field:value` (`service:sen`).
    pub label: String,
    /// The rule's id.
    pub rule: String,
    /// How strongly; negative speaks against.
    pub weight: f64,
    /// Where the words stand: `subject`, `text`, `quoted`, `from`, `attachment`, …
    #[serde(rename = "where")]
    pub place: String,
    /// The words.
    pub text: Private<String>,
}

/// What the rules make of one message. Never an error: with nothing to go on, `confidence` is 0
/// and `needs_officer` is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// What the council registers.
    pub record_type: RecordType,
    /// Who must answer, lead first; `["none"]` for what is not for us.
    pub services: Vec<ServiceId>,
    /// Who writes.
    pub customer_type: CustomerType,
    /// What is alleged.
    pub themes: Vec<Theme>,
    /// What a person must know or check.
    pub flags: Vec<Flag>,
    /// How sure, 0 to 1, that record type, lead service and customer type are all right.
    pub confidence: f64,
    /// Whether an officer must look before it is acted on as final.
    pub needs_officer: bool,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// What the register, the directory or the configuration knows of a message's sender. The default
/// knows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each named where it is set")]
pub struct Known {
    /// The sender's address, authenticated, is the council's own ([`Services::is_council_address`]).
    pub sender_is_service: bool,
    /// The sender is an MP, an elected member, or their office.
    pub sender_is_member: bool,
    /// It replies to a request that we sent to a service.
    pub answers_request: bool,
    /// The sender has a case, open or closed, that this message threads to or names.
    pub sender_has_case: bool,
    /// The service that writes from the sender's address ([`Services::is_service_address`]).
    pub sender_service: Option<ServiceId>,
    /// The services of the case that the message belongs to, lead first.
    pub case_services: Vec<ServiceId>,
    /// The customer type of that case.
    pub case_customer: Option<CustomerType>,
}

/// A rule, compiled.
struct Rule {
    id: String,
    label: label::Label,
    weight: f64,
}

/// What a set of rules saw in one message, before anything is known about its sender.
#[derive(Default)]
pub struct Seen {
    haystack: text::Haystack,
    hits: Vec<matcher::Hit>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen({} hits)", self.hits.len())
    }
}

/// All rules, valid, compiled, ready for many messages.
pub struct RuleSet {
    services: Services,
    names: label::Names,
    rules: Vec<Rule>,
    matcher: matcher::Matcher,
    decisions: Vec<decision::Decision>,
    version: String,
}

impl RuleSet {
    /// Compiles `rules/*.toml`, given as `(name, text)`. Numbered files are rules, read in the
    /// order of their names; `services.toml` is the directory; other files are passed over.
    ///
    /// # Errors
    /// Every fault of every file at once: what is not TOML, unknown fields, labels and places,
    /// expressions that do not compile, examples that go wrong.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        load::load(files)
    }

    /// Which rules these are: twelve hexadecimal digits over the files.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The directory that came with the rules.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// How many rules and rows there are.
    pub fn len(&self) -> usize {
        self.rules.len() + self.decisions.len()
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the rules make of one message. Never fails: with nothing to go on, `confidence` is 0
    /// and `needs_officer` is true.
    pub fn classify(&self, email: &Email, known: &Known) -> Classification {
        self.judge(email, &self.look(email), known)
    }

    /// Reads one message's words: the slow half of [`RuleSet::classify`], which needs nothing but
    /// the message.
    pub fn look(&self, email: &Email) -> Seen {
        let haystack = text::Haystack::of(email);
        let hits = self.matcher.hits(&haystack);
        Seen { haystack, hits }
    }

    /// The quick half of [`RuleSet::classify`]: what was seen, weighed with what is known. Only for
    /// what the same set of rules saw in the same message.
    pub fn judge(&self, email: &Email, seen: &Seen, known: &Known) -> Classification {
        self.classify_email(email, seen, known)
    }

    fn effect_text(&self, effect: decision::Effect) -> Option<String> {
        match effect {
            decision::Effect::Set(label) => Some(self.names.text(label)),
            decision::Effect::Clear(label) => Some(format!("!{}", self.names.text(label))),
            decision::Effect::ClearThemes(_) => None,
        }
    }
}
