//! Programs by their addresses, and what they only pass on for people.

use std::sync::LazyLock;

use regex::Regex;

use super::kind::Seen;
use super::mime::Part;
use super::phrases;
use super::sieve::{SENDER, in_sender};

/// Local parts that no person reads, or that only servers use (RFC 3834 section 2).
pub(super) static ROBOT: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^(?: mailer-?daemon | postmaster | mail-?daemon | daemon | root | nobody
            | (?:.*[._+-])? (?:no|do[._-]?not|dont|never)[._-]?(?:reply|respond|answer) (?:[._+-].*|\d*)
            | ne-?pas-?repondre | nicht-?antworten | no-?responder
            | (?:.*[._+-])? bounces? (?:[._+-].*)? | listserv | majordomo | mdaemon | autoresponder | auto-?reply | automailer
            | owner-.* | .*-owner | .*-request )$",
    )
});

/// Server accounts that only ever write about delivery.
pub(super) fn is_robot(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(local, _)| {
        SENDER.may(local).has(in_sender::ROBOT) && ROBOT.is_match(local.trim_matches('"'))
    })
}

pub(super) fn is_no_reply(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or("", |(l, _)| l).bytes();
    let mut letters: Vec<u8> = Vec::with_capacity(local.len());
    letters.extend(local.filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase()));
    let words: [&[u8]; 5] = [b"noreply", b"donotreply", b"dontreply", b"neverreply", b"norespond"];
    words.iter().any(|word| letters.windows(word.len()).any(|part| part == *word))
}

/// Local parts under which programs write.
pub(super) static MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?i)^(?:rss|rss-?feeds?|feeds?|alerts?|notifications?|notify|monitor(?:ing)?|nagios|zabbix|cron|jenkins|bugzilla(?:-daemon)?|jira|scanner|copier|mfp|mfd|quarantine|spam-?(?:digest|report|quarantine)|system-?alerts?|automail|auto-?confirm|mailer)(?:[._+-].*)?$",
    )
});

/// Whether a program writes under that address.
pub(super) fn is_machine(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    SENDER.may(local).has(in_sender::MACHINE) && MACHINE.is_match(local)
}

/// Whether a machine only passes on what a person has written: a web form, a scanned letter, a
/// letter that waits in a secure-mail portal.
pub(super) fn carries_a_person(seen: &Seen<'_, '_>) -> bool {
    let scan = || {
        let pages = |l: &&Part<'_>| {
            l.media == "application/pdf"
                || l.media.starts_with("image/") && l.disposition.value != "inline"
                || l.file_name().is_some_and(|n| {
                    let n = n.to_ascii_lowercase();
                    [".pdf", ".tif", ".tiff", ".jpg", ".jpeg"].iter().any(|e| n.ends_with(e))
                })
        };
        SCANNED.is_match(&format!("{}\n{}", seen.from.unwrap_or_default(), seen.subject))
            && seen.leaves.iter().any(pages)
    };
    phrases::is_web_form(seen.text) || phrases::secure_portal(seen.text).is_some() || scan()
}

/// Senders and subjects of office machines that scan.
static SCANNED: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?im)^(?:scan|scanner|scans|copier|mfp|mfd|printer|xerox|ricoh|konica|canon|sharp|kyocera)\S*@|^\W*(?:scan(?:ned)?\b|message from (?:km|rnp|mfp|\S*copier)|attached image|send data from)",
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robots_are_known_by_their_names() {
        for robot in [
            "MAILER-DAEMON@x.org",
            "no-reply@x.org",
            "noreply-123@x.org",
            "bounces+1@x.org",
            "owner-list@x.org",
            "do.not.reply@x.org",
            "list-request@x.org",
        ] {
            assert!(is_robot(robot), "{robot}");
        }
        for person in ["noreen@x.org", "daemonic@x.org", "ann.root@x.org", "replyto@x.org"] {
            assert!(!is_robot(person) && !is_no_reply(person), "{person}");
        }
    }
}
