//! The matters of a year: who writes what, when and how, and how soon they will be answered.

use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};

use super::mix::{self, Division, Method, Slot};
use super::people::{MEMBERS, Member, People};
use super::random::Random;
use super::words::{self, Letter};
use crate::casework::vocabulary::{CustomerType, RecordType};
use crate::clock::london;

/// What a service does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Accepts it so many working days later, then answers.
    Accepts(u16),
    /// Says nothing until it answers.
    Silent,
    /// Says that it is not theirs.
    NotOurs,
    /// Asks for longer, then answers.
    MoreTime,
    /// Says that who has it is away; the deputy answers.
    Away,
    /// Answers on the telephone.
    Telephone,
}

/// What is left to chance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chances {
    /// When the first stage is answered.
    FirstAnswer,
    /// When the second is.
    SecondAnswer,
    /// What the customer does with our letter.
    AfterLetter,
    /// Whether they go on.
    NextStage,
    /// What a manager writes, asked for the so-many-th time.
    Words(u32),
}

/// A matter that somebody raises.
#[derive(Debug, Clone)]
pub struct Matter {
    /// Its place in the year's list.
    pub number: usize,
    /// When it arrives.
    pub at: Timestamp,
    /// How.
    pub method: Method,
    /// What it is, as whoever put the year together means it.
    pub record_type: RecordType,
    /// Whose division answers.
    pub division: Division,
    /// Which service answers.
    pub service: &'static str,
    /// Who writes.
    pub customer_type: CustomerType,
    /// The people in it.
    pub people: People,
    pub(super) member: Option<Member>,
    pub(super) letter: Letter,
    pub(super) reply: Reply,
    seed: u64,
}

impl Matter {
    /// What chance has in store for it: one source for each purpose.
    pub(super) fn chances(&self, of: Chances) -> Random {
        let salt = match of {
            Chances::FirstAnswer => 0x11,
            Chances::SecondAnswer => 0x22,
            Chances::AfterLetter => 0x33,
            Chances::NextStage => 0x44,
            Chances::Words(times) => 0x5500 + u64::from(times),
        };
        Random::of(self.seed ^ (salt << 40), self.number)
    }

    /// Where whoever wrote it is answered.
    pub fn from_address(&self) -> &str {
        self.member.map_or(self.people.address.as_str(), |member| member.address)
    }
}

/// The year's matters, by arrival: every `every`-th of the whole mix.
pub fn matters(first: Date, seed: u64, every: usize) -> Vec<Matter> {
    let slots = mix::slots(seed).into_iter().enumerate();
    let mut matters: Vec<Matter> = slots
        .step_by(every.max(1))
        .map(|(number, slot)| matter(first, seed, number, slot))
        .collect();
    matters.sort_by_key(|matter| (matter.at, matter.number));
    matters
}

fn matter(first: Date, seed: u64, number: usize, slot: Slot) -> Matter {
    let mut random = Random::of(seed, number);
    let Slot { record_type, division, method } = slot;
    let service = random.weighted(mix::services(division, record_type));
    let customer_type = mix::customer(service, record_type, &mut random);
    let people = People::of(number, &mut random);
    let member = (record_type == RecordType::MemberEnquiry).then(|| *random.pick(&MEMBERS));
    let letter = words::write(service, record_type, customer_type, &mut random);
    let letter = filled(&letter, &people, member, method);
    let reply = match random.below(100) {
        at if at < 62 => Reply::Accepts(1),
        at if at < 74 => Reply::Accepts(random.between(3, 5)),
        at if at < 87 => Reply::Silent,
        at if at < 91 => Reply::NotOurs,
        at if at < 95 => Reply::MoreTime,
        at if at < 97 => Reply::Away,
        _ => Reply::Telephone,
    };
    let at = arrives(first, &mut random);
    Matter {
        number,
        at,
        method,
        record_type,
        division,
        service,
        customer_type,
        people,
        member,
        letter,
        reply,
        seed,
    }
}

/// Fills in who is who, and signs.
fn filled(letter: &Letter, people: &People, member: Option<Member>, method: Method) -> Letter {
    let fill = |text: &str| {
        let name = people.name();
        let pairs = [
            ("{child}", people.child.as_str()),
            ("{school}", people.school.as_str()),
            ("{street}", people.street.as_str()),
            ("{name}", name.as_str()),
        ];
        pairs.iter().fold(text.to_owned(), |text, (field, value)| text.replace(field, value))
    };
    let sign = match member {
        Some(member) => format!("{}\n{}", member.name, member.title),
        None if method == Method::SelfService => String::new(),
        None => format!("{}\n{}, {}", people.name(), people.street, people.town),
    };
    let text = format!("{}\n\n{sign}", fill(&letter.text));
    Letter { subject: fill(&letter.subject), text: text.trim_end().to_owned() }
}

/// A moment of the year: more on Mondays than on Fridays, few at weekends and at night.
fn arrives(first: Date, random: &mut Random) -> Timestamp {
    let last = first.saturating_add(1.year());
    let days =
        usize::try_from(first.until(last).map_or(365, |span| span.get_days())).unwrap_or(365);
    let days = days.max(365);
    let day = loop {
        let offset = i64::try_from(random.below(days)).unwrap_or(0);
        let day = first.saturating_add(offset.days());
        let weight = match day.weekday().to_monday_one_offset() {
            1 => 1000,
            2 | 3 => 850,
            4 => 800,
            5 => 700,
            _ => 180,
        };
        // School places in spring, a new term, plans before transfer.
        let season = match day.month() {
            3 | 9 | 10 => 1000,
            2 | 4 | 11 => 850,
            8 | 12 => 550,
            _ => 750,
        };
        if day < last && random.chance(weight) && random.chance(season) {
            break day;
        }
    };
    let hour = random.weighted(&[
        (1, 2),
        (7, 6),
        (9, 16),
        (11, 18),
        (13, 14),
        (15, 16),
        (18, 12),
        (20, 12),
        (22, 8),
        (23, 3),
    ]);
    let minute = i8::try_from(random.below(60)).unwrap_or(0);
    let moment = day.to_datetime(time(hour, minute, 0, 0)).to_zoned(london());
    moment.map_or(Timestamp::UNIX_EPOCH, |moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::clock::london_day;

    #[test]
    fn a_share_of_the_year_is_the_same_matters() {
        let all = matters(date(2026, 4, 1), 1, 1);
        assert_eq!(all.len(), mix::REPRESENTATIONS);
        let (first, last) = (date(2026, 4, 1), date(2027, 3, 31));
        assert!(all.iter().all(|one| (first..=last).contains(&london_day(one.at))));
        let share = matters(date(2026, 4, 1), 1, 8);
        assert_eq!(share.len(), 201);
        for one in &share {
            let same = all.iter().find(|other| other.number == one.number).expect("in the whole");
            assert_eq!((&one.people, one.at), (&same.people, same.at));
        }
        let addresses: BTreeSet<&str> =
            all.iter().filter(|one| one.member.is_none()).map(Matter::from_address).collect();
        assert_eq!(addresses.len(), 1602 - 386);
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for one in matters(date(2026, 4, 1), 2, 3) {
            assert!(!one.letter.text.contains(['{', '}']), "{}", one.letter.text);
            assert!(!one.letter.subject.contains('{'));
        }
    }
}
