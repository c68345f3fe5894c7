//! Human or machine, and which machine: the message's own headers and form decide.
//!
//! The headers are a table, so that a new one is a new row. RFC 3834 names the principles; most
//! rows are dialects that were there before it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::advert::{self, Looks};
use super::header::Headers;
use super::kind_rows::{Match, matched_rows};
use super::robot::{carries_a_person, is_machine, is_no_reply, is_robot};
use super::sieve::{self, May, in_subject};
use super::{Kind, KindEvidence, Limits, ReturnPath, address, bounce, mime::Part, phrases, text};
use crate::private::Private;

/// What the deciding needs of a message that is otherwise read.
pub(super) struct Seen<'s, 'a> {
    pub(super) root: &'s Part<'a>,
    /// Its leaves, in order.
    pub(super) leaves: &'s [&'s Part<'a>],
    pub(super) from: Option<&'s str>,
    /// The whole `From`, as it stands: servers often write no address there.
    pub(super) sender_text: Cow<'a, str>,
    pub(super) from_count: usize,
    pub(super) reply_to: &'s [Private<String>],
    /// Addresses of `To` and `Cc`, and those that say where it was delivered.
    pub(super) to: &'s [Private<String>],
    pub(super) delivered_to: &'s [Private<String>],
    pub(super) return_path: &'s ReturnPath,
    /// Whether it answers another message, and whether one of ours.
    pub(super) is_answer: bool,
    pub(super) answers_us: bool,
    /// Whether it hands another message on.
    pub(super) hands_on: bool,
    pub(super) subject: &'s str,
    pub(super) message_id: Option<&'s str>,
    pub(super) text: &'s str,
    pub(super) reply_text: &'s str,
    /// What may match in the text, and in the subject.
    pub(super) text_may: May,
    pub(super) subject_may: May,
}

impl Seen<'_, '_> {
    fn headers(&self) -> &Headers<'_> {
        &self.root.headers
    }
}

/// What a message is, why, and which headers forbid an automatic answer in any case.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) kind: Kind,
    pub(super) evidence: Vec<KindEvidence>,
    pub(super) suppress: Vec<String>,
}

/// Decides; every rule is evaluated, the first that names a kind wins.
pub(super) fn decide(seen: &Seen<'_, '_>, limits: &Limits) -> Verdict {
    let matched = matched_rows(seen.headers());
    let mut suppress = Vec::new();
    for (name, _, _) in &matched {
        push_once(&mut suppress, name);
    }
    for reason in other_reasons(seen) {
        push_once(&mut suppress, &reason);
    }
    let mut by_headers = by_form(seen)
        .or_else(|| own(seen, limits))
        .or_else(|| bounce_by_words(seen))
        .or_else(|| automatic(seen, &matched))
        .or_else(|| calendar(seen))
        .or_else(|| spam_by_marks(seen))
        .or_else(|| by_rows(&matched))
        .or_else(|| bulk(seen, &matched))
        .or_else(|| server_report(seen))
        .or_else(|| notification(seen))
        .or_else(|| null_path(seen))
        .or_else(|| malformed(seen));
    // What a machine sends in a person's place is that person's, only not answered by a machine.
    let carried =
        by_headers.take_if(|(kind, _)| *kind == Kind::Notification && carries_a_person(seen));
    if let Some((_, evidence)) = carried {
        for said in &evidence {
            push_once(&mut suppress, &said.header);
        }
        return Verdict { kind: Kind::Human, evidence, suppress };
    }
    let (kind, evidence) = by_headers.unwrap_or_else(|| by_looks(seen, &mut suppress));
    Verdict { kind, evidence, suppress }
}

type Finding = (Kind, Vec<KindEvidence>);

fn evidence(header: &str, value: &str) -> KindEvidence {
    KindEvidence { header: header.to_owned(), value: Private(text::one_line(value, 200)) }
}

#[expect(clippy::unnecessary_wraps, reason = "the rules are chained as options")]
fn found(kind: Kind, header: &str, value: &str) -> Option<Finding> {
    Some((kind, vec![evidence(header, value)]))
}

fn push_once(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|i| i.eq_ignore_ascii_case(item)) {
        list.push(item.to_owned());
    }
}

/// Reasons not to answer that are not one header with one value.
fn other_reasons(seen: &Seen<'_, '_>) -> Vec<String> {
    let headers = seen.headers();
    let mut reasons = Vec::new();
    if let Some(value) = auto_submitted(headers).filter(|v| v != "no") {
        reasons.push("Auto-Submitted".to_owned());
        let _ = value;
    }
    if *seen.return_path == ReturnPath::Null {
        reasons.push("Return-Path".to_owned());
    }
    let sender = headers.text("sender");
    let sender = sender.and_then(|s| address::addresses(&s).next());
    let path = match seen.return_path {
        ReturnPath::Address(path) => Some(path.0.as_str()),
        ReturnPath::Unknown | ReturnPath::Null => None,
    };
    let unread = |who: &str| is_robot(who) || is_no_reply(who);
    let from = seen.from.is_some_and(unread);
    // Most mail comes back to its author, of whom that is known then.
    let path = if path == seen.from { from } else { path.is_some_and(unread) };
    for (name, is_so) in [
        ("From: no-reply", from),
        ("Sender: no-reply", sender.as_deref().is_some_and(unread)),
        ("Return-Path: no-reply", path),
    ] {
        if is_so {
            reasons.push(name.to_owned());
        }
    }
    if seen.from_count != 1 || seen.from.is_none() {
        reasons.push("From".to_owned());
    }
    // RFC 5322 section 3.6.4: no mail program makes one without a domain, and none could thread ours.
    if seen.message_id.is_some_and(|id| !id.contains('@')) {
        reasons.push("Message-ID".to_owned());
    }
    if headers.all("received").count() > 25 {
        reasons.push("Received".to_owned());
    }
    if is_from_its_reader(seen) {
        reasons.push("From: its own recipient".to_owned());
    }
    reasons
}

/// Whether it claims to come from the mailbox that it was delivered to: forged, or a loop.
fn is_from_its_reader(seen: &Seen<'_, '_>) -> bool {
    let readers = if seen.delivered_to.is_empty() { seen.to } else { seen.delivered_to };
    let path = match seen.return_path {
        ReturnPath::Address(path) => Some(path.0.as_str()),
        ReturnPath::Unknown | ReturnPath::Null => None,
    };
    [seen.from, path].into_iter().flatten().any(|who| {
        !who.is_empty() && readers.iter().any(|reader| reader.0.eq_ignore_ascii_case(who))
    })
}

/// The first token of `Auto-Submitted` without comments, lower case (RFC 3834 section 5.1).
fn auto_submitted(headers: &Headers<'_>) -> Option<String> {
    let value = headers.text("auto-submitted").or_else(|| headers.text("autosubmitted"))?;
    let mut depth = 0_usize;
    let mut bare = String::new();
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    let token = bare.split([';', ' ', ',']).find(|t| !t.is_empty())?.to_ascii_lowercase();
    Some(token)
}

/// Reports say what they are by their media types, whatever the outer type says.
fn by_form(seen: &Seen<'_, '_>) -> Option<Finding> {
    let report = seen.root.content_type.get("report-type").unwrap_or_default().to_ascii_lowercase();
    let has = |media: &str| seen.leaves.iter().any(|l| l.media == media);
    let rows = [
        ("disposition-notification", "message/disposition-notification", Kind::ReadReceipt),
        ("feedback-report", "message/feedback-report", Kind::AbuseReport),
        ("delivery-status", "message/delivery-status", Kind::Bounce),
        ("delivery-status", "message/global-delivery-status", Kind::Bounce),
    ];
    let (_, media, kind) =
        rows.into_iter().find(|(name, media, _)| report == *name || has(media))?;
    // Some servers say "rejected" in the form of a read receipt.
    let rejected = kind == Kind::ReadReceipt && bounce::is_daemon(&seen.sender_text);
    let kind = if rejected { Kind::Bounce } else { kind };
    found(kind, "Content-Type", media)
}

/// Our own mail come back: never a new case, and never answered.
fn own(seen: &Seen<'_, '_>, limits: &Limits) -> Option<Finding> {
    let bare = |address: &str| {
        let (local, domain) = address.rsplit_once('@')?;
        let local = local.split('+').next().unwrap_or(local);
        Some(format!("{local}@{domain}").to_lowercase())
    };
    let ours = seen.from.filter(|_| !limits.own_addresses.is_empty());
    let ours = ours.and_then(bare).filter(|a| limits.own_addresses.contains(a));
    if let Some(address) = ours {
        return found(Kind::OwnMessage, "From", &address);
    }
    let (_, domain) = seen.message_id.and_then(|id| id.rsplit_once('@'))?;
    let own = limits.own_domains.iter().find(|own| text::is_lower(own, domain))?;
    found(Kind::OwnMessage, "Message-ID", own)
}

fn bounce_by_words(seen: &Seen<'_, '_>) -> Option<Finding> {
    if let Some(value) = seen.headers().text("x-failed-recipients") {
        return found(Kind::Bounce, "X-Failed-Recipients", &value);
    }
    let sender = bounce::Sender {
        address: seen.from.unwrap_or_default(),
        name: &seen.sender_text,
        null_path: match seen.return_path {
            ReturnPath::Null => true,
            ReturnPath::Unknown => false,
            ReturnPath::Address(path) => bounce::is_daemon(&path.0),
        },
    };
    let subject = (seen.subject, seen.subject_may);
    let (what, words) = bounce::looks_like(&sender, subject, (seen.text, seen.text_may))?;
    found(Kind::Bounce, what, &words)
}

/// Answers by machines: away notices and other automatic replies, and mail generated by machines.
fn automatic(seen: &Seen<'_, '_>, matched: &[Match]) -> Option<Finding> {
    let headers = seen.headers();
    let submitted = auto_submitted(headers).filter(|v| v != "no");
    let row = matched
        .iter()
        .find(|(_, _, kind)| matches!(kind, Some(Kind::AutoReply | Kind::OutOfOffice)));
    let machine = submitted.is_some() || row.is_some() || *seen.return_path == ReturnPath::Null;
    let body_counts = machine || seen.answers_us;
    let away = (body_counts || seen.subject_may.has(in_subject::AWAY))
        .then(|| phrases::away(seen.subject, seen.reply_text, body_counts));
    if let Some((place, words)) = away.flatten() {
        // No header at all: an answer to our own letter that is nothing but an away notice.
        let notice = seen.answers_us && phrases::is_only_away(seen.text);
        let by_subject = place == "subject" && phrases::is_notice(seen.subject, seen.reply_text);
        let sure = by_subject || machine || notice;
        if sure {
            let mut all = vec![evidence(place, words)];
            all.extend(row.map(|(name, value, _)| evidence(name, value)));
            all.extend(submitted.as_deref().map(|v| evidence("Auto-Submitted", v)));
            return Some((Kind::OutOfOffice, all));
        }
    }
    if let Some((name, value, Some(kind))) = row {
        return found(*kind, name, value);
    }
    match submitted.as_deref() {
        Some("auto-replied") => return found(Kind::AutoReply, "Auto-Submitted", "auto-replied"),
        Some(other) => return found(Kind::Notification, "Auto-Submitted", other),
        None => {}
    }
    if !seen.subject_may.has(in_subject::AUTOMATIC) {
        return None;
    }
    let words = phrases::auto_reply(seen.subject, seen.reply_text)?;
    found(Kind::AutoReply, words.0, words.1)
}

fn calendar(seen: &Seen<'_, '_>) -> Option<Finding> {
    let part =
        seen.leaves.iter().find(|l| l.media == "text/calendar" || l.media == "application/ics")?;
    let method = part.content_type.get("method").map(str::to_owned).or_else(|| {
        let decoded = super::transfer::decode(part.body, &part.encoding);
        let head = decoded.bytes.get(..decoded.bytes.len().min(4096)).unwrap_or_default();
        let head = String::from_utf8_lossy(head).to_ascii_uppercase();
        head.lines().find_map(|l| l.trim().strip_prefix("METHOD:").map(str::to_owned))
    });
    let method = method.unwrap_or_default().to_ascii_uppercase();
    // A person may attach a calendar file to a letter; an invitation is a form of the body.
    let shown = part.disposition.value != "attachment";
    (shown && method != "PUBLISH").then(|| found(Kind::Calendar, "Content-Type", &method)).flatten()
}

/// Tags that filters put before a subject: `[SPAM]`, `***SPAM***`, `{Spam?}`.
pub(super) static SPAM_TAG: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^\s*(?: \*{2,}\s*(?:(?:possible|suspected|probable|potential|likely|possibly)[\ -])?(?:spam|junk|uce)\b[^*\p{L}]{0,20}(?:\ (?:detected|mail|message))?\s*\*{2,}
            | [\[{]\s*(?:(?:possible|suspected|probable|potential|likely|possibly|marked\ as)[\ -])?(?:spam|junk(?:\ mail)?|uce|phishing)\s*[^\]}\p{L}]{0,12}[\]}] )",
    )
});

/// The commonest filter's default is to call it spam at this many stars.
const SPAM_STARS: usize = 5;

/// Marks of a filter that are not one header with one value.
fn spam_by_marks(seen: &Seen<'_, '_>) -> Option<Finding> {
    let may_tell = seen.subject_may.has(in_subject::SPAM_TAG);
    if let Some(tag) = may_tell.then(|| SPAM_TAG.find(seen.subject)).flatten() {
        return found(Kind::Spam, "Subject", tag.as_str());
    }
    let headers = seen.headers();
    let level = headers.text("x-spam-level").filter(|_| !headers.has("x-spam-status"))?;
    let stars = level.chars().take_while(|c| matches!(c, '*' | '+')).count();
    (stars >= SPAM_STARS).then(|| found(Kind::Spam, "X-Spam-Level", &level)).flatten()
}

/// What mail servers and mailbox programs report about mail: recalls and quarantines.
fn server_report(seen: &Seen<'_, '_>) -> Option<Finding> {
    let may = seen.subject_may.has(in_subject::SERVER);
    let (place, words) = may.then(|| phrases::server_report(seen.subject, seen.text)).flatten()?;
    found(Kind::Notification, place, words)
}

/// What nothing else tells anything about: a person, or advertising that no filter marked.
fn by_looks(seen: &Seen<'_, '_>, suppress: &mut Vec<String>) -> Finding {
    let letter = advert::Letter {
        subject: seen.subject,
        text: seen.reply_text,
        from: seen.from.unwrap_or_default(),
        to: seen.to,
        in_thread: seen.is_answer
            || seen.hands_on
            || seen.leaves.iter().any(|l| l.media == "message/rfc822"),
        only_html: !seen.leaves.iter().any(|l| l.media == "text/plain"),
        may: seen.text_may.or(sieve::TEXT.may(seen.subject)),
    };
    match advert::looks(&letter) {
        Looks::Personal => {}
        Looks::Doubtful => push_once(suppress, "likeness to advertising"),
        Looks::Advertising => return (Kind::Newsletter, vec![evidence("body", "advertising")]),
    }
    (Kind::Human, Vec::new())
}

fn by_rows(matched: &[Match]) -> Option<Finding> {
    let strong = matched.iter().find(|(_, _, kind)| matches!(kind, Some(Kind::Spam)));
    let any = strong.or_else(|| matched.iter().find(|(_, _, kind)| kind.is_some()))?;
    let (name, value, Some(kind)) = any else { return None };
    found(*kind, name, value)
}

/// Mail to many: list headers without a list's own, or marked as bulk.
fn bulk(seen: &Seen<'_, '_>, matched: &[Match]) -> Option<Finding> {
    let get = |header: &str| matched.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(header));
    let unsubscribe = get("list-unsubscribe").or_else(|| get("list-unsubscribe-post"));
    if let Some((name, value, _)) = unsubscribe.or_else(|| get("feedback-id")) {
        return found(Kind::Newsletter, name, value);
    }
    if let Some((name, value, _)) = get("list-id").or_else(|| get("list-help")) {
        return found(Kind::MailingList, name, value);
    }
    let (name, value, _) = get("precedence").or_else(|| get("x-precedence"))?;
    let kind = match value.trim().to_ascii_lowercase().as_str() {
        "list" => Kind::MailingList,
        _ if is_list_sender(seen.headers()) => Kind::MailingList,
        _ => Kind::Newsletter,
    };
    found(kind, name, value)
}

fn is_list_sender(headers: &Headers<'_>) -> bool {
    let sender = headers.text("sender").or_else(|| headers.text("errors-to")).unwrap_or_default();
    let sender = sender.to_ascii_lowercase();
    ["-admin@", "owner-", "-owner@", "-bounces", "-request@", "listserv@", "majordomo@"]
        .iter()
        .any(|mark| sender.contains(mark))
}

/// A machine's own mail. A web form that writes in a person's name gives that person's Reply-To:
/// that one is a person's mail, only not answered automatically.
fn notification(seen: &Seen<'_, '_>) -> Option<Finding> {
    let from = seen.from?;
    let feeds = is_machine(from);
    let unread = || is_no_reply(from) || is_robot(from);
    let person =
        || seen.reply_to.iter().any(|a| !is_no_reply(&a.0) && !is_robot(&a.0) && a.0 != from);
    let says_so = || phrases::says_automatic(seen.text);
    ((feeds || unread() && says_so()) && !person())
        .then(|| found(Kind::Notification, "From", from))
        .flatten()
}

/// People's programs always name a sender to whom a failure could go (RFC 5321 section 4.5.5).
fn null_path(seen: &Seen<'_, '_>) -> Option<Finding> {
    let null = *seen.return_path == ReturnPath::Null;
    null.then(|| found(Kind::AutoReply, "Return-Path", "<>")).flatten()
}

fn malformed(seen: &Seen<'_, '_>) -> Option<Finding> {
    let nothing = seen.headers().fields.is_empty() && seen.text.trim().is_empty();
    let known = ["from", "to", "date", "subject", "message-id", "content-type", "received"];
    let headless = known.iter().all(|name| seen.headers().text(name).is_none());
    let unreadable = nothing || (headless && is_noise(seen.text));
    unreadable.then(|| found(Kind::Malformed, "body", "")).flatten()
}

/// Whether this is no writing at all: people's text has no control characters but line ends and
/// tabs, and random bytes have one in ten.
fn is_noise(text: &str) -> bool {
    let noise =
        |c: &char| (c.is_control() && !c.is_whitespace()) || *c == char::REPLACEMENT_CHARACTER;
    let count = text.chars().filter(noise).count();
    count * 50 > text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::*;

    fn submitted(value: &str) -> Option<String> {
        let raw = format!("Subject: x\nAuto-Submitted: {value}\n\n");
        auto_submitted(&header::split(raw.as_bytes()).0)
    }

    #[test]
    fn auto_submitted_is_read_by_rfc_3834() {
        assert_eq!(submitted("no").as_deref(), Some("no"));
        assert_eq!(submitted("No (a person)").as_deref(), Some("no"));
        assert_eq!(submitted("(x) auto-replied; owner=a").as_deref(), Some("auto-replied"));
        assert_eq!(submitted("").as_deref(), None);
    }

    #[test]
    fn writing_in_any_script_is_no_noise() {
        for text in ["Dear Sir,\r\n\tI complain.", "Шановні, я скаржуся", "أشتكي", "x", ""]
        {
            assert!(!is_noise(text), "{text}");
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(2000).collect();
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        assert!(is_noise(&text));
    }
}
