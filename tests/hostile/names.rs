//! Names, subjects, addresses and words that would like to be more than that. They go the whole way: from a message's
//! bytes, the directory, the settings and what officers type, to the bytes of every mail that leaves. None of them
//! adds a header, a part or a recipient. What leaves is taken apart here by a few lines of this test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use postern::casework::assessment::Needed;
use postern::casework::vocabulary::RejectionReason;
use postern::clock::Clock;
use postern::config::Config;
use postern::daemon;
use postern::gateway::Gateway;
use postern::officer::{self, Act};
use postern::store::survey;

use crate::support::gateway::{Mailbox, Settings};
use crate::support::register::Register;
use crate::support::smtp_sink::{Letter, Script, SmtpSink};

/// What the attackers want to reach: no mail may go there.
const EVIL: &str = "evil.example";
/// What ends a line somewhere, or is taken for that.
const BREAKS: [&str; 13] = [
    "\r",
    "\n",
    "\r\n",
    "\r\n ",
    "\r\n\r\n",
    "\n\n",
    "\r\n.\r\n",
    "\0",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
];
/// What turns the text beside it round.
const BIDI: [char; 12] = [
    '\u{200e}', '\u{200f}', '\u{061c}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];
/// The headers of every letter, and those that some have. Nothing else may stand there.
const ALWAYS: [&str; 11] = [
    "Content-Language",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Reply-To",
    "Subject",
    "To",
    "X-Auto-Response-Suppress",
    "X-Loop",
];
const SOMETIMES: [&str; 3] = ["Auto-Submitted", "In-Reply-To", "References"];
/// The headers of a letter's parts.
const OF_PARTS: [&str; 2] = ["Content-Transfer-Encoding", "Content-Type"];

/// Every kind of hostile word.
fn hostile() -> Vec<String> {
    let mut all = Vec::new();
    for end in BREAKS {
        for header in ["Bcc", "To", "Content-Type"] {
            all.push(format!("Ann{end}{header}: x@{EVIL}"));
        }
        all.push(format!("Ann Lee{end}"));
        all.push(format!("{end}Subject: Lee{end}{end}--=_0{end}x"));
    }
    all.extend(BIDI.map(|mark| format!("Ann {mark}eeL{mark} moc")));
    all.push(BIDI.iter().collect());
    all.extend([
        "n".repeat(10_000),
        "\u{e9}\u{202e}".repeat(5_000),
        "name ".repeat(2_000),
        "\u{1f600}".repeat(2_500),
        format!("Ann\" <x@{EVIL}>, \"Lee"),
        format!("Ann <x@{EVIL}>"),
        format!("x@{EVIL}, Ann"),
        format!("friends: x@{EVIL};"),
        format!("Ann (x@{EVIL})"),
        "Ann\\".to_owned(),
        "\"".to_owned(),
        " \t ".to_owned(),
        format!("=?utf-8?q?Ann=0D=0ABcc:_x@{EVIL}?="),
        format!("=?utf-8?b?QW5uDQpCY2M6IHhAZXZpbC5leGFtcGxl?= =?utf-8?q?=0A?= x@{EVIL}"),
        "{{ council.name }}{% endblock %}<script>".to_owned(),
    ]);
    all
}

/// As an encoded word: whoever decodes it has the very words.
fn encoded(words: &str) -> String {
    let octets = words.bytes().map(|octet| format!("={octet:02X}")).collect::<String>();
    format!("=?utf-8?q?{octets}?=")
}

/// Addresses that are more or less than one, and whether the person is certainly written to.
fn addresses(number: usize) -> Vec<(String, bool)> {
    let own = format!("p{number}@example.org");
    let doubtful = [
        format!("\"a b\r\n Bcc: x@{EVIL}\"@example.org"),
        format!("\"p{number} x@{EVIL}\"@example.org"),
        format!("<{own}>, <x@{EVIL}>"),
        format!("friends: {own}, x@{EVIL};"),
        format!("<@{EVIL},@b.example:{own}>"),
        format!("<{own}\r\nRCPT TO:<x@{EVIL}>>"),
        format!("<{own}> SIZE=1 <x@{EVIL}>"),
        format!("Ann <{own}> Lee <x@{EVIL}>"),
        format!("<{own}\0@{EVIL}>"),
        format!("<{own},x@{EVIL}>"),
        format!("<{own}>\r\nReply-To: <x@{EVIL}>"),
        format!("<{own}>\r\nReply-To: <{own}>, <x@{EVIL}>"),
        format!("<{own}>\r\nSender: <x@{EVIL}>\r\nReturn-Path: <x@{EVIL}>"),
        format!("<{}@example.org>", "a".repeat(10_000)),
        format!("<p{number}@{}.example>", "b".repeat(10_000)),
        format!("<p{number}@exam\u{202e}ple.org>"),
        format!("=?utf-8?q?{own}=0D=0ABcc:_x@{EVIL}?="),
    ];
    let mut all: Vec<(String, bool)> = doubtful.into_iter().map(|one| (one, false)).collect();
    all.push((format!("(x@{EVIL}) {own} (comment (in a comment) <x@{EVIL}>)"), true));
    all.push((format!("<{own}>"), true));
    all
}

/// A complaint of a person of this number.
fn complaint(number: usize, from: &str, subject: &str, id: &str) -> String {
    format!(
        "From: {from}\r\nTo: complaints@northmere.example\r\nDate: Mon, 16 Nov 2026 09:30:00 +0000\r\n\
         Subject: {subject}\r\nMessage-ID: {id}\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n\r\n\
         I want to make a formal complaint, number {number}. The social worker of my daughter has missed four visits \
         since September and nobody rings me back. I am her mother.\r\n"
    )
}

/// Every message of strangers, and who is certainly answered.
fn messages() -> (Vec<String>, BTreeSet<String>) {
    let (mut all, mut answered) = (Vec::new(), BTreeSet::new());
    for words in hostile() {
        let number = all.len();
        let name = format!("{} <p{number}@example.org>", encoded(&words));
        all.push(complaint(number, &name, &encoded(&words), &format!("<m{number}@example.org>")));
        answered.insert(format!("p{number}@example.org"));
        // The same as it stands: it may end the header, and then nobody can be answered.
        let number = all.len();
        let name = format!("\"{words}\" <p{number}@example.org>");
        all.push(complaint(number, &name, &words, &format!("<m{number}{words}@example.org>")));
    }
    for at in 0..addresses(0).len() {
        let number = all.len();
        let (from, certain) = addresses(number).swap_remove(at);
        all.push(complaint(number, &from, "Complaint", &format!("<m{number}@example.org>")));
        if certain {
            answered.insert(format!("p{number}@example.org"));
        }
    }
    (all, answered)
}

/// A string as TOML writes it.
fn toml(words: &str) -> String {
    let mut out = String::from("\"");
    for c in words.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// The shipped rules, with another hostile name for each name of a service, a mailbox or a person.
fn directory(folder: &Path) -> BTreeSet<String> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    copy(&shipped, folder);
    let text = std::fs::read_to_string(shipped.join("services.toml")).unwrap();
    let mut hostile = hostile().into_iter().cycle();
    let (mut renamed, mut staff) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        staff.extend(line.split('"').filter(|part| part.contains('@')).map(str::to_owned));
        let name = line.find("name = \"").or_else(|| line.find("name     = \""));
        let quotes = name.and_then(|at| {
            let from = at + line[at..].find('"')?;
            Some((from, from + 1 + line[from + 1..].find('"')?))
        });
        match quotes.filter(|_| !line.starts_with('#')) {
            Some((from, to)) => {
                renamed.push_str(&line[..from]);
                renamed.push_str(&toml(&hostile.next().unwrap()));
                renamed.push_str(&line[to + 1..]);
            }
            None => renamed.push_str(line),
        }
        renamed.push('\n');
    }
    std::fs::write(folder.join("services.toml"), renamed).unwrap();
    staff
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// A council whose settings, directory and officers are hostile, and its post.
struct Hostile {
    gateway: Arc<Gateway>,
    sink: SmtpSink,
    settings: Settings,
    post: tempfile::TempDir,
    delivered: usize,
    /// To whom mail may go.
    staff: BTreeSet<String>,
}

impl Hostile {
    async fn new(now: Timestamp) -> Self {
        let post = tempfile::tempdir().unwrap();
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir(post.path().join(part)).unwrap();
        }
        let sink = SmtpSink::start(Script::default()).await;
        let mailbox =
            Mailbox::Maildir { name: "complaints".to_owned(), path: post.path().to_owned() };
        let more =
            "[limits]\nanswers_in_ten_minutes = 100000\n[reminders]\nask_on_closed_days = true\n";
        let settings = Settings::write(&[mailbox], sink.port(), None, more);
        let rules = settings.path().join("rules");
        let staff = directory(&rules);
        let rules = ("POSTERN__RULES".to_owned(), rules.display().to_string());
        let (config, _) = Config::load(&settings.path().join("postern.toml"), [rules]).unwrap();
        let gateway = Gateway::open(config, Clock::fixed(now)).await.unwrap();
        Self { gateway, sink, settings, post, delivered: 0, staff }
    }

    fn deliver(&mut self, message: &[u8]) {
        self.delivered += 1;
        let seconds = self.gateway.clock.now().as_second();
        let name = format!("{seconds}.M{:06}.here", self.delivered);
        std::fs::write(self.post.path().join("new").join(name), message).unwrap();
    }

    /// Everything that waits at a moment.
    async fn lives(&mut self, now: Timestamp) {
        self.gateway.clock.set(now);
        daemon::once(&self.gateway).await.unwrap();
    }

    /// The council calls itself this from now on.
    fn is_called(&mut self, words: &str) {
        let gateway = Arc::get_mut(&mut self.gateway).expect("nothing runs meanwhile");
        words.clone_into(&mut gateway.sender.name);
        let council = &mut gateway.config.council;
        for own in [
            &mut council.name,
            &mut council.team,
            &mut council.contact_name,
            &mut council.phone,
            &mut council.out_of_hours_phone,
            &mut council.privacy_url,
            &mut council.ombudsman_url,
            &mut council.sen_advice_url,
            &mut council.advocacy,
            &mut council.advocacy_phone,
        ] {
            words.clone_into(own);
        }
    }
}

fn day(number: i8, hour: i8, minute: i8) -> Timestamp {
    let morning =
        date(2026, 11, 16).at(hour, minute, 0, 0).to_zoned(TimeZone::get("Europe/London").unwrap());
    morning.unwrap().timestamp() + SignedDuration::from_hours(24 * i64::from(number))
}

/// What an officer does with hostile words; each kind in turn.
fn act(turn: usize, words: &str) -> Act {
    let words = words.to_owned();
    match turn % 7 {
        0 => Act::HoldingLetter { until: date(2027, 1, 18), why: words },
        1 => Act::AskCustomer { needed: Needed::Authority, say: Some(words) },
        2 => {
            let (reason, because) = (RejectionReason::LegalProceedings, words.clone());
            Act::Reject { reason, because, say: Some(words) }
        }
        3 => Act::Withdraw { because: words },
        4 => Act::Part {
            service: "childrens_social_work".to_owned(),
            points: None,
            due: None,
            by_the_customers_date: false,
            responder: Some(format!("{words} <r{turn}@northmere.example>")),
        },
        5 => Act::SendBack { service: "childrens_social_work".to_owned(), note: words },
        _ => Act::Correct {
            changes: vec![(
                postern::casework::case::CaseField::Services,
                ["sen", "fostering", "early_help", "fair_access"][turn / 7 % 4].to_owned(),
            )],
            because: words,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_subject_address_or_word_becomes_a_header_or_a_recipient() {
    let mut council = Hostile::new(day(0, 9, 31)).await;
    let (messages, answered) = messages();
    for message in &messages {
        council.deliver(message.as_bytes());
    }
    council.deliver(DANGER.as_bytes());
    council.lives(day(0, 9, 32)).await;
    let first = council.sink.letters();
    let told: BTreeMap<&str, usize> = counts(&first);
    for person in &answered {
        assert_eq!(told.get(person.as_str()), Some(&1), "{person} has one acknowledgement");
    }
    // A receipt is sent on another day than the first letter.
    council.lives(day(1, 8, 31)).await;
    council.gateway.clock.set(day(1, 10, 59));
    follow_ups(&mut council, &first);
    council.lives(day(1, 11, 0)).await;
    officers_act(&mut council).await;
    // The days pass: lists, and what is late, up to the directors.
    for number in 2..45 {
        council.lives(day(number, 8, 31)).await;
    }
    let letters = council.sink.letters();
    let register = Register::open(&council.settings.store).await;
    let rows = register.letters().await;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in &letters {
        let row = rows.iter().find(|row| row.bytes == letter.bytes);
        let row = row.expect("other bytes have left than were kept");
        *kinds.entry(row.purpose.as_str()).or_default() += 1;
        let recipient = is_one_letter_to_one(letter);
        assert_eq!(recipient, row.recipient.to_lowercase(), "{}", row.purpose);
        let person = recipient.strip_suffix("@example.org").and_then(|own| own.strip_prefix('p'));
        let is_ours = council.staff.contains(&recipient)
            || recipient.strip_suffix("@northmere.example").is_some_and(|own| {
                own.strip_prefix('r').is_some_and(|turn| turn.parse::<usize>().is_ok())
            })
            || person.is_some_and(|number| number.parse::<usize>().is_ok());
        assert!(is_ours, "{} went to {recipient}", row.purpose);
    }
    eprintln!("{} letters: {kinds:?}", letters.len());
    for kind in [
        "acknowledgement",
        "receipt",
        "service-request",
        "safeguarding-alert",
        "holding",
        "ask-customer",
        "rejection",
        "withdrawal",
        "answer-sent-back",
        "digest",
        "overdue-digest",
    ] {
        assert!(kinds.contains_key(kind), "no {kind} has left: it was not tried: {kinds:?}");
    }
    for command in council.sink.commands() {
        assert!(command.len() < 1000 && !command.contains(EVIL), "{command}");
    }
    register.0.close().await;
}

/// A message of a child at risk, by somebody with a hostile name.
const DANGER: &str = "From: =?utf-8?q?Ann=0D=0ABcc:_x@evil.example?= <p9000@example.org>\r\n\
    To: complaints@northmere.example\r\nDate: Mon, 16 Nov 2026 09:30:00 +0000\r\n\
    Subject: =?utf-8?q?help=0D=0ATo:_x@evil.example?=\r\nMessage-ID: <m9000@example.org>\r\n\r\n\
    I want to complain. My stepfather hits my son every night and he is not safe at home, he told me that he wants to \
    kill himself. Your social worker does nothing.\r\n";

fn counts(letters: &[Letter]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for letter in letters {
        for to in &letter.to {
            *counts.entry(to.trim_matches(['<', '>'])).or_default() += 1;
        }
    }
    counts
}

/// Everybody who was acknowledged writes again, and services answer what they were asked.
fn follow_ups(council: &mut Hostile, letters: &[Letter]) {
    let mut hostile = hostile().into_iter().cycle();
    for (at, letter) in letters.iter().enumerate() {
        let to = letter.to[0].trim_matches(['<', '>']);
        let headers = headers(letter);
        let (id, reply_to) = (&headers["Message-ID"], &headers["Reply-To"]);
        let is_customer = to.ends_with("@example.org");
        if !is_customer && at % 3 > 0 {
            continue;
        }
        let words = hostile.next().unwrap();
        let body = if is_customer {
            format!("Is there any news of my complaint? I still wait. Number {at}.")
        } else {
            format!("Answer: point 1 is upheld, we are sorry. Number {at}.")
        };
        let message = format!(
            "From: {} <{to}>\r\nTo: {reply_to}\r\nSubject: {}\r\nDate: Mon, 16 Nov 2026 10:30:00 +0000\r\n\
             Message-ID: <again{at}@example.org>\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n\r\n{body}\r\n",
            encoded(&words),
            encoded(&words),
        );
        council.deliver(message.as_bytes());
    }
}

/// Officers of a council with a hostile name act with hostile words, each on a case of its own.
async fn officers_act(council: &mut Hostile) {
    let cases = survey::opened_after(&council.gateway.db, 0).await.unwrap();
    let hostile = hostile();
    let (mut done, mut refused) = (0, BTreeMap::<String, usize>::new());
    for (turn, case) in cases.iter().enumerate() {
        council.is_called(&hostile[(turn * 7 + 3) % hostile.len()]);
        let act = act(turn, &hostile[turn / 7 % hostile.len()]);
        match officer::act(&council.gateway, &case.reference, "pat", None, act).await {
            Ok(_) => done += 1,
            Err(fault) => {
                *refused.entry(fault.to_string().chars().take(90).collect()).or_default() += 1
            }
        }
    }
    eprintln!("{done} acts; refused: {refused:#?}");
    assert!(done * 2 > cases.len(), "most acts are refused: {refused:#?}");
}

/// Header names and unfolded values of a letter; each name once.
fn headers(letter: &Letter) -> BTreeMap<String, String> {
    let end = letter.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a header's end");
    let head = std::str::from_utf8(&letter.bytes[..end]).expect("a header in ASCII");
    header_lines(head)
}

fn header_lines(head: &str) -> BTreeMap<String, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            found.last_mut().expect("a first line that is folded").1.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
        let plain = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
        assert!(plain, "no header name: {name:?}");
        found.push((name.to_owned(), value.trim().to_owned()));
    }
    let count = found.len();
    let headers: BTreeMap<String, String> = found.into_iter().collect();
    assert_eq!(headers.len(), count, "a header twice: {head}");
    headers
}

/// Takes a letter apart; to whom it goes.
fn is_one_letter_to_one(letter: &Letter) -> String {
    let bytes = &letter.bytes;
    for (at, octet) in bytes.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + 1));
        match octet {
            b'\r' => assert_eq!(after, Some(&b'\n'), "a bare CR"),
            b'\n' => assert_eq!(before, Some(b'\r'), "a bare LF"),
            octet => assert!(octet.is_ascii() && *octet != 0, "octet {octet}"),
        }
    }
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 998), "a line too long");
    let headers = headers(letter);
    for name in ALWAYS {
        assert!(headers.contains_key(name), "no {name}: {headers:?}");
    }
    let known =
        |name: &String| ALWAYS.contains(&name.as_str()) || SOMETIMES.contains(&name.as_str());
    assert!(headers.keys().all(known), "{headers:?}");
    for (name, value) in &headers {
        match name.as_str() {
            "From" | "Subject" => {}
            // Whatever a sender calls a message: an id, which is nobody's address.
            "In-Reply-To" | "References" => {
                let is_id = |id: &str| {
                    id.starts_with('<')
                        && id.ends_with('>')
                        && id.matches(['<', '>', '@']).count() == 3
                };
                assert!(value.split(' ').all(is_id), "{name}: {value}");
            }
            _ => assert!(!value.contains(EVIL), "{name}: {value}"),
        }
    }

    assert_eq!(letter.to.len(), 1, "{:?}", letter.to);
    let to = &headers["To"];
    assert!(to.matches('@').count() == 1 && !to.contains([',', ';', '<', ' ']), "To: {to}");
    assert_eq!(letter.to[0].trim_matches(['<', '>']), to, "the envelope goes elsewhere");
    let from = unquoted(&headers["From"]);
    let from = from.trim().trim_start_matches('<').trim_end_matches('>');
    assert_eq!(from, "complaints@northmere.example", "From: {}", headers["From"]);
    let reply_to = &headers["Reply-To"];
    assert!(
        reply_to.starts_with("complaints") && reply_to.ends_with("@northmere.example"),
        "{reply_to}"
    );
    assert_eq!(reply_to.matches('@').count(), 1, "Reply-To: {reply_to}");
    let subject = decoded(&headers["Subject"]);
    // A list names the service; nothing that a stranger wrote is in any subject.
    let is_list = to.ends_with("@northmere.example");
    assert!(!subject.is_empty() && (is_list || !subject.contains(EVIL)), "Subject: {subject}");
    for name in ["Subject", "From"] {
        let shown = decoded(&headers[name]);
        let turns =
            |c: char| c.is_control() || BIDI.contains(&c) || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!shown.contains(turns), "{name}: {shown:?}");
    }
    has_two_parts(text, &headers["Content-Type"]);
    to.clone()
}

/// The text and the same as HTML, and nothing beside them.
fn has_two_parts(text: &str, content_type: &str) {
    let boundary = content_type.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
    let boundary = format!("--{}", boundary.expect("several parts"));
    let lines = text.split("\r\n").filter(|line| line.starts_with(&boundary));
    let cuts: Vec<&str> = lines.collect();
    assert_eq!(cuts, [boundary.clone(), boundary.clone(), format!("{boundary}--")]);
    for part in text.split(&boundary).skip(1).take(2) {
        let head = part.trim_start_matches("\r\n").split("\r\n\r\n").next().unwrap();
        let names: Vec<String> = header_lines(head).into_keys().collect();
        assert_eq!(names, OF_PARTS);
    }
}

/// An address header without quoted strings and encoded words.
fn unquoted(value: &str) -> String {
    let (mut rest, mut quoted, mut chars) = (String::new(), false, value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => drop(chars.next()),
            '"' => quoted = !quoted,
            c if !quoted => rest.push(c),
            _ => {}
        }
    }
    let words = rest.split(' ').filter(|word| !(word.starts_with("=?") && word.ends_with("?=")));
    let rest = words.collect::<Vec<_>>().join(" ");
    match rest.rfind('<') {
        // A name of plain words needs no quotes; it can have no address then.
        Some(at) if !rest[..at].contains(['@', ',', ';', ':', '<', '>', '(']) => {
            rest[at..].to_owned()
        }
        _ => rest,
    }
}

/// A header's value as a reader sees it (RFC 2047).
fn decoded(value: &str) -> String {
    let (mut octets, mut before) = (Vec::new(), false);
    for (at, word) in value.split(' ').enumerate() {
        let inner = word.strip_prefix("=?").and_then(|word| word.strip_suffix("?="));
        let parts: Vec<&str> =
            inner.map(|inner| inner.splitn(3, '?').collect()).unwrap_or_default();
        let is_word = parts.len() == 3;
        // Blanks between two encoded words are not shown.
        if at > 0 && !(is_word && before) {
            octets.push(b' ');
        }
        match parts[..] {
            [_, "b" | "B", text] => octets.extend(base64(text)),
            [_, _, text] => octets.extend(quoted(text)),
            _ => octets.extend(word.bytes()),
        }
        before = is_word;
    }
    String::from_utf8(octets).expect("UTF-8")
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut out = Vec::new();
    for (at, octet) in text.bytes().filter(|octet| *octet != b'=').enumerate() {
        let digit = DIGITS.iter().position(|digit| *digit == octet).expect("base64");
        bits = bits << 6 | u32::try_from(digit).unwrap();
        if at % 4 > 0 {
            out.push((bits >> (6 - 2 * (at % 4))).to_le_bytes()[0]);
        }
    }
    out
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'_' => b' ',
            b'=' => {
                let hex = [octets.next().unwrap(), octets.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            octet => octet,
        });
    }
    out
}

#[test]
fn what_takes_letters_apart_sees_what_was_smuggled() {
    assert_eq!(decoded("=?utf-8?b?QW5uDQpCY2M6?= x"), "Ann\r\nBcc: x");
    assert_eq!(decoded("=?utf-8?q?A=0A?= =?utf-8?b?QQ==?="), "A\nA");
    assert_eq!(unquoted("\"Ann\\\" <x@evil.example>\" <a@b.example>"), "<a@b.example>");
    assert_ne!(unquoted("\"Ann\" <x@evil.example>, <a@b.example>"), "<a@b.example>");
    let good = "Content-Language: en\r\nContent-Type: multipart/alternative; boundary=\"c\"\r\nDate: d\r\n\
        From: A <complaints@northmere.example>\r\nMIME-Version: 1.0\r\nMessage-ID: <i>\r\n\
        Reply-To: complaints@northmere.example\r\nSubject: s\r\nTo: a@b.example\r\n\
        X-Auto-Response-Suppress: OOF\r\nX-Loop: l\r\n\r\n--c\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--c\r\nContent-Type: text/html\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--c--\r\n";
    let to = vec!["<a@b.example>".to_owned()];
    let letter = |text: String| Letter { from: String::new(), to: to.clone(), bytes: text.into() };
    assert_eq!(is_one_letter_to_one(&letter(good.to_owned())), "a@b.example");
    for (from, to) in [
        ("X-Loop: l", "X-Loop: l\r\nBcc: x@evil.example"),
        ("X-Loop: l", "X-Loop: l\r\nTo: x@evil.example"),
        ("To: a@b.example", "To: a@b.example, x@c.example"),
        ("Subject: s", "Subject: s\nBcc: x@c.example"),
        ("Subject: s", "Subject: =?utf-8?q?=E2=80=AEs?="),
        ("From: A <", "From: x@c.example, A <"),
        ("x\r\n--c--", "x\r\n--c\r\nContent-Type: text/x\r\n\r\nx\r\n--c--"),
        ("Date: d", "Date: d\r\nX-More: m"),
    ] {
        let bad = letter(good.replacen(from, to, 1));
        let seen = std::panic::catch_unwind(|| is_one_letter_to_one(&bad));
        assert!(seen.is_err(), "{to:?} is not seen");
    }
}
