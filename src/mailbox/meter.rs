//! How much a server may say at once.
//!
//! The parser sets memory aside for a literal as soon as its length is announced, up to half a
//! gigabyte, and reads a line without literals anew for every few kilobytes of it. So both are
//! measured on the way in, before the parser sees them.

/// The longest literal: well above the largest message that is fetched whole. Larger messages are
/// read in pieces.
pub(super) const LITERAL_MOST: u64 = 64 * 1024 * 1024;

/// The longest stretch without a line end outside literals. Our own questions are put so that
/// answers stay far below.
pub(super) const LINE_MOST: usize = 1024 * 1024;

/// Follows the lines and literals of a conversation.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes of the present literal still to come.
    literal: u64,
    /// Bytes of the present line so far.
    line: usize,
    /// The end of the line: a literal's announcement, as far as it fits.
    announced: Announced,
}

/// How much of `{123}` CR stands at the end of what came so far.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Announced {
    #[default]
    Nothing,
    Digits(u64),
    Closed(u64),
    Return(u64),
}

/// More than a server may say at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Meter {
    /// Takes note of what came.
    pub(super) fn note(&mut self, mut bytes: &[u8]) -> Result<(), TooMuch> {
        while !bytes.is_empty() {
            // Literals are skipped whole: what is inside them is no business of ours.
            let skipped = usize::try_from(self.literal).unwrap_or(usize::MAX).min(bytes.len());
            self.literal -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
            while let Some((byte, rest)) = bytes.split_first() {
                bytes = rest;
                self.step(*byte)?;
                if self.literal > 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), TooMuch> {
        use Announced as A;
        self.line += 1;
        self.announced = match (self.announced, byte) {
            (_, b'{') => A::Digits(0),
            (A::Digits(length), b'0'..=b'9') => {
                A::Digits(length.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
            }
            (A::Digits(length), b'}') => A::Closed(length),
            (A::Closed(length), b'\r') => A::Return(length),
            (A::Return(length), b'\n') => {
                self.literal = length;
                A::Nothing
            }
            _ => A::Nothing,
        };
        if byte == b'\n' {
            self.line = 0;
        }
        if self.literal > LITERAL_MOST || self.line > LINE_MOST { Err(TooMuch) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same whether it comes at once or byte by byte.
    fn check(said: &[u8], expected: &Result<(), TooMuch>) {
        let mut drip = Meter::default();
        let dripped = said.iter().try_for_each(|byte| drip.note(&[*byte]));
        assert_eq!(&Meter::default().note(said), expected);
        assert_eq!(&dripped, expected);
    }

    #[test]
    fn an_enormous_literal_is_refused_as_soon_as_it_is_announced() {
        check(b"* 1 FETCH (BODY[] {500000000}\r\n", &Err(TooMuch));
        check(b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n", &Err(TooMuch));
        check(b"* 1 FETCH (BODY[] {5}\r\nhello)\r\n", &Ok(()));
        check(b"* OK {500000000} is a large number\r\n", &Ok(()));
    }

    #[test]
    fn what_a_message_says_is_not_taken_for_an_announcement() {
        let body = "{999999999}\r\n".repeat(200_000);
        let said = format!("* 1 FETCH (BODY[] {{{}}}\r\n{body})\r\nA1 OK\r\n", body.len());
        check(said.as_bytes(), &Ok(()));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut said = b"* SEARCH".to_vec();
        said.extend(b" 1234567".repeat(200_000));
        check(&said, &Err(TooMuch));
    }
}
