//! `postern inspect` and `postern import`: messages from files.

use serde_json::{Value, json};

use super::{Desk, complaint, deliver, root};

const FIELDS: [&str; 22] = [
    "file",
    "sha256",
    "kind",
    "kind_evidence",
    "from",
    "from_name",
    "to",
    "subject",
    "date",
    "message_id",
    "in_reply_to",
    "references",
    "case_references",
    "text",
    "reply_text",
    "attachments",
    "forwarded",
    "bounce",
    "would_acknowledge",
    "acknowledge_reason",
    "classification",
    "problems",
];

/// Every field of the contract, with the type that it has there.
fn check_shape(object: &Value) {
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let (mut sorted, mut wanted) = (keys, FIELDS);
    sorted.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(sorted, wanted, "{object}");
    for text in ["file", "sha256", "kind", "text", "reply_text", "acknowledge_reason"] {
        assert!(object[text].is_string(), "{text}: {object}");
    }
    assert_eq!(object["sha256"].as_str().unwrap().len(), 64);
    for list in [
        "kind_evidence",
        "to",
        "in_reply_to",
        "references",
        "case_references",
        "attachments",
        "problems",
    ] {
        assert!(object[list].is_array(), "{list}: {object}");
    }
    for maybe in ["from", "from_name", "subject", "date", "message_id"] {
        assert!(object[maybe].is_string() || object[maybe].is_null(), "{maybe}: {object}");
    }
    for maybe in ["forwarded", "bounce"] {
        assert!(object[maybe].is_object() || object[maybe].is_null(), "{maybe}: {object}");
    }
    assert!(object["would_acknowledge"].is_boolean());
    let found = &object["classification"];
    let mut keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "confidence",
            "customer_type",
            "evidence",
            "flags",
            "needs_officer",
            "record_type",
            "services",
            "themes"
        ]
    );
    assert!((0.0..=1.0).contains(&found["confidence"].as_f64().unwrap()));
    assert!(found["needs_officer"].is_boolean());
    for evidence in found["evidence"].as_array().unwrap() {
        for key in ["label", "rule", "where", "text"] {
            assert!(evidence[key].is_string(), "{evidence}");
        }
        assert!(evidence["weight"].is_number());
    }
    if let Some(date) = object["date"].as_str() {
        date.parse::<jiff::Timestamp>().unwrap();
    }
}

#[test]
fn inspect_gives_every_field_of_every_kind_of_message() {
    // Whose mailbox it is says which mail is our own come back.
    let desk = Desk::with(&super::SETTINGS.replace("northmere.example", "council.example"));
    let mail = root().join("tests/mail");
    let objects =
        desk.objects(&["--config", "postern.toml", "inspect", "--json", mail.to_str().unwrap()]);
    assert!(objects.len() >= 13, "{}", objects.len());
    for object in &objects {
        check_shape(object);
        let file = object["file"].as_str().unwrap();
        assert!(file.starts_with(mail.to_str().unwrap()), "{file}");
        let kind = file.strip_prefix(mail.to_str().unwrap()).unwrap().split('/').nth(1).unwrap();
        assert_eq!(object["kind"], kind, "{file}");
        assert!(kind == "human" || object["would_acknowledge"] == false, "{file}");
    }
    let words = desk.data(&["--config", "postern.toml", "inspect", mail.to_str().unwrap()]);
    assert_eq!(words.matches("  acknowledge ").count(), objects.len(), "{words}");
    let with = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();
    assert!(with("bounce")["bounce"]["status"].is_array());
    for object in with("bounce")["bounce"].as_object().unwrap().keys() {
        assert!(
            ["recipient", "status", "action", "original_message_id"].contains(&object.as_str())
        );
    }
}

#[test]
fn what_was_learned_is_taken_from_the_caches_and_is_the_same() {
    let desk = Desk::new();
    let mail = root().join("tests/mail/human");
    let caches = desk.path("caches");
    let inspected = || {
        let mut command = desk.command(&["inspect", "--json", mail.to_str().unwrap()]);
        command.env("XDG_CACHE_HOME", &caches);
        let ran = super::finished(command);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        ran.out
    };
    let kept = || -> Vec<_> {
        std::fs::read_dir(caches.join("postern")).unwrap().map(|one| one.unwrap().path()).collect()
    };
    let first = inspected();
    assert_eq!(kept().len(), 1);
    assert_eq!(inspected(), first);
    // Were it not looked into, this would stay as it is.
    std::fs::write(&kept()[0], "damaged").unwrap();
    assert_eq!(inspected(), first);
    assert!(std::fs::metadata(&kept()[0]).unwrap().len() > 100_000, "learned again");
    // Where nothing can be kept, nothing is said of it either.
    std::fs::remove_dir_all(&caches).unwrap();
    std::fs::write(&caches, "a file in its place").unwrap();
    assert_eq!(inspected(), first);
}

#[test]
fn inspect_reads_attachments_and_forwarded_mail() {
    let desk = Desk::new();
    desk.write(
        "a.eml",
        "From: Ann Other <ann@example.org>\r\nTo: complaints@northmere.example\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\
         Date: Mon, 16 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee attached, NCC-2026-00412-7.\r\n\
         --b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n--b--\r\n",
    );
    let object = &desk.objects(&["inspect", "--json", "a.eml"])[0];
    check_shape(object);
    assert_eq!(object["file"], "a.eml", "the path as given");
    assert_eq!(object["from"], "ann@example.org");
    assert_eq!(object["from_name"], "Ann Other");
    assert_eq!(object["subject"], "Café");
    assert_eq!(object["to"], json!(["complaints@northmere.example"]));
    assert_eq!(object["date"], "2026-03-16T09:00:00Z");
    assert_eq!(object["case_references"], json!(["NCC-2026-00412-7"]));
    assert_eq!(object["message_id"], Value::Null);
    let attachment = &object["attachments"][0];
    assert_eq!(
        (&attachment["name"], &attachment["type"]),
        (&json!("a.pdf"), &json!("application/pdf"))
    );
    assert_eq!((&attachment["bytes"], &attachment["inline"]), (&json!(8), &json!(false)));
    assert_eq!(attachment["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&attachment["declared"], &attachment["notes"]),
        (&json!("application/pdf"), &json!([]))
    );
    let words = desk.data(&["inspect", "a.eml"]);
    assert!(words.contains("  attachment  a.pdf (application/pdf, 8 bytes)\n"), "{words}");
    desk.write(
        "b.eml",
        "From: ann@example.org\r\nContent-Type: application/pdf; name=bill.pdf\r\n\r\n#!/bin/sh\n",
    );
    let words = desk.data(&["inspect", "b.eml"]);
    let told = "bill.pdf (text/x-script, 10 bytes, a program or holds one, not what its name says)";
    assert!(words.contains(told), "{words}");
    assert!(words.contains("  problem     an attachment is not what its name says"), "{words}");
}

#[test]
fn inspect_names_each_message_as_it_was_found() {
    let desk = Desk::new();
    desk.write("single.eml", complaint(1));
    let mbox = format!(
        "From a@b Mon Mar 16 09:00:00 2026\n{}\nFrom a@b Mon Mar 16 09:01:00 2026\n{}\n",
        complaint(2),
        complaint(3)
    );
    desk.write("box.mbox", mbox);
    desk.write("Maildir/new/10.x.y", complaint(4));
    desk.write("Maildir/cur/9.x.y:2,S", complaint(5));
    desk.write("Maildir/tmp/11.x.y", complaint(6));
    desk.write("folder/deep/er/one.eml", complaint(7));
    desk.write("folder/.hidden", complaint(8));
    let named = |paths: &[&str]| -> Vec<String> {
        let objects = desk.objects(&[&["inspect", "--json"][..], paths].concat());
        objects.iter().map(|object| object["file"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named(&["single.eml"]), ["single.eml"]);
    assert_eq!(named(&["./single.eml", "single.eml"]), ["./single.eml", "single.eml"]);
    assert_eq!(named(&["box.mbox"]), ["box.mbox#1", "box.mbox#2"]);
    assert_eq!(named(&["Maildir"]), ["Maildir/cur/9.x.y:2,S", "Maildir/new/10.x.y"]);
    assert_eq!(named(&["folder"]), ["folder/deep/er/one.eml"]);
    assert_eq!(named(&["folder/"]), ["folder/deep/er/one.eml"]);
}

#[test]
fn what_cannot_be_parsed_is_an_object_too() {
    let desk = Desk::new();
    desk.write("nothing.eml", "");
    desk.write("noise.eml", [0_u8, 159, 146, 150, 255, 13, 10, 0]);
    let ran = desk.run(&["inspect", "--json", "nothing.eml", "noise.eml"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    for line in ran.out.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        check_shape(&object);
        let empty = object["file"] == "nothing.eml";
        assert!(!empty || object["kind"] == "malformed", "{object}");
        assert_eq!(object["would_acknowledge"], false);
        assert!(!object["problems"].as_array().unwrap().is_empty());
    }
    assert_eq!(ran.out.lines().count(), 2);
    // A file that is not there is another thing; the others still come.
    desk.write("good.eml", complaint(1));
    let ran = desk.run(&["inspect", "--json", "nowhere.eml", "good.eml"]);
    assert_eq!((ran.status, ran.out.lines().count()), (1, 1), "{ran:?}");
    assert!(ran.err.contains("cannot read nowhere.eml: No such file"), "{ran:?}");
}

#[test]
fn import_is_safe_to_repeat_and_reads_every_kind_of_place() {
    let desk = Desk::new();
    desk.write("one.eml", complaint(1));
    let mbox = format!(
        "From a@b Mon Mar 16 09:00:00 2026\n{}\nFrom a@b Mon Mar 16 09:01:00 2026\n{}\n",
        complaint(2),
        complaint(3)
    );
    desk.write("box.mbox", mbox);
    desk.write("old/cur/9.x.y:2,S", complaint(4));
    desk.write("old/new/.keep", "");
    desk.write("old/tmp/.keep", "");
    desk.write("folder/a/five.eml", complaint(5));
    let import = |paths: &[&str]| {
        let ran = desk.run(&[&["-q", "import"][..], paths].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(ran.err, "", "progress is for a terminal");
        ran.out.lines().next().unwrap().to_owned()
    };
    let all = ["one.eml", "box.mbox", "old", "folder"];
    assert_eq!(import(&["one.eml"]), "1 messages read, 1 new, 0 known already");
    assert_eq!(import(&all), "5 messages read, 4 new, 1 known already");
    assert_eq!(import(&all), "5 messages read, 0 new, 5 known already");
    assert_eq!(import(&["one.eml", "one.eml"]), "2 messages read, 0 new, 2 known already");

    let cases = desk.objects(&["-q", "case", "list", "--json"]);
    assert_eq!(cases.len(), 5, "a case each and no more");
    let reference = cases[0]["reference"].as_str().unwrap();
    let shown = &desk.objects(&["-q", "case", "show", "--json", reference])[0];
    assert_eq!(shown["letters"], json!([]), "nobody is written to about imported mail");
    // A message that comes by the mailbox afterwards is the same message.
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(desk.objects(&["-q", "case", "list", "--json"]).len(), 5);

    let ran = desk.run(&["-q", "import", "nowhere", "one.eml"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("cannot read nowhere: No such file"), "{ran:?}");
    assert!(ran.out.starts_with("1 messages read"), "the others were taken in: {ran:?}");
}

#[test]
fn import_acknowledges_only_when_asked() {
    let desk = Desk::new();
    desk.write("one.eml", complaint(1));
    desk.data(&["-q", "import", "--acknowledge", "one.eml"]);
    let reference = desk.objects(&["-q", "case", "list", "--json"])[0]["reference"].clone();
    let shown = &desk.objects(&["-q", "case", "show", "--json", reference.as_str().unwrap()])[0];
    let letters = shown["letters"].as_array().unwrap();
    assert!(letters.iter().any(|letter| letter["purpose"] == "acknowledgement"), "{letters:?}");
}
