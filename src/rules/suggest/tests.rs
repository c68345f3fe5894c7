use super::*;
use crate::casework::vocabulary::{CustomerType, RecordType, ServiceId};
use crate::email::Address;
use crate::private::Private;
use crate::rules::Known;
use crate::rules::compare::Decided;

const RULES: &str = "# Ours.\n[[rule]]\nid = \"sen.plan\"\nwhy = \"x\"\nlabel = \"service:sen\"\nweight = 5.0\n\
    words = [\"plan\"]\n\n[[rule]]\nid = \"type\"\nwhy = \"x\"\nlabel = \"fact:asks\"\nweight = 1.0\nwords = [\"please\"]\n\
    [[fact]]\nid = \"asks\"\nwhat = \"x\"\n\
    [[decision]]\nid = \"D1\"\nwhy = \"x\"\nall = [\"fact:asks\"]\nthen = [\"record_type:enquiry\"]\nsure = 0.9\n";

fn files() -> Vec<(String, String)> {
    let services = std::fs::read_to_string("rules/services.toml").unwrap();
    vec![
        ("rules/20-ours.toml".to_owned(), RULES.to_owned()),
        ("rules/services.toml".to_owned(), services),
    ]
}

struct Message {
    email: Email,
    found: Classification,
    truth: Truth,
}

/// Messages as the rules judge them, each with the sender's number and the service that officers say.
fn judged(rules: &RuleSet, texts: &[(usize, String, &str)]) -> Vec<Message> {
    let one = |(number, text, service): &(usize, String, &str)| {
        let mut email = Email::blank();
        email.from = Some(Address {
            address: Private(format!("person{number}@example.org")),
            name: Some(Private(format!("Zoe{number} Tramway"))),
        });
        email.text = Private(text.clone());
        email.reply_text = Private(text.clone());
        let found = rules.classify(&email, &Known::default());
        let was = ServiceId::as_str(&found.services[0]);
        let how = if was == *service { How::Left } else { How::Corrected };
        let decided = |value: &str, how| Decided { value: value.to_owned(), how };
        let truth = Truth::from([
            (Field::Services, decided(service, how)),
            (Field::RecordType, decided(RecordType::Enquiry.id(), How::Left)),
            (Field::CustomerType, decided(CustomerType::Unknown.id(), How::Left)),
        ]);
        Message { email, found, truth }
    };
    texts.iter().map(one).collect()
}

fn suggested(texts: &[(usize, String, &str)]) -> Vec<Draft> {
    let files = files();
    let rules = RuleSet::load(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
    let messages = judged(&rules, texts);
    let past: Vec<Past<'_>> = messages
        .iter()
        .map(|one| Past { email: &one.email, found: &one.found, truth: &one.truth })
        .collect();
    let drafts = drafts(&rules, &files, &past);
    for draft in &drafts {
        if let Err(faults) = RuleSet::load(&draft.applied(&files)) {
            panic!("{}: {faults:?}", draft.toml);
        }
    }
    drafts
}

const BUS: &str = "home_to_school_transport";

/// Some messages about buses that officers corrected, among twice as many others.
fn buses(senders: usize) -> Vec<(usize, String, &'static str)> {
    let bus = |number: usize| {
        let text =
            format!("The minibus for Oscar went without the plan {number}. Tramway it says.");
        (number % senders, text, BUS)
    };
    let other = |number: usize| (number, format!("The plan of my son is late {number}."), "sen");
    (0..4).map(bus).chain((10..18).map(other)).collect()
}

#[test]
fn words_of_corrected_messages_become_a_rule_and_no_name_does() {
    let drafts = suggested(&buses(4));
    let new: Vec<&Draft> = drafts.iter().filter(|draft| draft.kind == Kind::NewRule).collect();
    assert!(!new.is_empty(), "{drafts:#?}");
    assert_eq!(new[0].label, format!("service:{BUS}"));
    assert!(new[0].id.starts_with("learned."), "{}", new[0].id);
    assert!(new[0].why.contains("officers corrected 4 messages"), "{}", new[0].why);
    for draft in drafts {
        let toml = draft.toml.to_lowercase();
        for name in ["oscar", "tramway", "zoe", "person"] {
            assert!(!toml.contains(name), "{toml}");
        }
    }
}

#[test]
fn a_new_rule_weighs_as_much_as_those_that_it_must_outweigh() {
    let weights = |drafts: &[Draft]| -> Vec<String> {
        let of =
            |draft: &Draft| draft.toml.lines().find(|l| l.starts_with("weight")).map(str::to_owned);
        let mut all: Vec<String> =
            drafts.iter().filter(|draft| draft.kind == Kind::NewRule).filter_map(of).collect();
        all.sort();
        all.dedup();
        all
    };
    // The plan speaks for SEN with 5, and 6 where it is newly written.
    assert_eq!(weights(&suggested(&buses(4))), ["weight = 3.0", "weight = 5.0", "weight = 7.0"]);
    let unopposed = |(number, text, service): (usize, String, &'static str)| {
        (number, text.replace("without the plan", "too early"), service)
    };
    let texts: Vec<_> = buses(4).into_iter().map(unopposed).collect();
    assert_eq!(weights(&suggested(&texts)), ["weight = 3.0", "weight = 5.0"]);
}

#[test]
fn what_no_draft_puts_right_is_told_and_what_one_does_is_not() {
    let rules = RuleSet::load(&files()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let messages = judged(&rules, &buses(4));
    let past: Vec<Past<'_>> = messages
        .iter()
        .map(|one| Past { email: &one.email, found: &one.found, truth: &one.truth })
        .collect();
    let told = |helped: &[usize]| beyond_rules(&past, &helped.iter().copied().collect());
    let label = format!("service:{BUS}");
    // These rules have no second opinion.
    assert_eq!(told(&[]), [Beyond { label: label.clone(), messages: 4, instead: None }]);
    assert_eq!(told(&[0]), [Beyond { label, messages: 3, instead: None }]);
    assert_eq!(told(&[0, 1]), [], "two are too few to tell of");
}

#[test]
fn one_sender_alone_suggests_nothing() {
    assert_eq!(suggested(&buses(1)), []);
}

#[test]
fn two_messages_suggest_nothing() {
    let mut texts = buses(4);
    texts.drain(..2);
    assert_eq!(suggested(&texts), []);
}

#[test]
fn a_rule_that_was_mostly_overruled_is_changed() {
    let mut texts = buses(4);
    texts.drain(8..);
    let drafts = suggested(&texts);
    let changed: Vec<&Draft> =
        drafts.iter().filter(|draft| draft.kind == Kind::ChangedRule).collect();
    assert!(changed.iter().any(|draft| draft.toml.contains("weight = 2.5")), "{drafts:#?}");
    let unless = changed.iter().find(|draft| draft.toml.contains("unless = [\"")).unwrap();
    assert!(unless.toml.starts_with("[[rule]]\nid = \"sen.plan\""), "{}", unless.toml);
    assert!(unless.why.contains("officers overruled it on 4 of 8"), "{}", unless.why);
}

#[test]
fn a_row_that_was_mostly_overruled_is_less_sure() {
    let files = files();
    let rules = RuleSet::load(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
    let texts: Vec<_> =
        (0..4).map(|number| (number, format!("Please help {number}"), "sen")).collect();
    let mut messages = judged(&rules, &texts);
    for one in messages.iter_mut().take(3) {
        let value = RecordType::CorporateComplaint.to_string();
        one.truth.insert(Field::RecordType, Decided { value, how: How::Corrected });
    }
    let past: Vec<Past<'_>> = messages
        .iter()
        .map(|one| Past { email: &one.email, found: &one.found, truth: &one.truth })
        .collect();
    let drafts = drafts(&rules, &files, &past);
    let row = drafts.iter().find(|draft| draft.kind == Kind::ChangedRow).unwrap();
    assert!(row.toml.contains("id = \"D1\"") && row.toml.contains("sure = 0.25"), "{}", row.toml);
    assert_eq!(other_record_types(&past), 3);
}

#[test]
fn what_stands_alike_in_both_kinds_tells_nothing() {
    assert!(likelihood_ratio([[3, 6], [1, 2]]).abs() < 1e-9);
    assert!(likelihood_ratio([[4, 0], [0, 8]]) > TELLING);
}
