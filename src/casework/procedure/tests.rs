use jiff::civil::date;

use super::*;

const SHIPPED: &str = include_str!("../../../rules/procedures.toml");
const ENGLAND: &str = include_str!("../../../rules/calendar/bank-holidays-england.json");

fn shipped() -> Procedures {
    Procedures::from_toml("rules/procedures.toml", SHIPPED).unwrap()
}

fn england() -> WorkingCalendar {
    WorkingCalendar::from_json("days.json", ENGLAND).unwrap()
}

fn clock(record_type: RecordType, stage: u8, at: &str) -> Result<StageClock, ClockFault> {
    shipped().clock_for(record_type, stage, at.parse().unwrap(), &england())
}

fn faults(text: &str) -> Vec<String> {
    let faults = Procedures::from_toml("procedures.toml", text).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn every_type_that_opens_a_case_has_a_clock() {
    for record_type in RecordType::ALL.iter().copied() {
        let clock = clock(record_type, 1, "2026-11-02T09:00:00Z");
        if record_type.opens_case() {
            assert_eq!(clock.unwrap().ack_due_on, date(2026, 11, 5), "{record_type}");
        } else {
            assert_eq!(clock, Err(ClockFault::NoProcedure(record_type)));
        }
    }
}

#[test]
fn a_corporate_complaint_has_two_steps_of_twenty_days() {
    let clock = clock(RecordType::CorporateComplaint, 1, "2026-12-24T09:00:00Z").unwrap();
    assert_eq!(
        clock,
        StageClock {
            procedure: "corporate".to_owned(),
            procedure_label: "Corporate complaints procedure".to_owned(),
            stage: 1,
            stage_label: "Step 1 - Local Resolution".to_owned(),
            steps_total: 2,
            received_on: date(2026, 12, 24),
            ack_due_on: date(2026, 12, 31),
            target_on: Some(date(2027, 1, 26)),
            standard_due_on: Some(date(2027, 1, 26)),
            rule: StartRule::DayAfter,
            calendar_version: england().version().to_owned(),
        }
    );
}

/// Chain C1: each step starts from the date shown.
#[test]
fn a_childrens_complaint_through_all_three_stages() {
    let stage = |n, at| clock(RecordType::ChildrenActComplaint, n, at).unwrap();
    let first = stage(1, "2020-12-14T10:00:00Z");
    assert_eq!(first.steps_total, 3);
    assert_eq!(first.target_on, Some(date(2020, 12, 30)));
    assert_eq!(first.standard_due_on, Some(date(2021, 1, 14)));
    assert_eq!(first.answer_due_on(), first.target_on);
    let second = stage(2, "2021-01-18T10:00:00Z");
    assert_eq!(second.target_on, Some(date(2021, 2, 22)));
    assert_eq!(second.standard_due_on, Some(date(2021, 4, 21)));
    let third = stage(3, "2021-05-10T10:00:00Z");
    assert_eq!(third.standard_due_on, Some(date(2021, 6, 22)));

    let procedures = shipped();
    let procedure = procedures.named("children_act").unwrap();
    let calendar = england();
    let after = |stage, day, of: fn(&Limits) -> Option<u16>| {
        let limits = procedure.limits(stage, day).unwrap();
        calendar.add_working_days(day, of(limits).unwrap().into()).unwrap()
    };
    let ask_next: fn(&Limits) -> Option<u16> = |limits| limits.ask_next_within;
    assert_eq!(after(1, date(2021, 1, 14), ask_next), date(2021, 2, 11));
    assert_eq!(after(2, date(2021, 4, 21), ask_next), date(2021, 5, 20));
    assert_eq!(after(3, date(2021, 6, 22), |limits| limits.panel_report), date(2021, 6, 29));
    assert_eq!(after(3, date(2021, 6, 29), |limits| limits.council_response), date(2021, 7, 20));
}

#[test]
fn comments_and_compliments_owe_no_answer() {
    for record_type in [RecordType::Comment, RecordType::Compliment] {
        let clock = clock(record_type, 1, "2026-11-02T09:00:00Z").unwrap();
        assert_eq!((clock.target_on, clock.standard_due_on), (None, None));
        assert_eq!(clock.answer_due_on(), None);
    }
}

#[test]
fn the_day_of_receipt_is_londons() {
    let clock = clock(RecordType::Enquiry, 1, "2021-06-06T23:30:00Z").unwrap();
    assert_eq!(clock.received_on, date(2021, 6, 7));
    assert_eq!(clock.ack_due_on, date(2021, 6, 10));
}

#[test]
fn what_has_no_clock_says_why() {
    let said = |result: Result<StageClock, ClockFault>| result.unwrap_err().to_string();
    assert_eq!(
        said(clock(RecordType::CorporateComplaint, 3, "2026-11-02T09:00:00Z")),
        "the corporate procedure has no stage 3: it has 2"
    );
    assert_eq!(
        said(clock(RecordType::FollowUp, 1, "2026-11-02T09:00:00Z")),
        "follow_up goes through no procedure: file it, or register it as another type"
    );
    assert_eq!(
        said(clock(RecordType::Enquiry, 1, "2014-12-31T09:00:00Z")),
        "enquiry stage 1 has no time limits for a clock that started on 2014-12-31"
    );
    assert!(
        said(clock(RecordType::Enquiry, 1, "2027-12-20T09:00:00Z"))
            .contains("outside the bank holiday calendar")
    );
}

#[test]
fn a_change_of_policy_applies_from_its_day() {
    let line = "{ from = 2015-01-01, acknowledge = 3, target = 20, latest = 20, because = \"council policy\" },";
    let changed = SHIPPED.replacen(
        line,
        &format!("{line}\n  {{ from = 2026-04-01, acknowledge = 5, target = 10, latest = 15, because = \"the Ombudsman's Code\" }},"),
        1,
    );
    let procedures = Procedures::from_toml("procedures.toml", &changed).unwrap();
    let target = |at: &str| {
        let at = at.parse().unwrap();
        let clock = procedures.clock_for(RecordType::CorporateComplaint, 1, at, &england());
        clock.unwrap().target_on.unwrap()
    };
    assert_eq!(target("2026-03-31T22:59:59Z"), date(2026, 4, 30));
    // 00:00 in London on 1 April is still March by UTC.
    assert_eq!(target("2026-03-31T23:00:00Z"), date(2026, 4, 17));
}

#[test]
fn a_procedure_may_start_its_clock_its_own_way() {
    let own = SHIPPED.replace(
        "record_types = [\"enquiry\"]",
        "record_types = [\"enquiry\"]\nstart_rule = \"inclusive\"",
    );
    let procedures = Procedures::from_toml("procedures.toml", &own).unwrap();
    let at = "2026-11-02T09:00:00Z".parse().unwrap();
    let clock = procedures.clock_for(RecordType::Enquiry, 1, at, &england()).unwrap();
    assert_eq!((clock.rule, clock.ack_due_on), (StartRule::Inclusive, date(2026, 11, 4)));
}

#[test]
fn another_way_to_start_clocks_leaves_those_alone_that_had_started() {
    let line = "target = 20, latest = 20, because = \"council policy\" },";
    let more = format!(
        "{line}\n  {{ from = 2026-11-02, acknowledge = 3, target = 20, latest = 20, start_rule = \"inclusive\", \
         because = \"x\" }},"
    );
    let own = SHIPPED.replacen(line, &more, 1);
    let procedures = Procedures::from_toml("procedures.toml", &own).unwrap();
    let clock = |at: &str| {
        let at = at.parse().unwrap();
        procedures.clock_for(RecordType::CorporateComplaint, 1, at, &england()).unwrap()
    };
    let (before, after) = (clock("2026-10-30T09:00:00Z"), clock("2026-11-02T09:00:00Z"));
    assert_eq!((before.rule, before.ack_due_on), (StartRule::DayAfter, date(2026, 11, 4)));
    assert_eq!((after.rule, after.ack_due_on), (StartRule::Inclusive, date(2026, 11, 4)));
}

#[test]
fn a_wrong_key_or_word_is_placed_and_the_right_ones_named() {
    let wrong = SHIPPED.replacen("label =", "lable =", 1);
    let said = faults(&wrong);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with(&place(&wrong, "lable", "lable"))
            && said[0].contains(": unknown field `lable`; write one of `id`, `label`"),
        "{said:?}"
    );
    let said = faults(&SHIPPED.replacen("= \"received\"", "= \"recieved\"", 1));
    assert!(
        said[0].contains("unknown value `recieved`; write one of `received`, `stage_requested`"),
        "{said:?}"
    );
    let said = faults(&SHIPPED.replacen("\"day_after\"\n", "\"next_day\"\n", 1));
    assert!(said[0].contains("unknown value `next_day`"), "{said:?}");
}

/// The place of `value`, the first time it follows `after`, as a fault gives it.
fn place(text: &str, after: &str, value: &str) -> String {
    let from = text.find(after).unwrap();
    let offset = from + text[from..].find(value).unwrap();
    Fault::new("procedures.toml", "", "").at_offset(text, offset).to_string().replace(": ; ", "")
}

#[test]
fn every_wrong_value_is_named_at_once_with_its_place() {
    let mut wrong = SHIPPED.to_owned();
    for (right, slip) in [
        (
            "from = 2006-09-01, acknowledge = 3, target = 30",
            "from = 2006-09-01T09:00:00, acknowledge = 3, target = 30",
        ),
        ("target = 10, latest = 20", "target = 40, latest = 20"),
        ("acknowledge = 3, target = 25", "acknowledge = 0, target = 25"),
        ("latest = 65", "latest = 650"),
        ("number = 3", "number = 4"),
        ("[\"corporate_complaint\"]", "[\"representation\", \"follow_up\"]"),
        ("id = \"compliment\"", "id = \"comment\""),
    ] {
        assert!(wrong.contains(right), "{right}");
        wrong = wrong.replacen(right, slip, 1);
    }
    let at = |after, value| place(&wrong, after, value);
    let expected = [
        (
            at("target = 40", "40"),
            "the target 40 is after the latest 20; make `target` no more than `latest`",
        ),
        (at("acknowledge = 0", "0"), "0 is no number of working days for a limit; write 1 to 260"),
        (at("latest = 650", "650"), "650 is no number of working days for a limit; write 1 to 260"),
        (at("number = 4", "4"), "stage 4 where 3 should be; write number = 3"),
        (
            at("2006-09-01T", "2006"),
            "`2006-09-01T09:00:00` is not a day; write a day without a time: from = 2026-04-01",
        ),
        (
            at("\"follow_up\"]", "\"follow_up\""),
            "`follow_up` opens no case, so no procedure takes it; take it out",
        ),
        (
            at("label = \"Informal", "\"representation\"]"),
            "`representation` already goes through another procedure; keep it in one procedure only",
        ),
        (
            at(
                "label = \"Comment\"\nbasis = \"annual report 2020-21, table 1\"\nrecord_types = [\"comment\"]",
                "\"comment\"\nlabel",
            ),
            "procedure `comment` is there twice; give each procedure its own id",
        ),
        (
            "procedures.toml".to_owned(),
            "no procedure takes `corporate_complaint`; add it to the `record_types` of one procedure",
        ),
    ];
    let said = faults(&wrong);
    for (place, words) in &expected {
        assert!(said.contains(&format!("{place}: {words}")), "{place}: {words}\nin {said:#?}");
    }
    assert_eq!(said.len(), expected.len(), "{said:#?}");
}

#[test]
fn limits_stand_in_order_and_are_not_empty() {
    let twice = SHIPPED.replacen(
        "limits = [{ from = 2015-01-01, acknowledge = 3, because = \"our proposal\" }]",
        "limits = [{ from = 2015-01-01, acknowledge = 3, because = \"a\" }, { from = 2015-01-01, acknowledge = 4, because = \"b\" }]",
        1,
    );
    assert!(
        faults(&twice)[0]
            .contains("limits from 2015-01-01 follow those from 2015-01-01; put the oldest first")
    );
    let none = SHIPPED.replacen(
        "limits = [{ from = 2015-01-01, acknowledge = 3, because = \"our proposal\" }]",
        "limits = []",
        1,
    );
    assert!(faults(&none)[0].contains("the stage has no time limits; write one line like"));
    let bare = SHIPPED.replacen("target = 25, latest = 65", "target = 25", 1);
    assert!(faults(&bare)[0].contains("a target without an outer limit"));
}

/// What the Ombudsman's Code would make of a corporate complaint from a day on.
fn by_the_code(from: &str) -> Procedures {
    let taken_up = format!("replaces = \"corporate\"\nfrom = {from}");
    let text = SHIPPED.replacen("replaces = \"corporate\"", &taken_up, 1);
    Procedures::from_toml("procedures.toml", &text).unwrap()
}

fn by_code(stage: u8, at: &str, acknowledged_at: Option<&str>) -> [Option<jiff::civil::Date>; 3] {
    let procedures = by_the_code("2026-04-01");
    let procedure = procedures.named("corporate_code").unwrap();
    let acknowledged_at = acknowledged_at.map(|at| at.parse().unwrap());
    let start = Start { acknowledged_at, ..Start::at(at.parse().unwrap()) };
    let clock = procedure.clock(stage, start, &england()).unwrap();
    [Some(clock.ack_due_on), clock.target_on, clock.standard_due_on]
}

/// Chain C2: over Easter and Early May 2026.
#[test]
fn by_the_ombudsmans_code_an_answer_counts_from_the_acknowledgement() {
    let received = "2026-04-02T10:00:00+01:00";
    let days = |ack, respond, extended| [Some(ack), Some(respond), Some(extended)];
    let ack = date(2026, 4, 13);
    let late = days(ack, date(2026, 4, 27), date(2026, 5, 12));
    assert_eq!(by_code(1, received, Some("2026-04-13T09:00:00+01:00")), late);
    assert_eq!(by_code(1, received, None), late, "as if it went out on its last day");
    let early = days(ack, date(2026, 4, 21), date(2026, 5, 6));
    assert_eq!(by_code(1, received, Some("2026-04-07T09:00:00+01:00")), early);
    let second = days(date(2026, 6, 2), date(2026, 6, 30), date(2026, 7, 28));
    let asked = "2026-05-26T10:00:00+01:00";
    assert_eq!(by_code(2, asked, Some("2026-06-02T09:00:00+01:00")), second);
}

#[test]
fn the_code_takes_a_place_only_from_its_day() {
    let of = |procedures: &Procedures, day| {
        procedures.of(RecordType::CorporateComplaint, day).unwrap().id.clone()
    };
    assert_eq!(of(&shipped(), date(2030, 1, 1)), "corporate", "offered, not in force");
    let code = by_the_code("2026-04-01");
    assert_eq!(of(&code, date(2026, 3, 31)), "corporate");
    assert_eq!(of(&code, date(2026, 4, 1)), "corporate_code");
    assert_eq!(code.of(RecordType::Enquiry, date(2026, 4, 1)).unwrap().id, "enquiry");
    let none = SHIPPED.replacen("record_types = [\"comment\"]\n", "", 1);
    assert!(faults(&none)[0].contains("procedure `comment` takes no record type"), "{none}");
    let nowhere = SHIPPED.replacen("replaces = \"corporate\"", "replaces = \"corprate\"", 1);
    assert!(faults(&nowhere)[0].contains("no procedure `corprate` to take the place of"));
    let both = "replaces = \"corporate\"\nrecord_types = [\"enquiry\"]";
    let both = SHIPPED.replacen("replaces = \"corporate\"", both, 1);
    assert!(faults(&both).iter().any(|fault| fault.contains("leave `record_types` out")));
    let idle =
        SHIPPED.replacen("basis = \"council policy\"", "basis = \"x\"\nfrom = 2026-04-01", 1);
    assert!(faults(&idle)[0].contains("add `replaces`, or take `from` out"));
}
