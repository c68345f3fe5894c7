//! Every subject, and every mail to the council's own people, searched for everybody in the year: whole, but for what the
//! customer wrote where it goes with the request as a file.

use std::collections::BTreeSet;

use postern::demo::year::Matter;

use super::CHASES;
use super::register::Letter;

/// Words of several parts are looked for as they stand, single ones as words.
struct Names {
    single: BTreeSet<String>,
    several: BTreeSet<String>,
}

impl Names {
    fn of(matters: &[Matter]) -> Self {
        let mut names = Self { single: BTreeSet::new(), several: BTreeSet::new() };
        for matter in matters {
            let mut words = matter.people.private_words();
            words.push(matter.from_address().to_owned());
            words.push(matter.people.name());
            for word in words {
                let word = word.to_lowercase();
                let plain = word.chars().all(char::is_alphanumeric);
                if plain {
                    names.single.insert(word)
                } else {
                    names.several.insert(word)
                };
            }
        }
        names
    }

    fn found_in(&self, text: &str) -> Option<String> {
        let text = text.to_lowercase();
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let single = self.single.iter().find(|name| words.contains(name.as_str()));
        single.or_else(|| self.several.iter().find(|name| text.contains(name.as_str()))).cloned()
    }
}

pub(crate) fn no_mail_to_the_council_names_anybody(letters: &[Letter], matters: &[Matter]) {
    let names = Names::of(matters);
    assert!(names.single.len() > 100 && names.several.len() > 400, "nothing to look for");
    assert!(names.found_in("Dear Marsha, of 7 Quince Walk").is_some(), "the search finds nothing");
    let (mut searched, mut with_message) = (0, 0);
    for letter in letters {
        let subject = letter.subject.to_lowercase();
        assert_eq!(names.found_in(&subject), None, "{}: {}", letter.purpose, letter.subject);
        for word in ["complaint about", "court", "police", "health"] {
            assert!(!subject.contains(word), "{}: {}", letter.purpose, letter.subject);
        }
        if !CHASES.contains(&letter.purpose.as_str()) && letter.purpose != "safeguarding-alert" {
            continue;
        }
        let text = std::str::from_utf8(&letter.bytes).unwrap();
        let (ours, file) =
            text.split_once(FILE).map_or((text, None), |(one, file)| (one, Some(file)));
        // Nothing but the first request has it, and nothing of ours stands behind it.
        assert!(file.is_none() || letter.purpose == "service-request", "{}", letter.purpose);
        assert!(file.is_none_or(|file| file.matches("\r\n--").count() == 1), "{text}");
        with_message += usize::from(file.is_some());
        let whole = decoded(ours.as_bytes());
        // Its reader's own address is in its header and names nobody else.
        let text = whole.replace(&letter.recipient, "");
        assert_eq!(names.found_in(&text), None, "{} {}:\n{whole}", letter.purpose, letter.subject);
        for link in whole
            .split("http")
            .skip(1)
            .filter(|rest| rest.starts_with("s://") || rest.starts_with("://"))
        {
            let end = link.find(|c: char| c.is_whitespace() || "\"<>)".contains(c));
            let link = &link[..end.unwrap_or(link.len())];
            assert!(!link.contains("NCC-") && !link.contains('@'), "{}: {link}", letter.purpose);
        }
        assert!(whole.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{whole}");
        assert!(!whole.contains("\r\nCc:") && !whole.contains("\r\nBcc:"), "{whole}");
        searched += 1;
    }
    assert!(searched > 500, "only {searched} mails were searched");
    assert!(with_message > 100, "only {with_message} requests have the customer's message");
}

/// How the customer's message begins, as a file of a request.
const FILE: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename=\"message.txt\"\r\n\
    Content-Transfer-Encoding: base64\r\n";

/// A letter as its reader's program decodes it: quoted-printable, as all of ours are.
fn decoded(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap().replace("=\r\n", "");
    assert!(!text.to_lowercase().contains("content-transfer-encoding: base64"), "{text}");
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let octet = value.filter(|_| *first == b'=');
        out.push(octet.unwrap_or(*first));
        rest = if octet.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}
