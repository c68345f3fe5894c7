//! Content-Transfer-Encoding, read leniently: what can be decoded is, the rest is kept as it stands.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A decoded body, and the plain text that some list server put behind the encoded part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) footer: &'a [u8],
    pub(super) damaged: bool,
}

impl<'a> Body<'a> {
    fn plain(bytes: &'a [u8], damaged: bool) -> Self {
        Self { bytes: Cow::Borrowed(bytes), footer: b"", damaged }
    }
}

/// Decodes a body by the *header's* encoding.
pub(super) fn decode<'a>(body: &'a [u8], encoding: &str) -> Body<'a> {
    let encoding = encoding.trim();
    let is = |names: &[&str]| names.iter().any(|name| encoding.eq_ignore_ascii_case(name));
    if is(&["base64", "b"]) {
        return base64(body);
    }
    if is(&["quoted-printable", "q"]) {
        let (bytes, damaged) = quoted_printable(body);
        return Body { bytes: Cow::Owned(bytes), footer: b"", damaged };
    }
    if is(&["x-uuencode", "uuencode", "x-uue", "uue"]) {
        return match uudecode(body) {
            Some(bytes) => Body { bytes: Cow::Owned(bytes), footer: b"", damaged: false },
            None => Body::plain(body, true),
        };
    }
    Body::plain(body, false)
}

/// Marks a byte that is no base64 character.
const NONE: u8 = 0xff;

/// The six bits of every byte (both alphabets).
const SEXTETS: [u8; 256] = sextets();

#[expect(clippy::indexing_slicing, reason = "computed while compiling, where it must fit")]
const fn sextets() -> [u8; 256] {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        table[STANDARD[value as usize] as usize] = value;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
}

/// The six bits of a base64 character, or [`NONE`].
fn bits(byte: u8) -> u8 {
    SEXTETS.get(usize::from(byte)).copied().unwrap_or(NONE)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(bits(byte))).filter(|bits| *bits < 64)
}

/// Collects sextets and gives out octets.
#[derive(Default)]
struct Octets {
    out: Vec<u8>,
    bits: u32,
    count: u32,
}

impl Octets {
    #[expect(clippy::cast_possible_truncation, reason = "the low octet is what is wanted")]
    fn push(&mut self, sextet: u32) {
        self.bits = (self.bits << 6) | sextet;
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            self.out.push((self.bits >> self.count) as u8);
        }
    }

    /// Padding: what is left over are zero bits.
    fn pad(&mut self) {
        self.bits = 0;
        self.count = 0;
    }
}

/// Takes padding where it stands and misses it nowhere.
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Characters decoded at once: whole groups of four.
const BLOCK: usize = 16 * 1024;

/// Set in what [`PLACED`] holds for a byte that is no base64 character, and in nothing else.
const IS_NONE: u32 = 0xff00_0000;

/// What a character means as the first, second, third and fourth of a group, in its place among the 24 bits of the
/// group: four looks and three `or` decode one. Standard alphabet.
static PLACED: [[u32; 256]; 4] = [placed(18), placed(12), placed(6), placed(0)];

#[expect(clippy::indexing_slicing, reason = "computed while compiling, where it must fit")]
const fn placed(shift: u32) -> [u32; 256] {
    let mut table = [IS_NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        let is_standard = byte != b'-' as usize && byte != b'_' as usize;
        if SEXTETS[byte] != NONE && is_standard {
            table[byte] = (SEXTETS[byte] as u32) << shift;
        }
        byte += 1;
    }
    table
}

/// Decodes whole groups of four characters into three octets each; whether all were base64. In half the time of the
/// library, which looks after every character whether it was one.
fn decode_groups(groups: &[u8], out: &mut [u8]) -> bool {
    let [first, second, third, fourth] = &PLACED;
    let look =
        |table: &[u32; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(IS_NONE);
    let mut seen = 0;
    for (group, octets) in groups.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<3>().0) {
        let [one, two, three, four] = *group;
        let bits = look(first, one) | look(second, two) | look(third, three) | look(fourth, four);
        seen |= bits;
        let [_, decoded @ ..] = bits.to_be_bytes();
        *octets = decoded;
    }
    seen & IS_NONE == 0
}

/// What lines of one length say, as programs write them, and what stands behind those: nothing need be looked for or
/// put together there.
fn even_lines(body: &[u8]) -> (Vec<u8>, &[u8]) {
    let length = memchr::memchr(b'\n', body).map_or(0, |end| end + 1);
    let first = body.get(..length).unwrap_or_default();
    let chars = first.trim_ascii_end().len();
    let line_end = first.get(chars..).unwrap_or_default();
    if chars == 0 || !chars.is_multiple_of(4) || !matches!(line_end, b"\n" | b"\r\n") {
        return (Vec::new(), body);
    }
    let carriage_return = line_end.len() > 1;
    let ends = |line: &&[u8]| match line {
        [.., b'\r', b'\n'] => carriage_return,
        [.., b'\n'] => !carriage_return,
        _ => false,
    };
    let lines = body.chunks_exact(length).take_while(ends);
    let octets = chars / 4 * 3;
    // Room for what stands behind these lines too: to make it later would copy all of them.
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    out.resize(body.len() / length * octets, 0);
    let mut read = 0;
    for (line, out) in lines.zip(out.chunks_exact_mut(octets)) {
        let line = line.get(..chars).unwrap_or_default();
        if !decode_groups(line, out) {
            break;
        }
        read += 1;
    }
    out.truncate(read * octets);
    (out, body.get(read * length..).unwrap_or_default())
}

/// The whole body, where it is nothing but lines of base64: the same as line by line, in a third of the time.
fn clean_base64(body: &[u8]) -> Option<Vec<u8>> {
    let (mut out, body) = even_lines(body);
    out.reserve(body.len() / 4 * 3);
    let mut block: Vec<u8> = Vec::with_capacity(BLOCK.min(body.len()));
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', body).map(|end| end + 1).chain([body.len()]) {
        let mut line = body.get(at..end).unwrap_or_default().trim_ascii();
        at = end;
        while block.len() + line.len() >= BLOCK {
            let (now, later) = line.split_at(BLOCK - block.len());
            block.extend_from_slice(now);
            STANDARD_NO_PAD.decode_vec(&block, &mut out).ok()?;
            block.clear();
            line = later;
        }
        block.extend_from_slice(line);
    }
    PADDED_OR_NOT.decode_vec(&block, &mut out).ok()?;
    Some(out)
}

/// Base64 line by line. It ends at the first line that is not base64, and the lines behind
/// that one are a footer: mailing lists append theirs to whatever body they find.
fn base64(body: &[u8]) -> Body<'_> {
    if let Some(bytes) = clean_base64(body) {
        return Body { bytes: Cow::Owned(bytes), footer: b"", damaged: false };
    }
    let mut octets = Octets { out: Vec::with_capacity(body.len() / 4 * 3), ..Octets::default() };
    let mut padded = false;
    let mut damaged = false;
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', body).map(|end| end + 1).chain([body.len()]) {
        let line = body.get(at..end).unwrap_or_default();
        let trimmed = line.trim_ascii();
        if !trimmed.is_empty() {
            let all =
                trimmed.iter().all(|b| sextet(*b).is_some() || matches!(b, b'=' | b' ' | b'\t'));
            // After padding only a whole further block may follow: some encoders pad every line.
            let more = all && (!padded || trimmed.len().is_multiple_of(4));
            if !more || looks_like_words(trimmed) {
                break;
            }
            for byte in trimmed {
                if let Some(value) = sextet(*byte) {
                    octets.push(value);
                } else if *byte == b'=' {
                    padded = true;
                    octets.pad();
                }
            }
        }
        at = end;
    }
    let footer = body.get(at..).unwrap_or_default();
    if octets.out.is_empty() && !footer.trim_ascii().is_empty() {
        return Body::plain(body, true);
    }
    damaged |= !footer.trim_ascii().is_empty();
    Body { bytes: Cow::Owned(octets.out), footer, damaged }
}

/// A line of `_` or of words with blanks between them is a footer, not base64.
fn looks_like_words(line: &[u8]) -> bool {
    let blanks = line.iter().filter(|b| matches!(b, b' ' | b'\t')).count();
    line.iter().all(|b| matches!(b, b'_' | b'-' | b'=')) && line.len() > 4 || blanks > 2
}

/// Quoted-printable; `=` before anything that is not two hexadecimal digits stays as it is.
pub(super) fn quoted_printable(body: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(body.len());
    let mut damaged = false;
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let tail = tail.get(1..).unwrap_or_default();
        rest = tail;
        if let Some(after) = soft_break(tail) {
            rest = after;
        } else if let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            damaged = true;
            out.push(b'=');
        }
    }
    out.extend_from_slice(rest);
    (out, damaged)
}

fn soft_break(tail: &[u8]) -> Option<&[u8]> {
    let blanks = tail.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match tail.get(blanks..)? {
        [b'\r', b'\n', after @ ..] | [b'\n' | b'\r', after @ ..] => Some(after),
        [] => Some(&[]),
        _ => None,
    }
}

pub(super) fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// The first file of a uuencoded body.
fn uudecode(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body.split(|b| *b == b'\n').skip_while(|l| !l.starts_with(b"begin "));
    lines.next()?;
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    for line in lines {
        let line = line.trim_ascii_end();
        let Some((&length, data)) = line.split_first() else { continue };
        if line == b"end" || length == b'`' {
            break;
        }
        let wanted = usize::from(length.wrapping_sub(32) & 63);
        let mut octets = Octets::default();
        for byte in data {
            octets.push(u32::from(byte.wrapping_sub(32) & 63));
        }
        out.extend(octets.out.into_iter().take(wanted));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: &str, body: &str, want: &str, footer: &str) {
        let got = decode(body.as_bytes(), encoding);
        assert_eq!(String::from_utf8_lossy(&got.bytes), want);
        assert_eq!(String::from_utf8_lossy(got.footer).trim(), footer);
    }

    #[test]
    fn base64_is_read_to_its_last_byte() {
        check("base64", "aGVsbG8gd29ybGQ=\r\n", "hello world", "");
        check("base64", "aGVsbG8gd29ybGQ", "hello world", "");
        check("BASE64", "aGVs\nbG8gd29ybGQ\n", "hello world", "");
        check("base64", "aGVsbG8=\r\nIHdvcmxk\r\n", "hello world", "");
    }

    #[test]
    fn a_line_of_whole_groups_is_read_as_any_other() {
        let every: Vec<u8> = (0..=255).collect();
        let digits = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BB\
             QkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKD\
             hIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TF\
             xsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==";
        for width in 1..=100 {
            let lines: Vec<&str> = digits
                .as_bytes()
                .chunks(width)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            let body = lines.join("\r\n");
            // A line of rule characters alone would end the part, as a list server's rule does.
            let got = decode(body.as_bytes(), "base64");
            assert_eq!(got.bytes, every, "{width}");
        }
        check("base64", "YWJj\nZGVm\nZ?==\n", "abcdef", "Z?==");
    }

    #[test]
    fn a_footer_behind_base64_is_text() {
        check("base64", "aGVsbG8=\nUnsubscribe here please\n", "hello", "Unsubscribe here please");
        check("base64", "aGVsbG8h\n____________\nThe list\n", "hello!", "____________\nThe list");
        check("base64", "not base64 at all!\n", "not base64 at all!\n", "");
    }

    #[test]
    fn broken_quoted_printable_keeps_what_it_can() {
        check("quoted-printable", "caf=C3=A9 =\r\nau lait", "café au lait", "");
        check("quoted-printable", "a==b =ZZ =3D", "a==b =ZZ =", "");
        check("quoted-printable", "end=", "end", "");
    }

    #[test]
    fn uuencoded_files_are_decoded() {
        check("x-uuencode", "begin 644 a.txt\n%:&5L;&\\\n`\nend\n", "hello", "");
    }
}
