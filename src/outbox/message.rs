//! A letter as the bytes that go out.
//!
//! Rendering is a pure function of the draft: the same draft gives the same bytes, so that what
//! is kept when the letter is queued is what every retry sends. Nothing in a draft, whoever wrote
//! it, can add a header or a recipient.

use jiff::Timestamp;
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{
            ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue,
        },
    },
};
use sha2::{Digest, Sha256};

use super::address::{AddressFault, MailAddress};
use crate::letters::Attached;
use crate::private::Private;

/// Characters of our longest subject: an unbroken word must fit into a header line of 998 octets
/// (RFC 5322 section 2.1.1) however it is encoded.
const SUBJECT_CHARS: usize = 200;
/// Characters of the longest display name.
const NAME_CHARS: usize = 64;
/// Octets of the longest message id that is repeated, and of a whole `References` value.
const ID_OCTETS: usize = 250;
const REFERENCES_OCTETS: usize = 900;
/// Ids kept at the end of `References`, besides the first.
const REFERENCES_KEPT: usize = 10;

/// Whether a machine wrote the letter (RFC 3834 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// Our machine's answer to a message: an acknowledgement.
    Replied,
    /// Our machine's own idea: a reminder, a digest.
    Generated,
    /// A person wrote it.
    No,
}

/// A letter before it is bytes.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Display name and address of the mailbox that people may answer.
    pub from: (String, String),
    /// The one recipient.
    pub to: Private<String>,
    /// Where answers go, if not to `from`.
    pub reply_to: Option<String>,
    /// Our own words; never a sender's.
    pub subject: String,
    /// The letter, complete in itself.
    pub text: Private<String>,
    /// The same words with layout.
    pub html: Option<Private<String>>,
    /// What somebody else wrote, as a file beside it.
    pub attached: Option<Attached>,
    /// Without angle brackets; kept with the letter before the first try.
    pub message_id: String,
    /// The message answered, with or without angle brackets. Left out if malformed.
    pub in_reply_to: Option<String>,
    /// Its ancestors and itself, oldest first. Malformed ones are left out.
    pub references: Vec<String>,
    /// Who wrote it.
    pub automatic: Automatic,
    /// Which gateway sends it; a message that comes back bearing it is our own.
    pub instance: String,
    /// When it was written.
    pub date: Timestamp,
    /// RFC 5646 tag of the letter's language (`en-GB`).
    pub language: String,
}

/// Why a draft cannot be sent. Names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftFault {
    /// The recipient's address: an officer must reach the person by other means.
    #[error("cannot write to this recipient: {0}")]
    Recipient(AddressFault),
    /// The address that the letter comes from, or that answers go to.
    #[error("cannot send from this mailbox: {0}")]
    Sender(AddressFault),
    /// The letter's own id.
    #[error("the letter's Message-ID is malformed")]
    MessageId,
    /// The instance id or the language is empty or has other than letters, digits, `.`, `_`, `-`.
    #[error("the {0} is not a plain word")]
    Word(&'static str),
    /// A date that mail cannot carry.
    #[error("the letter's date is before 1970")]
    Date,
    /// Nothing in it.
    #[error("the letter has no text")]
    Empty,
    /// What the message builder refused.
    #[error("the letter could not be put together")]
    Build,
}

impl Draft {
    /// The letter's bytes: ASCII throughout, lines of at most 998 octets, CRLF.
    ///
    /// # Errors
    /// [`DraftFault`] if it could not be sent as it stands.
    pub fn render(&self) -> Result<Vec<u8>, DraftFault> {
        if self.text.trim().is_empty() {
            return Err(DraftFault::Empty);
        }
        if self.date < Timestamp::UNIX_EPOCH {
            return Err(DraftFault::Date);
        }
        let own_id = valid_id(&self.message_id).ok_or(DraftFault::MessageId)?;
        let from = mailbox(Some(&self.from.0), &self.from.1).map_err(DraftFault::Sender)?;
        let to = mailbox(None, &self.to).map_err(DraftFault::Recipient)?;
        let mut builder = Message::builder()
            .date(self.date.into())
            .from(from)
            .to(to)
            .subject(clean(&self.subject, SUBJECT_CHARS))
            .message_id(Some(own_id.clone()));
        if let Some(address) = &self.reply_to {
            builder = builder.reply_to(mailbox(None, address).map_err(DraftFault::Sender)?);
        }
        if let Some(id) = self.in_reply_to.as_deref().and_then(valid_id) {
            builder = builder.in_reply_to(id);
        }
        if let Some(ids) = references(&self.references) {
            builder = builder.references(ids);
        }
        for (name, value) in self.marks()? {
            builder =
                builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
        }
        let plain = || part(ContentType::TEXT_PLAIN, &self.text);
        let message = match (&self.html, &self.attached) {
            (Some(html), None) => builder.multipart(self.alternative(&own_id, html)),
            (None, None) => builder.singlepart(plain()),
            (html, Some(attached)) => {
                let mixed = MultiPart::mixed().boundary(boundary(&own_id, "mixed"));
                let mixed = match html {
                    Some(html) => mixed.multipart(self.alternative(&own_id, html)),
                    None => mixed.singlepart(plain()),
                };
                builder.multipart(mixed.singlepart(file(attached)))
            }
        };
        message.map(|message| message.formatted()).map_err(|_| DraftFault::Build)
    }

    /// The headers that keep machines from answering and say whose letter it is (RFC 3834;
    /// MS-OXCMAIL for the second). `All` is not used: it would also suppress the
    /// non-delivery reports that we want.
    fn marks(&self) -> Result<Vec<(&'static str, String)>, DraftFault> {
        let submitted = match self.automatic {
            Automatic::Replied => Some("auto-replied"),
            Automatic::Generated => Some("auto-generated"),
            Automatic::No => None,
        };
        let suppress = match self.automatic {
            Automatic::Replied | Automatic::Generated => "OOF, AutoReply, DR, RN, NRN",
            Automatic::No => "DR, RN, NRN",
        };
        let mut marks = vec![
            ("X-Auto-Response-Suppress", suppress.to_owned()),
            ("X-Loop", plain_word(&self.instance, "instance id")?),
            ("Content-Language", plain_word(&self.language, "language")?),
        ];
        if let Some(submitted) = submitted {
            marks.insert(0, ("Auto-Submitted", submitted.to_owned()));
        }
        Ok(marks)
    }

    /// Text first: the last part is the one that a client prefers (RFC 2046 section 5.1.4). The
    /// boundary comes from the Message-ID, and `=_` cannot occur in quoted-printable text.
    fn alternative(&self, own_id: &str, html: &str) -> MultiPart {
        MultiPart::alternative()
            .boundary(boundary(own_id, ""))
            .singlepart(part(ContentType::TEXT_PLAIN, &self.text))
            .singlepart(part(ContentType::TEXT_HTML, html))
    }
}

fn boundary(own_id: &str, of: &str) -> String {
    let digest = Sha256::digest(format!("{own_id}{of}").as_bytes());
    let boundary = digest.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
    format!("=_{boundary:016x}")
}

/// A text as a file to be saved: no program shows it as a part of our letter.
fn file(attached: &Attached) -> SinglePart {
    SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(ContentDisposition::attachment(attached.name))
        .header(ContentTransferEncoding::Base64)
        .body(as_lines(&attached.text))
}

fn part(content_type: ContentType, text: &str) -> SinglePart {
    SinglePart::builder()
        .header(content_type)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(as_lines(text))
}

/// Bare CR and NUL have no place in text, and a bare LF is a line's end.
fn as_lines(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace(['\r', '\0'], "");
    lines.replace('\n', "\r\n")
}

fn mailbox(name: Option<&str>, address: &str) -> Result<Mailbox, AddressFault> {
    let address = MailAddress::parse(address)?;
    let address = address.as_str().parse().map_err(|_| AddressFault::Malformed)?;
    // A line break in a display name makes the message builder panic: it never sees one.
    let name = name.map(|name| clean(name, NAME_CHARS)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// One line of at most `chars` characters: controls and bidirectional marks gone, blanks
/// collapsed.
fn clean(text: &str, chars: usize) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .filter(|&c| !is_invisible(c))
        .take(4 * chars)
        .collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ").chars().take(chars).collect::<String>().trim_end().to_owned()
}

/// Characters that reorder or hide what stands beside them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The id in angle brackets, if it is one: printable ASCII around one @, nothing that could end
/// it early, and no more than 250 octets.
fn valid_id(id: &str) -> Option<String> {
    let id = id.trim_matches(' ');
    let id = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | '"' | '\\' | ',' | ';')
    };
    let (left, right) = id.split_once('@')?;
    let whole = !left.is_empty() && !right.is_empty() && !right.contains('@');
    (whole && id.chars().all(plain) && id.len() + 2 <= ID_OCTETS).then(|| format!("<{id}>"))
}

/// The first id and the last ten, as many of the latest as fit into 900 octets.
fn references(ids: &[String]) -> Option<String> {
    let mut ids: Vec<String> = ids.iter().filter_map(|id| valid_id(id)).collect();
    if ids.len() > REFERENCES_KEPT + 1 {
        let latest = ids.split_off(ids.len() - REFERENCES_KEPT);
        ids.truncate(1);
        ids.extend(latest);
    }
    let (first, later) = ids.split_first()?;
    let mut length = first.len();
    let mut kept: Vec<&str> = later
        .iter()
        .rev()
        .map(String::as_str)
        .take_while(|id| {
            length += 1 + id.len();
            length <= REFERENCES_OCTETS
        })
        .collect();
    kept.push(first);
    kept.reverse();
    Some(kept.join(" "))
}

fn plain_word(word: &str, what: &'static str) -> Result<String, DraftFault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if word.is_empty() || word.len() > 100 || !word.bytes().all(plain) {
        return Err(DraftFault::Word(what));
    }
    Ok(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draft() -> Draft {
        Draft {
            from: ("Northmere children's complaints".into(), "complaints@northmere.example".into()),
            to: Private("helen@example.org".into()),
            reply_to: Some("complaints+token@northmere.example".into()),
            subject: "We have your message: NCC-2026-00431-5".into(),
            text: Private("Dear Helen Marsh\n\nThank you – we answer by 23 December.\n".into()),
            attached: None,
            html: Some(Private("<html lang=\"en-GB\"><p>Dear Helen Marsh</p></html>".into())),
            message_id: "am0123@northmere.example".into(),
            in_reply_to: Some("<q1@example.org>".into()),
            references: vec!["q0@example.org".into(), "q1@example.org".into()],
            automatic: Automatic::Replied,
            instance: "5f0c3f0e-northmere".into(),
            date: "2026-11-25T09:15:00Z".parse().unwrap(),
            language: "en-GB".into(),
        }
    }

    /// Header names and unfolded values, in order, down to the first empty line.
    fn headers(bytes: &[u8]) -> Vec<(String, String)> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded
            .split("\r\n")
            .map(|line| {
                let (name, value) =
                    line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
                (name.to_owned(), value.trim().to_owned())
            })
            .collect()
    }

    fn value(bytes: &[u8], name: &str) -> Option<String> {
        headers(bytes).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        let mut names: Vec<String> = headers(bytes).into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    #[test]
    fn an_acknowledgement_bears_what_keeps_machines_quiet() {
        let bytes = draft().render().unwrap();
        let expected = [
            ("Auto-Submitted", "auto-replied"),
            ("X-Auto-Response-Suppress", "OOF, AutoReply, DR, RN, NRN"),
            ("X-Loop", "5f0c3f0e-northmere"),
            ("Content-Language", "en-GB"),
            ("MIME-Version", "1.0"),
            ("Date", "Wed, 25 Nov 2026 09:15:00 +0000"),
            ("Message-ID", "<am0123@northmere.example>"),
            ("In-Reply-To", "<q1@example.org>"),
            ("References", "<q0@example.org> <q1@example.org>"),
            ("To", "helen@example.org"),
            ("Reply-To", "complaints+token@northmere.example"),
            ("Subject", "We have your message: NCC-2026-00431-5"),
        ];
        for (name, wanted) in expected {
            assert_eq!(value(&bytes, name).as_deref(), Some(wanted), "{name}");
        }
        assert!(value(&bytes, "Content-Type").unwrap().starts_with("multipart/alternative"));
        let absent =
            ["Precedence", "List-Id", "Disposition-Notification-To", "Cc", "Bcc", "Sender"];
        assert!(names(&bytes).iter().all(|name| !absent.contains(&name.as_str())));
    }

    #[test]
    fn each_kind_of_letter_says_who_wrote_it() {
        let render = |automatic| Draft { automatic, ..draft() }.render().unwrap();
        let reminder = render(Automatic::Generated);
        assert_eq!(value(&reminder, "Auto-Submitted").as_deref(), Some("auto-generated"));
        let officer = render(Automatic::No);
        assert_eq!(value(&officer, "Auto-Submitted"), None);
        assert_eq!(value(&officer, "X-Auto-Response-Suppress").as_deref(), Some("DR, RN, NRN"));
    }

    #[test]
    fn the_text_comes_first_and_is_whole() {
        let bytes = draft().render().unwrap();
        let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        let text = mail.body_text(0).unwrap();
        assert_eq!(text.replace("\r\n", "\n").trim_end(), draft().text.trim_end());
        let whole = String::from_utf8(bytes).unwrap();
        assert!(whole.find("text/plain") < whole.find("text/html"));
        assert_eq!(whole.matches("quoted-printable").count(), 2);
    }

    #[test]
    fn the_same_draft_gives_the_same_bytes() {
        assert_eq!(draft().render().unwrap(), draft().render().unwrap());
    }

    #[test]
    fn a_letter_without_layout_is_still_mime() {
        let bytes = Draft { html: None, ..draft() }.render().unwrap();
        assert_eq!(value(&bytes, "MIME-Version").as_deref(), Some("1.0"));
        assert_eq!(value(&bytes, "Content-Transfer-Encoding").as_deref(), Some("quoted-printable"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let check = |draft: Draft, fault: DraftFault| assert_eq!(draft.render(), Err(fault));
        let to = |to: &str| Draft { to: Private(to.into()), ..draft() };
        check(to("helen@localhost"), DraftFault::Recipient(AddressFault::Domain));
        check(to("a@example.org, b@example.org"), DraftFault::Recipient(AddressFault::LocalPart));
        check(
            to("a@example.org\r\nBcc: b@example.org"),
            DraftFault::Recipient(AddressFault::LocalPart),
        );
        let from = (String::new(), "complaints".to_owned());
        check(Draft { from, ..draft() }, DraftFault::Sender(AddressFault::Malformed));
        check(Draft { message_id: "a b@c".into(), ..draft() }, DraftFault::MessageId);
        check(Draft { message_id: String::new(), ..draft() }, DraftFault::MessageId);
        check(Draft { instance: "a\r\nX: y".into(), ..draft() }, DraftFault::Word("instance id"));
        check(Draft { language: String::new(), ..draft() }, DraftFault::Word("language"));
        check(Draft { date: Timestamp::MIN, ..draft() }, DraftFault::Date);
        check(Draft { text: Private(" \n".into()), ..draft() }, DraftFault::Empty);
    }

    #[test]
    fn a_line_break_in_a_name_becomes_a_blank() {
        let from = ("Ann\r\nBcc: x@y.example\u{202E}".to_owned(), "a@b.example".to_owned());
        let bytes = Draft { from, ..draft() }.render().unwrap();
        let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        let from = mail.from().and_then(|from| from.first()).unwrap();
        assert_eq!(from.name(), Some("Ann Bcc: x@y.example"));
        assert_eq!(from.address(), Some("a@b.example"));
        assert_eq!(names(&bytes), names(&draft().render().unwrap()));
    }

    #[test]
    fn an_internationalised_domain_is_written_in_ascii() {
        let bytes = Draft { to: Private("ann@bücher.example".into()), ..draft() }.render().unwrap();
        assert_eq!(value(&bytes, "To").as_deref(), Some("ann@xn--bcher-kva.example"));
    }

    #[test]
    fn references_keep_the_first_and_the_latest_that_fit() {
        let short: Vec<String> = (0..30).map(|n| format!("n{n}@x.example")).collect();
        let kept = references(&short).unwrap();
        assert_eq!(kept.split(' ').count(), 11);
        assert!(kept.starts_with("<n0@x.example> <n20@") && kept.ends_with("<n29@x.example>"));
        let long: Vec<String> =
            (0..30).map(|n| format!("{n}{}@x.example", "y".repeat(200))).collect();
        let kept = references(&long).unwrap();
        assert!(
            kept.len() <= REFERENCES_OCTETS && kept.starts_with("<0y") && kept.contains("<29y")
        );
        assert_eq!(references(&["a b@c".into(), "<x@y>\r\nBcc: z".into(), "@".into()]), None);
        assert_eq!(references(&[format!("{}@x", "y".repeat(250))]), None);
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\r\n".to_owned()),
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            Just("\0".to_owned()),
            Just("\r\nBcc: x@y.example\r\n".to_owned()),
            Just("\r\n\r\n.\r\n".to_owned()),
            Just("\u{202E}".to_owned()),
            Just("=?utf-8?Q?=0D=0ABcc:?=".to_owned()),
            Just("\"<>,;:\\".to_owned()),
            Just("x".repeat(10_000)),
            Just("é".repeat(3_000)),
            "\\PC{0,20}",
            "[a-z]{1,8}@[a-z]{1,8}\\.example",
        ];
        proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
        #[test]
        fn nothing_hostile_adds_a_header_a_recipient_or_a_long_line(
            name in hostile(), subject in hostile(), text in hostile(), html in hostile(),
            to in hostile(), reply_to in hostile(), id in hostile(), ids in proptest::collection::vec(hostile(), 0..4),
        ) {
            let tame = Draft {
                from: (name, "complaints@northmere.example".into()),
                subject,
                text: Private(format!("Dear all\n{text}")),
                html: Some(Private(html)),
                in_reply_to: Some(id),
                references: ids,
                ..draft()
            };
            let bytes = tame.render().unwrap();
            let allowed = names(&draft().render().unwrap());
            for name in names(&bytes) {
                prop_assert!(allowed.contains(&name), "{}", name);
            }
            prop_assert_eq!(value(&bytes, "To").unwrap(), "helen@example.org");
            for name in ["In-Reply-To", "References"] {
                let ids = value(&bytes, name).unwrap_or_default();
                let whole = |id: &str| valid_id(id).as_deref() == Some(id);
                prop_assert!(ids.split_whitespace().all(whole), "{}: {}", name, ids);
            }
            prop_assert!(bytes.is_ascii());
            let text = String::from_utf8(bytes.clone()).unwrap();
            prop_assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            prop_assert!(mail.bcc().is_none() && mail.cc().is_none());
            // Addresses never panic either, and what passes is one recipient.
            let wild = Draft { to: Private(to), reply_to: Some(reply_to), ..draft() };
            if let Ok(bytes) = wild.render() {
                prop_assert_eq!(names(&bytes), allowed);
            }
        }
    }
}
