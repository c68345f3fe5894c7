//! A child may be at risk: who is called, when somebody else is, and what ends it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postern::clock::Clock;
use postern::config::Config;
use postern::daemon;
use postern::email::{self, Email};
use postern::gateway::Gateway;
use postern::store::tasks;

use super::support::council::Council;
use super::support::dovecot::{Options, WITHOUT_IDLE};
use super::support::proxy::{Fault, Proxy};
use super::{mail_with, sink};

/// A Wednesday, ten in the morning in London.
const IN_HOURS: &str = "2026-11-25T10:00:00Z";
/// The Saturday after it.
const CLOSED: &str = "2026-11-28T22:00:00Z";

const RISK: &str = "My nephew is being hit by his stepfather. He has bruises on his arms and he is afraid to go\r\n\
    home tonight. Please somebody do something, he is in danger now.\r\n";

/// A gateway on a Maildir, whose letters become files, with a clock of its own.
struct Office {
    gateway: Arc<Gateway>,
    clock: Clock,
    folder: tempfile::TempDir,
}

impl Office {
    async fn at(moment: &str, duty: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(folder.path().join("mailbox").join(part)).unwrap();
        }
        let path = folder.path().display();
        let text = format!(
            "[store]\nurl = \"sqlite:{path}/postern.db\"\n[outgoing]\nfolder = \"{path}/outbox\"\n\
             [[mailbox]]\nname = \"complaints\"\nkind = \"maildir\"\npath = \"{path}/mailbox\"\n\
             address = \"complaints@northmere.example\"\n[acknowledgement]\nundo_seconds = 0\n[reminders]\nenabled = false\n[duty]\n{duty}"
        );
        let (config, _) = Config::parse("postern.toml", &text, []).unwrap();
        let clock = Clock::fixed(moment.parse().unwrap());
        let gateway = Gateway::open(config, clock.clone()).await.unwrap();
        Self { gateway, clock, folder }
    }

    async fn receives(&self, name: &str, message: &str) {
        let at = self.clock.now().as_second();
        let file = self.folder.path().join(format!("mailbox/new/{at}.{name}.northmere"));
        std::fs::write(file, message).unwrap();
        daemon::once(&self.gateway).await.unwrap();
    }

    async fn minutes_later(&self, minutes: i64) {
        let now: Timestamp = self.clock.now();
        self.clock.set(now + SignedDuration::from_mins(minutes));
        daemon::once(&self.gateway).await.unwrap();
    }

    /// The letters that left, in order.
    fn letters(&self) -> Vec<Email> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path().join("outbox"))
            .map(|files| files.flatten().map(|file| file.path()).collect())
            .unwrap_or_default();
        files.sort();
        let limits = email::Limits::default();
        files.iter().map(|file| email::read(&std::fs::read(file).unwrap(), &limits)).collect()
    }

    /// To whom calls went, in order.
    fn calls(&self) -> Vec<String> {
        let call = |letter: &&Email| {
            letter
                .subject
                .as_ref()
                .is_some_and(|subject| subject.starts_with("Urgent: open message"))
        };
        self.letters().iter().filter(call).map(|letter| letter.to[0].as_str().to_owned()).collect()
    }

    /// Replies to the last call.
    async fn reply(&self, from: &str, header: &str, text: &str) {
        let letters = self.letters();
        let call = letters.iter().rfind(|letter| {
            letter.subject.as_ref().is_some_and(|subject| subject.starts_with("Urgent"))
        });
        let call = call.unwrap();
        let to = call.reply_to[0].as_str();
        let reply = mail_with(from, "Re: Urgent", header, text)
            .replace("To: complaints@northmere.example", &format!("To: {to}"));
        assert!(reply.contains(&format!("To: {to}")), "{reply}");
        self.receives("reply", &reply).await;
    }

    async fn waits(&self, kind: &str) -> usize {
        let open = tasks::open(&self.gateway.db).await.unwrap();
        open.iter().filter(|task| task.kind == kind).count()
    }
}

/// Who is called where the settings name nobody.
const DUTY_OFFICER: &str = "safeguarding-duty@northmere.example";

const DUTY: &str = "address = \"duty@northmere.example\"\n";

fn at_risk() -> String {
    mail_with("aunt@example.org", "please help", "", RISK)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_on_duty_is_called_at_once_and_somebody_else_after_a_quarter_of_an_hour() {
    let office = Office::at(IN_HOURS, DUTY).await;
    office.receives("risk", &at_risk()).await;
    assert_eq!(office.calls(), ["duty@northmere.example"]);
    office.minutes_later(14).await;
    assert_eq!(office.calls().len(), 1, "too early");
    office.minutes_later(1).await;
    assert_eq!(office.calls(), ["duty@northmere.example", "desmond.pell@northmere.example"]);
    office.minutes_later(60).await;
    assert_eq!(office.calls().len(), 2, "twice is the end of it; the task stays");
    assert_eq!(office.waits("safeguarding").await, 1);
    let words = office.letters().iter().map(|one| one.text.as_str().to_owned()).collect::<String>();
    assert!(words.contains("Nobody has opened message"), "{words}");
    // A call says nothing of what was written.
    let calls = office.letters().into_iter().filter(|one| one.to[0].as_str().contains("northmere"));
    for call in calls {
        assert!(!call.text.contains("nephew") && !call.text.contains("aunt@"), "{:?}", call.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_says_opened_ends_it_and_anything_else_is_read_by_a_person() {
    let office =
        Office::at(IN_HOURS, &format!("{DUTY}second = \"second@northmere.example\"\n")).await;
    office.receives("risk", &at_risk()).await;
    let before = office.letters().len();
    office.reply("duty@northmere.example", "", "Opened, thanks.\r\n").await;
    office.minutes_later(30).await;
    assert_eq!(office.calls(), ["duty@northmere.example"]);
    assert_eq!(office.letters().len(), before, "nobody answers it");
    // What is to be done about the child is decided by a person.
    assert_eq!(office.waits("safeguarding").await, 1);
    assert_eq!(office.waits("triage").await, 0);

    let office =
        Office::at(IN_HOURS, &format!("{DUTY}second = \"second@northmere.example\"\n")).await;
    office.receives("risk", &at_risk()).await;
    office.reply("duty@northmere.example", "", "I have not opened it, I am off today.\r\n").await;
    assert_eq!(office.waits("triage").await, 1);
    office.minutes_later(15).await;
    assert_eq!(office.calls(), ["duty@northmere.example", "second@northmere.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_say_that_it_is_opened() {
    let forged = "Authentication-Results: mx.northmere.example; dmarc=fail header.from=northmere.example\r\n";
    let trust = "[intake]\nauthentication_servers = [\"mx.northmere.example\"]\n";
    for (from, header) in [("aunt@example.org", ""), ("duty@northmere.example", forged)] {
        let office = Office::at(IN_HOURS, &format!("{DUTY}{trust}")).await;
        office.receives("risk", &at_risk()).await;
        office.reply(from, header, "OPENED\r\n").await;
        office.minutes_later(15).await;
        // What a stranger writes may be one more alarm; the first goes on.
        let first = |letter: &&Email| {
            letter
                .subject
                .as_ref()
                .is_some_and(|subject| subject.as_str() == "Urgent: open message 1 now")
        };
        assert_eq!(office.letters().iter().filter(first).count(), 2, "{from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_hours_the_address_for_that_is_called() {
    let duty = format!("{DUTY}out_of_hours = \"night@northmere.example\"\n");
    let office = Office::at(CLOSED, &duty).await;
    office.receives("risk", &at_risk()).await;
    office.minutes_later(20).await;
    assert_eq!(office.calls(), ["night@northmere.example", "duty@northmere.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_officer_has_dealt_with_it_nobody_else_is_called() {
    let office = Office::at(IN_HOURS, DUTY).await;
    office.receives("risk", &at_risk()).await;
    let open = tasks::open(&office.gateway.db).await.unwrap();
    let task = open.iter().find(|task| task.kind == "safeguarding").unwrap().id;
    assert!(postern::officer::task_done(&office.gateway, task, "pat").await.unwrap());
    office.minutes_later(30).await;
    assert_eq!(office.calls().len(), 1);
}

/// Two minutes at a tenth of their length: a server that offers no IDLE and takes half a second (five) for each
/// answer, asked every five seconds (fifty, the longest that a gateway ever waits between two looks).
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_without_idle_delays_no_alarm_beyond_two_minutes() {
    const TWO_MINUTES: Duration = Duration::from_secs(12);
    let without_idle = Options { capability: Some(WITHOUT_IDLE) };
    let mut council = Council::with_dovecot(sink().await, &without_idle);
    let slow = Fault::Drip(16 * 1024, Duration::from_millis(500));
    let proxy = Proxy::start(council.dovecot.imaps_port, slow, usize::MAX).await;
    council.reads_by_port(proxy.address.port());
    council.mailbox_setting("poll_seconds = 5");
    council.serve();
    council.until("the mailbox is read", |council| council.daemons[0].log().contains("connected"));
    // The first pass is over, and the gateway waits until it asks again: the message just misses that.
    std::thread::sleep(Duration::from_secs(4));
    for who in ["aunt", "uncle"] {
        let before = council.letters_to(DUTY_OFFICER).len();
        let delivered = Instant::now();
        council.receives(&mail_with(
            &format!("{who}@example.org"),
            &format!("please help {who}"),
            "",
            RISK,
        ));
        council.until("the duty officer is called", |council| {
            council.letters_to(DUTY_OFFICER).len() > before
        });
        let took = delivered.elapsed();
        assert!(took < TWO_MINUTES, "{who}: called after {took:?}\n{}", council.story());
        eprintln!("called after {took:?}, at a tenth of the scale");
    }
    council.close();
}
