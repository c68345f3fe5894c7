//! What people write, put together from parts. `{child}`, `{school}` and `{name}` are filled in.

use super::random::Random;
use crate::casework::vocabulary::{CustomerType, RecordType};

/// What a service is about, in its customers' words.
struct Subject {
    /// What a subject line says.
    heading: &'static str,
    /// Whom they mean.
    whom: &'static str,
    /// What went wrong.
    wrongs: &'static [&'static str],
    /// What somebody asks who complains of nothing.
    question: &'static str,
    /// An idea.
    idea: &'static str,
    /// What was good.
    praise: &'static str,
}

const SUBJECTS: [(&str, Subject); 16] = [
    (
        "childrens_social_work",
        Subject {
            heading: "social worker",
            whom: "the children's social work team",
            wrongs: &[
                "Our social worker has cancelled five visits to {child} in three months and nobody told us why.",
                "The social worker's assessment of {child} has the wrong dates in it and says things that never happened.",
                "The child in need meeting was moved twice and the minutes came eight weeks late.",
                "{child} has had four social workers since the spring and none of them has read the file.",
                "The social worker shouted at me in front of {child} and called me a liar.",
            ],
            question: "Please can you tell me how I ask for a copy of the child in need plan, and which social work team covers our area?",
            idea: "I would like to suggest that the social work office sends a text message the day before a visit.",
            praise: "the social worker who helped {child} this year. She always rang when she said she would and she listened.",
        },
    ),
    (
        "children_in_care",
        Subject {
            heading: "contact with my son in care",
            whom: "the children in care team",
            wrongs: &[
                "{child} is in care and contact has been cancelled six times with no notice.",
                "{child} was moved to a new foster placement two hours away and I was told afterwards.",
                "The looked after child review was held without me and I never had the papers.",
                "The clothing allowance for {child} in the placement has not been paid since the summer.",
            ],
            question: "Please can you tell me when the next looked after child review for {child} is, and who arranges contact?",
            idea: "I would like to suggest that contact for children in care could be at the library on Saturdays.",
            praise: "the children in care team, who found {child} a placement near {school}. Nothing was too much trouble.",
        },
    ),
    (
        "early_help",
        Subject {
            heading: "Early Help",
            whom: "the Early Help team",
            wrongs: &[
                "Our Early Help family support worker stopped coming and nobody took over.",
                "The Team Around the Family meeting at {school} never took place.",
                "We were put on the waiting list for a parenting course at the children's centre a year ago.",
            ],
            question: "Please can you tell me which groups the children's centre runs on weekdays, and how I book?",
            idea: "I would like to suggest that the youth hub opens on Sunday afternoons.",
            praise: "our Early Help family support worker. {child} sleeps again and so do I.",
        },
    ),
    (
        "children_with_disabilities",
        Subject {
            heading: "short breaks and direct payments",
            whom: "the Disabled Children's Service",
            wrongs: &[
                "{child} is disabled and the short breaks that were agreed have never started.",
                "The direct payments for {child}'s respite have been late for four months.",
                "The occupational therapist ordered a hoist for {child} in May and it has not come.",
                "The carer's assessment that the Disabled Children's Service promised has not been done.",
            ],
            question: "Please can you tell me how we apply for short breaks, and whether direct payments can pay for a Saturday club?",
            idea: "I would like to suggest that the short breaks leaflet has a list of clubs with a hoist.",
            praise: "the short breaks team of the Disabled Children's Service. {child} came home smiling every time.",
        },
    ),
    (
        "front_door",
        Subject {
            heading: "referral not acted on",
            whom: "the Front Door team",
            wrongs: &[
                "I made a request for support to the Front Door for {child} in March and never heard back.",
                "The referral that {school} made to the Front Door was closed without anybody speaking to us.",
                "The out of hours duty line rang for forty minutes and then nobody called back.",
            ],
            question: "Please can you tell me how I make a request for support to the Front Door, and how long it takes?",
            idea: "I would like to suggest that the Front Door sends an e-mail to say that a request for support has come.",
            praise: "the Front Door team, who took my call on a bad day and were kind.",
        },
    ),
    (
        "care_leavers_18_plus",
        Subject {
            heading: "my personal adviser",
            whom: "the leaving care team",
            wrongs: &[
                "I am a care leaver and my personal adviser has not seen me since my birthday.",
                "My pathway plan has not been reviewed and my leaving care grant was never paid.",
                "The flat that the leaving care team found for me has no heating and my personal adviser does not ring back.",
            ],
            question: "I am a care leaver. Please can you tell me how I ask for my setting up home allowance?",
            idea: "I would like to suggest that care leavers get their pathway plan on their phone.",
            praise: "my personal adviser in the leaving care team. I have my own flat and a job because of her.",
        },
    ),
    (
        "safeguarding_qa",
        Subject {
            heading: "the conference chair",
            whom: "the chair of the conference",
            wrongs: &[
                "The chair of the child protection conference would not let me finish one sentence.",
            ],
            question: "Please can you tell me how I speak to the independent reviewing officer?",
            idea: "I would like to suggest that conference rooms have water and tissues.",
            praise: "the independent reviewing officer, who spoke to {child} and not about {child}.",
        },
    ),
    (
        "adoption",
        Subject {
            heading: "adoption support",
            whom: "the adoption team",
            wrongs: &[
                "We adopted {child} and the post adoption support that was promised has never begun.",
            ],
            question: "Please can you tell me how we apply for an adoption allowance review?",
            idea: "I would like to suggest an adopters' coffee morning in Coldbridge.",
            praise: "the adoption team, who stood by us for two years.",
        },
    ),
    (
        "fostering",
        Subject {
            heading: "fostering allowance",
            whom: "the fostering team",
            wrongs: &[
                "I am a foster carer and my fostering allowance for {child} has been wrong since June.",
                "My supervising social worker from fostering has not visited since the panel.",
            ],
            question: "I am a foster carer. Please can you tell me when the new fostering allowance rates start?",
            idea: "I would like to suggest that foster carers get parking permits for the county offices.",
            praise: "our supervising social worker in the fostering team. We could not foster without her.",
        },
    ),
    (
        "other_social_care",
        Subject {
            heading: "how my complaint was handled",
            whom: "the council's complaints team",
            wrongs: &[
                "The complaint that I made last year about children's services was never logged and nobody answered.",
                "The copy of my records that I asked for is months overdue and pages are missing.",
            ],
            question: "Please can you tell me where your policy on complaints in children's services is published?",
            idea: "I would like to suggest that the children's services web page has a telephone number at the top.",
            praise: "the complaints team for children's services, who were patient with me on the telephone.",
        },
    ),
    (
        "sen",
        Subject {
            heading: "EHC plan",
            whom: "the SEN team",
            wrongs: &[
                "{child}'s EHC plan is five months late and nobody in the SEN team answers.",
                "The speech therapy in section F of {child}'s EHC plan has not been delivered since September.",
                "The annual review of {child}'s EHCP was in May and the amended plan has never come.",
                "Our SEN caseworker has changed three times and each one asks us for the same papers.",
                "{child} has had no tuition since the school place in the EHC plan broke down.",
            ],
            question: "Please can you tell me how I ask for an EHC needs assessment for {child}, and how long it takes?",
            idea: "I would like to suggest that the SEN team puts a photograph of each caseworker on the web site.",
            praise: "the SEN caseworker who sorted out {child}'s EHC plan in time for the new term.",
        },
    ),
    (
        "community_learning_skills",
        Subject {
            heading: "adult education course",
            whom: "adult education",
            wrongs: &[
                "My adult education pottery course was cancelled after two weeks and the fee has not been refunded.",
                "The tutor of my adult education Spanish course did not come on three evenings.",
            ],
            question: "Please can you tell me when enrolment for the adult education courses at Saltmarket opens?",
            idea: "I would like to suggest an adult education course in beekeeping.",
            praise: "my adult education tutor. I passed my maths at fifty two.",
        },
    ),
    (
        "fair_access",
        Subject {
            heading: "school admissions",
            whom: "the school admissions team",
            wrongs: &[
                "The admissions team lost our in-year application for {child} and nobody rings back.",
                "{child} has been out of school for eleven weeks and the admissions office has not offered a place anywhere. This is not an appeal.",
                "The attendance officer sent us a penalty notice for days when {child} was in school.",
            ],
            question: "Please can you tell me how I make an in-year application to {school}, and how long admissions take?",
            idea: "I would like to suggest that the admissions web site remembers the form.",
            praise: "the lady in school admissions who found {child} a place in two days.",
        },
    ),
    (
        "home_to_school_transport",
        Subject {
            heading: "school transport",
            whom: "home to school transport",
            wrongs: &[
                "The school taxi for {child} did not come on six mornings this month and nobody rings back.",
                "The new school bus leaves {child} at the wrong stop, on a road with no pavement.",
                "The passenger assistant in {child}'s school taxi was changed without a word.",
            ],
            question: "Please can you tell me how I apply for home to school transport for {child}, and by when?",
            idea: "I would like to suggest that the school bus pass could be on a phone.",
            praise: "the driver of {child}'s school taxi, who is always on time and kind.",
        },
    ),
    (
        "area_education",
        Subject {
            heading: "closure of our school",
            whom: "the area education officer",
            wrongs: &[
                "The area education officer held the meeting about the closure of {school} when no parent could come.",
            ],
            question: "Please can you tell me when the area education officer will decide on the expansion of {school}?",
            idea: "I would like to suggest that the area education officer holds an evening for parents of {school}.",
            praise: "the area education officer, who came to {school} and answered every question.",
        },
    ),
    (
        "planning_access",
        Subject {
            heading: "early years places",
            whom: "the early years places team",
            wrongs: &[
                "The early years funding for our nursery was paid three months late and nobody explained it.",
            ],
            question: "Please can you tell me which nurseries near us have funded early years places for two year olds?",
            idea: "I would like to suggest that the list of early years places shows opening hours.",
            praise: "the early years funding team, who put right a mistake of ours.",
        },
    ),
];

/// What a service is about. No service of the mix is missing.
fn subject(service: &str) -> &'static Subject {
    let found = SUBJECTS.iter().find(|(id, _)| *id == service);
    found.map_or(&SUBJECTS[0].1, |(_, subject)| subject)
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
}

const ASKS: [&str; 4] = [
    "I want to know why this happened and what you will do about it.",
    "Please put it right and write to me.",
    "I want an apology and a date.",
    "Somebody must look into this and answer me in writing.",
];
const BEFORE: [&str; 4] = [
    "I have rung nine times and left messages.",
    "I wrote in the spring and nobody answered.",
    "We have been patient for long enough.",
    "The school has tried as well.",
];

/// Writes of a matter.
pub(super) fn write(
    service: &str,
    record_type: RecordType,
    customer: CustomerType,
    random: &mut Random,
) -> Letter {
    let about = subject(service);
    let wrong = *random.pick(about.wrongs);
    let second = *random.pick(about.wrongs);
    let more = if second == wrong { "" } else { second };
    let (ask, before) = (*random.pick(&ASKS), *random.pick(&BEFORE));
    let who = who(service, customer, record_type);
    let (subject, body) = match record_type {
        RecordType::Enquiry => (
            format!("Question about {}", about.heading),
            format!(
                "{who}\n\n{} {{child}} goes to {{school}}.\n\nThank you for your help.",
                about.question
            ),
        ),
        RecordType::Comment => (
            format!("A suggestion about {}", about.heading),
            format!("This is not a complaint and I do not need an answer.\n\n{}", about.idea),
        ),
        RecordType::Compliment => (
            "Thank you".to_owned(),
            format!(
                "I want to say thank you to {}\n\nPlease pass this on to the team and to their manager.",
                about.praise
            ),
        ),
        RecordType::Representation => (
            format!("Complaint about {}", about.heading),
            format!(
                "{who} I want to make a formal complaint about {}.\n\n{wrong} {more}\n\nThe final hearing in the family court about {{child}} is next month. {ask}",
                about.whom
            ),
        ),
        RecordType::MemberEnquiry => (
            format!("Constituent: {}", about.heading),
            format!(
                "I write on behalf of my constituent, {{name}} of {{street}}, about {}.\n\nMy constituent tells me this. {wrong} {more}\n\nI should be grateful for a reply that I can send to my constituent.",
                about.whom
            ),
        ),
        RecordType::ChildrenActComplaint
        | RecordType::CorporateComplaint
        | RecordType::ServiceResponse
        | RecordType::FollowUp
        | RecordType::NotForUs => (
            match random.below(3) {
                0 => format!("Complaint about {}", about.heading),
                1 => format!("Formal complaint: {}", about.heading),
                _ => "Not good enough".to_owned(),
            },
            format!(
                "{who} I want to make a formal complaint about {}.\n\n{wrong} {more} {{child}} goes to {{school}}.\n\n{before} {ask}",
                about.whom
            ),
        ),
    };
    Letter { subject, text: body }
}

fn who(service: &str, customer: CustomerType, record_type: RecordType) -> &'static str {
    let social = record_type == RecordType::CorporateComplaint;
    match (service, customer) {
        ("community_learning_skills", _) => "I am an adult learner.",
        ("care_leavers_18_plus", _) => "I am nineteen.",
        (_, CustomerType::Parent) if social => "I am a parent.",
        (_, CustomerType::Parent) => "I am {child}'s parent.",
        (_, CustomerType::FamilyMember) => "I am {child}'s aunt.",
        (_, CustomerType::Carer) => {
            "I am {child}'s grandmother, and {child} lives with me under a special guardianship order."
        }
        (_, CustomerType::ChildInCare) => {
            "I am {child} and I am fifteen. I live with foster carers."
        }
        (_, CustomerType::FosterCarer) => "I am a foster carer.",
        (_, CustomerType::AdoptiveParent) => "We are adoptive parents.",
        _ => "I am a neighbour of the family.",
    }
}
