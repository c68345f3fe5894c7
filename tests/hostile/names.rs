//! Names, subjects, addresses and words that would like to be more than that. They go the whole way: from a message's
//! bytes, the directory, the settings and what officers type, to the bytes of every mail that leaves. None of them
//! adds a header, a part or a recipient. What leaves is taken apart here by a few lines of this test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use postern::casework::assessment::Needed;
use postern::casework::case::{CaseField, Interest};
use postern::casework::vocabulary::RejectionReason;
use postern::clock::Clock;
use postern::config::Config;
use postern::daemon;
use postern::gateway::Gateway;
use postern::letters::LetterId;
use postern::officer::{self, Act};
use postern::store::survey;

use crate::apart::{BIDI, EVIL, headers, is_one_letter_to_one};
use crate::support::gateway::{Mailbox, Settings};
use crate::support::register::Register;
use crate::support::smtp_sink::{Letter, Script, SmtpSink};

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

/// Every kind of hostile word.
pub(crate) fn hostile() -> Vec<String> {
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
pub(crate) fn encoded(words: &str) -> String {
    let mut octets = String::new();
    for octet in words.bytes() {
        write!(octets, "={octet:02X}").unwrap();
    }
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
pub(crate) fn complaint(number: usize, from: &str, subject: &str, id: &str) -> String {
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
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).unwrap(),
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
pub(crate) struct Hostile {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) sink: SmtpSink,
    pub(crate) settings: Settings,
    post: tempfile::TempDir,
    delivered: usize,
    /// To whom mail may go.
    staff: BTreeSet<String>,
}

impl Hostile {
    /// With an answer page within whose networks this machine is, or without any.
    pub(crate) async fn new(now: Timestamp, has_page: bool) -> Self {
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
        let (mut config, _) = Config::load(&settings.path().join("postern.toml"), [rules]).unwrap();
        if has_page {
            config.console.public_url = Some("https://answers.northmere.example".to_owned());
            config.console.council_networks = vec!["127.0.0.0/8".to_owned()];
        }
        let gateway = Gateway::open(config, Clock::fixed(now)).await.unwrap();
        Self { gateway, sink, settings, post, delivered: 0, staff }
    }

    pub(crate) fn deliver(&mut self, message: &[u8]) {
        self.delivered += 1;
        let seconds = self.gateway.clock.now().as_second();
        let name = format!("{seconds}.M{:06}.here", self.delivered);
        std::fs::write(self.post.path().join("new").join(name), message).unwrap();
    }

    /// Everything that waits at a moment.
    pub(crate) async fn lives(&mut self, now: Timestamp) {
        self.gateway.clock.set(now);
        daemon::once(&self.gateway).await.unwrap();
    }

    /// The council calls itself this from now on.
    pub(crate) fn is_called(&mut self, words: &str) {
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

pub(crate) fn day(number: i8, hour: i8, minute: i8) -> Timestamp {
    let morning =
        date(2026, 11, 16).at(hour, minute, 0, 0).to_zoned(TimeZone::get("Europe/London").unwrap());
    morning.unwrap().timestamp() + SignedDuration::from_hours(24 * i64::from(number))
}

/// What an officer does with hostile words; each kind in turn.
fn acts(turn: usize, words: &str) -> Vec<Act> {
    let kind = turn % 9;
    if kind < 7 {
        return vec![act(kind, turn, words.to_owned())];
    }
    let because = words.to_owned();
    if kind == 7 {
        return vec![Act::NextStage { received: None, because: Some(because) }];
    }
    let of_family = vec![(CaseField::CustomerType, "family_member".to_owned())];
    let refused = Act::SufficientInterest {
        decision: Interest::Refused,
        because: because.clone(),
        child_view: Some(because.clone()),
        say: Some(because.clone()),
    };
    vec![Act::Correct { changes: of_family, because }, refused]
}

fn act(kind: usize, turn: usize, words: String) -> Act {
    match kind {
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
                CaseField::Services,
                ["sen", "fostering", "early_help", "fair_access"][turn / 9 % 4].to_owned(),
            )],
            because: words,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_subject_address_or_word_becomes_a_header_or_a_recipient() {
    let mut council = Hostile::new(day(0, 9, 31), false).await;
    let (messages, answered) = messages();
    for message in &messages {
        council.deliver(message.as_bytes());
    }
    council.deliver(DANGER.as_bytes());
    let ombudsman = format!("{} <intake@lgo.org.uk>", encoded(&hostile()[0]));
    let subject = encoded(&hostile()[1]);
    council.deliver(complaint(9001, &ombudsman, &subject, "<o1@lgo.org.uk>").as_bytes());
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
    each_is_one_letter_to_one_of_ours(&council, &FROM_MAIL).await;
}

/// The kinds of letters that come of what arrives and of what officers do.
const FROM_MAIL: [&str; 14] = [
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
    "stage-request",
    "interest-refused",
    "officer-notice",
];

/// The letters that no test here makes.
const NOT_MADE: [LetterId; 2] = [
    // Of the same fields as an acknowledgement; it needs a member's case and a constituent who agrees.
    LetterId::MemberComplaint,
    // Nothing sends it: each day's run writes lists.
    LetterId::Reminder,
];

#[test]
fn every_letter_is_among_those_that_are_made() {
    for letter in LetterId::ALL.iter().filter(|letter| !NOT_MADE.contains(letter)) {
        let purpose = if *letter == LetterId::FollowUp {
            "receipt"
        } else if letter.is_acknowledgement() {
            "acknowledgement"
        } else {
            letter.id()
        };
        let is_made = FROM_MAIL.contains(&purpose) || crate::page::FROM_THE_PAGE.contains(&purpose);
        assert!(is_made, "{letter} is a letter that no hostile word is tried on");
    }
}

/// Takes every letter that left apart; each of these kinds is among them.
pub(crate) async fn each_is_one_letter_to_one_of_ours(council: &Hostile, expected: &[&str]) {
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
    for kind in expected {
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
        for act in acts(turn, &hostile[turn / 9 % hostile.len()]) {
            match officer::act(&council.gateway, &case.reference, "pat", None, act).await {
                Ok(_) => done += 1,
                Err(fault) => {
                    *refused.entry(fault.to_string().chars().take(90).collect()).or_default() += 1;
                }
            }
        }
    }
    eprintln!("{done} acts; refused: {refused:#?}");
    assert!(done * 2 > cases.len(), "most acts are refused: {refused:#?}");
}
