//! The answer page through the real program: the link in a mail, the code, the acts, and the officer who confirms.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::free_port::free_port;
use super::{Desk, SETTINGS, complaint, deliver};

/// Words that only the customer wrote, and who they are.
const THEIRS: [&str; 4] = ["Ann Other", "ann1@example.org", "four months late", "Ann 1"];

/// A complaint that a service was asked about, and the page on which it answers.
struct Page {
    desk: Desk,
    port: u16,
    child: Child,
    reference: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        self.head.lines().find(named).and_then(|line| Some(line.split_once(':')?.1.trim()))
    }

    #[track_caller]
    fn says(&self, status: u16, words: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        for word in words {
            assert!(self.text.contains(word), "not {word:?}: {}", self.text);
        }
        self
    }

    /// That nothing of the customer stands anywhere in it.
    #[track_caller]
    fn tells_nothing(&self) -> &Self {
        for word in THEIRS {
            assert!(!self.text.contains(word) && !self.head.contains(word), "{word:?}: {self:?}");
        }
        self
    }
}

impl Page {
    fn start() -> Self {
        Self::with("")
    }

    /// The same with more settings.
    fn with(more: &str) -> Self {
        let port = free_port();
        let console =
            format!("listen = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"");
        let settings = SETTINGS.replace("listen = \"127.0.0.1:0\"", &console);
        // On a closed day services are asked in the next working morning.
        let now = "[reminders]\nask_on_closed_days = true\n";
        let desk = Desk::with(&format!("{settings}{now}{more}"));
        deliver(&desk, 1, complaint(1));
        desk.data(&["-q", "serve", "--once"]);
        let reference = desk.objects(&["-q", "case", "list", "--json"])[0]["reference"].clone();
        let reference = reference.as_str().unwrap().to_owned();
        let child = serve(&desk, port);
        Self { desk, port, child, reference }
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let more = headers
            .iter()
            .fold(String::new(), |more, (name, value)| format!("{more}{name}: {value}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{more}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, text) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), text: text.to_owned() }
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask("GET", path, &[("Cookie", cookie)], "")
    }

    fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("POST", path, &[("Cookie", cookie)], &encoded(fields))
    }

    /// Opens an act's form, and sends it filled in.
    fn send(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let key = self.key(path, cookie);
        self.post(path, cookie, &[&[("key", key.as_str())][..], fields].concat())
    }

    fn key(&self, path: &str, cookie: &str) -> String {
        let form = self.get(path, cookie);
        form.says(200, &["name=\"key\""]);
        let key = form.text.split("name=\"key\" value=\"").nth(1).unwrap();
        key.split('"').next().unwrap().to_owned()
    }

    /// Every mail so far, oldest first, as a reader sees it: to whom, subject, text.
    fn mails(&self) -> Vec<(String, String, String)> {
        let mut files: Vec<_> = std::fs::read_dir(self.desk.path("outbox"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        files.sort_by_key(|path| {
            (std::fs::metadata(path).unwrap().modified().unwrap(), path.clone())
        });
        let read = files.iter().map(|file| {
            let email = postern::email::read(
                &std::fs::read(file).unwrap(),
                &postern::email::Limits::default(),
            );
            let subject = email.subject.as_ref().map_or(String::new(), |text| text.0.clone());
            (email.to[0].0.clone(), subject, email.text.0.clone())
        });
        read.collect()
    }

    /// Waits for so many mails with these words in the subject.
    fn waits_for(&self, subject: &str, count: usize) -> Vec<(String, String, String)> {
        let began = Instant::now();
        loop {
            let mut found = self.mails();
            found.retain(|(_, of, _)| of.contains(subject));
            if found.len() >= count {
                assert_eq!(found.len(), count, "{found:?}");
                return found;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{subject}: {:?}", self.mails());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The link in the first request.
    fn link(&self) -> String {
        let mails = self.mails();
        let request = mails.iter().find(|(_, subject, _)| subject.starts_with("Please answer by"));
        link_in(&request.unwrap().2)
    }

    /// Asks for a code, and types it: the cookie.
    fn unlock(&self, link: &str) -> String {
        let before = self.mails().iter().filter(|one| one.1.starts_with("Your code")).count();
        self.post(&format!("{link}/code"), "", &[]).says(303, &[]);
        let code = code_in(&self.waits_for("Your code", before + 1).pop().unwrap().2);
        let opened = self.post(&format!("{link}/code/check"), "", &[("code", &code)]);
        opened.says(303, &[]);
        opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    fn act(&self, act: &str, words: &[&str]) -> String {
        self.desk.data(&[&["-q", "case", act, &*self.reference][..], words].concat())
    }

    fn show(&self) -> Value {
        self.desk.objects(&["-q", "case", "show", "--json", &*self.reference]).remove(0)
    }

    fn request(&self) -> Value {
        self.show()["requests"].as_array().unwrap().last().unwrap().clone()
    }

    fn tasks(&self) -> String {
        self.desk.data(&["-q", "case", "list", "--waiting"])
    }
}

/// Starts a gateway, and waits until it listens.
fn serve(desk: &Desk, port: u16) -> Child {
    let child = desk.command(&["-q", "serve"]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_mins(2), "it does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

/// The path of the link in a mail.
fn link_in(text: &str) -> String {
    let at = text.find("/a/").unwrap_or_else(|| panic!("no link: {text}"));
    text[at..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned()
}

fn code_in(text: &str) -> String {
    let code = text.split("Your code is ").nth(1).unwrap_or_else(|| panic!("no code: {text}"));
    code[..6].to_owned()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| {
        text.bytes().fold(String::new(), |all, byte| {
            if byte.is_ascii_alphanumeric() {
                all + &char::from(byte).to_string()
            } else {
                format!("{all}%{byte:02X}")
            }
        })
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", one(name), one(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[test]
fn a_service_answers_on_its_page_and_an_officer_confirms_it() {
    let page = Page::start();
    let link = page.link();
    assert_eq!(link.len(), "/a/".len() + 52, "the token and nothing else: {link}");
    page.get(&link, "")
        .says(
            200,
            &[
                &page.reference,
                "Corporate complaint, step 1",
                "Accept it and name who will answer",
                "Send the code",
            ],
        )
        .tells_nothing();

    // The code goes to the mailbox of the link, and says of no case.
    page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    let (to, subject, text) = page.waits_for("Your code", 1).remove(0);
    assert!(to.ends_with("@northmere.example") && !text.contains(&page.reference), "{to} {text}");
    assert!(
        !subject.contains(|c: char| c.is_ascii_digit()),
        "the code is in no subject: {subject}"
    );
    let code = code_in(&text);
    let opened = page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    opened.says(303, &[]);
    let cookie = opened.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", &*format!("Path={link};"), "Max-Age=28800"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    // It worked once.
    page.post(&format!("{link}/code/check"), "", &[("code", &code)]).says(422, &["does not open"]);

    page.get(&link, cookie).says(200, &["Ann Other", "four months late", "Give our answer", &to]);
    let fields = [
        ("name", "Jo Lane"),
        ("what", "The plan was late. The advice came late, and <we> did not chase it."),
        ("remedy", "We send the plan."),
        ("by-whom", "Sam Hill"),
        ("by-day", "4"),
        ("by-month", "12"),
        ("by-year", "2027"),
    ];
    let sent = page.send(&format!("{link}/1/answer"), cookie, &fields);
    assert_eq!(sent.header("location"), Some(&*format!("{link}/1?sent=answer")), "{sent:?}");
    page.get(&format!("{link}/1?sent=answer"), cookie).says(
        200,
        &["We have your answer", "Jo Lane answered", "We are checking it", "&lt;we&gt;"],
    );

    // Nobody is chased, and the customer's clock goes on.
    assert_eq!(page.request()["state"], "answered");
    let object = page.show();
    assert_eq!((&object["status"], object["due"].is_string()), (&"open".into(), true));
    assert!(page.tasks().contains("a service answered: check it"), "{}", page.tasks());
    let draft = page.act("answer-draft", &[]);
    for words in [
        "sen  waiting, by Jo Lane, its page",
        "did not chase it",
        "to put right by 2027-12-04, Sam Hill:",
        "check  what will be put right, by whom, by when: yes",
        "check  plain English: yes",
        &*format!("seen by {to} for sen"),
    ] {
        assert!(draft.contains(words), "{words}: {draft}");
    }

    assert_eq!(page.act("accept-answer", &["--service", "sen"]), "the answer of sen is accepted\n");
    assert!(!page.tasks().contains("check it"), "{}", page.tasks());
    assert!(page.tasks().contains("every service that was asked has answered"), "{}", page.tasks());
    page.get(&link, cookie).says(200, &["We have what we need"]);
    let twice =
        page.desk.run(&["-q", "case", "accept-answer", &page.reference, "--service", "sen"]);
    assert!(twice.err.contains("no answer of sen waits to be accepted"), "{twice:?}");
    page.act("respond", &["--note", "letter of today"]);
    assert!(!page.tasks().contains("has answered"), "{}", page.tasks());
    page.get(&link, cookie).says(200, &["The customer has been answered"]).tells_nothing();
}

#[test]
fn what_machines_open_changes_nothing() {
    let page = Page::start();
    let link = page.link();
    let before = (page.show(), page.mails().len(), page.tasks());
    for _ in 0..5 {
        for path in [
            "",
            "/1",
            "/code",
            "/1/accept",
            "/1/not-ours",
            "/1/more-time",
            "/1/away",
            "/1/answer",
            "/1?sent=accept",
        ] {
            let path = format!("{link}{path}");
            for method in ["GET", "HEAD"] {
                let prefetch = [("Sec-Purpose", "prefetch"), ("Purpose", "prefetch")];
                let answer = page.ask(method, &path, &prefetch, "");
                assert!([200, 303].contains(&answer.status), "{method} {path}: {answer:?}");
                answer.tells_nothing();
            }
        }
        for path in ["/code/check", "/new-link"] {
            page.get(&format!("{link}{path}"), "").says(405, &[]);
        }
    }
    // A scanner that fills in and sends forms has no code to type, and no name.
    page.send(&format!("{link}/1/accept"), "", &[])
        .says(422, &["Error: Enter your name", "href=\"#name\""]);
    assert_eq!((page.show(), page.mails().len(), page.tasks()), before);
}

#[test]
fn a_form_that_is_sent_twice_is_one_act() {
    let page = Page::start();
    let link = page.link();
    let path = format!("{link}/1/more-time");
    let key = page.key(&path, "");
    let fields = [
        ("key", key.as_str()),
        ("name", "Jo Lane"),
        ("why", "The advice is late."),
        ("until-day", "4"),
        ("until-month", "12"),
        ("until-year", "2027"),
    ];
    for _ in 0..3 {
        let sent = page.post(&path, "", &fields);
        assert_eq!(
            (sent.status, sent.header("location")),
            (303, Some(&*format!("{link}/1?sent=more-time")))
        );
    }
    let asked = page.tasks().matches("a service asks for more time").count();
    assert_eq!(asked, 1, "{}", page.tasks());
    let shown = page.act("show", &[]);
    let told = "recorded that sen asks for more time on its page (Jo Lane): until Saturday 4 December 2027: The advice is late.";
    assert_eq!(shown.matches(told).count(), 1, "{shown}");
    assert_eq!(page.request()["state"], "asked", "an officer decides");

    // Two people press at the same moment.
    let path = format!("{link}/1/accept");
    let (one, other) = (page.key(&path, ""), page.key(&path, ""));
    std::thread::scope(|scope| {
        for key in [one, other] {
            let (page, path) = (&page, &path);
            scope.spawn(move || {
                page.post(path, "", &[("key", &key), ("name", "Jo Lane"), ("who", "Sam Hill")])
                    .says(303, &[]);
            });
        }
    });
    let shown = page.act("show", &[]);
    assert_eq!(
        shown.matches("sen accepted it on its page (Jo Lane): Sam Hill will answer").count(),
        1,
        "{shown}"
    );
    assert_eq!(page.request()["state"], "accepted");
    page.send(&format!("{link}/1/away"), "", &[("name", "Jo"), ("who", "Sam")]).says(303, &[]);
    page.send(&format!("{link}/1/not-ours"), "", &[("name", "Jo"), ("why", "An academy.")])
        .says(303, &[]);
    assert_eq!(page.request()["state"], "declined");
    page.get(&format!("{link}/1"), "").says(200, &["This is no longer with you"]);
    for words in ["who has it at the service is away", "a service says that it is not theirs"] {
        assert!(page.tasks().contains(words), "{words}: {}", page.tasks());
    }
}

#[test]
fn codes_are_few_and_are_tried_a_few_times() {
    let page = Page::start();
    let link = page.link();
    page.get(&format!("{link}/1/answer"), "").says(303, &[]);
    page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    let code = code_in(&page.waits_for("Your code", 1).remove(0).2);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let refused = page.post(&format!("{link}/code/check"), "", &[("code", wrong)]);
        refused.says(422, &["does not open this page", "<title>Error: "]);
        assert_eq!(refused.header("set-cookie"), None);
    }
    // The right one opens nothing any more.
    page.post(&format!("{link}/code/check"), "", &[("code", &code)]).says(422, &["does not open"]);
    // A code opens the link that it was asked for, and no other.
    let mails = page.mails();
    let links: Vec<String> = mails
        .iter()
        .filter(|one| one.1.starts_with("Please answer"))
        .map(|one| link_in(&one.2))
        .collect();
    assert!(links.len() > 1 && links[0] != links[1], "each recipient has their own: {links:?}");
    let cookie = page.unlock(&link);
    let other = links.iter().find(|one| **one != link).unwrap();
    page.get(other, &cookie).says(200, &["Send the code"]).tells_nothing();
    page.get(&link, "postern_answer=made-up").says(200, &["Send the code"]).tells_nothing();
    for _ in 0..3 {
        page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    }
    page.post(&format!("{link}/code"), "", &[]).says(429, &["as many codes as we may"]);
    page.waits_for("Your code", 5);
}

#[test]
fn links_that_open_nothing_are_all_alike() {
    let page = Page::start();
    let link = page.link();
    let last = link.chars().last().unwrap();
    let tampered = format!("{}{}", &link[..link.len() - 1], if last == '0' { '1' } else { '0' });
    let made_up = format!("/a/{}", "0".repeat(52));
    let mut seen = BTreeMap::new();
    for path in [&*tampered, &*made_up, "/a/x", "/a/%3Cscript%3E"] {
        let gone = page.get(path, "");
        gone.says(404, &["This link does not work", "Send a new link"]).tells_nothing();
        assert!(!gone.text.contains("<script"), "{}", gone.text);
        // Its form goes back to the same token; what could be none is not repeated.
        let action = gone.text.split("action=\"/a/").nth(1).unwrap().split('/').next().unwrap();
        assert!(*path == *format!("/a/{action}") || action == "none", "{path} {action}");
        let alike = gone.text.replace(&format!("/a/{action}/"), "/a/TOKEN/");
        seen.insert(alike, path.to_owned());
        let asked = page.post(&format!("{path}/new-link"), "", &[]);
        asked.says(200, &["Look in your mailbox"]);
    }
    assert_eq!(seen.len(), 1, "one page for all: {seen:?}");
    page.get(&format!("{link}/2"), "").says(404, &["This link does not work"]);
    // One that works is not replaced because somebody says that it does not.
    page.post(&format!("{link}/new-link"), "", &[]).says(200, &["Look in your mailbox"]);
    page.get(&link, "").says(200, &["Send the code"]);
    assert!(page.mails().iter().all(|one| !one.1.contains("new link")), "{:?}", page.mails());
}

#[test]
fn pages_keep_to_themselves() {
    let page = Page::start();
    let link = page.link();
    let answer = page.get(&link, "");
    let policy = answer.header("content-security-policy").unwrap();
    for part in
        ["default-src 'none'", "style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let path = format!("{link}/1/accept");
    let key = page.key(&path, "");
    let body = encoded(&[("key", &key), ("name", "Jo")]);
    for (name, value) in [("Origin", "https://elsewhere.example"), ("Sec-Fetch-Site", "cross-site")]
    {
        assert_eq!(page.ask("POST", &path, &[(name, value)], &body).status, 403);
    }
    assert_eq!(page.request()["state"], "asked");
    // As a browser sends it from a page that keeps its address to itself.
    let own = [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")];
    page.ask("POST", &path, &own, &body).says(303, &[]);
    assert_eq!(page.request()["state"], "accepted");
    // The page of the register is another, with its own policy.
    assert!(page.get("/", "").header("content-security-policy").unwrap().contains("unsafe-inline"));
}

#[test]
fn an_answer_that_is_sent_back_is_waited_for_again() {
    let page = Page::start();
    let link = page.link();
    let cookie = page.unlock(&link);
    let path = format!("{link}/1/answer");
    page.send(&path, &cookie, &[("name", "Jo Lane"), ("what", "We were late.")]).says(303, &[]);
    let empty = ["-q", "case", "send-back", &page.reference, "--service", "sen", "--note", " "];
    page.desk.refused(&empty, 1, "it needs a note");
    let note = "Say why, and what Ann Other gets.";
    page.act("send-back", &["--service", "sen", "--note", note]);
    assert_eq!(page.request()["state"], "accepted", "chased from where it was");
    assert!(!page.tasks().contains("check it"), "{}", page.tasks());
    let mails = page.waits_for("Your answer needs more", 2);
    for (_, subject, text) in &mails {
        assert!(!subject.contains("Ann") && !text.contains("Ann Other"), "{text}");
    }
    let link = link_in(&mails[0].2);
    page.get(&link, "").says(200, &["we asked you for more on"]).tells_nothing();
    let cookie = page.unlock(&link);
    page.get(&link, &cookie).says(200, &[note, "We were late."]);
    let path = format!("{link}/1/answer");
    page.get(&path, &cookie).says(200, &["We were late.</textarea>"]);
    page.send(&path, &cookie, &[("name", "Jo Lane"), ("what", "We were late: nobody chased.")])
        .says(303, &[]);
    let again = page.act("answer-draft", &[]);
    assert!(
        again.contains("sen  sent back, by Jo Lane") && again.contains("sen  waiting, by Jo Lane"),
        "{again}"
    );
    // What comes to mind later is added.
    page.send(&path, &cookie, &[("name", "Pat Lowe"), ("what", "The plan went out today.")])
        .says(303, &[]);
    assert_eq!(page.act("answer-draft", &[]).matches("waiting").count(), 2);
    page.act("accept-answer", &["--service", "sen"]);
    assert_eq!(page.act("answer-draft", &[]).matches("confirmed").count(), 2);
}

#[test]
fn points_are_answered_one_by_one() {
    let page = Page::start();
    page.act("part", &["--service", "sen", "--points", "delay,staff_conduct"]);
    let link = page.link();
    let cookie = page.unlock(&link);
    page.get(&link, &cookie).says(200, &["Points for you to answer", "<li>Delayed service</li>"]);
    let path = format!("{link}/1/answer");
    let half = [("name", "Jo"), ("finding-0", "upheld"), ("why-0", "It was late.")];
    page.send(&path, &cookie, &half).says(
        422,
        &[
            "href=\"#finding-1\"",
            "Say what you found of staff conduct",
            "value=\"upheld\" checked",
            "It was late.",
        ],
    );
    let rest = [("finding-1", "no_finding"), ("why-1", "The officer has left.")];
    page.send(&path, &cookie, &[&half[..], &rest].concat()).says(303, &[]);
    let draft =
        page.desk.objects(&["-q", "case", "answer-draft", "--json", &page.reference]).remove(0);
    let answer = &draft["answers"][0];
    assert_eq!(answer["points"][0]["finding"], "upheld");
    assert_eq!(answer["points"][1]["why"], "The officer has left.");
    let met: Vec<&Value> =
        answer["checks"].as_array().unwrap().iter().map(|check| &check["met"]).collect();
    assert_eq!(
        met,
        [&Value::Bool(true), &Value::Bool(true), &Value::Bool(false), &Value::Bool(true)]
    );
}

#[test]
fn settings_may_leave_out_the_code_and_the_officer() {
    let page = Page::with("[answers]\nconfirm = false\n");
    let link = page.link();
    let cookie = page.unlock(&link);
    page.send(&format!("{link}/1/answer"), &cookie, &[("name", "Jo"), ("what", "We were late.")])
        .says(303, &[]);
    assert!(page.tasks().contains("a service answered: check it and write to the customer"));
    assert!(page.act("answer-draft", &[]).contains("sen  confirmed, by Jo"));

    // Where there is no page, letters carry no link, and its paths are not there.
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    for file in std::fs::read_dir(desk.path("outbox")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("/a/"), "{text}");
    }
}

/// The same page at a later time, served from within the test.
struct Later {
    page: Page,
    gateway: std::sync::Arc<postern::gateway::Gateway>,
    clock: postern::clock::Clock,
}

impl Later {
    /// The gateway ends, and another begins so many days later.
    async fn days(mut page: Page, days: i64) -> Self {
        page.stop();
        let now = postern::clock::Clock::System.now();
        let clock = postern::clock::Clock::fixed(now + jiff::SignedDuration::from_hours(24 * days));
        let file = page.desk.path("postern.toml");
        let (config, _) = postern::config::Config::load(&file, []).unwrap();
        let gateway = postern::gateway::Gateway::open(config, clock.clone()).await.unwrap();
        let listener = postern::console::listen("127.0.0.1:0").await.unwrap();
        page.port = listener.local_addr().unwrap().port();
        let served = std::sync::Arc::clone(&gateway);
        tokio::spawn(postern::console::serve(served, listener, std::future::pending()));
        Self { page, gateway, clock }
    }

    fn passes(&self, minutes: i64) {
        self.clock.set(self.clock.now() + jiff::SignedDuration::from_mins(minutes));
    }

    /// Sends what is queued.
    async fn sends(&self) {
        postern::outbox::tick(&self.gateway, || true).await.unwrap();
    }

    async fn code(&self, link: &str) -> String {
        self.page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
        self.sends().await;
        let mut mails = self.page.mails();
        mails.retain(|one| one.1.starts_with("Your code"));
        code_in(&mails.pop().unwrap().2)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_dies_and_another_goes_to_the_same_mailbox() {
    let page = Page::start();
    let (link, mut mails) = (page.link(), page.mails());
    mails.retain(|one| link_in_or_none(&one.2) == Some(link.clone()));
    let to = mails[0].0.clone();
    let later = Later::days(page, 100).await;
    later.page.get(&link, "").says(404, &["This link does not work"]).tells_nothing();
    let accept = [("key", &*"0".repeat(64)), ("name", "Jo")];
    later
        .page
        .post(&format!("{link}/1/accept"), "", &accept)
        .says(404, &["This link does not work"]);
    later.page.post(&format!("{link}/code"), "", &[]).says(404, &["This link does not work"]);
    for _ in 0..3 {
        later.page.post(&format!("{link}/new-link"), "", &[]).says(200, &["Look in your mailbox"]);
    }
    later.sends().await;
    let mails = later.page.waits_for("Your new link", 1);
    assert_eq!(mails[0].0, to);
    assert!(!mails[0].2.contains(&later.page.reference), "{}", mails[0].2);
    let anew = link_in(&mails[0].2);
    later.page.get(&anew, "").says(200, &["Your answer is late", "Send the code"]).tells_nothing();
    later.page.get(&link, "").says(404, &["This link does not work"]);

    let code = later.code(&anew).await;
    later.passes(16);
    later
        .page
        .post(&format!("{anew}/code/check"), "", &[("code", &code)])
        .says(422, &["does not open"]);
    let code = later.code(&anew).await;
    let opened = later.page.post(&format!("{anew}/code/check"), "", &[("code", &code)]);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    later.page.get(&anew, &cookie).says(200, &["four months late"]);
    // What was typed is not lost when the time is over.
    let key = later.page.key(&format!("{anew}/1/answer"), &cookie);
    later.passes(8 * 60);
    later.page.get(&anew, &cookie).says(200, &["Send the code"]).tells_nothing();
    let typed = [("key", &*key), ("name", "Jo"), ("what", "A long answer.")];
    let kept = later.page.post(&format!("{anew}/1/answer"), &cookie, &typed);
    kept.says(409, &["The time of your code is over", "A long answer.</textarea>"]);
    assert_eq!(later.page.request()["state"], "asked");
    // While the clock stands still there is no day, and no end.
    later.page.act("pause", &["--for", "proceedings", "--because", "a court has it"]);
    later.passes(200 * 24 * 60);
    later.page.get(&anew, "").says(200, &["There is no day for your answer now"]);
    later.page.act("withdraw", &["--because", "settled"]);
    later.page.get(&anew, "").says(404, &["This link does not work"]);
}

fn link_in_or_none(text: &str) -> Option<String> {
    text.contains("/a/").then(|| link_in(text))
}

#[test]
fn a_list_has_one_link_to_all_that_is_asked() {
    let mut page = Page::start();
    deliver(&page.desk, 2, complaint(2));
    page.waits_for("Please answer by", 4);
    // Who serves the store sends what is due; the days that come are sent without it.
    page.stop();
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    let digest = (1..40).find_map(|days| {
        let day = today.checked_add(jiff::Span::new().days(days)).unwrap();
        page.desk.run(&["-q", "remind", "--at", &format!("{day}T08:30")]);
        page.mails().into_iter().find(|one| one.2.contains("Open your list"))
    });
    page.child = serve(&page.desk, page.port);
    let (_, subject, text) = digest.expect("a list with a link");
    for word in THEIRS {
        assert!(!subject.contains(word) && !text.contains(word), "{text}");
    }
    let link = link_in(&text);
    let list = page.get(&link, "");
    list.says(
        200,
        &[
            "Your answers: 2 waited for",
            &page.reference,
            &format!("{link}/1"),
            &format!("{link}/2"),
        ],
    );
    list.tells_nothing();
    page.send(&format!("{link}/2/accept"), "", &[("name", "Jo")]).says(303, &[]);
    page.get(&format!("{link}/2"), "").says(200, &["You have accepted it"]);
    page.get(&format!("{link}/1"), "").says(200, &["Accept it and name who will answer"]);
}
