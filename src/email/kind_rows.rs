//! The headers by which machines tell what they send: a table, so that a new one is a new row.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::Kind;
use super::header::Headers;

/// A header's name, its text, and the kind that its row makes.
pub(super) type Match = (String, String, Option<Kind>);

/// What a header must hold for its row to count.
enum Holds {
    Anything,
    /// The first word (before `;`, blank or comma) is one of these.
    Word(&'static [&'static str]),
    /// Any of its words (between commas and blanks) is one of these.
    AnyWord(&'static [&'static str]),
    /// It contains one of these.
    Text(&'static [&'static str]),
    /// A number of at least this.
    AtLeast(u32),
}

impl Holds {
    fn test(&self, value: &str) -> bool {
        let value = value.to_ascii_lowercase();
        let mut words = value.split([' ', ',', ';', '(', '\t']).filter(|w| !w.is_empty());
        match self {
            Self::Anything => true,
            Self::Word(these) => words.next().is_some_and(|w| these.contains(&w)),
            Self::AnyWord(these) => words.any(|w| these.contains(&w)),
            Self::Text(these) => these.iter().any(|t| value.contains(t)),
            Self::AtLeast(n) => {
                words.next().and_then(|w| w.parse().ok()).is_some_and(|v: u32| v >= *n)
            }
        }
    }
}

/// One row: a header, what it must hold, and what that says.
struct Row {
    /// Lower case; a `*` at its end stands for any ending, one at its start for any beginning.
    header: &'static str,
    holds: Holds,
    /// The kind it makes, where it makes one. Rows are in order of strength.
    kind: Option<Kind>,
}

const fn row(header: &'static str, holds: Holds, kind: Option<Kind>) -> Row {
    Row { header, holds, kind }
}

/// Every row also forbids an automatic answer.
static ROWS: &[Row] = {
    use Holds::{AnyWord, Anything, AtLeast, Text, Word};
    use Kind::{AutoReply, MailingList, Newsletter, Notification, OutOfOffice, Spam};
    &[
        row("content-class", Text(&["ipm.note.rules.ooftemplate"]), Some(OutOfOffice)),
        row("content-class", Text(&["ipm.note.rules.replytemplate"]), Some(AutoReply)),
        row("x-ms-exchange-inbox-rules-loop", Anything, Some(AutoReply)),
        row("x-autoreply", Anything, Some(AutoReply)),
        row("x-auto-reply", Anything, Some(AutoReply)),
        row("x-autorespond", Anything, Some(AutoReply)),
        row("x-auto-response", Anything, Some(AutoReply)),
        row("x-autoreply-from", Anything, Some(AutoReply)),
        row("x-mail-autoreply", Anything, Some(AutoReply)),
        row("x-amazon-auto-reply", Anything, Some(AutoReply)),
        row("x-autoresponder-*", Anything, Some(AutoReply)),
        row("x-post-messageclass", Text(&["autoresponder"]), Some(AutoReply)),
        row("delivered-to", Word(&["autoresponder"]), Some(AutoReply)),
        row("precedence", Word(&["auto_reply", "auto-reply"]), Some(AutoReply)),
        row("x-precedence", Word(&["auto_reply", "auto-reply"]), Some(AutoReply)),
        row("x-spam-flag", Word(&["yes", "true"]), Some(Spam)),
        row("x-ses-spam-verdict", Word(&["fail"]), Some(Spam)),
        row("x-spam-status", Word(&["yes"]), Some(Spam)),
        row("x-spam", Word(&["yes", "true", "spam"]), Some(Spam)),
        row("x-spam-verdict", Word(&["spam", "yes"]), Some(Spam)),
        row("x-barracuda-spam-status", Word(&["yes"]), Some(Spam)),
        row("x-barracuda-spam-flag", Word(&["yes"]), Some(Spam)),
        row("x-proofpoint-spam-details", Text(&["rule=spam", "rule=definitespam"]), Some(Spam)),
        row("x-rspamd-action", Word(&["reject", "add", "rewrite"]), Some(Spam)),
        row("x-spamd-result", Text(&[": true "]), Some(Spam)),
        row("*-mailscanner-spamcheck", Word(&["spam"]), Some(Spam)),
        row("x-bogosity", Word(&["spam", "yes"]), Some(Spam)),
        row("x-dspam-result", Word(&["spam"]), Some(Spam)),
        row("x-crm114-status", Word(&["spam"]), Some(Spam)),
        row("x-gm-spam", AtLeast(1), Some(Spam)),
        row("x-yandex-spam", AtLeast(4), Some(Spam)),
        row("x-hmailserver-spam", Word(&["yes"]), Some(Spam)),
        row("x-vr-spamstate", Word(&["spam"]), Some(Spam)),
        row("x-klms-antispam-status", Word(&["spam"]), Some(Spam)),
        row("x-spamexperts-class", Word(&["spam", "phish"]), Some(Spam)),
        row("x-tm-as-result", Text(&["yes-"]), Some(Spam)),
        row("x-apple-action", Text(&["junk"]), Some(Spam)),
        row("x-ms-exchange-organization-scl", AtLeast(5), Some(Spam)),
        row(
            "x-forefront-antispam-report",
            Text(&[
                "sfv:spm",
                "sfv:skb",
                "sfv:sks",
                "cat:spm",
                "cat:hspm",
                "cat:phsh",
                "cat:hphsh",
            ]),
            Some(Spam),
        ),
        row("x-ms-journal-report", Anything, Some(Notification)),
        row("x-ms-exchange-organization-journal-report", Anything, Some(Notification)),
        row("x-autogenerated", Anything, Some(Notification)),
        row("x-fc-machinegenerated", Anything, Some(Notification)),
        row("x-cron-env", Anything, Some(Notification)),
        row("x-nagios-*", Anything, Some(Notification)),
        row("x-github-*", Anything, Some(Notification)),
        row("x-gitlab-*", Anything, Some(Notification)),
        row("x-jira-*", Anything, Some(Notification)),
        row("x-redmine-*", Anything, Some(Notification)),
        row("x-otrs-*", Anything, Some(Notification)),
        row("x-rt-originator", Anything, Some(Notification)),
        row("x-mailman-version", Anything, Some(MailingList)),
        row("x-beenthere", Anything, Some(MailingList)),
        row("list-post", Anything, Some(MailingList)),
        row("list-archive", Anything, Some(MailingList)),
        row("mailing-list", Anything, Some(MailingList)),
        row("x-mailing-list", Anything, Some(MailingList)),
        row("x-google-group-id", Anything, Some(MailingList)),
        row("x-bugzilla-*", Anything, Some(Notification)),
        row("x-campaign", Anything, Some(Newsletter)),
        row("x-campaignid", Anything, Some(Newsletter)),
        row("x-campaign-id", Anything, Some(Newsletter)),
        row("x-mailer-campaign", Anything, Some(Newsletter)),
        row("x-mc-user", Anything, Some(Newsletter)),
        row("x-csa-complaints", Anything, Some(Newsletter)),
        row("feedback-id", Anything, None),
        row("list-unsubscribe-post", Anything, None),
        row("list-unsubscribe", Anything, None),
        row("list-id", Anything, None),
        row("list-help", Anything, None),
        row("list-owner", Anything, None),
        row("list-subscribe", Anything, None),
        row("precedence", Word(&["bulk", "junk", "list"]), None),
        row("x-precedence", Word(&["bulk", "junk", "list"]), None),
        row("x-auto-response-suppress", AnyWord(&["oof", "autoreply", "all"]), None),
        row("x-loop", Anything, None),
        row("x-failed-recipients", Anything, None),
        row("auto-submitted", Text(&["auto-"]), None),
    ]
};

/// The rows by the names that they are about, lower case.
struct ByName {
    /// For each hash of a name, whether some row may be about it: nearly no field's name is one of ours.
    may: Vec<bool>,
    exact: HashMap<&'static str, Vec<usize>>,
    starting: Vec<(&'static str, usize)>,
    ending: Vec<(&'static str, usize)>,
}

static BY_NAME: LazyLock<ByName> = LazyLock::new(|| {
    let mut rows = ByName {
        may: vec![false; HASHES],
        exact: HashMap::new(),
        starting: Vec::new(),
        ending: Vec::new(),
    };
    for (number, row) in ROWS.iter().enumerate() {
        match (row.header.strip_suffix('*'), row.header.strip_prefix('*')) {
            (Some(start), _) => rows.starting.push((start, number)),
            (None, Some(end)) => rows.ending.push((end, number)),
            (None, None) => {
                if let Some(may) = rows.may.get_mut(hash(row.header)) {
                    *may = true;
                }
                rows.exact.entry(row.header).or_default().push(number);
            }
        }
    }
    rows
});

/// How every name begins of which only the beginning is known: most fields are of the standards, and not of these.
const OF_PROGRAMS: &str = "x-";

/// Hashes of names.
const HASHES: usize = 1 << 12;

/// A hash of a name, the same in any case: of its length, its middle and its last two letters, which tell most names
/// apart.
fn hash(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).map_or(0, |byte| usize::from(byte | 0x20));
    let (last, middle) = (bytes.len().saturating_sub(1), bytes.len() / 2);
    let hash = bytes.len()
        + 31 * (letter(last) + 31 * (letter(middle) + 31 * letter(last.saturating_sub(1))));
    hash % HASHES
}

impl ByName {
    /// Whether some row may be about a field of that name.
    fn may_tell(&self, name: &str) -> bool {
        let is =
            |part: Option<&str>, other: &str| part.is_some_and(|p| p.eq_ignore_ascii_case(other));
        let begins = |start: &str| is(name.get(..start.len()), start);
        let ends =
            |end: &str| is(name.len().checked_sub(end.len()).and_then(|at| name.get(at..)), end);
        self.may.get(hash(name)).copied().unwrap_or_default()
            || begins(OF_PROGRAMS) && self.starting.iter().any(|(start, _)| begins(start))
            || self.ending.iter().any(|(end, _)| ends(end))
    }

    /// The rows that are about a field, by its name in lower case.
    fn about(&self, name: &str) -> impl Iterator<Item = usize> {
        let exact = self.exact.get(name).into_iter().flatten().copied();
        let starting = self.starting.iter().filter(|(start, _)| name.starts_with(start));
        let ending = self.ending.iter().filter(|(end, _)| name.ends_with(end));
        exact.chain(starting.chain(ending).map(|(_, number)| *number))
    }
}

/// Every row that some field meets, in the order of the rows, with the first field that does.
pub(super) fn matched_rows(headers: &Headers<'_>) -> Vec<Match> {
    let mut matched: BTreeMap<usize, Match> = BTreeMap::new();
    for field in &headers.fields {
        if !BY_NAME.may_tell(field.name) {
            continue;
        }
        let name = field.name.to_ascii_lowercase();
        for number in BY_NAME.about(&name) {
            let Some(row) = ROWS.get(number).filter(|_| !matched.contains_key(&number)) else {
                continue;
            };
            let value = field.text();
            if row.holds.test(&value) {
                matched.insert(number, (field.name.to_owned(), value.into_owned(), row.kind));
            }
        }
    }
    matched.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_ending_are_of_programs() {
        for row in ROWS.iter().filter(|row| row.header.ends_with('*')) {
            assert!(row.header.starts_with(OF_PROGRAMS), "{}", row.header);
        }
    }

    #[test]
    fn a_name_is_known_in_any_case() {
        for name in
            ["X-GitHub-Sender", "list-POST", "Acme-MailScanner-SpamCheck", "Precedence", "X-Loop"]
        {
            assert!(BY_NAME.may_tell(name), "{name}");
            assert_ne!(BY_NAME.about(&name.to_ascii_lowercase()).count(), 0, "{name}");
        }
        for row in ROWS.iter().filter(|row| !row.header.contains('*')) {
            assert!(BY_NAME.may_tell(&row.header.to_ascii_uppercase()), "{}", row.header);
        }
    }
}
