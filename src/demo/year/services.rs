//! What services and customers do with the letters that reach them: they answer, by mail, on their day.

use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};

use super::matter::{Chances, Reply};
use super::post::{Head, Left, Mail};
use super::{Planned, Year};
use crate::clock::{london, london_day};
use crate::rules::services::Service;

/// What a manager writes who answers.
const ANSWERS: [&str; 4] = [
    "Answer: we were late and are sorry. The work is now planned, and the family will hear from us this week.",
    "Point 1: upheld. We are sorry. It was not done in time, and it is now planned.\nPlease say that we will ring this week.",
    "Our response is below.\nPoint 1: not upheld. The decision was made in the right way.\nPoint 2: upheld. The letter came too late.",
    "Please find our comments: the part about delay is upheld, the rest is not upheld.",
];
const ACCEPTS: [&str; 3] = ["ACCEPT", "Accepted, thank you.", "Leave it with me, this is ours."];

/// At eleven, a little apart.
pub(super) fn eleven(day: Date, apart: usize) -> Timestamp {
    let minute = i8::try_from(apart % 60).unwrap_or(0);
    let moment = day.to_datetime(time(11, minute, 0, 0)).to_zoned(london());
    moment.map_or(Timestamp::UNIX_EPOCH, |moment| moment.timestamp())
}

impl Year {
    /// Everybody reads what reached them.
    pub(super) fn react(&mut self, letters: &[Left], now: Timestamp) -> anyhow::Result<()> {
        for letter in letters {
            if letter.subject.starts_with("Please answer by") {
                self.asked(letter, now)?;
            } else if letter.subject.starts_with("We have your message") {
                self.acknowledged(letter, now)?;
            }
        }
        Ok(())
    }

    /// A customer has the acknowledgement.
    fn acknowledged(&mut self, letter: &Left, now: Timestamp) -> anyhow::Result<()> {
        let today = london_day(now);
        let soon = self.working_day_after(today, 8)?;
        let Some(case) = letter.reference().and_then(|reference| self.cases.get_mut(reference))
        else {
            return Ok(());
        };
        if case.acknowledgement.is_some() {
            return Ok(());
        }
        case.acknowledgement = Some(letter.clone());
        let Some(matter) = self.matters.get(case.matter) else { return Ok(()) };
        let mut random = matter.chances(Chances::AfterLetter);
        let (number, name) = (matter.number, matter.people.name());
        let minutes = |n: i64| now.saturating_add(n.minutes()).unwrap_or(now);
        let writes = |automatic| Head {
            from: (name.as_str(), &letter.recipient),
            to: &letter.reply_to,
            subject: if automatic { "Automatic reply" } else { "RE: my message" },
            answers: Some(&letter.message_id),
            automatic,
        };
        // A handful of addresses no longer work, a few people are away.
        let mail = match random.below(1000) {
            at if at < 8 => Some((minutes(2), Mail::bounce(format!("b{number}"), now, letter))),
            at if at < 20 => {
                let at = minutes(3);
                let body =
                    "I am on holiday until the end of the month and will read your email then.";
                Some((at, Mail::plain(format!("o{number}"), at, &writes(true), body)))
            }
            at if at < 150 && matter.record_type.is_complaint() => {
                let at = eleven(soon, number);
                let body =
                    "Is there any news on my complaint? I have heard nothing since your letter.";
                Some((at, Mail::plain(format!("c{number}"), at, &writes(false), body)))
            }
            _ => None,
        };
        if let Some((at, mail)) = mail {
            self.arrives_later(at, mail);
        }
        Ok(())
    }

    /// A manager has a request.
    fn asked(&mut self, letter: &Left, now: Timestamp) -> anyhow::Result<()> {
        let policy = self.gateway.policy();
        let recipient = letter.recipient.as_str();
        let is = |address: &str| address.eq_ignore_ascii_case(recipient);
        let of = |service: &&Service| {
            is(&service.responding_manager.address)
                || service.deputies.iter().any(|deputy| is(&deputy.address))
        };
        // The inbox has it as well; a person answers.
        let Some(service) = policy.rules.services().each().find(of) else { return Ok(()) };
        let mut people = std::iter::once(&service.responding_manager).chain(&service.deputies);
        let Some(person) = people.find(|person| is(&person.address)) else { return Ok(()) };
        let Some(case) = letter.reference().and_then(|reference| self.cases.get_mut(reference))
        else {
            return Ok(());
        };
        let Some(matter) = self.matters.get(case.matter) else { return Ok(()) };
        let reply =
            if is(&service.responding_manager.address) { case.reply } else { Reply::Accepts(1) };
        // The next time that somebody is asked, nothing goes wrong.
        case.reply = Reply::Accepts(1);
        case.asked += 1;
        let (number, respond_on, times) = (matter.number, case.respond_on, case.asked);
        let reference = case.reference.clone();
        let mut random = matter.chances(Chances::Words(times));
        let today = london_day(now);
        let says = |year: &mut Self, day: Date, body: &str| {
            let at = eleven(day, number).max(now.saturating_add(20.minutes()).unwrap_or(now));
            let head = Head {
                from: (&person.name, &person.address),
                to: &letter.reply_to,
                subject: &format!("RE: {}", letter.subject),
                answers: Some(&letter.message_id),
                automatic: false,
            };
            year.replies += 1;
            let name = format!("r{number}-{times}-{}", year.replies);
            year.arrives_later(at, Mail::plain(name, at, &head, body));
        };
        let after = |year: &Self, days: u16| year.working_day_after(today, days);
        let accepts = *random.pick(&ACCEPTS);
        match reply {
            Reply::Accepts(days) => says(self, after(self, days)?, accepts),
            Reply::MoreTime => {
                says(self, after(self, 1)?, accepts);
                says(self, after(self, 5)?, "Could we have a bit longer for this, please?");
            }
            Reply::NotOurs => {
                says(self, after(self, 2)?, "Not ours: another team has this family.");
                return Ok(());
            }
            Reply::Away => {
                says(self, after(self, 1)?, "Away: I am on leave for three weeks.");
                return Ok(());
            }
            Reply::Telephone => {
                if let Some(day) = respond_on {
                    self.plan(day, Planned::Telephone(reference, service.id.clone()));
                }
                return Ok(());
            }
            Reply::Silent => {}
        }
        // The complaints team writes to the customer the day after.
        if let Some(day) = respond_on {
            let before = self.working_days_before(day, 1)?.max(after(self, 1)?);
            let answer = *random.pick(&ANSWERS);
            says(self, before, answer);
        }
        Ok(())
    }

    pub(super) fn working_day_after(&self, day: Date, days: u16) -> anyhow::Result<Date> {
        Ok(self.gateway.policy().calendar.add_working_days(day, days.into())?)
    }

    pub(super) fn working_days_before(&self, day: Date, days: u16) -> anyhow::Result<Date> {
        Ok(self.gateway.policy().calendar.add_working_days(day, -i32::from(days))?)
    }
}
