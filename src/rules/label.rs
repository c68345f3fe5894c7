//! What a rule can speak for, and the names that make one.

use std::str::FromStr;

use super::services::Services;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};

/// What a rule speaks for, a row asks about, or a row sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    RecordType(RecordType),
    /// The number of a service in the directory.
    Service(usize),
    Customer(CustomerType),
    Theme(Theme),
    Flag(Flag),
    /// The number of a fact in the files.
    Fact(usize),
    /// The sentence only rules a service out ("this is not about transport").
    Aside,
}

/// The names that labels are made of.
pub(crate) struct Names {
    pub(crate) services: Vec<String>,
    pub(crate) facts: Vec<String>,
    /// The words of web forms' questions.
    pub(crate) asked: Vec<String>,
}

impl Names {
    pub(crate) fn new(services: &Services, facts: Vec<String>, asked: Vec<String>) -> Self {
        let services = services.all().iter().map(|service| service.id.clone()).collect();
        Self { services, facts, asked }
    }

    /// How many labels there are.
    pub(crate) fn count(&self) -> usize {
        self.index(Label::Aside) + 1
    }

    /// A dense number for a label.
    pub(crate) fn index(&self, label: Label) -> usize {
        let sizes = [
            RecordType::ALL.len(),
            CustomerType::ALL.len(),
            Theme::ALL.len(),
            Flag::ALL.len(),
            self.services.len(),
            self.facts.len(),
        ];
        let (field, number) = match label {
            Label::RecordType(value) => (0, value as usize),
            Label::Customer(value) => (1, value as usize),
            Label::Theme(value) => (2, value as usize),
            Label::Flag(value) => (3, value as usize),
            Label::Service(number) => (4, number),
            Label::Fact(number) => (5, number),
            Label::Aside => (6, 0),
        };
        sizes.iter().take(field).sum::<usize>() + number
    }

    /// Reads `field:value`.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub(crate) fn label(&self, text: &str) -> Result<Label, (String, String)> {
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        match field {
            "record_type" => parsed(value).map(Label::RecordType),
            "customer" => parsed(value).map(Label::Customer),
            "theme" => parsed(value).map(Label::Theme),
            "flag" => parsed(value).map(Label::Flag),
            "service" => listed(&self.services, value, "service").map(Label::Service),
            "fact" => listed(&self.facts, value, "fact").map(Label::Fact),
            "aside" if value == "sentence" => Ok(Label::Aside),
            _ => Err((
                format!("unknown label `{text}`"),
                "write record_type:…, service:…, customer:…, theme:…, flag:…, fact:… or aside:sentence"
                    .to_owned(),
            )),
        }
    }

    /// Writes `field:value`.
    pub(crate) fn text(&self, label: Label) -> String {
        let name = |names: &[String], number: usize| names.get(number).cloned().unwrap_or_default();
        match label {
            Label::RecordType(value) => format!("record_type:{value}"),
            Label::Service(number) => format!("service:{}", name(&self.services, number)),
            Label::Customer(value) => format!("customer:{value}"),
            Label::Theme(value) => format!("theme:{value}"),
            Label::Flag(value) => format!("flag:{value}"),
            Label::Fact(number) => format!("fact:{}", name(&self.facts, number)),
            Label::Aside => "aside:sentence".to_owned(),
        }
    }

    /// The number of a service.
    pub(crate) fn service(&self, id: &ServiceId) -> Option<usize> {
        self.services.iter().position(|service| service == id.as_str())
    }

    /// The id of a service.
    pub(crate) fn service_id(&self, number: usize) -> ServiceId {
        self.services.get(number).cloned().map_or_else(ServiceId::none, ServiceId)
    }
}

fn parsed<T>(value: &str) -> Result<T, (String, String)>
where
    T: FromStr<Err = crate::casework::vocabulary::UnknownValue>,
{
    value.parse().map_err(|unknown: crate::casework::vocabulary::UnknownValue| {
        (
            format!("unknown {} `{}`", unknown.what, unknown.got),
            format!("write one of: {}", unknown.expected),
        )
    })
}

fn listed(names: &[String], value: &str, what: &str) -> Result<usize, (String, String)> {
    names.iter().position(|name| name == value).ok_or_else(|| {
        (format!("unknown {what} `{value}`"), format!("write one of: {}", names.join(", ")))
    })
}
