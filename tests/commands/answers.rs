//! The answer page through the real program: the link in a mail, the code, the acts, and the officer who confirms.
//! What every test of it needs; the tests stand in `answers/`.

#[path = "answers/check.rs"]
mod check;
#[path = "answers/drafts.rs"]
mod drafts;
#[path = "answers/files.rs"]
mod files;
#[path = "answers/flow.rs"]
mod flow;
#[path = "answers/links.rs"]
mod links;
#[path = "answers/place.rs"]
mod place;
#[path = "answers/risk.rs"]
mod risk;
#[path = "answers/time.rs"]
mod time;

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::free_port::free_port;
use super::support::http::{self, Answer};
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

/// What is asked of an answer here.
trait Says {
    fn says(&self, status: u16, words: &[&str]) -> &Self;
    fn tells_nothing(&self) -> &Self;
}

impl Says for Answer {
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
        Self::with_console("", more)
    }

    /// The same with more in `[console]`.
    fn with_console(keys: &str, more: &str) -> Self {
        let port = free_port();
        let console = format!(
            "listen = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n{keys}"
        );
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
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        http::ask(self.port, method, path, &[&[form][..], headers].concat(), body)
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask("GET", path, &[("Cookie", cookie)], "")
    }

    fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("POST", path, &[("Cookie", cookie)], &encoded(fields))
    }

    /// Sends a form with files, as a browser does: each with its name, its type and its bytes.
    fn upload(
        &self,
        path: &str,
        cookie: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        for (name, kind, bytes) in files {
            let head = format!(
                "--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--xYz--\r\n");
        let kind = ("Content-Type", "multipart/form-data; boundary=xYz");
        http::ask(self.port, "POST", path, &[("Cookie", cookie), kind], body)
    }

    /// Opens an act's form, and sends it filled in; an answer is checked and sent.
    fn send(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let key = self.key(path, cookie);
        let sent = self.post(path, cookie, &[&[("key", key.as_str())][..], fields].concat());
        if sent.header("location") == Some(&*format!("{path}/check")) {
            return self.confirm(path, cookie);
        }
        sent
    }

    /// Presses the button of the page on which an answer is checked.
    fn confirm(&self, path: &str, cookie: &str) -> Answer {
        let check = format!("{path}/check");
        let (key, seen) = (self.key(&check, cookie), self.hidden(&check, cookie, "seen"));
        self.post(&check, cookie, &[("key", &key), ("seen", &seen)])
    }

    fn key(&self, path: &str, cookie: &str) -> String {
        self.hidden(path, cookie, "key")
    }

    /// A hidden field of a form.
    fn hidden(&self, path: &str, cookie: &str, field: &str) -> String {
        let form = self.get(path, cookie);
        let before = format!("name=\"{field}\" value=\"");
        form.says(200, &[&before]);
        let value = form.text.split(&before).nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
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
    listens(port);
    child
}

fn listens(port: u16) {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_mins(2), "it does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
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

fn link_in_or_none(text: &str) -> Option<String> {
    text.contains("/a/").then(|| link_in(text))
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
