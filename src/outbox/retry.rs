//! When a letter is tried again, and what a mail server's answer means.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::mailer::{Delay, Delivery, Reply};

/// How long after it was first due a letter is given up: then a person must act.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);

/// How long the queue may stand still before someone is told.
pub const ALARM_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// How long sending waits after the server asked us to slow down.
pub const THROTTLE_PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Pauses between one try and the next, in first pauses; the last holds for all that follow.
const STEPS: [u32; 5] = [1, 5, 15, 30, 60];

/// What comes after a try that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another try, not before this moment.
    TryAt(Timestamp),
    /// No more tries: an officer must reach the person by other means.
    GiveUp,
}

/// When to try a deferred letter again: 1, 5, 15, 30, 60 times `pause` after each other, and so on,
/// until 48 hours after `first_due_at`. `tries` counts those made, the last one included.
///
/// RFC 5321 section 4.5.4.1 asks relays for longer; we hand over to our own submission server,
/// which keeps trying by itself once it has the letter.
pub fn next_try(first_due_at: Timestamp, tries: u32, pause: Duration, now: Timestamp) -> Next {
    let step = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = pause.saturating_mul(STEPS.get(step).copied().unwrap_or(60));
    let limit = first_due_at.checked_add(GIVE_UP_AFTER).unwrap_or(Timestamp::MAX);
    match now.checked_add(pause) {
        Ok(at) if at <= limit => Next::TryAt(at),
        Ok(_) | Err(_) => Next::GiveUp,
    }
}

/// How long the whole queue rests after its `stops`-th stop in a row: 30 seconds, doubling, at
/// most 15 minutes. No letter's tries are counted meanwhile: it is not the letters' fault.
pub fn queue_pause(stops: u32) -> SignedDuration {
    let doublings = stops.saturating_sub(1).min(5);
    SignedDuration::from_secs((30_i64 << doublings).min(15 * 60))
}

/// How far the conversation had come when the answer was given (RFC 5321 section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reaching the server.
    Connect,
    /// The server's greeting and its answer to `EHLO`.
    Greeting,
    /// Agreeing on encryption.
    Tls,
    /// Logging in.
    Login,
    /// `MAIL FROM`: our own address.
    Sender,
    /// `RCPT TO`: the person's address.
    Recipient,
    /// `DATA`, before anything of the letter was sent.
    Data,
    /// The answer to the whole letter.
    AfterDot,
}

/// What the server said, as far as it decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReply {
    /// The three digits.
    pub code: u16,
    /// The lines' text, joined. It may quote addresses: never shown or logged.
    pub text: String,
}

impl ServerReply {
    /// The enhanced status code at the start of the text (RFC 3463, RFC 2034).
    pub fn enhanced(&self) -> Option<String> {
        let word = self.text.split_whitespace().next()?;
        let parts: Vec<&str> = word.split('.').collect();
        let shaped = parts.len() == 3
            && parts
                .iter()
                .all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
            && matches!(parts.first(), Some(&("2" | "4" | "5")));
        shaped.then(|| word.to_owned())
    }
}

/// What a negative answer at a step means for the letter and for the queue.
pub fn classify(step: Step, server: &ServerReply) -> Delivery {
    let enhanced = server.enhanced();
    let status = enhanced.as_deref().unwrap_or("");
    let reply = |cause: &str| Reply {
        code: Some(server.code),
        enhanced: enhanced.clone(),
        cause: cause.to_owned(),
    };
    if matches!(server.code, 530 | 534 | 535 | 538) {
        return Delivery::QueueStopped { reply: reply(LOGIN_REFUSED) };
    }
    match (server.code / 100, step) {
        (4, _) => deferred(step, server.code, status, &reply),
        (5, Step::Connect | Step::Greeting) => Delivery::QueueStopped {
            reply: reply("the mail server does not accept connections from us"),
        },
        (5, Step::Tls) => Delivery::QueueStopped {
            reply: reply("the mail server refused to encrypt the connection"),
        },
        (5, Step::Login) => Delivery::QueueStopped { reply: reply(LOGIN_REFUSED) },
        (5, _) if is_size(server.code, status) => {
            Delivery::Refused { reply: reply("the letter is larger than the mail server accepts") }
        }
        (5, Step::Sender) => Delivery::QueueStopped {
            reply: reply("the mail server does not let us send from our address"),
        },
        (5, _) if is_our_fault(status, &server.text) => Delivery::QueueStopped {
            reply: reply("the mail server does not let us send through it"),
        },
        (5, _) => Delivery::Refused { reply: reply(refusal(status, step)) },
        (_, Step::AfterDot) => Delivery::Unknown { reply: reply(UNSURE) },
        _ => Delivery::Deferred {
            reply: reply("the mail server gave an answer out of order"),
            delay: Delay::Letter,
        },
    }
}

/// Words for a login that the server refused.
pub const LOGIN_REFUSED: &str = "the mail server refused our login";
/// Words for an answer to the whole letter that never came.
pub const UNSURE: &str = "the mail server took the letter but did not say whether it accepted it";

fn deferred(step: Step, code: u16, status: &str, reply: &dyn Fn(&str) -> Reply) -> Delivery {
    let before_the_letter =
        matches!(step, Step::Connect | Step::Greeting | Step::Tls | Step::Login);
    // 4.7.1 at the recipient is greylisting, and 4.2 a full or busy mailbox: one address's matter.
    let one_address = step == Step::Recipient && (status == "4.7.1" || status.starts_with("4.2."));
    let throttled = matches!(code, 421 | 432 | 452 | 454) || status.starts_with("4.7.");
    if before_the_letter || (throttled && !one_address) {
        let reply = reply("the mail server asks us to send more slowly or later");
        return Delivery::Deferred { reply, delay: Delay::Everything };
    }
    let cause = match status {
        "4.2.2" => "the person's mailbox is full",
        "4.7.1" => "the mail server asks us to try this address again later",
        _ => "the mail server could not take the letter for now",
    };
    Delivery::Deferred { reply: reply(cause), delay: Delay::Letter }
}

fn is_size(code: u16, status: &str) -> bool {
    matches!(code, 523 | 552) && !status.starts_with("5.2.2")
        || status == "5.3.4"
        || status == "5.2.3"
}

/// Refusals of the recipient or the letter that would meet every letter alike: sending as
/// someone we may not be, or through a server that does not relay for us.
fn is_our_fault(status: &str, text: &str) -> bool {
    let sender_refused = ["5.7.30", "5.7.54", "5.7.57", "5.7.60", "5.7.64", "5.1.8", "5.2.252"];
    // Whole phrases: a bare word could be part of the address that the text quotes.
    let phrases = [
        "relay access denied",
        "relay not permitted",
        "relaying denied",
        "unable to relay",
        "sendasdenied",
    ];
    let text = text.to_ascii_lowercase();
    sender_refused.contains(&status) || phrases.iter().any(|phrase| text.contains(phrase))
}

fn refusal(status: &str, step: Step) -> &'static str {
    match status {
        "5.1.1" | "5.1.10" | "5.4.1" => "the address does not exist",
        "5.1.2" => "the address's domain does not exist",
        "5.2.1" => "the address is switched off",
        "5.2.2" => "the person's mailbox is full",
        _ if status.starts_with("5.7.") => "the mail server refuses the letter by its policy",
        _ if step == Step::Recipient => "the mail server does not accept this address",
        _ => "the mail server does not accept this letter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(minutes: i64) -> Timestamp {
        "2026-11-25T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn the_schedule_is_the_published_one() {
        let mut now = 0;
        let mut waits = Vec::new();
        for tries in 1.. {
            match next_try(at(0), tries, MINUTE, at(now)) {
                Next::TryAt(next) => {
                    let wait = next.duration_since(at(now)).as_mins();
                    waits.push(wait);
                    now += wait;
                }
                Next::GiveUp => break,
            }
        }
        assert_eq!(waits[..7], [1, 5, 15, 30, 60, 60, 60]);
        assert!(waits[4..].iter().all(|&wait| wait == 60));
        assert!((47 * 60..=48 * 60).contains(&now), "gave up after {now} minutes");
        assert_eq!(next_try(at(0), u32::MAX, MINUTE, at(0)), Next::TryAt(at(60)));
        assert_eq!(next_try(at(0), 0, MINUTE, Timestamp::MAX), Next::GiveUp);
    }

    #[test]
    fn the_queue_rests_longer_each_time_up_to_a_quarter_of_an_hour() {
        let rests: Vec<i64> = (1..=7).map(|stops| queue_pause(stops).as_secs()).collect();
        assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(queue_pause(u32::MAX).as_secs(), 900);
    }

    fn check(step: Step, code: u16, text: &str, expected: &str) {
        let delivery = classify(step, &ServerReply { code, text: text.to_owned() });
        let name = match &delivery {
            Delivery::Accepted { .. } => "accepted",
            Delivery::Deferred { delay: Delay::Letter, .. } => "later",
            Delivery::Deferred { delay: Delay::Everything, .. } => "slower",
            Delivery::Refused { .. } => "refused",
            Delivery::QueueStopped { .. } => "stop",
            Delivery::Unknown { .. } => "unknown",
        };
        assert_eq!(name, expected, "{step:?} {code} {text}");
        assert!(!delivery.reply().cause.contains('@'));
    }

    #[test]
    fn each_answer_has_its_class() {
        use Step::{AfterDot, Connect, Data, Greeting, Login, Recipient, Sender, Tls};
        check(Greeting, 554, "go away", "stop");
        check(Connect, 554, "go away", "stop");
        check(Greeting, 421, "4.3.2 too many connections", "slower");
        check(Tls, 502, "no", "stop");
        check(Tls, 454, "TLS not available", "slower");
        check(Login, 535, "5.7.8 wrong", "stop");
        check(Login, 534, "5.7.9 weak", "stop");
        check(Login, 504, "5.5.4 unknown mechanism", "stop");
        check(Login, 454, "4.7.0 try later", "slower");
        check(Sender, 530, "5.7.0 log in first", "stop");
        check(Sender, 550, "5.1.8 bad sender", "stop");
        check(Sender, 550, "5.7.30 basic auth", "stop");
        check(Sender, 553, "not yours", "stop");
        check(Sender, 552, "5.3.4 too big", "refused");
        check(Sender, 432, "4.3.2 concurrent", "slower");
        check(Sender, 451, "4.3.0 lookup failed", "later");
        check(Recipient, 450, "busy", "later");
        check(Recipient, 451, "4.7.1 greylisted", "later");
        check(Recipient, 451, "4.7.500 busy", "slower");
        check(Recipient, 452, "4.2.2 mailbox full", "later");
        check(Recipient, 452, "4.3.1 no space", "slower");
        check(Recipient, 421, "4.7.0 bye", "slower");
        check(Recipient, 550, "5.1.1 <x@y.example> no such user", "refused");
        check(Recipient, 550, "no such user relay@y.example", "refused");
        check(Recipient, 550, "no such user x@y.example", "refused");
        check(Recipient, 553, "5.1.3 bad", "refused");
        check(Recipient, 552, "5.2.2 over quota", "refused");
        check(Recipient, 550, "5.7.1 blocked", "refused");
        check(Recipient, 554, "5.7.1 <x@y.example>: Relay access denied", "stop");
        check(Recipient, 550, "5.7.57 not authenticated", "stop");
        check(Recipient, 530, "5.7.0 log in first", "stop");
        check(Data, 451, "4.3.0 wait", "later");
        check(Data, 554, "no valid recipients", "refused");
        check(Data, 250, "what", "later");
        check(AfterDot, 451, "4.3.0 wait", "later");
        check(AfterDot, 452, "4.3.1 disk", "slower");
        check(AfterDot, 552, "5.3.4 too big", "refused");
        check(AfterDot, 554, "5.7.1 spam", "refused");
        check(AfterDot, 554, "5.2.252 SendAsDenied; a@b.example", "stop");
        check(AfterDot, 354, "go on", "unknown");
        check(AfterDot, 251, "forwarding", "unknown");
    }

    #[test]
    fn an_enhanced_code_is_read_only_where_there_is_one() {
        let enhanced = |text: &str| ServerReply { code: 550, text: text.to_owned() }.enhanced();
        assert_eq!(enhanced("5.7.509 no").as_deref(), Some("5.7.509"));
        assert_eq!(enhanced("5.7 no"), None);
        assert_eq!(enhanced("a@b.c.example"), None);
        assert_eq!(enhanced("127.0.0.1 blocked"), None);
        assert_eq!(enhanced(""), None);
    }
}
