//! Samples changed without end, the same way for the same seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use postern::email::{Email, Limits, header_scan, read};
use postern::mailfiles::messages_in;

/// Longest input, in bytes: long enough for every structure, short enough for many of them.
const LONGEST: usize = 12 * 1024;
/// No input of that length may take as long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pieces of mail that the reader looks for, to be put where they do not belong.
const PIECES: [&str; 64] = [
    "\r\n",
    "\r",
    "\n\n",
    "--b\r\n",
    "--b--\r\n",
    "\0",
    "\u{feff}",
    "é",
    "\u{202e}",
    "=?utf-8?B?",
    "=?utf-8?Q?=C3?=",
    "?=",
    "=?",
    "=\r\n",
    "=C3=A9",
    "=ZZ",
    "From: ",
    "From: a@b.org\r\n",
    "Subject: ",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/html\r\n\r\n",
    "Content-Type: text/plain; charset=utf-7\r\n\r\n",
    "Content-Type: text/plain; charset=utf-16\r\n\r\n",
    "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n",
    "Content-Type: message/delivery-status\r\n\r\n",
    "Content-Type: application/ms-tnef\r\n\r\n",
    "Content-Type: text/calendar; method=REQUEST\r\n\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Transfer-Encoding: x-uuencode\r\n",
    "begin 644 a\r\n",
    "; name*0*=utf-8''%C3; name*1*=%A9",
    "; filename=\"a\\",
    "; boundary=",
    "; charset=\"",
    "On 2 Mar 2026, a@b.org wrote:\r\n",
    "> ",
    "-----Original Message-----\r\n",
    "---------- Forwarded message ---------\r\n",
    "Sent: 2 March 2026\r\nTo: x\r\n",
    "-- \r\n",
    "________________________________\r\n",
    "********************\r\n",
    "This email is confidential and privileged.\r\n",
    "Undelivered mail",
    "MAILER-DAEMON@b.org",
    "<a@b.org>:\r\n",
    "Final-Recipient: rfc822; a@b.org\r\n\r\n",
    "550 5.1.1 unknown",
    "Auto-Submitted: auto-replied\r\n",
    "Return-Path: <>\r\n",
    "Automatic reply: ",
    "NCC-2026-00412-7",
    "<blockquote>",
    "</blockquote>",
    "<p>",
    "<!--",
    "<style>",
    "&#x41;",
    "&nbsp;",
    "<a href=\"",
    "CAUTION: this is from outside the organisation.\r\n",
    "https://a.safelinks.protection.outlook.com/?url=https%3A%2F%2Fb&data=",
];

/// A small generator of numbers (xorshift64*): the run depends on its seed alone.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit` (0 where that is 0).
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(1).max(1);
        usize::try_from((self.throw() >> 16) % limit).unwrap_or(0)
    }
}

/// Reads so many changed samples and says what was found.
pub(crate) fn run(inputs: u64, seed: u64) {
    let samples = samples();
    // What is compiled when first used takes longer than any input may.
    for sample in &samples {
        check(sample).expect("our samples are read");
    }
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    for number in 1..=inputs {
        let raw = changed(&samples, &mut dice);
        let begun = Instant::now();
        if let Err(fault) = check(&raw) {
            report(&raw, number, &fault);
        }
        slowest = slowest.max(begun.elapsed());
        if begun.elapsed() > PATIENCE {
            report(&raw, number, "it took too long");
        }
        if number % 1_000_000 == 0 {
            println!(
                "{number} inputs in {:.0} s, slowest {slowest:?}",
                start.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{inputs} inputs of seed {seed} read in {:.0} s without a fault; slowest {slowest:?}",
        start.elapsed().as_secs_f64()
    );
}

/// Keeps the input beside the report, for a test to be made of it.
#[expect(clippy::panic, reason = "a fault ends the run")]
fn report(raw: &[u8], number: u64, fault: &str) {
    let file = std::env::temp_dir().join(format!("postern-fault-{number}.eml"));
    std::fs::write(&file, raw).expect("the fault is written down");
    panic!("input {number}: {fault}; kept as {}", file.display());
}

fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    messages_in(&folder).map(|m| m.expect("our samples can be read").bytes).collect()
}

/// What must hold of any answer.
fn check(raw: &[u8]) -> Result<(), String> {
    let limits = Limits {
        text_bytes: 4_000,
        html_bytes: 8_000,
        own_addresses: vec!["complaints@council.example".to_owned()],
        own_domains: vec!["mail.council.example".to_owned()],
        ..Limits::default()
    };
    for reading in [read, header_scan] {
        let email = catch_unwind(AssertUnwindSafe(|| reading(raw, &limits)))
            .map_err(|_| "it panicked".to_owned())?;
        holds(&email, &limits)?;
    }
    Ok(())
}

fn holds(email: &Email, limits: &Limits) -> Result<(), String> {
    let rows = [
        (email.text.0.len() <= limits.text_bytes, "the text is too long"),
        (email.reply_text.0.len() <= limits.text_bytes, "the new text is too long"),
        (
            !email.text.0.contains('\0') && !email.reply_text.0.contains('\0'),
            "a NUL is in the text",
        ),
        (email.fingerprint.len() == 64, "the fingerprint is none"),
        (email.attachments.len() <= 100, "there are too many attachments"),
        (
            email.text.0.trim().is_empty() == email.reply_text.0.trim().is_empty(),
            "nothing new in a text",
        ),
        (
            email.attachments.iter().flat_map(|a| &a.name).all(|n| is_line(&n.0)),
            "an attachment's name is no line",
        ),
        (email.subject.iter().all(|s| is_line(&s.0)), "the subject is no line"),
    ];
    rows.iter().find(|(is_so, _)| !is_so).map_or(Ok(()), |(_, fault)| Err((*fault).to_owned()))
}

fn is_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

fn changed(samples: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut raw = pick(samples, dice).cloned().unwrap_or_default();
    for _ in 0..=dice.below(6) {
        change(&mut raw, samples, dice);
        raw.truncate(LONGEST);
    }
    raw
}

fn pick<'s, T>(all: &'s [T], dice: &mut Dice) -> Option<&'s T> {
    all.get(dice.below(all.len()))
}

/// One change: of bytes, of lines, or of the structure.
fn change(raw: &mut Vec<u8>, samples: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(raw.len() + 1);
    let piece = pick(&PIECES, dice).copied().unwrap_or_default().as_bytes();
    match dice.below(12) {
        0 => raw.truncate(at),
        1 => {
            if let Some(byte) = raw.get_mut(at) {
                *byte = u8::try_from(dice.below(256)).unwrap_or(0);
            }
        }
        2..=4 => drop(raw.splice(at..at, piece.iter().copied())),
        5 => {
            let end = (at + dice.below(200)).min(raw.len());
            raw.drain(at..end);
        }
        6 => {
            let end = (at + dice.below(200)).min(raw.len());
            let again = raw.get(at..end).unwrap_or_default().repeat(1 + dice.below(20));
            drop(raw.splice(at..at, again));
        }
        7 => swap_lines(raw, dice),
        8 => {
            let other = pick(samples, dice).cloned().unwrap_or_default();
            let from = dice.below(other.len());
            drop(raw.splice(at.., other.get(from..).unwrap_or_default().iter().copied()));
        }
        9 => wrap(raw, dice),
        10 => *raw = other_line_ends(raw, dice),
        _ => {
            let line = piece.repeat(1 + dice.below(60));
            drop(raw.splice(at..at, line));
        }
    }
}

fn swap_lines(raw: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<&[u8]> = raw.split_inclusive(|b| *b == b'\n').collect();
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    if !lines.is_empty() {
        lines.swap(one, other);
    }
    *raw = lines.concat();
}

/// Puts the whole message into another.
fn wrap(raw: &mut Vec<u8>, dice: &mut Dice) {
    let head: &[u8] = match dice.below(4) {
        0 => b"Content-Type: message/rfc822\r\n\r\n",
        1 => b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        2 => b"From: a@b.org\r\nContent-Type: multipart/alternative; boundary=\"b b\"\r\n\r\n--b b\r\n",
        _ => b"Subject: Fwd: x\r\nContent-Type: multipart/related; start=\"<x>\"; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n",
    };
    drop(raw.splice(0..0, head.iter().copied()));
}

fn other_line_ends(raw: &[u8], dice: &mut Dice) -> Vec<u8> {
    let end: &[u8] = match dice.below(3) {
        0 => b"\r\n",
        1 => b"\r",
        _ => b"\n",
    };
    let lines: Vec<&[u8]> =
        raw.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).collect();
    lines.join(end)
}
