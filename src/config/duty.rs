//! Who is called where a child may be at risk.

use jiff::civil::{Time, time};
use serde::Deserialize;

use super::place::Source;
use crate::fault::Fault;

/// Who is told at once when a child may be at risk, and who where nobody opens the message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Duty {
    /// The duty officer's address; that of `services.toml` where left out.
    pub address: Option<String>,
    /// Who is called where nobody has opened the message in time; the complaints manager where left out.
    pub second: Option<String>,
    /// Who is called outside the office hours; as inside them, where left out.
    pub out_of_hours: Option<String>,
    /// After how many minutes somebody else is called: 1 to 120.
    pub minutes: u32,
    /// From when (London time) somebody is at the office on a working day.
    #[serde(deserialize_with = "of_day")]
    pub opens: Time,
    /// Until when.
    #[serde(deserialize_with = "of_day")]
    pub closes: Time,
}

impl Default for Duty {
    fn default() -> Self {
        Self {
            address: None,
            second: None,
            out_of_hours: None,
            minutes: 15,
            opens: time(8, 30, 0, 0),
            closes: time(17, 30, 0, 0),
        }
    }
}

/// A time of day as people write it: `08:30`.
fn of_day<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Time, D::Error> {
    let text = String::deserialize(reader)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!("`{text}` is no time of day; write one like \"08:30\""))
    })
}

impl Duty {
    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, said: String, instead: &str| {
            faults.push(source.fault("duty", 0, key, said, instead));
        };
        if !(1..=120).contains(&self.minutes) {
            let said = format!("duty.minutes is {}", self.minutes);
            fault("minutes", said, "write 1 to 120; a quarter of an hour is usual");
        }
        if self.opens >= self.closes {
            let said = format!("the office closes at {} and opens at {}", self.closes, self.opens);
            fault("closes", said, "write a time after duty.opens, for example \"17:30\"");
        }
        let addresses = [
            ("address", &self.address),
            ("second", &self.second),
            ("out_of_hours", &self.out_of_hours),
        ];
        for (key, address) in addresses {
            let bad = address.as_deref().filter(|one| one.parse::<lettre::Address>().is_err());
            if let Some(bad) = bad {
                let said = format!("duty.{key} `{bad}` is no e-mail address");
                fault(key, said, "write one like duty@northmere.example");
            }
        }
        faults
    }
}
