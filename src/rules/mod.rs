//! What it is: an [`Email`] in, a [`Classification`] with its evidence out.

pub mod accuracy;
mod classify;
pub mod compare;
mod contradiction;
mod decision;
pub mod difference;
mod explain;
mod file;
mod forms;
mod heard;
mod label;
mod lists;
mod load;
mod matcher;
mod opinion;
pub mod services;
pub mod suggest;
mod text;
pub mod trial;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::thread;

use postern_words::{Spelling, Used, fold};
use serde::{Deserialize, Serialize};

use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::email::Email;
use crate::fault::Fault;
use crate::private::Private;
use trial::Labelled;

pub use explain::explain;
pub use forms::Forms;
pub use load::{is_of_a_set, version};
pub use services::Services;

/// One rule that fired, on which words, with what weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// What the message resembles, where there are examples enough to say.
    second: Option<Second>,
}

/// The second opinion on one message: how likely each answer is, by its number.
#[derive(Default)]
struct Second {
    record_type: Vec<f64>,
    service: Vec<f64>,
    customer: Vec<f64>,
    /// How likely each theme holds, and each flag.
    themes: Vec<f64>,
    flags: Vec<f64>,
    /// How likely each service is one of those that answer.
    answering: Vec<f64>,
    /// How many of the message's words and pairs stood in examples.
    known: usize,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen({} hits)", self.hits.len())
    }
}

/// What one message whose answer is known teaches the second opinion.
#[derive(Clone)]
pub struct Lesson(postern_words::Example);

impl std::fmt::Debug for Lesson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lesson")
    }
}

/// Where what a set learned from its examples lies from one process to the next: to learn it takes seconds.
pub trait Shelf: Send + Sync {
    /// What was put there for this set, whole or not at all.
    fn take(&self, set: &str) -> Option<Vec<u8>>;
    /// Puts it there, if that can be done: what cannot be kept is learned again.
    fn put(&self, set: &str, learned: &[u8]);
}

/// All rules, valid, compiled, ready for many messages.
pub struct RuleSet {
    services: Services,
    forms: Forms,
    names: label::Names,
    rules: Vec<Rule>,
    matcher: matcher::Matcher,
    decisions: Vec<decision::Decision>,
    /// Below this confidence an officer looks first.
    officer_below: f64,
    /// Every phrase of the rules.
    phrases: Vec<String>,
    /// Made of the phrases when the first message asks.
    spelling: OnceLock<Spelling>,
    /// The examples' own words: learned when the first word is nearly one of the rules.
    used: OnceLock<Used>,
    examples: Examples,
    /// Learned from the examples when the first message asks.
    opinion: OnceLock<Option<Arc<opinion::Opinion>>>,
    /// Where that lies from one process to the next.
    kept_on: Option<Arc<dyn Shelf>>,
    version: String,
    /// Names everything that is learned from.
    learns_from: String,
}

/// The messages that the second opinion learns from.
enum Examples {
    /// As they are written: as letters they are several times as large, and most processes learn nothing.
    Written(Vec<trial::Line>),
    /// In the place of the files' own.
    Given(Vec<Labelled>),
}

impl Examples {
    fn len(&self) -> usize {
        match self {
            Self::Written(lines) => lines.len(),
            Self::Given(examples) => examples.len(),
        }
    }

    /// One after the other.
    fn each(&self) -> Box<dyn Iterator<Item = Cow<'_, Labelled>> + '_> {
        self.some(0..self.len())
    }

    /// Some of them, by their numbers.
    fn some(&self, numbers: Range<usize>) -> Box<dyn Iterator<Item = Cow<'_, Labelled>> + '_> {
        match self {
            Self::Written(lines) => {
                let some = lines.get(numbers).unwrap_or_default();
                Box::new(some.iter().cloned().map(Labelled::from).map(Cow::Owned))
            }
            Self::Given(examples) => {
                Box::new(examples.get(numbers).unwrap_or_default().iter().map(Cow::Borrowed))
            }
        }
    }
}

impl AsRef<RuleSet> for RuleSet {
    fn as_ref(&self) -> &RuleSet {
        self
    }
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

    /// Takes what it learns from its examples from there, and puts it there.
    #[must_use]
    pub fn kept_on(self, place: Arc<dyn Shelf>) -> Self {
        Self { kept_on: Some(place), ..self }
    }

    /// Which rules these are: twelve hexadecimal digits over the files.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The directory that came with the rules.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The ids of the services that a rule speaks for or a row sets.
    pub fn reached_services(&self) -> std::collections::BTreeSet<&str> {
        let set =
            self.decisions.iter().flat_map(|row| &row.then).filter_map(|effect| match effect {
                decision::Effect::Set(label) => Some(*label),
                decision::Effect::Clear(_) | decision::Effect::ClearThemes(_) => None,
            });
        let labels = self.rules.iter().map(|rule| rule.label).chain(set);
        labels
            .filter_map(|label| {
                let label::Label::Service(number) = label else { return None };
                self.names.services.get(number).map(String::as_str)
            })
            .collect()
    }

    /// The layouts of the council's web forms.
    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// Reads a message that the council's own web form sent as the letter of whoever filled it in
    /// ([`Forms::fill_in`]).
    pub fn fill_in(&self, email: &mut Email) {
        self.forms.fill_in(email, &self.services);
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
        let seen = self.find(email);
        // Machines are known by their headers.
        let person = seen.haystack.by_form || !email.kind.is_automatic();
        let second = person.then(|| self.second(&seen)).flatten();
        Seen { second, ..seen }
    }

    /// What the rules alone see.
    fn find(&self, email: &Email) -> Seen {
        let haystack = self.read_over(email);
        let hits = self.matcher.hits(&haystack);
        Seen { haystack, hits, second: None }
    }

    /// A message's words, slips read over.
    fn read_over(&self, email: &Email) -> text::Haystack {
        let read = email.form.is_none().then(|| self.forms.read(email, &self.services)).flatten();
        let form = email.form.as_ref().or(read.as_ref());
        let mut haystack = text::Haystack::of(email, form, self.forms.words());
        let slips = self.spelling().slips(&haystack.folded, &self.used, || self.learn_used());
        haystack.replace(&slips);
        haystack
    }

    /// The words of all rules.
    fn spelling(&self) -> &Spelling {
        self.spelling.get_or_init(|| Spelling::new(&self.phrases))
    }

    fn learn_used(&self) -> Used {
        Used::by(self.examples.each().map(|one| fold(&one.email.reply_text)))
    }

    fn second(&self, seen: &Seen) -> Option<Second> {
        let opinion = self.opinion()?;
        let features = opinion::features(&seen.haystack);
        let (answers, known) = opinion.of(features);
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (record_type, service, customer) = (next(), next(), next());
        // Of a question with two answers, the second is yes.
        let mut yes = answers.map(|chances| chances.get(1).copied().unwrap_or(0.0));
        let themes = yes.by_ref().take(Theme::ALL.len()).collect();
        let flags = yes.by_ref().take(Flag::ALL.len()).collect();
        let answering = yes.collect();
        Some(Second { record_type, service, customer, themes, flags, answering, known })
    }

    /// What a message whose answer is known teaches: figures, not words. Nothing where it names a service
    /// that the directory does not have.
    pub fn lesson(&self, example: &Labelled) -> Option<Lesson> {
        let labels = &example.labels;
        let service = labels.service.first().filter(|service| service.as_str() != "none");
        let service = match service {
            Some(service) => self.names.service(service)?,
            None => self.names.services.len(),
        };
        let features = opinion::features(&self.read_over(&example.email));
        let one = [labels.record_type as usize, service, labels.customer_type as usize];
        let themes = Theme::ALL.iter().map(|theme| labels.themes.contains(theme));
        let flags = Flag::ALL.iter().map(|flag| labels.flags.contains(flag));
        let answers = |service: &String| labels.service.iter().any(|one| one.as_str() == service);
        let answering = self.names.services.iter().map(answers);
        let yes_or_no = themes.chain(flags).chain(answering).map(usize::from);
        let answers = one.into_iter().chain(yes_or_no).collect();
        Some(Lesson(postern_words::Example { features, answers }))
    }

    /// Forms the second opinion of these lessons and the examples of the files. Only before it was asked
    /// for: later it stays as it is.
    pub fn teach(&self, lessons: Vec<Lesson>) {
        self.opinion.get_or_init(|| {
            let learned = if lessons.is_empty() { self.learned() } else { self.learn(lessons) };
            learned.map(Arc::new)
        });
    }

    /// What was learned; the first who asks has it learned.
    fn opinion(&self) -> Option<&Arc<opinion::Opinion>> {
        self.opinion.get_or_init(|| self.learned().map(Arc::new)).as_ref()
    }

    /// Judges by what another set of the same directory has learned, in the place of what it would learn itself.
    #[must_use]
    pub fn with_opinion_of(self, taught: &Self) -> Self {
        Self { opinion: OnceLock::from(taught.opinion().cloned()), ..self }
    }

    /// What the examples alone teach: learned now, or by an earlier process.
    fn learned(&self) -> Option<opinion::Opinion> {
        let Some(place) = &self.kept_on else { return self.learn(Vec::new()) };
        let before = place.take(&self.learns_from);
        before.and_then(|bytes| opinion::Opinion::from_bytes(&bytes, &self.answers())).or_else(
            || {
                let learned = self.learn(Vec::new())?;
                if let Some(bytes) = learned.to_bytes() {
                    place.put(&self.learns_from, &bytes);
                }
                Some(learned)
            },
        )
    }

    /// How many answers each question has that the second opinion is asked.
    fn answers(&self) -> Vec<usize> {
        let mut answers =
            vec![RecordType::ALL.len(), self.names.services.len() + 1, CustomerType::ALL.len()];
        let yes_or_no = Theme::ALL.len() + Flag::ALL.len() + self.names.services.len();
        answers.extend(std::iter::repeat_n(2, yes_or_no));
        answers
    }

    /// Learns from the examples and from lessons.
    fn learn(&self, lessons: Vec<Lesson>) -> Option<opinion::Opinion> {
        let own = self.lessons_of_examples().into_iter();
        let examples: Vec<postern_words::Example> =
            own.chain(lessons).map(|Lesson(example)| example).collect();
        opinion::Opinion::learn(examples, &self.answers())
    }

    /// What the examples teach, in their order, read on every core.
    fn lessons_of_examples(&self) -> Vec<Lesson> {
        // Each thread would else wait for the first.
        self.spelling();
        self.used.get_or_init(|| self.learn_used());
        let count = self.examples.len();
        let each = count.div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
        let read = |from: usize| {
            let some = self.examples.some(from..count.min(from + each));
            some.filter_map(|example| self.lesson(&example)).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            let parts = (0..count).step_by(each);
            let running: Vec<_> =
                parts.map(|from| (from, scope.spawn(move || read(from)))).collect();
            // What made a thread fail makes this one fail.
            let read =
                running.into_iter().map(|(from, one)| one.join().unwrap_or_else(|_| read(from)));
            read.flatten().collect()
        })
    }

    /// The examples that the second opinion learns from.
    pub fn examples(&self) -> Vec<Labelled> {
        self.examples.each().map(Cow::into_owned).collect()
    }

    /// Learns from other examples from now on: to measure on messages that were examples themselves,
    /// or with what officers decided.
    #[must_use]
    pub fn with_examples(self, examples: Vec<Labelled>) -> Self {
        // What is written so on purpose stays what the files say.
        self.used.get_or_init(|| self.learn_used());
        let (opinion, kept_on) = (OnceLock::new(), None);
        Self { examples: Examples::Given(examples), opinion, kept_on, ..self }
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
