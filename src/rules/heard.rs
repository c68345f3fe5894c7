//! The second opinion beside the rules: what both together make of a message, and what that is worth.

use super::Second;
use super::label::Label;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, Theme};

/// How loudly the second opinion speaks beside the rules when the lead service is chosen: what the logarithm
/// of a chance counts, where that of the rules' sum counts [`RULES_SPEAK`]. Set, as all of these, over the files of
/// `rules/examples`, each judged by what all others teach.
pub(super) const SECOND_SERVICE: f64 = 1.5;
/// See [`SECOND_SERVICE`].
const SECOND_CUSTOMER: f64 = 1.2;
/// See [`SECOND_SERVICE`].
const RULES_SPEAK: f64 = 2.0;
/// What the rules' certainty of a record type counts, as log odds against [`OTHERS`] more, beside the
/// logarithm of the second opinion's chances. Where another type wins, an officer looks.
const RULES_TYPE: f64 = 0.35;
/// See [`RULES_TYPE`]: how many other types there are.
const OTHERS: f64 = 9.0;
/// Rows as sure as this go by facts that no resemblance outweighs: a machine, a member, a service that answers.
pub(super) const FACT: f64 = 0.97;
/// Less likely types turn no choice of the rules.
const TURNS_FROM: f64 = 0.4;
/// No chance counts for less: logarithms have no end.
const LEAST_CHANCE: f64 = 0.003;
/// By theme what a rule that found it adds to the second opinion's log odds, and from which sum on it holds.
const THEMES: [(Theme, f64, f64); 5] = [
    (Theme::Communication, 1.5, -0.75),
    (Theme::EqualitiesRegulatory, 1.0, -1.25),
    (Theme::ServiceIssue, 1.5, 1.25),
    (Theme::PolicyProcedure, 2.5, 0.0),
    (Theme::StaffConduct, 2.0, -0.75),
];
/// See [`THEMES`]. Flags that a rule found stay: danger above all may be raised by anything, and only a person clears
/// it.
const FLAGS: [(Flag, f64, f64); 9] = [
    // Recall before precision: one chance in seven is enough.
    (Flag::Safeguarding, STAYS, -1.75),
    (Flag::ChildAuthor, STAYS, 0.4),
    (Flag::Representative, STAYS, 0.0),
    (Flag::LegalProceedings, STAYS, 0.25),
    (Flag::Over12Months, STAYS, -0.4),
    (Flag::Anonymous, STAYS, -0.75),
    (Flag::OtherOrganisation, STAYS, -0.5),
    (Flag::DataRequest, STAYS, 0.0),
    (Flag::AdjustmentNeeded, STAYS, 0.3),
];
/// No log odds outweigh it.
const STAYS: f64 = f64::INFINITY;
/// Another service answers too from these log odds on: the second opinion's that it is one of those that answer, and
/// what the logarithm of the rules' sum counts beside them. Of three such services one is too many; without them four
/// in five that were meant are not asked.
const ANSWERS_TOO: (f64, f64) = (3.65, 1.5);
/// From these log odds on the second opinion finds a theme or a flag in few words, of which it knows less than
/// [`ENOUGH_KNOWN`]. What rules found in them stays.
const ALONE: f64 = 2.2;
/// So much of a message must have stood in examples for small chances to count: a line or two.
const ENOUGH_KNOWN: usize = 80;
/// How often a classification has turned out wholly right, on labelled messages that the second opinion
/// had not seen: the log odds for certainties of 1, and what the logarithm of each
/// certainty adds (of record type, lead service, customer; rules and second opinion together).
const WORTH: (f64, [f64; 3]) = (0.11, [1.21, 1.83, 2.40]);
/// What the logarithm adds of how likely the second opinion finds each of them.
const LIKELY: [f64; 3] = [0.14, 0.43, 0.49];
/// What the logarithm adds of how likely it finds what it likes second best of each.
const NEXT: [f64; 3] = [-0.38, -0.31, -0.18];
/// What it takes off the log odds that the second opinion turned a choice of the rules.
const TURNED: f64 = 0.99;
/// What it takes off that more than one service is to answer: which of them leads is often a matter of taste.
const SEVERAL: f64 = 0.51;
/// What it adds that a row of facts says who writes.
const DECIDED: f64 = 0.73;
/// No certainty counts for less: logarithms have no end.
const LEAST_CERTAINTY: f64 = 0.02;
/// The same where there is no second opinion: of rules alone even the surest are less often wholly right.
const RULES_ALONE: (f64, f64) = (2.2, 3.57);

/// What rules say of a theme or a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruled {
    Not,
    Found,
    /// Found by a row that goes by facts ([`FACT`]).
    Stands,
}

/// Services and customers by their sums, best first.
pub(super) struct Ranked {
    pub(super) services: Vec<(usize, f64)>,
    pub(super) customers: Vec<(CustomerType, f64)>,
}

/// The second opinion beside what rules alone would have said.
pub(super) struct Heard<'a> {
    pub(super) second: Option<&'a Second>,
    pub(super) by_rules: &'a Ranked,
}

impl Heard<'_> {
    /// The record type: the rules', unless they are less sure of it than the second opinion of another; and how sure
    /// both together are, among all types. What the Children Act covers is social care's alone, whatever it sounds like,
    /// only the register knows who is a service that answers, and what tells of danger is never turned away.
    pub(super) fn record_type(
        &self,
        (by_rules, sure): (RecordType, f64),
        social_care: bool,
        danger: bool,
    ) -> (RecordType, f64) {
        let Some(second) = self.second.filter(|_| sure < FACT) else { return (by_rules, sure) };
        let certain = sure.clamp(LEAST_CHANCE, FACT);
        let ruled = RULES_TYPE * (OTHERS * certain / (1.0 - certain)).ln();
        let chance =
            |value: RecordType| second.record_type.get(value as usize).copied().unwrap_or(0.0);
        let worth = |value: RecordType| {
            let chance = (chance(value) + LEAST_CHANCE).ln();
            if value == by_rules { chance + ruled } else { chance }
        };
        let possible = |value: &RecordType| match value {
            _ if *value == by_rules => true,
            // Of few words, or another language's, its chances are those of any message.
            _ if second.known < ENOUGH_KNOWN || chance(*value) < TURNS_FROM => false,
            RecordType::ServiceResponse => false,
            RecordType::ChildrenActComplaint | RecordType::Representation => social_care,
            // Whether it is not for us, a person then says. A child in danger is.
            RecordType::NotForUs => !danger,
            RecordType::CorporateComplaint
            | RecordType::MemberEnquiry
            | RecordType::Enquiry
            | RecordType::Comment
            | RecordType::Compliment
            | RecordType::FollowUp => true,
        };
        let types = RecordType::ALL.iter().map(|value| (*value, worth(*value)));
        likeliest(types, possible).unwrap_or((by_rules, sure))
    }

    /// Who writes, by the rules' sums and the second opinion's chances together, and how sure both are.
    pub(super) fn customer(&self) -> (Option<CustomerType>, Option<f64>) {
        let by_rules = &self.by_rules.customers;
        let Some(second) = self.second else {
            return (by_rules.first().map(|(value, _)| *value), None);
        };
        let worth = |value: CustomerType| {
            let sum =
                by_rules.iter().find(|(other, _)| *other == value).map_or(0.0, |(_, sum)| *sum);
            let chance = second.customer.get(value as usize).copied().unwrap_or(0.0);
            together(sum, chance, SECOND_CUSTOMER)
        };
        likeliest(CustomerType::ALL.iter().map(|value| (*value, worth(*value))), |_| true).unzip()
    }

    /// Whether a theme holds that rules found or did not find, and how likely the second opinion finds it where it
    /// turned that.
    pub(super) fn theme(&self, theme: Theme, ruled: Ruled) -> (bool, Option<f64>) {
        let weighs = THEMES.iter().find(|(one, ..)| *one == theme);
        let chance = self.second.and_then(|second| second.themes.get(theme as usize));
        self.holds(ruled, chance.copied(), weighs.map(|(_, heard, from)| (*heard, *from)))
    }

    /// See [`Heard::theme`]; of a flag.
    pub(super) fn flag(&self, flag: Flag, ruled: Ruled) -> (bool, Option<f64>) {
        let weighs = FLAGS.iter().find(|(one, ..)| *one == flag);
        let chance = self.second.and_then(|second| second.flags.get(flag as usize));
        self.holds(ruled, chance.copied(), weighs.map(|(_, heard, from)| (*heard, *from)))
    }

    fn holds(
        &self,
        ruled: Ruled,
        chance: Option<f64>,
        weighs: Option<(f64, f64)>,
    ) -> (bool, Option<f64>) {
        let found = ruled != Ruled::Not;
        let (Some(second), Some(chance), Some((heard, from))) = (self.second, chance, weighs)
        else {
            return (found, None);
        };
        // Of few words small chances tell nothing: they are those of any message.
        let holds = match ruled {
            Ruled::Stands => true,
            Ruled::Found if second.known < ENOUGH_KNOWN => true,
            Ruled::Not if second.known < ENOUGH_KNOWN => log_odds(chance) >= ALONE,
            Ruled::Found => log_odds(chance) + heard >= from,
            Ruled::Not => log_odds(chance) >= from,
        };
        (holds, Some(chance).filter(|_| holds != found))
    }

    /// How far beyond [`ANSWERS_TOO`] it is that a service answers beside the lead. Nothing without a second opinion.
    pub(super) fn answers_too(&self, service: usize, sum: f64) -> Option<f64> {
        let chance = self.second?.answering.get(service)?;
        let (needed, loud) = ANSWERS_TOO;
        Some(log_odds(*chance) + loud * sum.max(0.0).ln_1p() - needed)
    }

    /// How likely the second opinion finds what was chosen.
    pub(super) fn chances(
        &self,
        record_type: RecordType,
        service: usize,
        customer: CustomerType,
    ) -> Option<[f64; 3]> {
        let second = self.second?;
        let of = |chances: &[f64], number: usize| chances.get(number).copied().unwrap_or(0.0);
        Some([
            of(&second.record_type, record_type as usize),
            of(&second.service, service),
            of(&second.customer, customer as usize),
        ])
    }

    /// What the rules alone would have put first, where another service or customer leads, with how likely the second
    /// opinion finds it.
    pub(super) fn overruled(
        &self,
        lead: Option<usize>,
        customer: Option<CustomerType>,
    ) -> Vec<(Label, f64)> {
        let services = self.by_rules.services.first().map(|(number, _)| *number);
        let customers = self.by_rules.customers.first().map(|(value, _)| *value);
        let service = services.filter(|_| services != lead).map(|number| {
            let chance = self.second.and_then(|second| second.service.get(number));
            (Label::Service(number), chance.copied().unwrap_or(0.0))
        });
        let customer = customers.filter(|_| customers != customer).map(|value| {
            let chance = self.second.and_then(|second| second.customer.get(value as usize));
            (Label::Customer(value), chance.copied().unwrap_or(0.0))
        });
        service.into_iter().chain(customer).collect()
    }
}

impl Second {
    /// How likely it finds what it likes second best of record type, service and customer.
    pub(super) fn next_best(&self) -> [f64; 3] {
        [&self.record_type, &self.service, &self.customer].map(|chances| {
            let (mut best, mut next) = (0.0, 0.0_f64);
            for chance in chances {
                if *chance > best {
                    (best, next) = (*chance, best);
                } else {
                    next = next.max(*chance);
                }
            }
            next
        })
    }
}

/// The first of those worth most that is `possible`, with how likely that makes it among all.
pub(super) fn likeliest<T>(
    options: impl Iterator<Item = (T, f64)>,
    possible: impl Fn(&T) -> bool,
) -> Option<(T, f64)> {
    let mut all = 0.0;
    let mut best: Option<(T, f64)> = None;
    for (value, worth) in options {
        all += worth.exp();
        if possible(&value) && best.as_ref().is_none_or(|(_, most)| worth > *most) {
            best = Some((value, worth));
        }
    }
    best.map(|(value, worth)| (value, worth.exp() / all))
}

/// What a label is worth that rules give a sum and the second opinion a chance.
pub(super) fn together(sum: f64, chance: f64, loud: f64) -> f64 {
    RULES_SPEAK * sum.max(0.0).ln_1p() + loud * (chance + LEAST_CHANCE).ln()
}

fn log_odds(chance: f64) -> f64 {
    (chance / (1.0 - chance).max(f64::MIN_POSITIVE)).ln()
}

/// On what a classification rests.
pub(super) struct Grounds {
    /// Of record type, lead service and customer.
    pub(super) certainties: [f64; 3],
    /// The second opinion turned a choice of the rules.
    pub(super) turned: bool,
    /// More than one service is to answer.
    pub(super) several: bool,
    /// A row of facts says who writes.
    pub(super) decided: bool,
    /// How likely the second opinion finds each of the three, and what it likes second best; none where there is none.
    pub(super) second: Option<[[f64; 3]; 2]>,
}

impl Grounds {
    /// How often what rests on such grounds is wholly right ([`WORTH`]).
    pub(super) fn worth(&self) -> f64 {
        let product: f64 = self.certainties.iter().product();
        if product <= 0.0 {
            return 0.0;
        }
        let sum = |odds: f64, (certainty, weight): (f64, f64)| {
            odds + weight * certainty.max(LEAST_CERTAINTY).ln()
        };
        let when = |held: bool, counts: f64| if held { counts } else { 0.0 };
        let odds = match self.second {
            None => sum(RULES_ALONE.0, (product, RULES_ALONE.1)),
            Some([likely, next]) => {
                let (all, each) = WORTH;
                let of_both = self.certainties.into_iter().zip(each);
                let of_one = likely.into_iter().zip(LIKELY).chain(next.into_iter().zip(NEXT));
                of_both.chain(of_one).fold(all, sum) + when(self.decided, DECIDED)
                    - when(self.several, SEVERAL)
                    - when(self.turned, TURNED)
            }
        };
        1.0 / (1.0 + (-odds).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_has_its_share_of_all() {
        let (value, share) =
            likeliest([('a', 0.0), ('b', 1.0), ('c', 1.0)].into_iter(), |_| true).unwrap();
        assert_eq!(value, 'b');
        assert!((share - 1.0_f64.exp() / (1.0 + 2.0 * 1.0_f64.exp())).abs() < 1e-9);
        let (value, lesser) =
            likeliest([('a', 0.0), ('b', 1.0)].into_iter(), |v| *v == 'a').unwrap();
        assert!(value == 'a' && lesser < 0.3, "what is not possible is none the less likely");
        assert_eq!(likeliest(std::iter::empty::<(u8, f64)>(), |_| true), None);
    }

    #[test]
    fn what_tells_of_danger_is_never_turned_away() {
        let mut record_type = vec![0.0; RecordType::ALL.len()];
        record_type[RecordType::NotForUs as usize] = 0.9;
        let second = Second { record_type, known: ENOUGH_KNOWN, ..Second::default() };
        let by_rules = Ranked { services: Vec::new(), customers: Vec::new() };
        let heard = Heard { second: Some(&second), by_rules: &by_rules };
        let read = |danger| heard.record_type((RecordType::Enquiry, 0.5), true, danger).0;
        assert_eq!((read(false), read(true)), (RecordType::NotForUs, RecordType::Enquiry));
    }

    #[test]
    fn what_is_turned_doubted_or_has_no_second_opinion_is_less_sure() {
        let grounds = |certainties| Grounds {
            certainties,
            turned: false,
            several: false,
            decided: false,
            second: Some([[1.0; 3], [0.0; 3]]),
        };
        let sure = grounds([1.0; 3]).worth();
        assert!(sure > 0.95);
        let lesser = [
            Grounds { turned: true, ..grounds([1.0; 3]) },
            Grounds { several: true, ..grounds([1.0; 3]) },
            Grounds { second: Some([[0.5; 3], [0.0; 3]]), ..grounds([1.0; 3]) },
            Grounds { second: Some([[1.0; 3], [0.4; 3]]), ..grounds([1.0; 3]) },
            Grounds { second: None, ..grounds([1.0; 3]) },
        ];
        assert!(lesser.iter().all(|grounds| grounds.worth() < sure));
        assert!(Grounds { decided: true, ..grounds([1.0; 3]) }.worth() > sure);
        assert!(grounds([0.9, 0.5, 0.9]).worth() < 0.9);
        assert!(grounds([0.0, 1.0, 1.0]).worth().abs() < 1e-9);
    }
}
