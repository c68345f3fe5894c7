use jiff::Timestamp;

use super::*;
use crate::casework::case::OfficerId;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::private::Private;

fn services(ids: &[&str]) -> Vec<ServiceId> {
    ids.iter().map(|id| ServiceId((*id).to_owned())).collect()
}

fn fired(rule: &str, label: &str, weight: f64) -> Evidence {
    Evidence {
        label: label.to_owned(),
        rule: rule.to_owned(),
        weight,
        place: "text".to_owned(),
        text: Private("words".to_owned()),
    }
}

fn result(record_type: RecordType, lead: &[&str], evidence: Vec<Evidence>) -> Classification {
    Classification {
        record_type,
        services: services(lead),
        customer_type: CustomerType::Parent,
        themes: vec![Theme::ServiceIssue],
        flags: Vec::new(),
        confidence: 0.9,
        needs_officer: false,
        evidence,
    }
}

fn event(officer: Option<&str>, event: Event) -> Recorded {
    let by = officer.map_or(Actor::Gateway, |id| Actor::Officer(OfficerId(id.to_owned())));
    Recorded { at: Timestamp::UNIX_EPOCH, by, event }
}

fn received() -> Recorded {
    let opened = Event::Received {
        message: None,
        at: Timestamp::UNIX_EPOCH,
        record_type: RecordType::Enquiry,
        services: services(&["sen"]),
        customer_type: CustomerType::Parent,
        themes: Vec::new(),
        flags: Vec::new(),
    };
    event(None, opened)
}

fn corrected(field: CaseField, before: &str, after: &str) -> Recorded {
    let (before, after) = (before.to_owned(), after.to_owned());
    event(Some("pat"), Event::Corrected { field, before, after, because: None })
}

/// What officers decided, as `field=value (how)`.
fn told(events: &[Recorded]) -> Vec<String> {
    let line =
        |(field, decided): (Field, Decided)| format!("{field}={} ({})", decided.value, decided.how);
    decided(events).into_iter().map(line).collect()
}

#[test]
fn an_officer_decides_what_they_correct_and_what_they_leave() {
    let closed = |by| event(by, Event::Closed { because: None });
    let left = ["record_type=enquiry (left)", "services=sen (left)", "customer_type=parent (left)"];
    assert!(told(&[received()]).is_empty(), "nobody has looked");
    assert!(told(&[received(), closed(None)]).is_empty(), "the gateway decides nothing");
    assert_eq!(told(&[received(), closed(Some("pat"))]), left);
    let flags = corrected(CaseField::Flags, "", "safeguarding");
    let twice = [
        received(),
        corrected(CaseField::Services, "sen", "fair_access"),
        corrected(CaseField::Services, "fair_access", "fair_access,sen"),
        flags,
    ];
    let expected = [
        "record_type=enquiry (left)",
        "services=fair_access,sen (corrected)",
        "customer_type=parent (left)",
        "flags=safeguarding (corrected)",
    ];
    assert_eq!(told(&twice), expected);
}

#[test]
fn a_change_is_measured_against_what_an_officer_decided() {
    let before = result(RecordType::Enquiry, &["sen"], Vec::new());
    let after = result(RecordType::CorporateComplaint, &["fair_access", "sen"], Vec::new());
    for (lead, record_type, moves, whole) in [
        ("fair_access", "enquiry", [Move::Away, Move::Towards], Move::BothWays),
        ("fair_access,sen", "corporate_complaint", [Move::Towards, Move::Towards], Move::Towards),
        ("sen", "corporate_complaint", [Move::Towards, Move::Away], Move::BothWays),
        ("none", "comment", [Move::NoNearer, Move::Away], Move::Away),
    ] {
        let events = [
            received(),
            corrected(CaseField::Services, "x", lead),
            corrected(CaseField::RecordType, "x", record_type),
        ];
        let changes = compare(&before, &after, &decided(&events));
        let found: Vec<(Field, Move)> = changes.iter().map(|one| (one.field, one.moves)).collect();
        let [first, second] = moves;
        assert_eq!(found, [(Field::RecordType, first), (Field::Services, second)], "{lead}");
        assert_eq!(whither(&changes), whole, "{lead}");
    }
    let changes = compare(&before, &after, &Truth::new());
    assert_eq!(whither(&changes), Move::Undecided);
    assert_eq!((changes[1].before.as_str(), changes[1].after.as_str()), ("sen", "fair_access,sen"));
}

#[test]
fn the_order_of_all_but_the_lead_is_no_change() {
    let one = result(RecordType::Enquiry, &["sen", "fair_access", "transport"], Vec::new());
    let mut other = result(RecordType::Enquiry, &["sen", "transport", "fair_access"], Vec::new());
    other.confidence = 0.8;
    assert!(compare(&one, &other, &Truth::new()).is_empty());
    other.services.swap(0, 1);
    assert_eq!(compare(&one, &other, &Truth::new()).len(), 1);
    other.services.swap(0, 1);
    other.flags.push(Flag::Safeguarding);
    other.needs_officer = true;
    let changes = compare(&one, &other, &Truth::new());
    let told: Vec<_> = changes.iter().map(|one| (one.field, &*one.before, &*one.after)).collect();
    assert_eq!(told, [(Field::Flags, "", "safeguarding"), (Field::NeedsOfficer, "no", "yes")]);
}

#[test]
fn the_rules_that_made_the_difference_are_named() {
    let before = vec![
        fired("same", "service:sen", 2.0),
        fired("old", "service:sen", 3.0),
        fired("heavier", "service:fair_access", 1.0),
        fired("D2", "record_type:enquiry", 0.8),
    ];
    let after = vec![
        fired("same", "service:sen", 2.001),
        fired("heavier", "service:fair_access", 4.0),
        fired("angry", "fact:dissatisfied", 1.0),
        fired("D1", "record_type:corporate_complaint", 0.9),
    ];
    let before = result(RecordType::Enquiry, &["sen"], before);
    let after = result(RecordType::CorporateComplaint, &["fair_access"], after);
    let changes = compare(&before, &after, &Truth::new());
    assert_eq!(changes[1].rules, ["~heavier", "-old"], "its own labels");
    assert_eq!(changes[0].rules, ["+D1", "-D2", "+angry", "~heavier", "-old"], "all");
}

#[test]
fn messages_are_counted_by_where_they_move() {
    let before = result(RecordType::Enquiry, &["sen"], Vec::new());
    let after = result(RecordType::Enquiry, &["fair_access"], Vec::new());
    let events = [received(), corrected(CaseField::Services, "sen", "fair_access")];
    let mut tally = Tally::default();
    tally.add(&compare(&before, &before, &Truth::new()));
    tally.add(&compare(&before, &after, &Truth::new()));
    tally.add(&compare(&before, &after, &decided(&events)));
    assert_eq!((tally.messages, tally.changed), (3, 2));
    let expected = BTreeMap::from([(Move::Towards, 1), (Move::Undecided, 1)]);
    assert_eq!(tally.moves, expected);
}
