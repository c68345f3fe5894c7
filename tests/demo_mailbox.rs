//! The sample mailbox is what its README says, and nobody in it can be a real person.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

fn mailbox() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/mailbox");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|ending| ending == "eml"))
        .collect()
}

#[test]
fn it_holds_what_its_readme_says() {
    let readme = include_str!("../src/demo/mailbox/README.md");
    let mailbox = mailbox();
    assert_eq!(mailbox.len(), 80);
    for (number, name) in mailbox.keys().enumerate() {
        assert!(name.starts_with(&format!("{:03}-", number + 1)), "{name}");
        assert!(name.ends_with("-mail.eml") || readme.contains(&format!("`{name}`")), "{name}");
    }
    assert_eq!(mailbox.keys().filter(|name| name.ends_with("-mail.eml")).count(), 62 + 6);
}

#[test]
fn every_address_in_a_header_is_reserved_for_examples() {
    for (name, bytes) in mailbox() {
        if name.contains("random-bytes") {
            assert!(std::str::from_utf8(&bytes).is_err());
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(head.contains("\r\nTo: "), "{name}: line ends or headers were changed");
        for address in head.split('@').skip(1) {
            let end = address.find(|c: char| !c.is_ascii_alphanumeric() && !".-".contains(c));
            let domain = address.get(..end.unwrap_or(address.len())).unwrap();
            let reserved = domain.ends_with(".example")
                || ["example.com", "example.org", "example.net"]
                    .iter()
                    .any(|base| domain == *base || domain.ends_with(&format!(".{base}")));
            assert!(reserved, "{name}: {domain}");
        }
    }
}

#[test]
fn the_pairs_are_pairs() {
    let mailbox = mailbox();
    let header = |name: &str, header: &str| {
        let text = String::from_utf8_lossy(&mailbox[name]).into_owned();
        text.lines().find(|line| line.starts_with(header)).unwrap().to_owned()
    };
    let id = "Message-ID:";
    assert_eq!(header("004-mail.eml", id), header("005-delivered-twice.eml", id));
    assert_ne!(header("013-mail.eml", id), header("014-sent-again.eml", id));
    for named in ["From:", "Subject:"] {
        assert_eq!(header("013-mail.eml", named), header("014-sent-again.eml", named));
    }
}
