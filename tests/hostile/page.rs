//! The same for what services type on the answer page and for the letters that it sends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::date;
use postern::officer::{self, Act, Move};
use postern::store::survey;

use crate::names::{Hostile, complaint, day, each_is_one_letter_to_one_of_ours, encoded, hostile};
use crate::support::http::{self, Answer};
use crate::support::smtp_sink::Letter;

/// The kinds of letters that come of the page, of what is typed on it, and of what officers decide of that.
pub(crate) const FROM_THE_PAGE: [&str; 6] = [
    "answer-code",
    "answer-link",
    "answer-copy",
    "answer-sent-back",
    "more-time-granted",
    "more-time-refused",
];

/// How many complaints come.
const COMPLAINTS: usize = 48;

/// The text of a letter.
fn text(letter: &Letter) -> String {
    postern::email::read(&letter.bytes, &postern::email::Limits::default()).text.0
}

/// The path of the link in a request or in a letter with a new one.
fn link_in(text: &str) -> Option<String> {
    let at = text.find("/a/")?;
    Some(text[at..].split(char::is_whitespace).next()?.to_owned())
}

/// The page, served for as long as this stands.
struct Served {
    port: u16,
    stop: tokio::sync::oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn start(council: &Hostile) -> Self {
        let listener = postern::console::listen("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let gateway = Arc::clone(&council.gateway);
        let serving = tokio::spawn(postern::console::serve(gateway, listener, async {
            let _ = stopped.await;
        }));
        Self { port, stop, serving }
    }

    async fn stop(self, council: &Hostile) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
        // The last connection lets go of the gateway a moment after it is answered.
        for _ in 0..2_000 {
            if Arc::strong_count(&council.gateway) == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("something still holds the gateway");
    }

    fn get(&self, path: &str) -> Answer {
        http::ask(self.port, "GET", path, &[], "")
    }

    /// Sends a form as it is, each field a part of its own, so that every octet arrives.
    fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
        file: Option<&str>,
    ) -> Answer {
        let mut body = String::new();
        for (name, value) in fields {
            write!(
                body,
                "--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .unwrap();
        }
        if let Some(name) = file {
            let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
            write!(
                body,
                "--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: text/plain\r\n\r\nx\r\n"
            )
            .unwrap();
        }
        body += "--xYz--\r\n";
        let kind = ("Content-Type", "multipart/form-data; boundary=xYz");
        http::ask(self.port, "POST", path, &[headers, &[kind]].concat(), body)
    }

    fn hidden(&self, path: &str, field: &str) -> Option<String> {
        let form = self.get(path).text;
        let value = form.split(&format!("name=\"{field}\" value=\"")).nth(1)?;
        Some(value.split('"').next()?.to_owned())
    }

    /// Answers with hostile words in every field. Whether it was taken.
    fn answers(&self, link: &str, words: &str) -> bool {
        let short: String = words.chars().take(190).collect();
        let path = format!("{link}/1/answer");
        let Some(key) = self.hidden(&path, "key") else { return false };
        let fields = [
            ("key", &*key),
            ("what", words),
            ("remedy", words),
            ("by-whom", &*short),
            // A name that is nothing but blanks is none.
            ("name", &*format!("Jo {short}")),
        ];
        let file: String = words.chars().take(2_000).collect();
        let typed = self.post(&path, &[], &fields, Some(&file));
        let check = format!("{path}/check");
        let (Some(key), Some(seen)) = (self.hidden(&check, "key"), self.hidden(&check, "seen"))
        else {
            panic!("not checked: {words:?}: {typed:?}");
        };
        let body = format!("key={key}&seen={seen}");
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        http::ask(self.port, "POST", &check, &[form], body).status == 303
    }

    /// Asks for more time with hostile words. Whether that was taken.
    fn asks_for_time(&self, link: &str, words: &str) -> bool {
        let path = format!("{link}/1/more-time");
        let Some(key) = self.hidden(&path, "key") else { return false };
        let short: String = words.chars().take(190).collect();
        let fields = [
            ("key", &*key),
            ("why", &*format!("late {words}")),
            ("until-day", "4"),
            ("until-month", "1"),
            ("until-year", "2027"),
            ("name", &*format!("Jo {short}")),
        ];
        self.post(&path, &[], &fields, None).status == 303
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_typed_on_the_answer_page_becomes_a_header_or_a_recipient() {
    let mut council = Hostile::new(day(0, 9, 31), true).await;
    let words = hostile();
    for number in 0..COMPLAINTS {
        let words = encoded(&words[number % words.len()]);
        let from = format!("{words} <p{number}@example.org>");
        council.deliver(
            complaint(number, &from, &words, &format!("<m{number}@example.org>")).as_bytes(),
        );
    }
    council.lives(day(0, 9, 32)).await;
    // One link a case: whoever else was asked has another to the same.
    let mut links = BTreeMap::new();
    for letter in council.sink.letters() {
        let text = text(&letter);
        let case = text.split_whitespace().find(|word| word.starts_with("NCC-"));
        if let (Some(link), Some(case)) = (link_in(&text), case) {
            links.insert(case.trim_end_matches(['.', ',', ':']).to_owned(), link);
        }
    }
    assert!(links.len() * 2 > COMPLAINTS, "{} of {COMPLAINTS} have a link", links.len());
    let links: Vec<String> = links.into_values().collect();
    let (mut answered, mut asked, mut coded) = (0, 0, 0);
    for (at, link) in links.iter().enumerate() {
        // The council has another name each time, which stands in what is sent.
        council.is_called(&words[(at * 5 + 1) % words.len()]);
        let served = Served::start(&council).await;
        let own = &words[(at * 3 + 2) % words.len()];
        if at % 3 == 0 {
            asked += usize::from(served.asks_for_time(link, own));
        } else {
            answered += usize::from(served.answers(link, own));
        }
        // From outside, as a header says that names somebody else besides.
        let outside = [("X-Forwarded-For", "x@evil.example")];
        let code = served.post(&format!("{link}/code"), &outside, &[], None);
        coded += usize::from(code.status == 303);
        served.stop(&council).await;
    }
    assert!(answered > links.len() / 2 && asked > links.len() / 4, "{answered}, {asked}");
    assert!(coded > 4, "{coded}: a mailbox gets five an hour");
    council.lives(day(0, 9, 40)).await;
    officers_decide(&mut council).await;
    council.lives(day(0, 11, 0)).await;

    // Long after, what is still open is asked for again.
    council.gateway.clock.set(day(100, 9, 0));
    let mut again = 0;
    for (at, link) in links.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
        council.is_called(&words[(at * 7 + 4) % words.len()]);
        let served = Served::start(&council).await;
        let asked = served.post(&format!("{link}/new-link"), &[], &[], None);
        again += usize::from(asked.status == 200);
        served.stop(&council).await;
    }
    assert!(again > 4, "{again}");
    postern::outbox::tick(&council.gateway, || true).await.unwrap();
    each_is_one_letter_to_one_of_ours(&council, &FROM_THE_PAGE).await;
}

/// Officers send answers back, and decide of more time, with hostile words.
async fn officers_decide(council: &mut Hostile) {
    let words = hostile();
    let cases = survey::opened_after(&council.gateway.db, 0).await.unwrap();
    let mut done = BTreeMap::<&str, usize>::new();
    for (turn, case) in cases.iter().enumerate() {
        council.is_called(&words[(turn * 7 + 3) % words.len()]);
        let note = format!("More {}", words[turn % words.len()]);
        for service in ["childrens_social_work", "sen"] {
            let service = service.to_owned();
            let until = Move::Extend { until: date(2026, 12, 8), under: None };
            let granted = Act::Turn { wanted: until, because: note.clone() };
            let acts = [
                ("send back", Act::SendBack { service: service.clone(), note: note.clone() }),
                if turn % 2 == 0 {
                    ("no more time", Act::NoMoreTime { service, because: note.clone() })
                } else {
                    ("more time", granted)
                },
            ];
            for (name, act) in acts {
                let acted = officer::act(&council.gateway, &case.reference, "pat", None, act).await;
                *done.entry(name).or_default() += usize::from(acted.is_ok());
            }
        }
    }
    assert!(done.values().all(|count| *count > 2), "{done:?}");
}
