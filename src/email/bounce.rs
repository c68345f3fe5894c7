//! What a delivery report says: the fields of RFC 3464, and the words of those that know no RFC.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::header::{self, Headers};
use super::mime::{self, Part};
use super::sieve::{May, SENDER, in_sender, in_subject, in_text};
use super::{Bounce, address, phrases, text, transfer};
use crate::private::Private;

/// Most recipients kept of one report.
const MOST: usize = 100;

/// Who sent what may be a bounce.
pub(super) struct Sender<'s> {
    pub(super) address: &'s str,
    pub(super) name: &'s str,
    /// The envelope sender was `<>` or a mail server's own account.
    pub(super) null_path: bool,
}

pub(super) static DAEMON: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix) mailer-?daemon | postmaster | mail\ delivery\ (?:sub)?system | mail\ system | mail\ administrator
        | system\ administrator | internet\ mail\ delivery | mail-?daemon | ^mdaemon@ | ^(?:mmdf|smtp|uucp|mailgate|amavis)\b | mail\ router | delivery\ subsystem
        | ^bounce-?notif | e-?mail\ gateway | mail\ transport",
    )
});

/// Names that nobody bears but the program that reports failures.
pub(super) static CERTAIN: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(r"(?i)^mailer-?daemon|mail delivery (?:sub)?system|<?mailer-daemon@")
});

/// How such a notice begins when it is nothing else.
pub(super) static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^\W*(?:votre\ message\ n'a\ pas\ pu\ [eê]tre\ (?:d[ée]livr|remis|distribu) | (?:unfortunately,?\ )?your\ (?:e-?)?(?:mail|message)\ (?:to\ .{1,80}\ )?(?:could\ not|cannot|was\ not|has\ not\ been)\ (?:be\ )?delivered\b
        | this\ message\ was\ created\ automatically\ by\ mail\ delivery | this\ is\ the\ mail\ system\ at)",
    )
});

pub(super) static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^\W*(?: undeliver(?:able|ed)\b | undelivrable | returned\ (?:(?:e-?)?mail|to\ sender) | mail\ delivery\ (?:failed|failure|error|problem|status|system)
        | delivery\ (?:status\ notification|failure|failed|error|problem|has\ failed|report|notification) | failure\ (?:notice|delivery)
        | failed\ mail | mail\ (?:failure|system\ error|returned|could\ not) | message\ (?:could\ not\ be|undeliverable|not\ delivered|delivery\ (?:failed|failure)|status)
        | non[- ]?deliver(?:y|able) | error\ sending | nondeliverable | mail\ not\ delivered | could\ not\ (?:send|deliver) | unable\ to\ deliver
        | unzustellbar | zustellung\ fehlgeschlagen | nicht\ zustellbar | [eé]chec\ de\ (?:la\ )?(?:remise|distribution) | message\ non\ (?:remis|distribu)
        | no\ se\ (?:pudo|puede)\ entregar | mancato\ recapito | onbestelbaar | niet\ bestelbaar | nie\ dostarczono | mensagem\ n[ãa]o\ entregue
        | permanent\ delivery\ failure | mail\ (?:delivery\ )?(?:error|warning)\b | e-?mail\ (?:delivery|bounced|could) | warning:\ (?:could\ not\ send|message\ .*\ delayed) | auto:?\ your\ (?:e-?mail|message)\ could )
        | \bnotification\ d['’][ée]tat\ de\ remise | \bhard\ bounce\b",
    )
});

static BODY: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix) \bcould\ not\ be\ delivered\b | \bundeliverable\b | \bdelivery\ (?:to\ the\ following\ (?:recipients?|addresses)\ )?(?:has\ )?failed\b
        | \bpermanent(?:\ fatal)?\ (?:errors?|failure) | \bthis\ is\ the\ (?:qmail-send|postfix|mail\ delivery\ agent) | \bunable\ to\ deliver\b
        | \bwas\ not\ delivered\b | \bnot\ been\ delivered\b | \b(?:user|mailbox|recipient|address)\ (?:is\ |was\ )?(?:unknown|not\ found|unavailable|rejected|disabled|full|does\ not\ exist|doesn't\ exist)
        | \bno\ such\ (?:user|mailbox|address|recipient) | \bunknown\ (?:user|recipient|address|local\ part) | \bcould\ not\ deliver\b | \b(?:mailbox|quota)\ (?:is\ )?(?:full|exceeded)
        | \baddress(?:es)?\ had\ (?:permanent|transient|delivery) | \bdid\ not\ reach\ the\ following | failed\ (?:recipients|addresses) | has\ been\ postponed | not\ yet\ been\ delivered | \breturned\ (?:to\ sender|mail)\b | \bnot\ listed\ in\ .{0,40}address\ book
        | \b(?:temporary|transient)\ (?:failure|errors?|problems?) | \bdelivery\ (?:is\ |has\ been\ )?(?:delayed|attempts?) | \bcannot\ be\ delivered | \bundelivered\ (?:mail|message)
        | \bnon\ è\ stato\ | \bnicht\ zugestellt | \bn'a\ pas\ pu\ être | \b[45]\.[0-7]\.\d{1,3}\b | \b55[0-4][\ -]",
    )
});

/// Whether a name or address is that of a mail server's own account.
pub(super) fn is_daemon(who: &str) -> bool {
    SENDER.may(who).has(in_sender::DAEMON) && DAEMON.is_match(who)
}

/// Whether words and sender say "could not be delivered" although no media type does, and where.
///
/// One sign is never enough: people forward and quote such notices when they complain.
pub(super) fn looks_like(
    sender: &Sender<'_>,
    (subject, subject_may): (&str, May),
    (body, body_may): (&str, May),
) -> Option<(&'static str, String)> {
    let who = [sender.address, sender.name].map(|who| (who, SENDER.may(who)));
    let daemon = who
        .iter()
        .find_map(|(who, may)| may.has(in_sender::DAEMON).then(|| DAEMON.find(who)).flatten());
    let by_subject = subject_may.has(in_subject::FAILURE).then(|| SUBJECT.find(subject)).flatten();
    let certain = who.iter().any(|(who, may)| may.has(in_sender::CERTAIN) && CERTAIN.is_match(who));
    let opens = body_may.has(in_text::FAILURE) && OPENING.is_match(body);
    let signs = 2 * usize::from(daemon.is_some())
        + usize::from(certain)
        + 2 * usize::from(opens)
        + usize::from(sender.null_path)
        + 2 * usize::from(by_subject.is_some());
    // The words of the body are one sign more: only where they decide are they looked for.
    let by_body = (signs >= 2).then(|| BODY.find(text::cut(body, 4_000))).flatten();
    let hit = by_subject.map(|h| ("subject", h)).or(by_body.map(|h| ("body", h)));
    let hit = hit.or(daemon.map(|h| ("From", h)))?;
    (signs + usize::from(by_body.is_some()) >= 3).then(|| (hit.0, hit.1.as_str().to_owned()))
}

/// Everything the report says.
pub(super) fn read(root: &Part<'_>, body: &str) -> Bounce {
    let mut bounce = Bounce::default();
    let leaves = root.leaves();
    for leaf in &leaves {
        if matches!(&*leaf.media, "message/delivery-status" | "message/global-delivery-status") {
            status_part(&mut bounce, &transfer::decode(leaf.body, &leaf.encoding).bytes);
        }
    }
    if let Some(failed) = root.headers.text("x-failed-recipients") {
        for mailbox in address::mailboxes(&failed) {
            push_recipient(&mut bounce, &mailbox.address);
        }
    }
    let original = leaves.iter().find_map(|l| original_headers(l));
    bounce.original_message_id = original.or_else(|| original_in_text(body));
    if bounce.recipient.is_empty() {
        for leaf in leaves.iter().filter(|l| l.media == "message/rfc822") {
            enclosed_report(&mut bounce, leaf);
        }
    }
    if bounce.recipient.is_empty() {
        by_words(&mut bounce, root, body);
    }
    if bounce.status.is_empty() {
        let codes = STATUS.find_iter(text::cut(body, 16_000)).map(|m| m.as_str().to_owned());
        for code in codes.take(5) {
            push_once(&mut bounce.status, code);
        }
    }
    bounce
}

/// A report that a gateway put into a message of its own.
fn enclosed_report(bounce: &mut Bounce, leaf: &Part<'_>) {
    let decoded = transfer::decode(leaf.body, &leaf.encoding);
    let (inner, _) = mime::message(decoded.bytes.trim_ascii_start());
    for leaf in inner.leaves() {
        if leaf.media == "message/delivery-status" {
            status_part(bounce, &transfer::decode(leaf.body, &leaf.encoding).bytes);
        }
    }
}

/// The blocks of `message/delivery-status`: the first is the report's, each other a recipient's.
fn status_part(bounce: &mut Bounce, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut delivered = Vec::new();
    for block in text.split("\n\n").take(2 * MOST) {
        let block = format!("X-Block: 0\nSubject: block\n{}\n\n", block.trim());
        let (headers, _) = header::split(block.as_bytes());
        let action = headers.text("action").map(|a| a.to_ascii_lowercase());
        // Where it was redirected, the address that was written to and the one that failed differ.
        let recipients: Vec<String> = ["original-recipient", "final-recipient"]
            .iter()
            .filter_map(|name| headers.text(name).and_then(|v| typed_address(&v)))
            .collect();
        let good = matches!(action.as_deref(), Some("delivered" | "relayed" | "expanded"));
        let status = headers.text("status").unwrap_or_default();
        if let Some(code) = STATUS_FIELD.find(&status) {
            push_once(&mut bounce.status, code.as_str().to_owned());
        }
        for recipient in recipients {
            if good { delivered.push(recipient) } else { push_named(bounce, &recipient) }
        }
        // One failure among many successes makes the report one of failure.
        if action.is_some() && (bounce.action.is_none() || action.as_deref() == Some("failed")) {
            bounce.action = action;
        }
    }
    if bounce.recipient.is_empty() {
        for recipient in &delivered {
            push_named(bounce, recipient);
        }
    }
}

/// `rfc822; ann@example.org` (RFC 3464 section 2.3.1), also without the type.
fn typed_address(value: &str) -> Option<String> {
    let address = value.split_once(';').map_or(value, |(_, a)| a).trim();
    let address = header::decode_words(address);
    let inner = address.rsplit_once('<').map_or(&*address, |(_, a)| a).trim_end_matches('>');
    inner.contains('@').then(|| inner.trim().to_owned())
}

/// A recipient that a field names: kept as it stands even where no rule of ours allows it, as with
/// the dots in some Japanese addresses.
fn push_named(bounce: &mut Bounce, address: &str) {
    let before = bounce.recipient.len();
    push_recipient(bounce, address);
    let address = address.trim_matches(['<', '>', ' ', ';']);
    let odd = address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && address.len() <= 320
    });
    let fits = odd && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    let known = bounce.recipient.iter().any(|r| r.0.eq_ignore_ascii_case(address));
    let unsound = bounce.recipient.len() == before && address::valid(address).is_none();
    if fits && unsound && !known && before < MOST {
        bounce.recipient.push(Private(address.to_owned()));
    }
}

fn push_recipient(bounce: &mut Bounce, address: &str) {
    // X.400 gateways write `…;dda:SMTP=ann@example.org`.
    let address = address.rsplit_once("SMTP=").map_or(address, |(_, a)| a);
    let address =
        address.trim_matches(['<', '>', '"', '\'', ' ', '.', ',', ':', ';', '(', ')', '[', ']']);
    if let Some(valid) = address::valid(address) {
        let known = bounce.recipient.iter().any(|r| r.0.eq_ignore_ascii_case(&valid));
        if !known && bounce.recipient.len() < MOST {
            bounce.recipient.push(Private(valid));
        }
    }
}

fn push_once(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) && list.len() < MOST {
        list.push(item);
    }
}

/// The Message-ID of the message that is enclosed, whole or only its headers.
fn original_headers(leaf: &Part<'_>) -> Option<String> {
    let enclosed = matches!(
        &*leaf.media,
        "message/rfc822"
            | "text/rfc822-headers"
            | "message/rfc822-headers"
            | "message/global"
            | "message/global-headers"
    );
    if !enclosed {
        return None;
    }
    let decoded = transfer::decode(leaf.body, &leaf.encoding);
    let (headers, _): (Headers<'_>, _) = header::split(&decoded.bytes);
    let id = headers.text("message-id")?;
    header::message_ids(&id).into_iter().next()
}

static ORIGINAL_ID: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"(?im)^[>\s]*message-id:\s*<([^<>\s]{3,250})>"));

fn original_in_text(body: &str) -> Option<String> {
    ORIGINAL_ID.captures(body)?.get(1).map(|m| m.as_str().to_owned())
}

static STATUS_FIELD: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"\b[245]\.\d{1,3}\.\d{1,3}\b"));
static STATUS: LazyLock<Regex> = LazyLock::new(|| phrases::compiled(r"\b[45]\.[0-7]\.\d{1,2}\b"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?",
    )
});

/// Words that come shortly before, or on the line of, the address that failed.
static FAILED_NEAR: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix) following\ (?:recipient|address|user|mailbox|destination|e-?mail) | (?:recipient|address|user|mailbox|account)s?\b.{0,60}(?:fail|reject|unknown|not\ |full|invalid|error|unavailable|disabled|inactive|suspended)
        | could\ not\ be\ delivered | undeliver | fatal\ errors | unable\ to\ deliver | delivery\ (?:to|failed|failure|attempt) | not\ delivered | cannot\ deliver | did\ not\ reach | error-for | delivery\ userid
        | failed\ (?:to|address|recipient|for) | rcpt\ to | final.recipient | original.recipient | intended\ recipient | no\ such | unknown | does\ not\ exist | mailbox | permanent\ error | couldn't\ | could\ not\ | 55\d | your\ (?:message|mail)\ to | ^\s*to:",
    )
});

/// Where the words end and the returned message begins.
static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?im)^.{0,12}(?:below this line is a copy|original message (?:follows|headers)|this is a copy of the message|returned message|copy of (?:the|your) message|message (?:text|header) follows|unsent message|-{3,}\s*(?:original|returned|start of|forwarded|the (?:header|body)|message header|enclosed|unsent)|received:|return-path:|the returned message)",
    )
});

/// `<ann@example.org>:` on a line of its own or before the reason: qmail, Postfix, Exim.
static NAMED_BY_LINE: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"(?m)^\s{0,8}<([^<>\s]+@[^<>\s]+)>:"));

/// Lines of a report, and which of them tell of a failure: each is asked once, and most never.
struct Tells<'l> {
    lines: &'l [&'l str],
    known: Vec<Option<bool>>,
}

impl Tells<'_> {
    /// Whether one of the lines of these numbers does.
    fn any(&mut self, mut numbers: Range<usize>) -> bool {
        numbers.any(|number| match (self.lines.get(number), self.known.get_mut(number)) {
            (Some(line), Some(known)) => *known.get_or_insert_with(|| FAILED_NEAR.is_match(line)),
            _ => false,
        })
    }
}

/// Addresses that the report's own words name as failed.
fn by_words(bounce: &mut Bounce, root: &Part<'_>, body: &str) {
    let end = RETURNED.find(body).map_or(body.len(), |m| m.start());
    let head = text::cut(body.get(..end).unwrap_or(body), 16_000);
    for found in NAMED_BY_LINE.captures_iter(head).take(MOST).filter_map(|c| c.get(1)) {
        push_recipient(bounce, found.as_str());
    }
    if !bounce.recipient.is_empty() {
        return;
    }
    let lines: Vec<&str> = head.lines().collect();
    let mut tells = Tells { lines: &lines, known: vec![None; lines.len()] };
    for (number, line) in lines.iter().enumerate() {
        if memchr::memchr(b'@', line.as_bytes()).is_none()
            || !tells.any(number.saturating_sub(4)..number + 3)
            || line.trim_start().to_ascii_lowercase().starts_with("from:")
        {
            continue;
        }
        for found in ADDRESS.find_iter(line).take(10) {
            // "… mail from" may stand at the end of the line above.
            let above =
                number.checked_sub(1).and_then(|n| lines.get(n)).map_or("", |l| l.trim_end());
            let before = format!("{above} {}", line.get(..found.start()).unwrap_or_default());
            if is_recipient(&before, found.as_str()) {
                push_recipient(bounce, found.as_str());
            }
        }
    }
    if bounce.recipient.is_empty() {
        by_bare_name(bounce, root, &mut tells);
    }
    if bounce.recipient.is_empty() {
        by_only_address(bounce, root, head);
    }
}

/// Whether an address may be the one that failed: no server's own, and not named as the sender's.
fn is_recipient(before: &str, address: &str) -> bool {
    let before = before.trim_end_matches([' ', '\n', '<', '"']);
    !super::robot::is_robot(address) && !ends_with_from(before)
}

fn ends_with_from(before: &str) -> bool {
    let end = before.len().saturating_sub(4);
    before.get(end..).is_some_and(|word| word.eq_ignore_ascii_case("from"))
}

static BARE_NAME: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"^[\s>]+<?([A-Za-z0-9][A-Za-z0-9._+-]{1,63})>?\s*$"));

/// A provider that names its own customers without its domain, one on a line.
fn by_bare_name(bounce: &mut Bounce, root: &Part<'_>, tells: &mut Tells<'_>) {
    let from = root.headers.text("from").unwrap_or_default();
    let from = address::addresses(&from).next();
    let Some((_, domain)) = from.as_deref().and_then(|f| f.rsplit_once('@')) else { return };
    for (number, line) in tells.lines.iter().enumerate() {
        if let Some(name) = BARE_NAME.captures(line).and_then(|c| c.get(1))
            && tells.any(number.saturating_sub(3)..number)
        {
            push_recipient(bounce, &format!("{}@{domain}", name.as_str()));
        }
    }
}

/// The one address that the report mentions besides those of its own sender and reader.
fn by_only_address(bounce: &mut Bounce, root: &Part<'_>, head: &str) {
    let own = ["from", "to", "sender"].map(|name| root.headers.text(name).unwrap_or_default());
    let own: Vec<String> = own.iter().flat_map(|field| address::addresses(field)).collect();
    let mut named: Vec<&str> = ADDRESS
        .find_iter(head)
        .filter(|m| is_recipient(head.get(..m.start()).unwrap_or_default(), m.as_str()))
        .map(|m| m.as_str())
        .filter(|a| !own.iter().any(|o| o.eq_ignore_ascii_case(a)))
        .take(MOST)
        .collect();
    named.sort_unstable();
    named.dedup();
    if let [only] = named.as_slice() {
        push_recipient(bounce, only);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sieve;
    use super::*;

    const REPORT: &str = "From: MAILER-DAEMON@x.org\r\nSubject: Undelivered\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
        --b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; x.org\r\n\r\nFinal-Recipient: rfc822; ann@example.org\r\naction: Failed\r\n\
        Status: 5.1.1\r\nDiagnostic-Code: smtp;\r\n 550 unknown\r\n\r\n\
        Final-Recipient: rfc822; bob@example.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID: <m.1@council.example>\r\n--b--\r\n";

    #[test]
    fn the_fields_of_rfc_3464_are_read() {
        let (root, _) = mime::message(REPORT.as_bytes());
        let bounce = read(&root, "Sorry.");
        assert_eq!(bounce.recipient, [Private("ann@example.org".to_owned())]);
        assert_eq!(bounce.status, ["5.1.1", "2.0.0"]);
        assert_eq!(bounce.action.as_deref(), Some("failed"));
        assert_eq!(bounce.original_message_id.as_deref(), Some("m.1@council.example"));
    }

    #[test]
    fn qmail_says_it_in_words() {
        let body = "Hi. This is the qmail-send program at x.org.\nI'm afraid I wasn't able to deliver your \
                    message to the following addresses.\n\n<ann@example.org>:\nNo such user. (#5.1.1)\n\n\
                    --- Below this line is a copy of the message.\n\nTo: bob@example.org";
        let (root, _) = mime::message(b"Subject: failure notice\n\n");
        let bounce = read(&root, body);
        assert_eq!(bounce.recipient, [Private("ann@example.org".to_owned())]);
        assert_eq!(bounce.status, ["5.1.1"]);
        let daemon = Sender { address: "MAILER-DAEMON@x.org", name: "", null_path: false };
        assert!(looks(&daemon, "failure notice", body));
    }

    fn looks(sender: &Sender<'_>, subject: &str, body: &str) -> bool {
        let may = (sieve::SUBJECT.may(subject), sieve::TEXT.may(body));
        looks_like(sender, (subject, may.0), (body, may.1)).is_some()
    }

    fn recipients(raw: &str, words: &str) -> Vec<String> {
        let (root, _) = mime::message(raw.as_bytes());
        read(&root, words).recipient.into_iter().map(|r| r.0).collect()
    }

    #[test]
    fn redirected_and_odd_recipients_are_kept_as_named() {
        let raw = REPORT
            .replace(
                "Final-Recipient: rfc822; ann",
                "Original-Recipient: rfc822;all@example.net\r\nFinal-Recipient: rfc822; ann",
            )
            .replace("bob@example.org\r\nAction: delivered", "b..o.@example.org\r\nAction: failed");
        assert_eq!(
            recipients(&raw, ""),
            ["all@example.net", "ann@example.org", "b..o.@example.org"]
        );
    }

    #[test]
    fn a_report_inside_a_gateways_message_is_read() {
        let raw = format!("From: postmaster@x.org\r\nContent-Type: message/rfc822\r\n\r\n{REPORT}");
        assert_eq!(recipients(&raw, ""), ["ann@example.org"]);
    }

    #[test]
    fn names_without_a_domain_are_the_reporting_providers() {
        let words = "Your mail to the following recipients could not be delivered because they are not \
                     accepting mail from me@council.example:\n\tann.lee\n";
        let raw = "From: MAILER-DAEMON@Provider.example\nTo: me@council.example\n\n";
        assert_eq!(recipients(raw, words), ["ann.lee@provider.example"]);
        let words =
            "The person to whom you wrote, old@example.org, has left. Ask postmaster@x.org.";
        assert_eq!(
            recipients("From: postmaster@x.org\nTo: me@council.example\n\n", words),
            ["old@example.org"]
        );
    }

    #[test]
    fn a_person_who_writes_about_a_bounce_is_a_person() {
        let person = Sender { address: "ann@example.org", name: "Ann", null_path: false };
        let words = "My letter to the planning team could not be delivered, why?";
        assert!(!looks(&person, "Your mail address", words));
        assert!(!looks(&person, "Fwd: Undeliverable: my complaint", words));
    }
}
