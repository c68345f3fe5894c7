//! When customers are told that we have their message.

use serde::Deserialize;

use super::place::Source;
use crate::fault::Fault;

/// When a customer is told that we have their message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acknowledgement {
    /// For how many seconds it waits, so that a decision can still be put right: 0 to 600.
    pub undo_seconds: u32,
    /// At the end of which working day after receipt it leaves without saying what we take the message for, where
    /// nobody has decided that; 0 for at once.
    pub neutral_on_day: u8,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self { undo_seconds: 120, neutral_on_day: 2 }
    }
}

impl Acknowledgement {
    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.undo_seconds > 600 {
            let said = format!("acknowledgement.undo_seconds is {}", self.undo_seconds);
            let instead =
                "write 0 to 600: a decision is put right within ten minutes, or on the case";
            faults.push(source.fault("acknowledgement", 0, "undo_seconds", said, instead));
        }
        if self.neutral_on_day > 3 {
            let said = format!("acknowledgement.neutral_on_day is {}", self.neutral_on_day);
            let instead = "write 0 to 3: within three working days everybody is to be told";
            faults.push(source.fault("acknowledgement", 0, "neutral_on_day", said, instead));
        }
        faults
    }
}
