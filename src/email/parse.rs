//! Bytes to [`Email`].
//!
//! The message is cut into parts by our own linear splitter (`mime`) instead of the mail
//! library's: that one loses text at a boundary inside a line, drops the tail of unpadded base64,
//! and recurses once for each message inside a message until the stack is gone. It still reads
//! dates and rare character sets for us. `tests/reading.rs` shows each difference.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};

use super::content::{self, Declared};
use super::header::{self, Headers};
use super::mime::{self, Oddities, Part};
use super::parameters::Parameters;
use super::reference::references_in;
use super::sieve::{May, in_text};
use super::{
    Address, Attachment, Email, Forwarded, Kind, Limits, Note, ReturnPath, SenderProof, address,
    authentication, banner, bounce, charset, forward, html, kind, phrases, reply, sieve, text,
    tnef, transfer,
};
use crate::private::Private;

/// Characters of a token in our Message-IDs (`token::TOKEN_CHARS`).
const TOKEN_CHARS: usize = 41;
const FORGED: &str = "the mail server says that the sender's address is not genuine";
static PGP: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"-----BEGIN PGP MESSAGE-----"));

/// Most addresses kept of a header.
const MOST_ADDRESSES: usize = 500;
/// Most attachments listed.
const MOST_ATTACHMENTS: usize = 100;
/// Most bytes decoded for attachments; those behind are listed undecoded.
const DECODED_BYTES: usize = 60 * 1024 * 1024;

/// Reads a message. Never fails: what could not be read is named in `problems`.
pub fn read(raw: &[u8], limits: &Limits) -> Email {
    let raw = normalised(raw);
    let (root, odd) = mime::message(&raw);
    let mut body = text::body(&root, limits);
    if body.text.trim().is_empty()
        && let Some(text) = winmail_text(&root, limits)
    {
        body.text = text;
        body.problems.push("the text was taken out of a winmail.dat".to_owned());
    }
    body.problems.extend(structure_problems(&root, &odd).map(str::to_owned));
    assemble(&root, body, limits)
}

/// Reads only the header fields and takes the beginning of the raw body for the text: for a
/// message whose full reading ended the process before.
pub fn header_scan(raw: &[u8], limits: &Limits) -> Email {
    let raw = normalised(raw);
    let (headers, rest) = header::split(&raw);
    let root = Part {
        headers,
        media: Cow::Borrowed("text/plain"),
        content_type: Parameters::default(),
        disposition: Parameters::default(),
        encoding: Cow::Borrowed(""),
        body: rest,
        children: Vec::new(),
    };
    let head = rest.get(..rest.len().min(limits.text_bytes)).unwrap_or(rest);
    let text = text::tidy(&charset::guess(head).0);
    let text = text::cut(&text, limits.text_bytes).to_owned();
    let mut body = text::Body { text, ..text::Body::default() };
    body.parts.push(text::identity(&root));
    body.problems.push("only the header was read; the text is shown as it arrived".to_owned());
    assemble(&root, body, limits)
}

/// Line ends and leading blanks put right, copied only where they are wrong.
fn normalised(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
    let raw = raw.trim_ascii_start();
    let has_line_ends = raw.iter().take(1_000).any(|b| *b == b'\n');
    if !has_line_ends && raw.contains(&b'\r') && !raw.contains(&b'\n') {
        return Cow::Owned(raw.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect());
    }
    Cow::Borrowed(raw)
}

fn structure_problems(root: &Part<'_>, odd: &Oddities) -> impl Iterator<Item = &'static str> {
    let rows = [
        (root.headers.fields.is_empty(), "there is no header: everything was taken for the text"),
        (root.headers.damaged, "the header is damaged; what could be read was kept"),
        (odd.unterminated, "the message breaks off before its end mark"),
        (odd.no_boundary, "the parts of the message could not be told apart"),
        (odd.too_deep, "parts are nested too deep; the innermost were not opened"),
        (odd.too_many, "there are too many parts; the last were not opened"),
    ];
    rows.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words)
}

/// The author, and how many there claim to be.
struct Authors {
    from: Option<Address>,
    count: usize,
}

fn authors(headers: &Headers<'_>) -> Authors {
    let mut all =
        headers.all("from").flat_map(|f| address::mailboxes(&f.text())).collect::<Vec<_>>();
    let count = all.len();
    // The same author twice is still one author, though an odd message.
    let one = all.array_windows().all(|[one, other]| one.valid() == other.valid());
    let only = if one { all.pop() } else { None };
    Authors { from: only.and_then(address::Mailbox::into_address), count }
}

fn addresses(headers: &Headers<'_>, names: &[&str]) -> Vec<Private<String>> {
    let fields = names.iter().flat_map(|name| headers.all(name));
    let found = fields.flat_map(|field| address::addresses(&field.text()).collect::<Vec<_>>());
    let mut all: Vec<Private<String>> = Vec::new();
    for address in found.map(Private) {
        if all.len() == MOST_ADDRESSES {
            break;
        }
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// Of `To` and `Cc` together, and of `Cc` alone.
fn recipients(headers: &Headers<'_>) -> (Vec<Private<String>>, Vec<Private<String>>) {
    let (mut all, cc) = (addresses(headers, &["to"]), addresses(headers, &["cc"]));
    let more: Vec<_> = cc.iter().filter(|address| !all.contains(address)).cloned().collect();
    all.extend(more);
    all.truncate(MOST_ADDRESSES);
    (all, cc)
}

fn return_path(headers: &Headers<'_>) -> ReturnPath {
    let Some(value) = headers.text("return-path") else { return ReturnPath::Unknown };
    let bare: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.starts_with("<>") {
        return ReturnPath::Null;
    }
    let address = address::addresses(&value).next();
    address.map_or(ReturnPath::Unknown, |a| ReturnPath::Address(Private(a)))
}

fn ids(headers: &Headers<'_>, name: &str) -> Vec<String> {
    headers.text(name).map(|t| header::message_ids(&t)).unwrap_or_default()
}

fn assemble(root: &Part<'_>, body: text::Body, limits: &Limits) -> Email {
    let headers = &root.headers;
    let has_text = !body.text.trim().is_empty();
    let mut problems = body.problems;
    let leaves = root.leaves();
    let authors = authors(headers);
    let subject = headers.get("subject").map(|f| text::one_line(&f.decoded(), 2_000));
    let subject_text = subject.clone().unwrap_or_default();
    let reply_to = addresses(headers, &["reply-to"]);
    let return_path = return_path(headers);
    let message_id = ids(headers, "message-id").into_iter().next();
    let in_reply_to = ids(headers, "in-reply-to");
    let references = ids(headers, "references");
    let (to, cc) = recipients(headers);
    let delivered_to = addresses(headers, &DELIVERED_TO);
    let written = written(&subject_text, &body.text);
    if written.may.has(in_text::PORTAL) {
        problems.extend(portal_problem(&body.text));
    }
    let mut reply_text = written.new;
    let verdict = kind::decide(
        &kind::Seen {
            root,
            leaves: &leaves,
            from: authors.from.as_ref().map(|a| a.address.0.as_str()),
            sender_text: headers.get("from").map(header::Field::decoded).unwrap_or_default(),
            from_count: authors.count,
            reply_to: &reply_to,
            to: &to,
            delivered_to: &delivered_to,
            return_path: &return_path,
            is_answer: !in_reply_to.is_empty() || !references.is_empty(),
            answers_us: in_reply_to.iter().chain(&references).any(|id| is_ours(id, limits)),
            hands_on: written.inline.is_some() || written.is_forward,
            subject: &subject_text,
            message_id: message_id.as_deref(),
            text: &body.text,
            reply_text: &reply_text,
            text_may: written.may,
            subject_may: sieve::SUBJECT.may(&subject_text),
        },
        limits,
    );
    let mut full_text = body.text;
    let mut forwarded = written.inline;
    if !matches!(verdict.kind, Kind::Bounce | Kind::ReadReceipt | Kind::AbuseReport)
        && let Some((about, words)) = attached_message(&leaves, limits)
    {
        let stands_alone = full_text.trim().is_empty();
        append(&mut full_text, &words, limits);
        if stands_alone || written.is_forward {
            reply_text.clone_from(&full_text);
        }
        forwarded = forwarded.or(Some(about));
    }
    let bounce = (verdict.kind == Kind::Bounce).then(|| bounce::read(root, &full_text));
    let date = headers.text("date");
    let sent = date.as_deref().and_then(header::date);
    let from = authors.from.as_ref().map(|author| author.address.as_str());
    let sender_proof = authentication::read(headers, &limits.authentication_servers, from);
    let no_date = date.is_some() && sent.is_none();
    let no_sender = authors.count != 1 || from.is_none();
    problems.extend(doubts(no_date, no_sender, sender_proof, &full_text).map(str::to_owned));
    let case_references = references_in([&subject_text, &full_text], &limits.reference_prefix);
    let fingerprint = fingerprint([
        message_id.as_deref().unwrap_or_default(),
        date.as_deref().unwrap_or_default(),
        authors.from.as_ref().map_or("", |a| a.address.0.as_str()),
        &subject_text,
        &full_text,
    ]);
    let attachments = attachments((root, &leaves), &body.parts, has_text, &mut problems);
    Email {
        kind: verdict.kind,
        kind_evidence: verdict.evidence,
        from: authors.from,
        sender_proof,
        from_count: authors.count,
        reply_to,
        return_path,
        to,
        cc,
        delivered_to,
        subject: subject.map(Private),
        date: sent,
        message_id,
        in_reply_to,
        references,
        case_references,
        text: Private(full_text),
        reply_text: Private(reply_text),
        attachments,
        forwarded,
        bounce,
        form: None,
        suppress_answer: verdict.suppress,
        fingerprint,
        problems,
    }
}

fn doubts(
    no_date: bool,
    no_sender: bool,
    proof: SenderProof,
    text: &str,
) -> impl Iterator<Item = &'static str> {
    let rows = [
        (no_date, "the date is not a valid one"),
        (no_sender, "there is not exactly one valid sender"),
        (proof == SenderProof::Failed, FORGED),
        (PGP.find(text.as_bytes()).is_some(), "the text is encrypted (PGP) and was not opened"),
    ];
    rows.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words)
}

/// What of a letter its sender newly wrote.
struct Written {
    new: String,
    /// The message that it hands on.
    inline: Option<Forwarded>,
    /// Whether its subject says that it hands one on.
    is_forward: bool,
    /// What may match in all of the text.
    may: May,
}

fn written(subject: &str, text: &str) -> Written {
    let may = sieve::TEXT.may(text);
    let lines = text::Lines::of(text);
    let (inline, block) = forward::inline(subject, &lines, may);
    let new = inline.is_none().then(|| reply::new_text(text, &lines, may, block));
    let new = banner::without_banners(new.unwrap_or_else(|| text.to_owned()), may);
    Written { new, inline, is_forward: forward::is_forward_subject(subject), may }
}

/// Puts an attached message's words below the text.
fn append(text: &mut String, words: &str, limits: &Limits) {
    if words.is_empty() {
        return;
    }
    if !text.trim().is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(words);
    text.truncate(text::cut(text, limits.text_bytes).len());
}

fn portal_problem(text: &str) -> Option<String> {
    let waits = phrases::secure_portal(text).is_some();
    waits.then(|| "the letter itself waits behind a secure-mail portal".to_owned())
}

/// Whether a Message-ID looks like one that our own letters bear: at a domain that only we use, or of
/// the form of our tokens at the domain of an address of ours. Whether it is one, the key tells.
fn is_ours(id: &str, limits: &Limits) -> bool {
    let Some((local, domain)) = id.rsplit_once('@') else { return false };
    let is = |own: &str| text::is_lower(own, domain);
    let of_an_address = || {
        let mut own = limits.own_addresses.iter().filter_map(|own| own.rsplit_once('@'));
        own.any(|(_, own)| is(own))
    };
    let is_token = local.len() == TOKEN_CHARS
        && local.as_bytes().get(1) == Some(&b'm')
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric());
    limits.own_domains.iter().any(|own| is(own)) || (is_token && of_an_address())
}

/// Headers that say which mailbox a message was delivered to.
const DELIVERED_TO: [&str; 6] = [
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "resent-to",
];

/// The first attached message: what it says of itself, and its text.
fn attached_message(leaves: &[&Part<'_>], limits: &Limits) -> Option<(Forwarded, String)> {
    let leaf =
        leaves.iter().find(|l| l.media == "message/rfc822" || l.media == "message/global")?;
    let decoded = transfer::decode(leaf.body, &leaf.encoding);
    let raw = normalised(&decoded.bytes);
    let (inner, _) = mime::message(&raw);
    if inner.headers.fields.is_empty() {
        return None;
    }
    Some((forward::attached(&inner.headers), text::body(&inner, limits).text))
}

fn attachments(
    (root, leaves): (&Part<'_>, &[&Part<'_>]),
    body: &[*const ()],
    has_text: bool,
    problems: &mut Vec<String>,
) -> Vec<Attachment> {
    let mut list = Vec::new();
    let mut decoded_bytes = 0_usize;
    for leaf in leaves.iter().copied() {
        if body.contains(&text::identity(leaf)) || is_empty_shell(leaf, root) {
            continue;
        }
        if list.len() >= MOST_ATTACHMENTS {
            problems.push("there are more attachments than are listed".to_owned());
            break;
        }
        let decoded = if decoded_bytes < DECODED_BYTES {
            transfer::decode(leaf.body, &leaf.encoding)
        } else {
            transfer::decode(leaf.body, "")
        };
        decoded_bytes += decoded.bytes.len();
        if decoded.damaged && !problems.iter().any(|p| p.starts_with("an attachment")) {
            problems.push("an attachment is damaged".to_owned());
        }
        let named = leaf.file_name().and_then(text::file_name);
        let related = leaf.headers.has("content-id") && leaf.disposition.value != "attachment";
        let inline = leaf.disposition.value == "inline" || related;
        let declared = Declared {
            name: named.as_deref(),
            media_type: &leaf.media,
            smime_type: leaf.content_type.get("smime-type"),
        };
        list.push(attachment(declared, &decoded.bytes, inline));
        if is_winmail(leaf)
            && let Some(contents) = tnef::read(&decoded.bytes)
        {
            // The letter's rich form matters only where there is no other.
            let rich = contents.rich.iter().filter(|_| !has_text);
            for file in contents.files.iter().chain(rich).take(MOST_ATTACHMENTS) {
                let name = text::file_name(&file.name);
                let media_type = "application/octet-stream";
                let declared =
                    Declared { name: name.as_deref(), media_type, ..Declared::default() };
                list.push(attachment(declared, file.bytes, false));
            }
        }
    }
    list.truncate(MOST_ATTACHMENTS);
    problems.extend(told_of(&list).map(str::to_owned));
    list
}

fn attachment(declared: Declared<'_>, bytes: &[u8], inline: bool) -> Attachment {
    let (media_type, notes) = content::judge(declared, bytes);
    Attachment {
        name: declared.name.map(|name| Private(name.to_owned())),
        media_type,
        declared: declared.media_type.to_owned(),
        bytes: bytes.len() as u64,
        sha256: hexadecimal(&Sha256::digest(bytes)),
        inline,
        notes,
    }
}

/// What a file is that somebody uploads: told as of an attachment of mail, by its content. Its name is made fit to be
/// shown, and what is declared is believed as little.
pub fn uploaded(name: Option<&str>, declared: &str, bytes: &[u8]) -> Attachment {
    let name = name.and_then(text::file_name);
    let is_type = |c: char| c.is_ascii_alphanumeric() || "/.+-".contains(c);
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let declared = Some(declared).filter(|one| one.len() <= 127 && one.chars().all(is_type));
    let media_type = declared.as_deref().filter(|one| !one.is_empty());
    let media_type = media_type.unwrap_or("application/octet-stream");
    attachment(Declared { name: name.as_deref(), media_type, smime_type: None }, bytes, false)
}

/// What a person is told of the attachments before they open one.
fn told_of(list: &[Attachment]) -> impl Iterator<Item = &'static str> {
    let some = |note, media: fn(&str) -> bool| {
        list.iter().any(|one| one.notes.contains(&note) && media(&one.media_type))
    };
    let smime = |media: &str| media == "application/pkcs7-mime";
    let pgp = |media: &str| media == "application/pgp-encrypted";
    let other =
        |media: &str| !matches!(media, "application/pkcs7-mime" | "application/pgp-encrypted");
    let rows = [
        (some(Note::Encrypted, smime), "a part is encrypted (S/MIME) and was not opened"),
        (some(Note::Signed, smime), "a part is wrapped in an S/MIME signature and was not opened"),
        (some(Note::Encrypted, pgp), "a part is encrypted (PGP) and was not opened"),
        (some(Note::Encrypted, other), "an attachment is protected by a password"),
        (some(Note::Macros, |_| true), "an attachment carries macros"),
        (some(Note::Executable, |_| true), "an attachment is a program or holds one"),
        (some(Note::Misnamed, |_| true), "an attachment is not what its name says"),
    ];
    rows.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words)
}

/// The decoded bytes of an attachment of this message, found by what they are: neither its name nor
/// its place is believed. None where the message holds no such bytes.
pub fn attached_bytes(raw: &[u8], sha256: &str) -> Option<Vec<u8>> {
    let raw = normalised(raw);
    let (root, _) = mime::message(&raw);
    let is_it = |bytes: &[u8]| hexadecimal(&Sha256::digest(bytes)) == sha256;
    let leaves = root.leaves();
    for leaf in &leaves {
        let decoded = transfer::decode(leaf.body, &leaf.encoding);
        if is_it(&decoded.bytes) {
            return Some(decoded.bytes.into_owned());
        }
        let Some(contents) = tnef::read(&decoded.bytes).filter(|_| is_winmail(leaf)) else {
            continue;
        };
        if let Some(file) = contents.files.iter().chain(&contents.rich).find(|f| is_it(f.bytes)) {
            return Some(file.bytes.to_vec());
        }
    }
    // Beyond `DECODED_BYTES` parts are listed as they arrived.
    leaves.iter().find(|leaf| is_it(leaf.body)).map(|leaf| leaf.body.to_vec())
}

fn is_winmail(leaf: &Part<'_>) -> bool {
    matches!(&*leaf.media, "application/ms-tnef" | "application/vnd.ms-tnef")
        || leaf.file_name().is_some_and(|n| n.eq_ignore_ascii_case("winmail.dat"))
}

/// The letter inside a `winmail.dat`, for a message that has no other text.
fn winmail_text(root: &Part<'_>, limits: &Limits) -> Option<String> {
    let leaves = root.leaves();
    let leaf = leaves.iter().find(|l| is_winmail(l))?;
    let decoded = transfer::decode(leaf.body, &leaf.encoding);
    let contents = tnef::read(&decoded.bytes)?;
    let found = if contents.text.trim().is_empty() {
        let html = contents.rich.iter().find(|f| f.name == "body.html")?;
        html::to_text(&charset::guess(html.bytes).0, limits.html_bytes, limits.text_bytes).text
    } else {
        contents.text
    };
    let tidy = text::tidy(&found);
    Some(text::cut(&tidy, limits.text_bytes).to_owned())
}

/// A part of nothing: no name, no type, no content.
fn is_empty_shell(leaf: &Part<'_>, root: &Part<'_>) -> bool {
    let nothing = leaf.body.trim_ascii().is_empty() && leaf.file_name().is_none();
    nothing && (std::ptr::eq(leaf, root) || leaf.media.starts_with("text/"))
}

/// SHA-256 over what survives a second delivery or a server's rebuilding of the message.
fn fingerprint([id, date, from, subject, text]: [&str; 5]) -> String {
    let mut hash = Sha256::new();
    for field in [id, date, from, subject] {
        hash.update(field.as_bytes());
        // No field can hold a line end, so none can flow into the next.
        hash.update(b"\n");
    }
    hash.update(words(text));
    hexadecimal(&hash.finalize())
}

static GAP: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"  "));

/// The words of a text with one blank behind each.
fn words(text: &str) -> Vec<u8> {
    if !text.is_ascii() {
        let mut words = Vec::with_capacity(text.len() + 1);
        for word in text.split_whitespace() {
            words.extend_from_slice(word.as_bytes());
            words.push(b' ');
        }
        return words;
    }
    // The same, many bytes at a time: of several blanks, as between paragraphs, one stays.
    let blank = |byte| if matches!(byte, b'\t'..=b'\r') { b' ' } else { byte };
    let blanks: Vec<u8> = text.bytes().map(blank).collect();
    let mut words = Vec::with_capacity(blanks.len() + 1);
    let mut rest = blanks.trim_ascii();
    while let Some((before, behind)) = GAP.find(rest).and_then(|at| rest.split_at_checked(at + 1)) {
        words.extend_from_slice(before);
        rest = behind.trim_ascii_start();
    }
    words.extend_from_slice(rest);
    if !words.is_empty() {
        words.push(b' ');
    }
    words
}

/// Bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        digits.push(digit(byte >> 4));
        digits.push(digit(byte & 15));
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_alike_in_ascii_and_beyond() {
        for text in ["", " ", "a", " a  b\n", "a\u{b}b\u{c}\tc\r\n\r\nd", "a\u{1c}b"] {
            let want: String = text.split_whitespace().flat_map(|word| [word, " "]).collect();
            assert_eq!(words(text), want.as_bytes(), "{text:?}");
        }
        assert_eq!(words("\u{a0}é\u{2003}b"), "é b ".as_bytes());
    }
}
