//! The mailbox that the benchmark takes in: the same bytes in every run, on every machine.

use std::fmt::Write as _;

use serde::Deserialize;

/// How many messages there are.
pub(crate) const MESSAGES: usize = 1_000;
/// How many of them carry photographs and scans of about 2 MB.
const LARGE: usize = 50;
/// Size of one of those, in bytes as the server gives them.
const LARGE_BYTES: usize = 2_000_000;
/// Half of the others are smaller than this.
const MEDIAN_BYTES: usize = 8_000;

/// What people wrote: the complaints of the classification tests.
const CORPUS: &str = include_str!("../../tests/complaints/dev.jsonl");

#[derive(Deserialize)]
struct Complaint {
    subject: String,
    body: String,
    labels: Labels,
}

#[derive(Deserialize)]
struct Labels {
    record_type: String,
}

/// One message, with LF line ends as a Maildir holds it.
pub(crate) struct Letter {
    pub(crate) bytes: Vec<u8>,
}

impl Letter {
    /// Its size as an IMAP server counts: with CRLF.
    pub(crate) fn wire_size(&self) -> usize {
        self.bytes.len() + self.bytes.split(|byte| *byte == b'\n').count() - 1
    }
}

/// The whole mailbox, one message after the other.
pub(crate) fn all() -> impl Iterator<Item = Letter> {
    let complaints: Vec<Complaint> = CORPUS
        .lines()
        .map(|line| serde_json::from_str(line).expect("the complaints are JSON lines"))
        .filter(|one: &Complaint| one.labels.record_type.contains("complaint"))
        .collect();
    (0..MESSAGES).map(move |number| {
        let complaint = &complaints[number % complaints.len()];
        letter(number, complaint, wanted_bytes(number))
    })
}

/// One message with `bytes` of attachment, from somebody who is not in the mailbox yet.
pub(crate) fn huge(bytes: usize) -> Letter {
    let complaint = Complaint {
        subject: "Video of the taxi".to_owned(),
        body: "I want to complain about the school taxi. The film shows it.\n".to_owned(),
        labels: Labels { record_type: "corporate_complaint".to_owned() },
    };
    letter(MESSAGES, &complaint, bytes)
}

/// Spreads the sizes: every twentieth is large, of the rest half lie below the median, and above it
/// they grow with the square, to 117 MB in all.
fn wanted_bytes(number: usize) -> usize {
    if number % (MESSAGES / LARGE) == 7 {
        return LARGE_BYTES;
    }
    // A step that shares no divisor with the number of places visits each once.
    let place = (number * 379) % MESSAGES;
    let half = MESSAGES / 2;
    if place < half {
        return 2_500 + (MEDIAN_BYTES - 2_500) * place / half;
    }
    let above = place - half;
    MEDIAN_BYTES + 64_000 * above * above / (half * half)
}

fn letter(number: usize, complaint: &Complaint, wanted: usize) -> Letter {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    let name = format!("{} {}", dice.pick(&FIRST_NAMES), dice.pick(&LAST_NAMES));
    let address = format!("{}.{number}@example.org", name.to_lowercase().replace(' ', "."));
    let mut text = complaint.body.clone();
    // With its HTML twin the text makes up a small message; what is larger is attachments.
    let most = wanted.min(MEDIAN_BYTES).saturating_sub(1_500) * 2 / 5;
    while text.len() < most {
        let _ = writeln!(text, "\n{}", happening(&mut dice));
    }
    let mut mail = header(number, &name, &address, &complaint.subject);
    let _ = write!(
        mail,
        "Content-Type: multipart/mixed; boundary=\"=_mixed{number}\"\n\n\
         --=_mixed{number}\nContent-Type: multipart/alternative; boundary=\"=_both{number}\"\n\n\
         --=_both{number}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
         {text}\n--=_both{number}\nContent-Type: text/html; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n{html}\n--=_both{number}--\n",
        html = html(&text),
    );
    let missing = wanted.saturating_sub(mail.len());
    if missing > 1_000 {
        attach(&mut mail, number, missing, &mut dice);
    }
    let _ = writeln!(mail, "--=_mixed{number}--");
    Letter { bytes: mail.into_bytes() }
}

fn header(number: usize, name: &str, address: &str, subject: &str) -> String {
    let minute = number % 60;
    let hour = 8 + number / 120 % 10;
    let date = format!("Tue, 3 Mar 2026 {hour:02}:{minute:02}:00 +0000");
    let subject = subject.replace(['\n', '\r'], " ");
    format!(
        "Return-Path: <{address}>\nDelivered-To: complaints@northmere.example\n\
         Received: from mx.northmere.example ([192.0.2.25])\n\tby mail.northmere.example with LMTP\n\
         \tid {number:08x}; {date}\n\
         Received: from out.example.org (out.example.org [198.51.100.7])\n\
         \tby mx.northmere.example with ESMTPS id {number:08x}; {date}\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2026;\n\
         \th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\
         \tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\n\
         From: {name} <{address}>\nTo: complaints@northmere.example\nSubject: {subject}\n\
         Date: {date}\nMessage-ID: <bench.{number}@example.org>\nMIME-Version: 1.0\n"
    )
}

/// The same text as a mail program writes it in HTML.
fn html(text: &str) -> String {
    let mut html = String::from("<html><body style=\"font-family:Calibri,sans-serif\">\n");
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(html, "<p style=\"margin:0 0 10px 0\">{line}</p>");
    }
    html.push_str("</body></html>");
    html
}

/// Photographs: bytes without pattern, in base64 lines.
fn attach(mail: &mut String, number: usize, bytes: usize, dice: &mut Dice) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let _ = write!(
        mail,
        "--=_mixed{number}\nContent-Type: image/jpeg; name=\"IMG_{number:04}.jpg\"\n\
         Content-Disposition: attachment; filename=\"IMG_{number:04}.jpg\"\n\
         Content-Transfer-Encoding: base64\n\n"
    );
    for _ in 0..bytes / 78 {
        let mut left = 76;
        while left > 0 {
            let mut drawn = dice.roll();
            for _ in 0..left.min(10) {
                mail.push(char::from(DIGITS[(drawn & 63) as usize]));
                drawn >>= 6;
                left -= 1;
            }
        }
        mail.push('\n');
    }
}

fn happening(dice: &mut Dice) -> String {
    format!(
        "On {day} {month} I {act} and {who} {answer}. {after}",
        day = dice.roll() % 28 + 1,
        month = dice.pick(&["January", "February", "October", "November", "December"]),
        act = dice.pick(&[
            "rang the office",
            "wrote to the team again",
            "went to the meeting at the school",
            "waited in all afternoon for the visit",
            "left a message on the answering machine",
        ]),
        who = dice.pick(&[
            "the social worker",
            "the manager",
            "the caseworker",
            "the lady at reception"
        ]),
        answer = dice.pick(&[
            "said that somebody would call me back",
            "told me the plan had not been finished",
            "did not know who was dealing with it",
            "promised that it would be sorted out by Friday",
            "put the phone down on me",
        ]),
        after = dice.pick(&[
            "Nobody has been in touch since then and I am at the end of my tether.",
            "This is not good enough and it is affecting the whole family.",
            "I have kept a note of every call and can send it to you.",
            "We have had three different workers since the summer.",
        ]),
    )
}

const FIRST_NAMES: [&str; 12] = [
    "Pauline", "Imran", "Deborah", "Kwame", "Sian", "Marek", "Joanne", "Priti", "Colin", "Ngozi",
    "Heather", "Luis",
];
const LAST_NAMES: [&str; 12] = [
    "Garrity",
    "Rahim",
    "Ogden",
    "Mensah",
    "Prosser",
    "Nowak",
    "Fletcher",
    "Patel",
    "Braithwaite",
    "Okafor",
    "Lund",
    "Ferreira",
];

/// xorshift64*: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.roll() >> 33).unwrap_or(0) % from.len()]
    }
}
