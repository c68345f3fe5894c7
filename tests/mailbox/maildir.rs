//! A Maildir as a mailbox.

use std::path::Path;

use postern::mailbox::Maildir;

fn maildir() -> (tempfile::TempDir, Maildir) {
    let folder = tempfile::tempdir().unwrap();
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    let maildir = Maildir::open(folder.path()).unwrap();
    (folder, maildir)
}

fn put(root: &Path, name: &str, text: &str) {
    std::fs::write(root.join(name), text).unwrap();
}

#[test]
fn a_mistyped_path_is_not_an_empty_mailbox() {
    let error = Maildir::open("/no/such/folder").unwrap_err();
    assert!(error.to_string().contains("/no/such/folder/new"), "{error}");
}

#[test]
fn messages_are_listed_oldest_first_by_their_unique_names() {
    let (folder, maildir) = maildir();
    put(folder.path(), "new/1773651600.b.host", "second");
    put(folder.path(), "cur/999999999.a.host:2,RS", "first");
    put(folder.path(), "new/odd", "no time in its name");
    put(folder.path(), "new/.hidden", "not a message");
    put(folder.path(), "tmp/1.c.host", "not delivered yet");
    let listed = maildir.list().unwrap();
    let keys: Vec<_> = listed.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["odd", "999999999.a.host", "1773651600.b.host"]);
    assert_eq!(listed[2].received_at.unwrap().to_string(), "2026-03-16T09:00:00Z");
    assert!(listed[0].received_at.is_some(), "from the file itself");
    assert_eq!(listed[2].size, 6);
}

#[test]
fn a_message_is_found_whatever_its_flags_and_gone_is_no_error() {
    let (folder, maildir) = maildir();
    put(folder.path(), "new/1.a.host", "text");
    assert_eq!(maildir.read("1.a.host").unwrap().as_deref(), Some(b"text".as_slice()));
    let (from, to) = (folder.path().join("new/1.a.host"), folder.path().join("cur/1.a.host:2,FS"));
    std::fs::rename(from, to).unwrap();
    assert_eq!(maildir.read("1.a.host").unwrap().as_deref(), Some(b"text".as_slice()));
    assert_eq!(maildir.read("2.b.host").unwrap(), None);
    assert_eq!(maildir.read("../../etc/passwd").unwrap(), None);
}

#[test]
fn setting_aside_may_be_repeated() {
    let (folder, maildir) = maildir();
    put(folder.path(), "new/1.a.host", "one");
    put(folder.path(), "cur/2.b.host:2,F", "two");
    put(folder.path(), "new/3.c.host", "three");
    let keys = ["1.a.host", "2.b.host", "4.gone.host"];
    assert_eq!(maildir.set_aside(&keys, "Processed").unwrap(), ["1.a.host", "2.b.host"]);
    assert!(maildir.set_aside(&keys, "Processed").unwrap().is_empty());
    let kept = folder.path().join(".Processed/cur");
    assert_eq!(std::fs::read(kept.join("1.a.host:2,S")).unwrap(), b"one");
    assert_eq!(std::fs::read(kept.join("2.b.host:2,S")).unwrap(), b"two");
    assert_eq!(maildir.list().unwrap().len(), 1);
    // Another message under a name used before replaces nothing.
    put(folder.path(), "new/1.a.host", "another");
    maildir.set_aside(&keys, "Processed").unwrap();
    assert_eq!(std::fs::read(kept.join("1.a.host:2,S")).unwrap(), b"one");
    assert_eq!(std::fs::read(kept.join("1.a.host-2:2,S")).unwrap(), b"another");
    assert!(maildir.set_aside(&["3.c.host"], "..").is_err());
}
