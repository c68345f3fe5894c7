//! A letter taken apart by a few lines of the tests' own: nothing of `postern::email`, and nothing of the library
//! that builds our letters.

use std::collections::BTreeMap;

use crate::support::smtp_sink::Letter;

/// The headers of every letter, and those that some have. Nothing else may stand there.
const ALWAYS: [&str; 11] = [
    "Content-Language",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Reply-To",
    "Subject",
    "To",
    "X-Auto-Response-Suppress",
    "X-Loop",
];
const SOMETIMES: [&str; 3] = ["Auto-Submitted", "In-Reply-To", "References"];
/// The headers of a letter's parts.
const OF_PARTS: [&str; 2] = ["Content-Transfer-Encoding", "Content-Type"];
/// What the attackers want to reach: no mail may go there.
pub(crate) const EVIL: &str = "evil.example";
/// What turns the text beside it round.
pub(crate) const BIDI: [char; 12] = [
    '\u{200e}', '\u{200f}', '\u{061c}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// Header names and unfolded values of a letter; each name once.
pub(crate) fn headers(letter: &Letter) -> BTreeMap<String, String> {
    let end = letter.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a header's end");
    let head = std::str::from_utf8(&letter.bytes[..end]).expect("a header in ASCII");
    header_lines(head)
}

fn header_lines(head: &str) -> BTreeMap<String, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            found.last_mut().expect("a first line that is folded").1.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
        let plain = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
        assert!(plain, "no header name: {name:?}");
        found.push((name.to_owned(), value.trim().to_owned()));
    }
    let count = found.len();
    let headers: BTreeMap<String, String> = found.into_iter().collect();
    assert_eq!(headers.len(), count, "a header twice: {head}");
    headers
}

/// Takes a letter apart; to whom it goes.
pub(crate) fn is_one_letter_to_one(letter: &Letter) -> String {
    let bytes = &letter.bytes;
    for (at, octet) in bytes.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + 1));
        match octet {
            b'\r' => assert_eq!(after, Some(&b'\n'), "a bare CR"),
            b'\n' => assert_eq!(before, Some(b'\r'), "a bare LF"),
            octet => assert!(octet.is_ascii() && *octet != 0, "octet {octet}"),
        }
    }
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 998), "a line too long");
    let headers = headers(letter);
    for name in ALWAYS {
        assert!(headers.contains_key(name), "no {name}: {headers:?}");
    }
    let known =
        |name: &String| ALWAYS.contains(&name.as_str()) || SOMETIMES.contains(&name.as_str());
    assert!(headers.keys().all(known), "{headers:?}");
    for (name, value) in &headers {
        match name.as_str() {
            "From" | "Subject" => {}
            // Whatever a sender calls a message: an id, which is nobody's address.
            "In-Reply-To" | "References" => {
                let is_id = |id: &str| {
                    id.starts_with('<')
                        && id.ends_with('>')
                        && id.matches(['<', '>', '@']).count() == 3
                };
                assert!(value.split(' ').all(is_id), "{name}: {value}");
            }
            _ => assert!(!value.contains(EVIL), "{name}: {value}"),
        }
    }

    assert_eq!(letter.to.len(), 1, "{:?}", letter.to);
    let to = &headers["To"];
    assert!(to.matches('@').count() == 1 && !to.contains([',', ';', '<', ' ']), "To: {to}");
    assert_eq!(letter.to[0].trim_matches(['<', '>']), to, "the envelope goes elsewhere");
    let from = unquoted(&headers["From"]);
    let from = from.trim().trim_start_matches('<').trim_end_matches('>');
    assert_eq!(from, "complaints@northmere.example", "From: {}", headers["From"]);
    let reply_to = &headers["Reply-To"];
    assert!(
        reply_to.starts_with("complaints") && reply_to.ends_with("@northmere.example"),
        "{reply_to}"
    );
    assert_eq!(reply_to.matches('@').count(), 1, "Reply-To: {reply_to}");
    let subject = decoded(&headers["Subject"]);
    // A list names the service; nothing that a stranger wrote is in any subject.
    let is_list = to.ends_with("@northmere.example");
    assert!(!subject.is_empty() && (is_list || !subject.contains(EVIL)), "Subject: {subject}");
    for name in ["Subject", "From"] {
        let shown = decoded(&headers[name]);
        let turns =
            |c: char| c.is_control() || BIDI.contains(&c) || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!shown.contains(turns), "{name}: {shown:?}");
    }
    let content_type = &headers["Content-Type"];
    if content_type.starts_with("multipart/mixed") {
        assert!(is_list, "only a service gets a file: {to}");
        has_the_message_beside_it(text, content_type);
    } else {
        has_two_parts(text, content_type);
    }
    to.clone()
}

/// The letter as ever, and what the customer wrote as a file, of which nothing reaches out of its part.
fn has_the_message_beside_it(text: &str, content_type: &str) {
    let parts = parts_of(text, content_type);
    let [letter, file] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    let of = |part: &str| header_lines(part.split("\r\n\r\n").next().unwrap());
    let inner = of(letter);
    assert_eq!(inner.keys().collect::<Vec<_>>(), ["Content-Type"]);
    has_two_parts(letter, &inner["Content-Type"]);
    let beside: Vec<(String, String)> = of(file).into_iter().collect();
    let expected = [
        ("Content-Disposition", "attachment; filename=\"message.txt\""),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Type", "text/plain; charset=utf-8"),
    ];
    assert_eq!(beside, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let (_, body) = file.split_once("\r\n\r\n").unwrap();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\r' | '\n');
    assert!(body.chars().all(plain), "{body}");
}

/// The parts of a message of several, without what stands before and behind them.
fn parts_of<'a>(text: &'a str, content_type: &str) -> Vec<&'a str> {
    let boundary = content_type.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
    let boundary = format!("--{}", boundary.expect("several parts"));
    let mut parts: Vec<&str> = text.split(&boundary).skip(1).collect();
    assert_eq!(parts.pop().map(str::trim_end), Some("--"), "it ends with its last part");
    parts.into_iter().map(|part| part.trim_start_matches("\r\n")).collect()
}

/// The text and the same as HTML, and nothing beside them.
fn has_two_parts(text: &str, content_type: &str) {
    let boundary = content_type.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
    let boundary = format!("--{}", boundary.expect("several parts"));
    let lines = text.split("\r\n").filter(|line| line.starts_with(&boundary));
    let cuts: Vec<&str> = lines.collect();
    assert_eq!(cuts, [boundary.clone(), boundary.clone(), format!("{boundary}--")]);
    for part in text.split(&boundary).skip(1).take(2) {
        let head = part.trim_start_matches("\r\n").split("\r\n\r\n").next().unwrap();
        let names: Vec<String> = header_lines(head).into_keys().collect();
        assert_eq!(names, OF_PARTS);
    }
}

/// An address header without quoted strings and encoded words.
fn unquoted(value: &str) -> String {
    let (mut rest, mut quoted, mut chars) = (String::new(), false, value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => drop(chars.next()),
            '"' => quoted = !quoted,
            c if !quoted => rest.push(c),
            _ => {}
        }
    }
    let words = rest.split(' ').filter(|word| !(word.starts_with("=?") && word.ends_with("?=")));
    let rest = words.collect::<Vec<_>>().join(" ");
    match rest.rfind('<') {
        // A name of plain words needs no quotes; it can have no address then.
        Some(at) if !rest[..at].contains(['@', ',', ';', ':', '<', '>', '(']) => {
            rest[at..].to_owned()
        }
        _ => rest,
    }
}

/// A header's value as a reader sees it (RFC 2047).
fn decoded(value: &str) -> String {
    let (mut octets, mut before) = (Vec::new(), false);
    for (at, word) in value.split(' ').enumerate() {
        let inner = word.strip_prefix("=?").and_then(|word| word.strip_suffix("?="));
        let parts: Vec<&str> =
            inner.map(|inner| inner.splitn(3, '?').collect()).unwrap_or_default();
        let is_word = parts.len() == 3;
        // Blanks between two encoded words are not shown.
        if at > 0 && !(is_word && before) {
            octets.push(b' ');
        }
        match parts[..] {
            [_, "b" | "B", text] => octets.extend(base64(text)),
            [_, _, text] => octets.extend(quoted(text)),
            _ => octets.extend(word.bytes()),
        }
        before = is_word;
    }
    String::from_utf8(octets).expect("UTF-8")
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut out = Vec::new();
    for (at, octet) in text.bytes().filter(|octet| *octet != b'=').enumerate() {
        let digit = DIGITS.iter().position(|digit| *digit == octet).expect("base64");
        bits = bits << 6 | u32::try_from(digit).unwrap();
        if at % 4 > 0 {
            out.push((bits >> (6 - 2 * (at % 4))).to_le_bytes()[0]);
        }
    }
    out
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'_' => b' ',
            b'=' => {
                let hex = [octets.next().unwrap(), octets.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            octet => octet,
        });
    }
    out
}

#[test]
fn what_takes_letters_apart_sees_what_was_smuggled() {
    assert_eq!(decoded("=?utf-8?b?QW5uDQpCY2M6?= x"), "Ann\r\nBcc: x");
    assert_eq!(decoded("=?utf-8?q?A=0A?= =?utf-8?b?QQ==?="), "A\nA");
    assert_eq!(unquoted("\"Ann\\\" <x@evil.example>\" <a@b.example>"), "<a@b.example>");
    assert_ne!(unquoted("\"Ann\" <x@evil.example>, <a@b.example>"), "<a@b.example>");
    let good = "Content-Language: en\r\nContent-Type: multipart/alternative; boundary=\"c\"\r\nDate: d\r\n\
        From: A <complaints@northmere.example>\r\nMIME-Version: 1.0\r\nMessage-ID: <i>\r\n\
        Reply-To: complaints@northmere.example\r\nSubject: s\r\nTo: a@b.example\r\n\
        X-Auto-Response-Suppress: OOF\r\nX-Loop: l\r\n\r\n--c\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--c\r\nContent-Type: text/html\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--c--\r\n";
    let to = vec!["<a@b.example>".to_owned()];
    let letter = |text: String| Letter { from: String::new(), to: to.clone(), bytes: text.into() };
    assert_eq!(is_one_letter_to_one(&letter(good.to_owned())), "a@b.example");
    for (from, to) in [
        ("X-Loop: l", "X-Loop: l\r\nBcc: x@evil.example"),
        ("X-Loop: l", "X-Loop: l\r\nTo: x@evil.example"),
        ("To: a@b.example", "To: a@b.example, x@c.example"),
        ("Subject: s", "Subject: s\nBcc: x@c.example"),
        ("Subject: s", "Subject: =?utf-8?q?=E2=80=AEs?="),
        ("From: A <", "From: x@c.example, A <"),
        ("x\r\n--c--", "x\r\n--c\r\nContent-Type: text/x\r\n\r\nx\r\n--c--"),
        ("Date: d", "Date: d\r\nX-More: m"),
    ] {
        let bad = letter(good.replacen(from, to, 1));
        let seen = std::panic::catch_unwind(|| is_one_letter_to_one(&bad));
        assert!(seen.is_err(), "{to:?} is not seen");
    }
}
