//! How a customer is to be written to: the adjustment that was agreed with them (Equality Act 2010 section
//! 20). Kept on the person and applied to every later letter (domain 10).

use serde::{Deserialize, Serialize};

use super::vocabulary::vocabulary;

vocabulary! {
    /// The form that a letter takes.
    Format {
        /// A mail in text and HTML.
        Usual = "usual", "as usual";
        /// The same, in letters of half as much again.
        LargePrint = "large_print", "in large print";
        /// The text alone: for programs that read aloud.
        PlainText = "plain_text", "in plain text";
        /// Printed and posted.
        Paper = "paper", "on paper";
        /// Printed and posted.
        Braille = "braille", "in braille";
        /// Read out and recorded.
        Audio = "audio", "as a recording";
        /// Told on the telephone.
        Telephone = "telephone", "by telephone";
        /// Signed, or through an interpreter.
        SignLanguage = "sign_language", "in British Sign Language";
    }
}

impl Format {
    /// Whether a person has to send it: the letter is written and held, it does not leave as mail.
    pub fn is_by_hand(self) -> bool {
        match self {
            Self::Usual | Self::LargePrint | Self::PlainText => false,
            Self::Paper | Self::Braille | Self::Audio | Self::Telephone | Self::SignLanguage => {
                true
            }
        }
    }
}

/// How one customer is to be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The set of letters: a folder below `templates/letters/` (`cy`, `easy-read`); none for the usual one.
    pub edition: Option<String>,
    /// The form.
    pub format: Format,
}

impl Adjustment {
    /// As everybody is written to for whom nothing was recorded.
    pub const NONE: Self = Self { edition: None, format: Format::Usual };
}

impl Default for Adjustment {
    fn default() -> Self {
        Self::NONE
    }
}
