//! What is attached to an answer.

use std::time::{Duration, Instant};

use super::{Page, Says};
use postern::store::attachments::Carrier;

use crate::finished;
use crate::support::clamd::{Act, FakeClamd, VIRUS};

const PDF: &[u8] = b"%PDF-1.7\r\n\x00\xff--xYz\r\n not an end\n%%EOF";

#[test]
fn a_draft_is_attached_and_an_officer_saves_it() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    page.get(&path, &cookie).says(
        200,
        &[
            "enctype=\"multipart/form-data\"",
            "type=\"file\"",
            "10 MB at most",
            "all of your answer",
        ],
    );
    // A name that would climb out of a folder, turn a line around and end an attribute; and a type that is made up.
    let key = page.key(&path, &cookie);
    let name = "C:\\letters\\..\\%22>Jo\u{202e}cod.<b>\u{7}pdf";
    let fields = [("key", &*key), ("name", "Jo Lane")];
    let files = [(name, "text/html", PDF), ("empty.txt", "text/plain", b"x")];
    let checked = page.upload(&path, &cookie, &fields, &files);
    let to = format!("{path}/check");
    assert_eq!((checked.status, checked.header("location")), (303, Some(&*to)), "{checked:?}");
    page.get(&to, &cookie)
        .says(200, &["Attached: &quot;&gt;Jocod.&lt;b&gt; pdf", "Attached: empty.txt"]);
    assert_eq!(page.request()["state"], "asked", "nothing is sent yet");
    let (key, seen) = (page.key(&to, &cookie), page.hidden(&to, &cookie, "seen"));
    for _ in 0..2 {
        let sent = page.post(&to, &cookie, &[("key", &key), ("seen", &seen)]);
        let to = format!("{link}/1?sent=answer");
        assert_eq!((sent.status, sent.header("location")), (303, Some(&*to)), "{sent:?}");
    }
    assert_eq!(page.request()["state"], "answered");
    let shown = page.get(&format!("{link}/1"), &cookie);
    shown.says(200, &["Attached: &quot;&gt;Jocod.&lt;b&gt; pdf", "Attached: empty.txt"]);
    page.get(&format!("{link}/1"), "").says(200, &["Send the code"]);
    assert!(!page.get(&format!("{link}/1"), "").text.contains("Attached"), "behind the code alone");

    let draft =
        page.desk.objects(&["-q", "case", "answer-draft", "--json", &page.reference]).remove(0);
    let answers = draft["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 1, "one answer: {draft}");
    let file = &answers[0]["files"][0];
    assert_eq!((&file["type"], &file["bytes"]), (&"application/pdf".into(), &PDF.len().into()));
    assert_eq!((&file["answer_id"], &file["message_id"]), (&1.into(), &serde_json::Value::Null));
    let plain = page.act("answer-draft", &[]);
    let told = "attached  a1/1 \">Jocod.<b> pdf (application/pdf";
    assert!(plain.contains(told) && plain.contains("check  plain English: read it"), "{plain}");
    assert!(page.act("show", &[]).contains("attachment a1/1 \">Jocod.<b> pdf"));
    let out = page.desk.path("saved.pdf");
    let save = ["-q", "case", "attachment", "a1/1", "--save", out.to_str().unwrap()];
    assert!(page.desk.data(&save).starts_with("saved a1/1 "));
    assert_eq!(std::fs::read(&out).unwrap(), PDF);
    page.desk.refused(
        &["-q", "case", "attachment", "a1/3", "--save", "x"],
        1,
        "no attachment a1/3",
    );
    page.desk.refused(&["-q", "case", "attachment", "b1/3", "--save", "x"], 2, "a3/1");
}

#[test]
fn what_is_too_large_is_said_and_what_was_typed_stays() {
    let page = Page::with("[answers]\nfile_megabytes = 1\n");
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    let key = page.key(&path, &cookie);
    let fields = [("key", &*key), ("what", "We were late."), ("name", "Jo")];
    for bytes in [1_000_001, 5_000_000] {
        let large = vec![b'a'; bytes];
        page.upload(&path, &cookie, &fields, &[("a.txt", "text/plain", &large)]).says(
            413,
            &[
                "href=\"#file\">Attach files of 1 MB at most together",
                "aria-describedby=\"file-hint file-error\"",
                "We were late.</textarea>",
            ],
        );
    }
    page.upload(&path, &cookie, &fields, &[("a.txt", "text/plain", b"")])
        .says(422, &["Attach a file that is not empty"]);
    let nameless = [("key", &*key), ("what", "We were late.")];
    page.upload(&path, &cookie, &nameless, &[("a.txt", "text/plain", b"x")])
        .says(422, &["Enter your name", "Take a.txt away</label>"]);
    // Before the code nothing is taken at all, however much is sent.
    page.upload(&path, "", &fields, &[("a.txt", "text/plain", b"x")]).says(409, &["We were late."]);
    assert_eq!(page.request()["state"], "asked");
    let most = vec![b'a'; 1_000_000];
    let all = [("b.txt", "text/plain", &*most)];
    // What was chosen before counts, until it is taken away.
    page.upload(&path, &cookie, &fields, &all).says(413, &["1 MB at most together"]);
    let drop = page.get(&path, &cookie).text;
    let drop = drop.split("name=\"drop-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let drop = format!("drop-{drop}");
    let fields = [&fields[..], &[(&*drop, "1")]].concat();
    page.upload(&path, &cookie, &fields, &all).says(303, &[]);
    let check = page.get(&format!("{path}/check"), &cookie);
    check.says(200, &["Attached: b.txt"]);
    assert!(!check.text.contains("a.txt"), "{}", check.text);
    page.confirm(&path, &cookie).says(303, &[]);
    assert_eq!(page.request()["state"], "answered");

    let page = Page::with("[answers]\nfile_megabytes = 0\n");
    let link = page.link();
    let cookie = page.unlock(&link);
    assert!(!page.get(&format!("{link}/1/answer"), &cookie).text.contains("type=\"file\""));
    page.stopped_with("[answers]\nfile_megabytes = 101\n", "answers.file_megabytes is 101");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_file_is_scanned_and_its_name_is_in_no_log() {
    let clamd = FakeClamd::start(&[Act::Look]).await;
    let mut page = Page::with(&format!("[scan]\nclamd = \"{}\"\n", clamd.place));
    page.stop();
    let log = page.desk.path("log.txt");
    let mut command = page.desk.command(&["-vv", "serve"]);
    page.child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    super::listens(page.port);
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    let key = page.key(&path, &cookie);
    let fields = [("key", &*key), ("name", "Jocelyn Lane"), ("what", "Unmistakable words.")];
    let files = [
        ("Unmistakable name.txt", "text/plain", VIRUS.as_bytes()),
        ("clean.txt", "text/plain", b"fine"),
    ];
    page.upload(&path, &cookie, &fields, &files).says(303, &[]);
    page.confirm(&path, &cookie).says(303, &[]);
    let began = Instant::now();
    while !page.tasks().contains("infected attachment a1/1") {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", page.tasks());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(
        page.act("show", &[])
            .contains("a1/1 Unmistakable name.txt (text/plain, 12 bytes): INFECTED")
    );
    page.desk.refused(
        &["-q", "case", "attachment", "a1/1", "--save", "x"],
        1,
        "attachment a1/1 is not saved: INFECTED",
    );
    assert!(page.desk.data(&["-q", "case", "attachment", "a1/2", "--save", "y"]).contains("clean"));
    let waiting = page.tasks().matches("infected attachment").count();
    assert_eq!(waiting, 1, "told once");
    page.stop();
    // What is infected goes on to nobody.
    let (config, _) = postern::config::Config::load(&page.desk.path("postern.toml"), []).unwrap();
    let clock = postern::clock::Clock::System;
    let gateway = postern::gateway::Gateway::open(config, clock).await.unwrap();
    let sendable = postern::officer::sendable(&gateway, Carrier::Answer(1)).await.unwrap();
    assert_eq!(sendable.iter().map(|one| one.number).collect::<Vec<_>>(), [2]);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("said on an answer page"), "{log}");
    for word in ["Unmistakable", "Jocelyn"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

impl Page {
    /// That the program does not start with these settings, and says so.
    fn stopped_with(&self, more: &str, words: &str) {
        let settings = std::fs::read_to_string(self.desk.path("postern.toml")).unwrap();
        let settings = settings.replace("[answers]\nfile_megabytes = 0\n", more);
        self.desk.write("other.toml", settings);
        let ran = finished(self.desk.command(&["--config", "other.toml", "check"]));
        assert!(ran.status == 2 && ran.err.contains(words), "{ran:?}");
    }
}
