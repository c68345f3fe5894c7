//! The decision table: facts first, then what follows from them, row by row in the file's order.

use super::Known;
use super::heard::FACT;
use super::label::{Label, Names};
use super::services::Services;
use crate::casework::vocabulary::{CustomerType, RecordType, Theme};

/// Something that the register, the directory or the message's kind knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownFact {
    SenderIsService,
    SenderIsMember,
    AnswersRequest,
    SenderHasCase,
    CitesCase,
    Automatic,
    WebForm,
}

impl KnownFact {
    pub(crate) const ALL: [Self; 7] = [
        Self::SenderIsService,
        Self::SenderIsMember,
        Self::AnswersRequest,
        Self::SenderHasCase,
        Self::CitesCase,
        Self::Automatic,
        Self::WebForm,
    ];

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::SenderIsService => "sender_is_service",
            Self::SenderIsMember => "sender_is_member",
            Self::AnswersRequest => "answers_request",
            Self::SenderHasCase => "sender_has_case",
            Self::CitesCase => "cites_case",
            Self::Automatic => "automatic",
            Self::WebForm => "web_form",
        }
    }
}

/// What a row asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Holds(Label),
    Known(KnownFact),
    /// The lead service is counted in this table of the annual report.
    Table(u8),
    AnyTheme,
    AnyService,
}

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Set(Label),
    Clear(Label),
    /// No theme, but for the one kept if it holds.
    ClearThemes(Option<Theme>),
}

/// One row.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) id: String,
    pub(crate) all: Vec<Condition>,
    pub(crate) any: Vec<Condition>,
    pub(crate) none: Vec<Condition>,
    pub(crate) then: Vec<Effect>,
    /// How often the row is right, 0 to 1.
    pub(crate) sure: f64,
}

/// What holds of a message while the rows are read.
pub(crate) struct State<'a> {
    pub(crate) names: &'a Names,
    pub(crate) services: &'a Services,
    pub(crate) known: &'a Known,
    pub(crate) automatic: bool,
    /// It came by the council's own web form.
    pub(crate) by_form: bool,
    pub(crate) cites_case: bool,
    /// By label number: themes, flags and facts that hold.
    pub(crate) held: Vec<bool>,
    /// Those that a row as sure as [`FACT`] set: no resemblance takes them away.
    pub(crate) stands: Vec<bool>,
    /// The best by score until a row decides.
    pub(crate) customer: CustomerType,
    pub(crate) lead: Option<usize>,
    /// What rows decided, with how sure they are.
    pub(crate) record_type: Option<(RecordType, f64)>,
    pub(crate) customer_decided: Option<f64>,
    pub(crate) lead_decided: Option<f64>,
}

impl State<'_> {
    /// Reads the rows in order; returns the numbers of those that took effect.
    ///
    /// A row that would decide what an earlier row has decided is passed over whole.
    pub(crate) fn decide(&mut self, rows: &[Decision]) -> Vec<usize> {
        let mut taken = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            if !row.then.iter().any(|effect| self.is_decided(*effect)) && self.fits(row) {
                for effect in &row.then {
                    self.apply(*effect, row.sure);
                }
                taken.push(number);
            }
        }
        taken
    }

    fn fits(&self, row: &Decision) -> bool {
        row.all.iter().all(|condition| self.is(*condition))
            && (row.any.is_empty() || row.any.iter().any(|condition| self.is(*condition)))
            && !row.none.iter().any(|condition| self.is(*condition))
    }

    fn is_decided(&self, effect: Effect) -> bool {
        match effect {
            Effect::Set(Label::RecordType(_)) => self.record_type.is_some(),
            Effect::Set(Label::Customer(_)) => self.customer_decided.is_some(),
            Effect::Set(Label::Service(_)) => self.lead_decided.is_some(),
            Effect::Set(_) | Effect::Clear(_) | Effect::ClearThemes(_) => false,
        }
    }

    fn is(&self, condition: Condition) -> bool {
        match condition {
            Condition::Holds(Label::RecordType(value)) => {
                self.record_type.is_some_and(|(decided, _)| decided == value)
            }
            Condition::Holds(Label::Customer(value)) => self.customer == value,
            Condition::Holds(Label::Service(number)) => self.lead == Some(number),
            Condition::Holds(label) => self.holds(label),
            Condition::Known(known) => self.knows(known),
            Condition::Table(table) => self
                .lead
                .and_then(|number| self.services.all().get(number))
                .is_some_and(|service| service.table == table),
            Condition::AnyTheme => Theme::ALL.iter().any(|theme| self.holds(Label::Theme(*theme))),
            Condition::AnyService => self.lead.is_some(),
        }
    }

    fn knows(&self, known: KnownFact) -> bool {
        match known {
            KnownFact::SenderIsService => self.known.sender_is_service,
            KnownFact::SenderIsMember => self.known.sender_is_member,
            KnownFact::AnswersRequest => self.known.answers_request,
            KnownFact::SenderHasCase => self.known.sender_has_case,
            KnownFact::CitesCase => self.cites_case,
            KnownFact::Automatic => self.automatic,
            KnownFact::WebForm => self.by_form,
        }
    }

    pub(crate) fn holds(&self, label: Label) -> bool {
        self.held.get(self.names.index(label)).copied().unwrap_or(false)
    }

    /// Whether a row that goes by facts set it.
    pub(crate) fn stands(&self, label: Label) -> bool {
        self.stands.get(self.names.index(label)).copied().unwrap_or(false)
    }

    fn hold(&mut self, label: Label, holds: bool, stands: bool) {
        let number = self.names.index(label);
        if let (Some(held), Some(stood)) = (self.held.get_mut(number), self.stands.get_mut(number))
        {
            *held = holds;
            *stood = holds && (stands || *stood);
        }
    }

    fn apply(&mut self, effect: Effect, sure: f64) {
        match effect {
            Effect::Set(Label::RecordType(value)) => self.record_type = Some((value, sure)),
            Effect::Set(Label::Customer(value)) => {
                self.customer = value;
                self.customer_decided = Some(sure);
            }
            Effect::Set(Label::Service(number)) => {
                self.lead = Some(number);
                self.lead_decided = Some(sure);
            }
            Effect::Set(label) => self.hold(label, true, sure >= FACT),
            Effect::Clear(label) => self.hold(label, false, false),
            Effect::ClearThemes(kept) => {
                for theme in Theme::ALL.iter().filter(|theme| Some(**theme) != kept) {
                    self.hold(Label::Theme(*theme), false, false);
                }
            }
        }
    }
}
