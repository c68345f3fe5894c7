//! What a case is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Damm's quasigroup of order 10 (H. M. Damm, 2004): totally anti-symmetric, so that with its check
/// digit every single wrong digit and every swap of two neighbours is noticed.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// Where the sum starts. Any digit catches the same errors; with this one `NCC-2026-00412-7`, the
/// example that the manuals use, is a true reference.
const DAMM_START: u8 = 8;

/// The longest prefix that a council may choose.
const LONGEST_PREFIX: usize = 8;

/// A case's reference, `NCC-2026-00412-7`: prefix, year, number of the year, check digit.
///
/// The check digit is Damm's over the digits of year and number: **every single wrong digit and
/// every swap of two neighbouring digits makes a reference that is refused**, the check digit
/// itself included. So a slip of the pen never files a letter in a stranger's case.
///
/// Reading is lenient about case, spaces, brackets and the kind of dash, or none; writing is always the same.
///
/// ```
/// use postern::casework::reference::CaseReference;
///
/// let reference: CaseReference = "[ncc 2026–00412–7]".parse().unwrap();
/// assert_eq!(reference.to_string(), "NCC-2026-00412-7");
/// assert!("NCC-2026-00421-7".parse::<CaseReference>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseReference {
    prefix: String,
    year: i16,
    number: u32,
}

/// Why something is not a case reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAReference {
    /// No prefix of 1 to 8 letters.
    #[error("a reference begins with its prefix of 1 to 8 letters, like NCC-2026-00412-7")]
    Prefix,
    /// Not a year, a number of five digits or more and a check digit.
    #[error("after the prefix come a year, five digits and a check digit, like NCC-2026-00412-7")]
    Digits,
    /// The check digit does not fit: a digit is wrong or two are swapped.
    #[error("the check digit does not fit: a digit is wrong or two are swapped")]
    Check,
}

impl CaseReference {
    /// The reference of the `number`th case of a year.
    ///
    /// # Errors
    /// [`NotAReference`] if the prefix is not 1 to 8 ASCII letters, or the year has not four digits.
    pub fn new(prefix: &str, year: i16, number: u32) -> Result<Self, NotAReference> {
        let letters = prefix.chars().all(|c| c.is_ascii_alphabetic());
        if !letters || prefix.is_empty() || prefix.len() > LONGEST_PREFIX {
            return Err(NotAReference::Prefix);
        }
        if !(1000..=9999).contains(&year) {
            return Err(NotAReference::Digits);
        }
        Ok(Self { prefix: prefix.to_ascii_uppercase(), year, number })
    }

    /// The council's prefix, in capitals.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The year in which the case was opened.
    pub fn year(&self) -> i16 {
        self.year
    }

    /// The case's number in its year.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The check digit.
    pub fn check_digit(&self) -> u8 {
        let digits = format!("{:04}{:05}", self.year, self.number);
        digits.bytes().fold(DAMM_START, |interim, digit| {
            DAMM.get(usize::from(interim))
                .and_then(|row| row.get(usize::from(digit - b'0')))
                .copied()
                .unwrap_or(interim)
        })
    }
}

impl fmt::Display for CaseReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:05}-{}", self.prefix, self.year, self.number, self.check_digit())
    }
}

impl FromStr for CaseReference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let bare: String = text.chars().filter(|c| !is_ornament(*c)).collect();
        let (prefix, digits) =
            bare.split_at(bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len()));
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let (Some(year), Some(rest), true) = (digits.get(..4), digits.get(4..), plain) else {
            return Self::new(prefix, 2000, 0).and(Err(NotAReference::Digits));
        };
        let (number, check) = rest.split_at(rest.len().saturating_sub(1));
        // A number longer than five digits has no leading zero: there is one way to write each.
        if number.len() < 5 || (number.len() > 5 && number.starts_with('0')) {
            return Self::new(prefix, 2000, 0).and(Err(NotAReference::Digits));
        }
        let year = year.parse().map_err(|_| NotAReference::Digits)?;
        let number = number.parse().map_err(|_| NotAReference::Digits)?;
        let reference = Self::new(prefix, year, number)?;
        if check.parse() == Ok(reference.check_digit()) {
            Ok(reference)
        } else {
            Err(NotAReference::Check)
        }
    }
}

/// What people and programs put in and around a reference.
fn is_ornament(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{200b}')
        || matches!(c, '[' | ']' | '(' | ')' | '<' | '>' | '#')
}

impl TryFrom<String> for CaseReference {
    type Error = NotAReference;
    fn try_from(text: String) -> Result<Self, NotAReference> {
        text.parse()
    }
}

impl From<CaseReference> for String {
    fn from(reference: CaseReference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NotAReference> {
        text.parse::<CaseReference>().map(|reference| reference.to_string())
    }

    #[test]
    fn it_is_read_however_people_write_it() {
        for text in [
            "NCC-2026-00412-7",
            "ncc-2026-00412-7",
            "Ncc 2026 00412 7",
            "NCC2026004127",
            "[NCC-2026-00412-7]",
            " NCC\u{2011}2026\u{2013}00412\u{2212}7\u{a0}",
            "(ncc - 2026 - 00412 - 7)",
        ] {
            assert_eq!(read(text).as_deref(), Ok("NCC-2026-00412-7"), "{text}");
        }
        assert_eq!(CaseReference::new("ncc", 2026, 412).unwrap().to_string(), "NCC-2026-00412-7");
    }

    #[test]
    fn a_busy_year_has_longer_numbers() {
        let reference = CaseReference::new("NCC", 2026, 123_456).unwrap();
        assert!(reference.to_string().starts_with("NCC-2026-123456-"));
        assert_eq!(reference.to_string().parse(), Ok(reference));
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        assert_eq!(read(""), Err(NotAReference::Prefix));
        assert_eq!(read("2026-00412-7"), Err(NotAReference::Prefix));
        assert_eq!(read("COMPLAINTS-2026-00412-7"), Err(NotAReference::Prefix));
        assert_eq!(read("NCC-2026-412-7"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-2026-000412-7"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-2026-00412-7x"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-2026-99999999999-7"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-0026-00412-7"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-2026-00412-\u{0667}"), Err(NotAReference::Digits));
        assert_eq!(read("NCC-2026-00412-8"), Err(NotAReference::Check));
        assert_eq!(CaseReference::new("N1", 2026, 1), Err(NotAReference::Prefix));
    }

    #[test]
    fn every_wrong_digit_and_every_swap_is_refused() {
        for number in (0..100_000).step_by(37).chain([123_456, 999_999, 4_000_000_000]) {
            for year in [1999, 2026, 2031] {
                let written = CaseReference::new("NCC", year, number).unwrap().to_string();
                assert_eq!(read(&written).as_deref(), Ok(written.as_str()));
                for slip in slips(&written) {
                    assert!(read(&slip).is_err(), "{slip} passes for {written}");
                }
            }
        }
    }

    /// Each text that differs in one digit or in the order of two neighbouring digits.
    fn slips(written: &str) -> Vec<String> {
        let chars: Vec<char> = written.chars().collect();
        let places: Vec<usize> = (0..chars.len()).filter(|i| chars[*i].is_ascii_digit()).collect();
        let mut slips = Vec::new();
        for &place in &places {
            for digit in ('0'..='9').filter(|digit| *digit != chars[place]) {
                let mut slip = chars.clone();
                slip[place] = digit;
                slips.push(slip.iter().collect());
            }
        }
        for pair in places.windows(2).filter(|pair| chars[pair[0]] != chars[pair[1]]) {
            let mut slip = chars.clone();
            slip.swap(pair[0], pair[1]);
            slips.push(slip.iter().collect());
        }
        slips
    }

    #[test]
    fn as_json_it_is_its_text() {
        let reference = CaseReference::new("NCC", 2026, 412).unwrap();
        let json = serde_json::to_string(&reference).unwrap();
        assert_eq!(json, "\"NCC-2026-00412-7\"");
        assert_eq!(serde_json::from_str::<CaseReference>(&json).unwrap(), reference);
        assert!(serde_json::from_str::<CaseReference>("\"NCC-2026-00412-8\"").is_err());
    }
}
