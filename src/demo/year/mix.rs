//! The mix of the annual report 2020-21: how many of which type, by whom, how, and how soon they are answered.

use super::random::Random;
use crate::casework::vocabulary::{CustomerType, RecordType};

/// All representations of a year.
pub const REPRESENTATIONS: usize = 1602;

/// The divisions of table 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Division {
    /// Integrated Children's Services.
    Integrated,
    /// Education Planning and Access.
    Education,
    /// Special educational needs.
    Sen,
    /// Disabled Children's Service.
    Disabled,
    /// The Corporate Director's office, Commissioning.
    Other,
}

impl Division {
    /// Every division, in the report's order.
    pub const ALL: [Self; 5] =
        [Self::Integrated, Self::Education, Self::Sen, Self::Disabled, Self::Other];

    /// The report's words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Integrated => "Integrated Children's Services",
            Self::Education => "Education Planning and Access",
            Self::Sen => "SEN",
            Self::Disabled => "Disabled Children's Service",
            Self::Other => "Other",
        }
    }
}

/// How a matter came (table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// E-mail.
    Email,
    /// The council's web form.
    SelfService,
    /// Through an MP or an elected member.
    Member,
    /// Telephone.
    Telephone,
    /// The council's contact centre.
    ContactCentre,
    /// Post.
    Post,
    /// In the office, on a card, through the director, by social media.
    Other,
}

impl Method {
    /// Every method, in the report's order.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::SelfService,
        Self::Member,
        Self::Telephone,
        Self::ContactCentre,
        Self::Post,
        Self::Other,
    ];

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Email => "e-mail",
            Self::SelfService => "web form",
            Self::Member => "MP or member",
            Self::Telephone => "telephone",
            Self::ContactCentre => "contact centre",
            Self::Post => "post",
            Self::Other => "face to face, card, director, social media",
        }
    }
}

/// Table 2: each type with how many each division has, in the order of [`Division::ALL`].
pub const TYPES: [(RecordType, [usize; 5]); 7] = [
    (RecordType::ChildrenActComplaint, [36, 0, 0, 12, 0]),
    (RecordType::CorporateComplaint, [401, 145, 217, 22, 7]),
    (RecordType::Representation, [3, 0, 0, 0, 0]),
    (RecordType::MemberEnquiry, [113, 150, 112, 9, 2]),
    (RecordType::Enquiry, [125, 64, 51, 5, 7]),
    (RecordType::Comment, [16, 24, 1, 0, 2]),
    (RecordType::Compliment, [26, 9, 16, 24, 3]),
];

/// Table 4, without the member enquiries, which all come from members: 276 of them are counted there.
const METHODS: [(Method, usize); 6] = [
    (Method::Email, 632),
    (Method::SelfService, 287),
    (Method::Telephone, 168),
    (Method::ContactCentre, 88),
    (Method::Post, 30),
    (Method::Other, 11),
];
const THROUGH_MEMBERS: usize = 276;

/// A place in the year's mix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) record_type: RecordType,
    pub(super) division: Division,
    pub(super) method: Method,
}

/// The whole mix, in an order of the seed.
pub(super) fn slots(seed: u64) -> Vec<Slot> {
    let mut random = Random::new(seed);
    let mut methods: Vec<Method> =
        METHODS.iter().flat_map(|(method, n)| std::iter::repeat_n(*method, *n)).collect();
    random.shuffle(&mut methods);
    let mut methods = methods.into_iter();
    let (mut slots, mut members) = (Vec::with_capacity(REPRESENTATIONS), 0);
    for (record_type, counts) in TYPES {
        for (division, count) in Division::ALL.into_iter().zip(counts) {
            for _ in 0..count {
                let method = if record_type == RecordType::MemberEnquiry {
                    members += 1;
                    if members <= THROUGH_MEMBERS { Method::Member } else { Method::Email }
                } else {
                    methods.next().unwrap_or(Method::Email)
                };
                slots.push(Slot { record_type, division, method });
            }
        }
    }
    random.shuffle(&mut slots);
    slots
}

/// The services of each division, as often as tables 6 and 9 have them.
pub(super) fn services(
    division: Division,
    record_type: RecordType,
) -> &'static [(&'static str, usize)] {
    match division {
        Division::Integrated if record_type == RecordType::ChildrenActComplaint => &[
            ("childrens_social_work", 24),
            ("children_in_care", 8),
            ("care_leavers_18_plus", 3),
            ("fostering", 1),
        ],
        Division::Integrated => &[
            ("childrens_social_work", 267),
            ("children_in_care", 70),
            ("early_help", 23),
            ("front_door", 26),
            ("other_social_care", 23),
            ("care_leavers_18_plus", 21),
            ("safeguarding_qa", 1),
            ("adoption", 3),
            ("fostering", 4),
        ],
        Division::Education => &[
            ("community_learning_skills", 26),
            ("fair_access", 56),
            ("home_to_school_transport", 49),
            ("area_education", 9),
            ("planning_access", 5),
        ],
        Division::Sen => &[("sen", 1)],
        Division::Disabled => &[("children_with_disabilities", 1)],
        Division::Other => &[("other_social_care", 1)],
    }
}

/// Who writes (table 7, and what the service allows).
pub(super) fn customer(
    service: &str,
    record_type: RecordType,
    random: &mut Random,
) -> CustomerType {
    if record_type == RecordType::MemberEnquiry {
        return CustomerType::OtherCustomer;
    }
    let all: &[(CustomerType, usize)] = match service {
        "care_leavers_18_plus" => &[(CustomerType::CareLeaver, 1)],
        "fostering" => &[(CustomerType::FosterCarer, 9), (CustomerType::Carer, 3)],
        "adoption" => &[(CustomerType::AdoptiveParent, 1)],
        "community_learning_skills" => &[(CustomerType::OtherCustomer, 1)],
        "children_in_care" => &[
            (CustomerType::Parent, 6),
            (CustomerType::ChildInCare, 2),
            (CustomerType::FamilyMember, 2),
        ],
        _ => &[
            (CustomerType::Parent, 82),
            (CustomerType::OtherCustomer, 8),
            (CustomerType::FamilyMember, 7),
            (CustomerType::Carer, 3),
        ],
    };
    random.weighted(all)
}

/// How many working days an answer takes, by the shares of tables 13 to 16. None where no answer is owed.
pub(super) fn answer_after(
    record_type: RecordType,
    division: Division,
    stage: u8,
    random: &mut Random,
) -> Option<u16> {
    let late =
        |random: &mut Random, limit: u16, mean| limit.saturating_add(random.waits(mean, 120));
    let by_division = |ics: usize, epa, sen, dcs| match division {
        Division::Integrated | Division::Other => ics,
        Division::Education => epa,
        Division::Sen => sen,
        Division::Disabled => dcs,
    };
    let in_time = match (record_type, stage) {
        (RecordType::Comment | RecordType::Compliment, _) => return None,
        (RecordType::ChildrenActComplaint, 1) => {
            let (ten, twenty) =
                if division == Division::Disabled { (667, 833) } else { (417, 778) };
            let at = random.below(1000);
            return Some(match at {
                _ if at < ten => random.between(5, 10),
                _ if at < twenty => random.between(11, 20),
                _ => late(random, 20, 12),
            });
        }
        (RecordType::ChildrenActComplaint, _) => {
            let soon = random.chance(125);
            return Some(if soon { random.between(45, 65) } else { late(random, 65, 30) });
        }
        (RecordType::MemberEnquiry, _) => by_division(570, 807, 196, 444),
        // The report has no figure.
        (RecordType::Enquiry | RecordType::Representation, _) => by_division(800, 900, 500, 850),
        (_, 1) => by_division(790, 779, 197, 860),
        (_, _) => by_division(530, 930, 143, 750),
    };
    // 43 working days on average where they are late (N).
    let mean = if division == Division::Sen { 28 } else { 9 };
    Some(if random.chance(in_time) { random.between(6, 20) } else { late(random, 20, mean) })
}

/// In a thousand of those answered, how many ask for the next stage (tables 5, 13 to 16).
pub(super) fn asks_next(record_type: RecordType, division: Division) -> usize {
    match (record_type, division) {
        (RecordType::ChildrenActComplaint, _) => 190,
        (RecordType::CorporateComplaint, Division::Education) => 97,
        (RecordType::CorporateComplaint, Division::Disabled) => 180,
        (RecordType::CorporateComplaint, _) => 160,
        _ => 0,
    }
}

/// What the report has of answers in time: division, type, stage, and how many of a hundred.
pub const IN_TIME: [(Division, RecordType, u8, u32); 15] = [
    (Division::Integrated, RecordType::ChildrenActComplaint, 1, 78),
    (Division::Integrated, RecordType::ChildrenActComplaint, 2, 13),
    (Division::Integrated, RecordType::CorporateComplaint, 1, 79),
    (Division::Integrated, RecordType::CorporateComplaint, 2, 53),
    (Division::Integrated, RecordType::MemberEnquiry, 1, 57),
    (Division::Disabled, RecordType::ChildrenActComplaint, 1, 83),
    (Division::Disabled, RecordType::CorporateComplaint, 1, 86),
    (Division::Disabled, RecordType::CorporateComplaint, 2, 75),
    (Division::Disabled, RecordType::MemberEnquiry, 1, 44),
    (Division::Education, RecordType::CorporateComplaint, 1, 78),
    (Division::Education, RecordType::CorporateComplaint, 2, 93),
    (Division::Education, RecordType::MemberEnquiry, 1, 81),
    (Division::Sen, RecordType::CorporateComplaint, 1, 20),
    (Division::Sen, RecordType::CorporateComplaint, 2, 14),
    (Division::Sen, RecordType::MemberEnquiry, 1, 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_the_reports() {
        let slots = slots(1);
        assert_eq!(slots.len(), REPRESENTATIONS);
        let of = |method| slots.iter().filter(|slot| slot.method == method).count();
        assert_eq!(
            (of(Method::Email), of(Method::Member), of(Method::SelfService)),
            (742, 276, 287)
        );
        let sen = slots.iter().filter(|slot| slot.division == Division::Sen).count();
        assert_eq!(sen, 397);
    }
}
