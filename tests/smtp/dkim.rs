//! Letters that bear our domain's signature, verified by nothing of ours: the form of the standard is
//! made here anew, and `openssl` does the sums.

use std::path::Path;
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use postern::config::Config;
use postern::gateway;
use postern::outbox::{Automatic, Draft, KeyFault, Signer};
use sha2::{Digest as _, Sha256};

use crate::pace::Post;
use crate::support::smtp_sink::Script;

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    output.expect("this test needs openssl").status.success()
}

/// A new key and its public half, as `key.pem` and `public.pem`.
fn make_key(folder: &Path, kind: &[&str]) -> Vec<u8> {
    assert!(openssl(folder, &[&["genpkey", "-out", "key.pem", "-algorithm"], kind].concat()));
    assert!(openssl(folder, &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]));
    std::fs::read(folder.join("key.pem")).unwrap()
}

fn letter() -> Vec<u8> {
    let draft = Draft {
        from: ("Northmere children's complaints".into(), "complaints@northmere.example".into()),
        to: "helen@example.org".to_owned().into(),
        reply_to: Some("complaints+t@northmere.example".into()),
        subject: "We have your message \u{2013} NCC-2026-00417".into(),
        text: "Dear Helen\n\nWe  have your message.\n".to_owned().into(),
        attached: None,
        html: Some("<p>Dear Helen</p>".to_owned().into()),
        message_id: "c26-417.ack@northmere.example".into(),
        in_reply_to: Some("<q1@example.org>".into()),
        references: vec!["<q0@example.org>".into(), "<q1@example.org>".into()],
        automatic: Automatic::Replied,
        instance: "northmere".into(),
        date: "2026-11-20T09:30:00Z".parse().unwrap(),
        language: "en-GB".into(),
    };
    draft.render().unwrap()
}

/// Whether the signature is that of the public key, for this letter as it stands.
fn verifies(folder: &Path, letter: &[u8]) -> bool {
    let text = String::from_utf8(letter.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut fields: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(field) => field.push_str(line),
            None => fields.push(line.to_owned()),
        }
    }
    let name = |field: &str| field.split(':').next().unwrap_or_default().trim().to_lowercase();
    let relaxed = |field: &str| {
        let (_, value) = field.split_once(':').unwrap();
        let value = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        format!("{}:{}", name(field), value.join(" "))
    };
    let own = fields.iter().find(|field| name(field) == "dkim-signature").unwrap().clone();
    let (_, tags) = own.split_once(':').unwrap();
    let tag = |wanted: &str| {
        let mut tags = tags.split(';').filter_map(|tag| tag.split_once('='));
        let (_, value) = tags.rfind(|(name, _)| name.trim() == wanted).unwrap();
        value.split_whitespace().collect::<String>()
    };
    let mut signed = String::new();
    let mut left = fields.clone();
    for wanted in tag("h").split(':') {
        let at = left.iter().rposition(|field| name(field) == wanted.to_lowercase());
        if let Some(at) = at {
            signed += &relaxed(&left.remove(at));
            signed += "\r\n";
        }
    }
    let (before, _) = own.rsplit_once("b=").unwrap();
    signed += relaxed(&format!("{before}b=")).trim_end();
    let lines = body.split("\r\n").map(|line| {
        let mut line = line.replace('\t', " ");
        while line.contains("  ") {
            line = line.replace("  ", " ");
        }
        line.trim_end().to_owned()
    });
    let body = lines.collect::<Vec<_>>().join("\r\n");
    let body = format!("{}\r\n", body.trim_end_matches("\r\n"));
    if BASE64.encode(Sha256::digest(body)) != tag("bh") {
        return false;
    }
    std::fs::write(folder.join("signature"), BASE64.decode(tag("b")).unwrap()).unwrap();
    std::fs::write(folder.join("signed"), &signed).unwrap();
    std::fs::write(folder.join("digest"), Sha256::digest(&signed)).unwrap();
    let rsa = ["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "signed"];
    let ed25519 = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-in",
        "digest",
        "-sigfile",
        "signature",
    ];
    if tag("a") == "rsa-sha256" { openssl(folder, &rsa) } else { openssl(folder, &ed25519) }
}

#[test]
fn a_signature_holds_until_something_signed_is_changed() {
    for kind in [&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..], &["ED25519"]] {
        let folder = tempfile::tempdir().unwrap();
        let key = make_key(folder.path(), kind);
        let signer = Signer::new("postern", "northmere.example", &key).unwrap();
        let bytes = signer.sign(&letter());
        assert!(bytes.ends_with(&letter()), "the letter itself is untouched");
        assert_eq!(bytes, signer.sign(&letter()), "signed anew, it is the same");
        assert!(verifies(folder.path(), &bytes), "{kind:?}");
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.lines().all(|line| line.len() <= 78 || !line.contains("DKIM")), "{text}");
        for (from, to) in [
            ("From: ", "From: \"x\" <x@example.org>\r\nFrom: "),
            ("To: helen@", "To: ellen@"),
            ("Subject: ", "Subject: Re "),
            ("Message-ID: <", "Message-ID: <x"),
            ("Reply-To: ", "Reply-To: x"),
            ("In-Reply-To: <", "In-Reply-To: <x"),
            ("References: <", "References: <x"),
            ("Auto-Submitted: auto-replied", "Auto-Submitted: no"),
            ("Date: Fri", "Date: Thu"),
            ("MIME-Version: 1.0", "MIME-Version: 1.1"),
            ("multipart/alternative", "multipart/mixed"),
            ("Dear Helen", "Dear Ellen"),
        ] {
            assert!(text.contains(from), "nothing to change: {from}");
            let changed = text.replacen(from, to, 1);
            assert!(!verifies(folder.path(), changed.as_bytes()), "{from} could be changed");
        }
    }
}

#[test]
fn a_key_of_the_wrong_kind_or_for_another_domain_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let signer =
        |kind: &[&str]| Signer::new("postern", "northmere.example", &make_key(folder.path(), kind));
    assert_eq!(signer(&["RSA", "-pkeyopt", "rsa_keygen_bits:1024"]).unwrap_err(), KeyFault::Rsa);
    let curve = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    assert_eq!(signer(&curve).unwrap_err(), KeyFault::Kind);
    signer(&["ED25519"]).unwrap();

    let key = folder.path().join("key.pem").display().to_string();
    let told = |domain: &str, key: &str| {
        let text = format!(
            "[smtp]\nhost = \"a\"\nfrom = \"complaints@mail.northmere.example\"\n[smtp.dkim]\n\
             selector = \"postern\"\ndomain = \"{domain}\"\nkey_file = \"{key}\"\n"
        );
        let (config, _) = Config::parse("postern.toml", &text, []).unwrap();
        match gateway::signer(&config) {
            Ok(signer) => Ok(signer.is_some()),
            Err(gateway::StartFault::Faults(faults)) => Err(faults[0].to_string()),
            Err(other) => Err(other.to_string()),
        }
    };
    assert_eq!(told("northmere.example", &key), Ok(true));
    let other = told("example.org", &key).unwrap_err();
    assert!(other.starts_with(&key) && other.contains("smtp.dkim.domain"), "{other}");
    let missing = told("northmere.example", "/nowhere/dkim.pem").unwrap_err();
    assert!(missing.starts_with("/nowhere/dkim.pem") && missing.contains("key_file"), "{missing}");
}

#[tokio::test]
async fn a_second_try_sends_the_same_signature() {
    let folder = tempfile::tempdir().unwrap();
    make_key(folder.path(), &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let settings = format!(
        "[smtp.dkim]\nselector = \"postern\"\ndomain = \"northmere.example\"\nkey_file = \"{}\"\n",
        folder.path().join("key.pem").display()
    );
    let later = Script::default().reply("DOT", &["451 4.3.0 later", "250 2.0.0 kept"]);
    let post = Post::with(&settings, later).await;
    post.queue("example.org", 1).await;
    post.send_at(0).await;
    assert_eq!(post.arrived("example.org"), 0);
    post.send_at(60).await;
    assert_eq!(post.arrived("example.org"), 1);
    let offered = post.sink.offered();
    assert_eq!(offered.len(), 2);
    assert!(offered[0].bytes == offered[1].bytes, "the second try differs");
    assert!(verifies(folder.path(), &offered[1].bytes), "it does not hold as it arrives");
}
