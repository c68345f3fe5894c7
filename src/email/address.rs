//! Mailboxes out of an address header (RFC 5322 section 3.4, and what people send instead).

use super::header::decode_words;
use super::{Address, text};
use crate::private::Private;

/// Bytes of a mailbox that room is made for at once.
const USUAL_BYTES: usize = 64;
/// Most mailboxes read from one header.
const MOST: usize = 500;

/// One mailbox as it stands: its address may be none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) name: String,
    pub(super) address: String,
}

impl Mailbox {
    /// The address where it is one that mail can be sent to, its domain in lower case.
    pub(super) fn valid(&self) -> Option<String> {
        valid(&self.address)
    }

    fn into_valid(self) -> Option<String> {
        let Some(domain) = plain_domain(&self.address) else { return self.valid() };
        Some(in_small_letters(self.address, domain))
    }

    /// Address and cleaned display name.
    pub(super) fn into_address(self) -> Option<Address> {
        let name = text::one_line(&self.name, 200);
        let address = Private(self.into_valid()?);
        Some(Address { address, name: (!name.is_empty()).then_some(Private(name)) })
    }
}

/// An address that is sound by our own mail library's rules, its domain in lower case.
pub(super) fn valid(address: &str) -> Option<String> {
    let address = address.trim().trim_start_matches("mailto:");
    if let Some(domain) = plain_domain(address) {
        return Some(in_small_letters(address.to_owned(), domain));
    }
    let sound = address.len() <= 320 && !address.chars().any(char::is_control);
    let parsed: lettre::Address = sound.then(|| address.parse().ok()).flatten()?;
    Some(format!("{}@{}", parsed.user(), parsed.domain().to_lowercase()))
}

/// The address with its domain, which begins there, in lower case.
fn in_small_letters(mut address: String, domain: usize) -> String {
    address.get_mut(domain..).unwrap_or_default().make_ascii_lowercase();
    address
}

/// Most bytes on either side of the `@` of an address that is plainly one (RFC 5321 section 4.5.3.1).
const PLAIN_BYTES: usize = 63;

/// Where the domain begins, for an address of nothing but letters, digits and the commonest marks, as nearly all
/// are: the mail library would find it sound, at many times the cost.
fn plain_domain(address: &str) -> Option<usize> {
    let (local, domain) = address.split_once('@')?;
    // Letters and digits, between any two of which may stand one mark.
    let plain = |text: &str, marks: &[u8]| {
        let mut letter = false;
        let mut each = text.bytes().map(|byte| {
            let was_letter = std::mem::replace(&mut letter, byte.is_ascii_alphanumeric());
            letter || was_letter && marks.contains(&byte)
        });
        text.len() <= PLAIN_BYTES && each.all(|fits| fits) && letter
    };
    (plain(local, b".-_+") && plain(domain, b".-") && domain.contains('.'))
        .then_some(local.len() + 1)
}

/// Every address of a header that mail can be sent to, in order, its domain in lower case.
pub(super) fn addresses(header: &str) -> impl Iterator<Item = String> {
    read(header, false).into_iter().filter_map(Mailbox::into_valid)
}

/// Every mailbox of a header, in order; those without an address too.
pub(super) fn mailboxes(header: &str) -> Vec<Mailbox> {
    read(header, true)
}

fn read(header: &str, with_names: bool) -> Vec<Mailbox> {
    let room = String::with_capacity(header.len().min(USUAL_BYTES));
    let mut reader = Reader { bare: room, with_names, ..Reader::default() };
    let mut rest = header.chars();
    loop {
        // Most of a header stands outside all marks: it is taken at once.
        let left = rest.as_str();
        let plain = left.bytes().position(|byte| b"\"(<,;:".contains(&byte)).unwrap_or(left.len());
        let (plain, marked) = left.split_at(plain);
        reader.bare.push_str(plain);
        rest = marked.chars();
        match rest.next() {
            Some('"') => reader.quoted(&mut rest),
            Some('(') => reader.comment(&mut rest),
            Some('<') => reader.angle(&mut rest),
            Some(',' | ';') => reader.finish(),
            Some(':') if reader.angle.is_none() && !reader.bare.contains('@') => reader.clear(),
            Some(other) => reader.bare.push(other),
            None => break,
        }
        if reader.found.len() >= MOST {
            break;
        }
    }
    reader.finish();
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Vec<Mailbox>,
    /// Whether anybody wants to know the names.
    with_names: bool,
    /// What stands outside quotes, comments and angle brackets, with the quoted strings in place.
    bare: String,
    remark: String,
    angle: Option<String>,
}

impl Reader {
    fn clear(&mut self) {
        self.bare.clear();
        self.remark.clear();
        self.angle = None;
    }

    fn quoted(&mut self, chars: &mut std::str::Chars<'_>) {
        self.bare.push('"');
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => self.bare.extend(['\\'].into_iter().chain(chars.next())),
                _ => self.bare.push(c),
            }
        }
        self.bare.push('"');
    }

    fn comment(&mut self, chars: &mut std::str::Chars<'_>) {
        let mut depth = 1_usize;
        for c in chars.by_ref() {
            depth = match c {
                '(' => depth + 1,
                ')' => depth - 1,
                _ => depth,
            };
            if depth == 0 {
                break;
            }
            self.remark.push(c);
        }
    }

    fn angle(&mut self, chars: &mut std::str::Chars<'_>) {
        // Sliced, not gathered: nearly every address stands here.
        let rest = chars.as_str();
        let end = memchr::memchr(b'>', rest.as_bytes());
        let inside = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        *chars = rest.get(end.map_or(rest.len(), |end| end + 1)..).unwrap_or_default().chars();
        // `<<a@b>>` and `<mailto:a@b>`; a source route ends at its colon.
        let inside = inside.trim_start_matches('<').trim();
        let address = match inside.strip_prefix('@') {
            Some(route) => route.rsplit_once(':').map_or(inside, |(_, address)| address),
            None => inside,
        };
        // Two addresses without a comma between are two mailboxes, unless they are the same: neither is hidden
        // behind the other.
        if self.angle.as_ref().is_some_and(|first| !first.eq_ignore_ascii_case(address)) {
            self.finish();
        }
        if self.angle.is_none() {
            self.angle = Some(address.to_owned());
        }
    }

    fn finish(&mut self) {
        let (bare, remark) = (self.bare.trim(), self.remark.trim());
        let mailbox = match self.angle.take() {
            Some(address) if !self.with_names => Some(Mailbox { address, ..Mailbox::default() }),
            Some(address) => {
                let name = if bare.is_empty() { remark } else { bare };
                Some(Mailbox { name: plain_name(name), address })
            }
            None if bare.is_empty() => None,
            None => Some(without_brackets(bare, remark)),
        };
        self.found.extend(mailbox.filter(|m| m != &Mailbox::default()));
        self.clear();
    }
}

/// `a@b`, or `John Smith a@b` as some web forms write it.
fn without_brackets(bare: &str, remark: &str) -> Mailbox {
    if bare.starts_with('"') || !bare.contains(' ') {
        return Mailbox { name: plain_name(remark), address: bare.to_owned() };
    }
    let mut with_at = bare.split_whitespace().filter(|w| w.contains('@') && w.len() > 2);
    match (with_at.next(), with_at.next()) {
        (Some(address), None) if bare.ends_with(address) || bare.starts_with(address) => {
            let name = bare.replacen(address, "", 1);
            let address = address.trim_matches(['[', ']', '\'']).to_owned();
            Mailbox { name: plain_name(&name), address }
        }
        _ if bare.contains(" @") || bare.contains("@ ") => {
            Mailbox { name: plain_name(remark), address: bare.replace(' ', "") }
        }
        _ => Mailbox { name: plain_name(bare), address: String::new() },
    }
}

/// A display name without its quotes and escapes, decoded.
fn plain_name(raw: &str) -> String {
    if memchr::memchr2(b'"', b'\\', raw.as_bytes()).is_none() {
        return decode_words(raw).into_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {}
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    decode_words(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, want: &[(&str, Option<&str>)]) {
        let got: Vec<_> =
            mailboxes(header).into_iter().map(|m| (m.name.clone(), m.valid())).collect();
        let want: Vec<_> =
            want.iter().map(|(n, a)| ((*n).to_owned(), a.map(str::to_owned))).collect();
        assert_eq!(got, want, "{header}");
    }

    #[test]
    fn mailboxes_of_every_form_are_read() {
        check("ann@Example.ORG", &[("", Some("ann@example.org"))]);
        check("Ann Lee <ann@x.org>", &[("Ann Lee", Some("ann@x.org"))]);
        check(
            "\"Lee, Ann\" <ann@x.org>, b@y.org",
            &[("Lee, Ann", Some("ann@x.org")), ("", Some("b@y.org"))],
        );
        check("ann@x.org (Ann (the) Lee)", &[("Ann (the) Lee", Some("ann@x.org"))]);
        check("=?utf-8?Q?Lee=2C_Ann?= <ann@x.org>", &[("Lee, Ann", Some("ann@x.org"))]);
        check("\"=?utf-8?B?Y2Fmw6k=?=\" <c@x.org>", &[("café", Some("c@x.org"))]);
        check(
            "Staff: a@x.org, b@x.org;, c@x.org",
            &[("", Some("a@x.org")), ("", Some("b@x.org")), ("", Some("c@x.org"))],
        );
        check("undisclosed-recipients:;", &[]);
        check("", &[]);
    }

    #[test]
    fn what_is_plainly_an_address_is_one_for_the_mail_library_too() {
        for (plain, want) in [
            ("ann.lee+x@Example.co.UK", true),
            ("Ann_Lee-2@x-y.example", true),
            ("ann@x", false),
            (".ann@x.org", false),
            ("ann.@x.org", false),
            ("a..b@x.org", false),
            ("ann@x..org", false),
            ("ann@-x.org", false),
            ("ann@x-.org", false),
            ("ann@x@y.org", false),
            ("", false),
        ] {
            assert_eq!(plain_domain(plain).is_some(), want, "{plain}");
            assert!(!want || plain.parse::<lettre::Address>().is_ok(), "{plain}");
        }
        assert_eq!(valid("Ann.Lee@Example.ORG").as_deref(), Some("Ann.Lee@example.org"));
    }

    #[test]
    fn no_address_hides_another() {
        check(
            "<ann@x.org> SIZE=1 <eve@y.org>",
            &[("SIZE=1", Some("ann@x.org")), ("", Some("eve@y.org"))],
        );
        check(
            "Ann <ann@x.org> Eve <eve@y.org>",
            &[("Ann  Eve", Some("ann@x.org")), ("", Some("eve@y.org"))],
        );
        check("Ann <ann@x.org> <Ann@X.org>", &[("Ann", Some("ann@x.org"))]);
    }

    #[test]
    fn odd_addresses_are_valid_or_nobody() {
        check("John Smith", &[("John Smith", None)]);
        check("John Smith john@x.org", &[("John Smith", Some("john@x.org"))]);
        check("<@a.org,@b.org:ann@x.org>", &[("", Some("ann@x.org"))]);
        check("\"a b\"@x.org", &[("", Some("\"a b\"@x.org"))]);
        check("a\0@x.org", &[("", None)]);
        check("Ann <not an address>", &[("Ann", None)]);
        check("<>", &[]);
    }
}
