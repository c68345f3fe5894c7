use super::*;
use crate::casework::vocabulary::SubTheme;
use crate::private::Private;

const RECEIVED: &str = "2026-11-02T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn officer() -> OfficerId {
    OfficerId("o-17".to_owned())
}

fn received(record_type: RecordType) -> Event {
    Event::Received {
        message: Some("m-1".to_owned()),
        at: at(RECEIVED),
        record_type,
        services: vec![ServiceId("sen".to_owned())],
        customer_type: CustomerType::Parent,
        themes: vec![Theme::Communication],
        flags: vec![],
    }
}

/// A case that nothing has happened to yet: for the moves' own tests.
pub(super) fn fresh(record_type: RecordType, customer_type: CustomerType) -> Case {
    let event = Event::Received {
        message: None,
        at: at(RECEIVED),
        record_type,
        services: Vec::new(),
        customer_type,
        themes: Vec::new(),
        flags: Vec::new(),
    };
    let received = Recorded { at: at(RECEIVED), by: Actor::Gateway, event };
    Case::replay("NCC-2026-00412-7".parse().unwrap(), [&received]).unwrap()
}

/// What an officer did a day later.
pub(super) fn by_officer(event: Event) -> Recorded {
    let at = at(RECEIVED) + jiff::SignedDuration::from_hours(24);
    Recorded { at, by: Actor::Officer(officer()), event }
}

/// The case after its receipt and these events, a day apart.
fn case_of(record_type: RecordType, events: impl IntoIterator<Item = Event>) -> Case {
    let history: Vec<Recorded> = std::iter::once(received(record_type))
        .chain(events)
        .zip(0_i64..)
        .map(|(event, day)| Recorded {
            at: at(RECEIVED) + jiff::SignedDuration::from_hours(24 * day),
            by: Actor::Gateway,
            event,
        })
        .collect();
    Case::replay("NCC-2026-00412-7".parse().unwrap(), &history).unwrap()
}

fn complaint(events: impl IntoIterator<Item = Event>) -> Case {
    case_of(RecordType::CorporateComplaint, events)
}

fn responded(stage: u8) -> Event {
    Event::Responded { stage, letter: None }
}

fn closed() -> Event {
    Event::Closed { because: None }
}

fn withdrawn() -> Event {
    Event::Withdrawn { confirmed_by: officer() }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_case_is_what_its_events_tell() {
    let second = at("2026-11-20T12:00:00Z");
    let acknowledged = || Event::Acknowledged { letter: Some("l-1".to_owned()), at: None };
    let case = complaint([acknowledged(), acknowledged()]);
    assert_eq!(case.acknowledged_at, Some(at("2026-11-03T09:00:00Z")), "the first counts");
    let case = complaint([
        acknowledged(),
        Event::ServiceAsked {
            service: ServiceId("sen".to_owned()),
            due_on: None,
            message_attached: false,
        },
        responded(1),
        Event::StageRequested { stage: 2, at: second },
    ]);
    assert_eq!((case.status, case.stage), (CaseStatus::Open, 2));
    assert_eq!((case.received_at, case.clock_started_at), (at(RECEIVED), second));
    assert_eq!((case.acknowledged_at, case.responded_at), (None, None), "stage 2 is new");
}

#[test]
fn a_history_without_receipt_is_none() {
    let reference: CaseReference = "NCC-2026-00412-7".parse().unwrap();
    let note = Recorded { at: at(RECEIVED), by: Actor::Gateway, event: closed() };
    assert!(Case::replay(reference.clone(), [&note]).is_err());
    assert_eq!(
        Case::replay(reference, []).unwrap_err().to_string(),
        "the history of NCC-2026-00412-7 does not begin with its receipt"
    );
}

#[test]
fn each_move_leads_to_its_status() {
    let open = complaint([]);
    let answered = complaint([open.respond(Some("l-9")).unwrap()]);
    assert_eq!(answered.status, CaseStatus::Answered);
    let closed = complaint([responded(1), answered.close(None).unwrap()]);
    assert_eq!(closed.status, CaseStatus::Closed);
    let again = at("2026-12-01T09:00:00Z");
    let reopened =
        complaint([responded(1), self::closed(), closed.reopen(again, "New evidence.").unwrap()]);
    assert_eq!((reopened.status, reopened.stage), (CaseStatus::Open, 1));
    assert_eq!((reopened.received_at, reopened.clock_started_at), (at(RECEIVED), again));
    assert_eq!(complaint([open.withdraw(officer()).unwrap()]).status, CaseStatus::Withdrawn);
    let rejection = open.reject(officer(), RejectionReason::AllStagesDone, "as in May").unwrap();
    let rejected = complaint([rejection]);
    assert_eq!(rejected.status, CaseStatus::Rejected);
    assert_eq!(rejected.rejected, Some(RejectionReason::AllStagesDone));
}

#[test]
fn what_is_not_possible_says_what_is() {
    let open = complaint([]);
    let answered = complaint([responded(1)]);
    let over = complaint([responded(1), closed()]);
    assert_eq!(
        refused(open.close(None)),
        "the case is not answered yet: answer it, or record that it was withdrawn or rejected"
    );
    assert_eq!(
        refused(answered.respond(None)),
        "stage 1 is answered and cannot be answered: close the case, reopen it, or open the next stage"
    );
    assert_eq!(refused(over.respond(None)), "the case is closed: reopen it first");
    assert_eq!(
        refused(over.close(None)),
        "the case is closed: there is nothing to close; reopen it to act on it"
    );
    assert_eq!(
        refused(over.correct(CaseField::RecordType, "enquiry", None)),
        "the case is closed: reopen it first"
    );
    assert_eq!(
        refused(open.reopen(at(RECEIVED), "x")),
        "the case is open already: act on it as it is"
    );
    assert_eq!(
        refused(over.reopen(at(RECEIVED), " ")),
        "a reopening needs a reason: say why in a sentence"
    );
    assert_eq!(
        refused(over.withdraw(officer())),
        "the case is closed: put the customer's message with it as a note"
    );
    let reason = RejectionReason::Duplicate;
    assert!(refused(open.reject(officer(), reason, " ")).starts_with("a rejection needs a reason"));
    assert!(refused(answered.reject(officer(), reason, "x")).starts_with("stage 1 is answered"));
}

#[test]
fn what_was_taken_on_is_not_rejected_at_a_later_stage() {
    let second = complaint([Event::StageRequested { stage: 2, at: at(RECEIVED) }]);
    assert!(
        refused(second.reject(officer(), RejectionReason::Duplicate, "x"))
            .starts_with("the case was taken on at stage 1")
    );
}

#[test]
fn a_compliment_is_closed_without_an_answer() {
    assert!(case_of(RecordType::Compliment, []).close(None).is_ok());
}

#[test]
fn the_next_stage_may_be_asked_for_even_if_the_answer_is_late() {
    let at = at("2026-12-10T09:00:00Z");
    assert_eq!(complaint([]).request_stage(2, at), Ok(Event::StageRequested { stage: 2, at }));
    let last = complaint([Event::StageRequested { stage: 2, at }]);
    assert_eq!(
        refused(last.request_stage(2, at)),
        "stage 2 is the last of 2: tell the customer how to go to the Ombudsman"
    );
    assert_eq!(
        refused(complaint([withdrawn()]).request_stage(2, at)),
        "the case is withdrawn: reopen it first"
    );
}

#[test]
fn a_correction_keeps_before_and_after_and_moves_no_clock() {
    let open = complaint([]);
    let correction = open
        .correct(CaseField::RecordType, "enquiry", Some("It is a question.".to_owned()))
        .unwrap();
    assert_eq!(
        correction,
        Event::Corrected {
            field: CaseField::RecordType,
            before: "corporate_complaint".to_owned(),
            after: "enquiry".to_owned(),
            because: Some(Private("It is a question.".to_owned())),
        }
    );
    let themes = open.correct(CaseField::Themes, " staff_conduct, service_issue ", None).unwrap();
    let services = open.correct(CaseField::Services, "front_door, sen", None).unwrap();
    let flags = open.correct(CaseField::Flags, "safeguarding", None).unwrap();
    let customer = open.correct(CaseField::CustomerType, "carer", None).unwrap();
    let case = complaint([correction, themes, services, flags, customer]);
    assert_eq!(case.record_type, RecordType::Enquiry);
    assert_eq!(case.themes, [Theme::StaffConduct, Theme::ServiceIssue]);
    assert_eq!(case.services[0].as_str(), "front_door");
    assert_eq!(case.flags, [Flag::Safeguarding]);
    assert_eq!(case.customer_type, CustomerType::Carer);
    assert_eq!(case.clock_started_at, at(RECEIVED));
    let none = case.correct(CaseField::Flags, "", None).unwrap();
    assert!(matches!(none, Event::Corrected { after, .. } if after.is_empty()));
}

#[test]
fn a_promise_that_a_new_holiday_left_behind_holds_until_an_officer_moves_it() {
    let day = |text: &str| text.parse().ok();
    let changed = || Event::CalendarChanged {
        version: "c2".to_owned(),
        before: day("2026-11-30"),
        after: day("2026-12-01"),
        promised: day("2026-11-30"),
        counted: day("2026-12-01"),
    };
    let case = complaint([changed()]);
    let promise = case.promised.unwrap();
    assert_eq!((Some(promise.on), promise.counted_on), (day("2026-11-30"), day("2026-12-01")));
    let turn = Turn { on: promise.on, what: crate::casework::dates::What::Resumed };
    let turned = case.turn(turn, (None, None), "because").unwrap();
    assert_eq!(complaint([changed(), turned]).promised, None);
    let typed = case.correct(CaseField::RecordType, "enquiry", None).unwrap();
    assert_eq!(complaint([changed(), typed]).promised, None);
    let named = case.correct(CaseField::Services, "front_door", None).unwrap();
    assert!(complaint([changed(), named]).promised.is_some(), "another service, the same day");
    let again = Event::Reopened { at: at(RECEIVED), because: Private("new".to_owned()) };
    assert_eq!(complaint([changed(), responded(1), again]).promised, None);
    let still = Event::CalendarChanged {
        version: "c3".to_owned(),
        before: None,
        after: None,
        promised: None,
        counted: None,
    };
    assert_eq!(complaint([still]).promised, None);
}

#[test]
fn a_wrong_value_names_the_right_ones() {
    let open = complaint([]);
    let said = refused(open.correct(CaseField::CustomerType, "mother", None));
    assert!(said.starts_with("`mother` is unknown (customer type): choose from parent,"), "{said}");
    let said = refused(open.correct(CaseField::Themes, "service_issue,rudeness", None));
    assert!(
        said.starts_with("`rudeness` is unknown (themes): choose from communication,"),
        "{said}"
    );
    let said = refused(open.correct(CaseField::RecordType, "not_for_us", None));
    assert!(said.starts_with("`not_for_us` is no case of its own"), "{said}");
    assert_eq!(
        refused(open.correct(CaseField::CustomerType, "parent", None)),
        "the customer type is `parent` already: leave it as it is"
    );
    assert!(refused(open.correct(CaseField::Services, " ,", None)).starts_with("somebody must"));
}

#[test]
fn events_are_stored_as_json_and_show_no_private_words() {
    let note = Recorded {
        at: at(RECEIVED),
        by: Actor::Officer(officer()),
        event: Event::Note { text: Private("Ann rang.".to_owned()) },
    };
    let json = serde_json::to_value(&note).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "at": "2026-11-02T09:00:00Z",
            "by": {"officer": "o-17"},
            "event": {"kind": "note", "text": "Ann rang."},
        })
    );
    assert_eq!(serde_json::from_value::<Recorded>(json).unwrap(), note);
    assert!(!format!("{note:?}").contains("Ann"));
    for event in [received(RecordType::Enquiry), closed(), responded(1), withdrawn()] {
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }
}

#[test]
fn a_merger_is_undone_to_where_the_case_stood() {
    let mut other = complaint([]);
    other.reference = CaseReference::new("NCC", 2026, 398).unwrap();
    let into = other.reference.to_string();
    for (before, status) in [(vec![], CaseStatus::Open), (vec![responded(1)], CaseStatus::Answered)]
    {
        let case = complaint(before.clone());
        let merged = case.merge(&other, " the same matter ").unwrap();
        assert_eq!(
            merged,
            Event::Merged { into: into.clone(), because: Private("the same matter".to_owned()) }
        );
        let case = complaint(before.iter().cloned().chain([merged.clone()]));
        assert_eq!(
            (case.status, &case.merged),
            (CaseStatus::Closed, &Some((into.clone(), status)))
        );
        assert_eq!(
            refused(case.reopen(at("2026-12-01T09:00:00Z"), "x")),
            format!("the case was merged into {into}: separate the two first")
        );
        let separated = case.separate("two children").unwrap();
        let case = complaint(before.into_iter().chain([merged, separated]));
        assert_eq!((case.status, &case.merged), (status, &None));
        assert!(case.separate("again").is_err());
    }
}

#[test]
fn what_cannot_be_merged_is_refused_with_what_could_be_done() {
    let case = complaint([]);
    assert!(refused(case.merge(&case, "x")).starts_with("a case cannot be merged into itself"));
    let mut other = complaint([closed()]);
    other.reference = CaseReference::new("NCC", 2026, 398).unwrap();
    assert!(refused(case.merge(&other, "x")).contains("the case is closed: reopen it first"));
    other.merged = Some(("NCC-2026-00001-1".to_owned(), CaseStatus::Open));
    assert!(refused(case.merge(&other, "x")).contains("merge into NCC-2026-00001-1"));
    let mut open = complaint([]);
    open.reference = CaseReference::new("NCC", 2026, 399).unwrap();
    assert!(refused(case.merge(&open, "  ")).contains("needs a reason"));
}

fn issue(theme: Theme, part: Option<SubTheme>, service: Option<&str>) -> Issue {
    Issue { theme, part, service: service.map(|id| ServiceId(id.to_owned())) }
}

#[test]
fn each_issue_has_its_own_outcome() {
    let open = complaint([]);
    let late = issue(Theme::ServiceIssue, Some(SubTheme::Delay), None);
    let upheld = open.decide_issue(late.clone(), Some(Outcome::Upheld)).unwrap();
    let partly = open.decide_issue(late.clone(), Some(Outcome::PartlyUpheld)).unwrap();
    let found = complaint([upheld.clone(), partly]);
    assert_eq!(found.findings, [(late.clone(), Outcome::PartlyUpheld)], "the later one counts");
    let back = found.decide_issue(late.clone(), None).unwrap();
    assert!(complaint([upheld, back]).findings.is_empty());
    let none = refused(open.decide_issue(late, None));
    assert_eq!(none, "nothing was found of `service_issue` yet: give its outcome");
    let odd = issue(Theme::Communication, Some(SubTheme::Delay), None);
    assert_eq!(
        refused(open.decide_issue(odd, Some(Outcome::Upheld))),
        "`delay` is no part of `communication`: it is part of `service_issue`"
    );
    let stranger = issue(Theme::Communication, None, Some("adoption"));
    let said = refused(open.decide_issue(stranger, Some(Outcome::Upheld)));
    assert!(said.starts_with("adoption does not answer this case: name one of "), "{said}");
}

#[test]
fn every_part_belongs_to_a_theme_and_staff_conduct_has_none() {
    for theme in Theme::ALL {
        let parts = SubTheme::ALL.iter().filter(|part| part.theme() == *theme).count();
        assert_eq!(parts == 0, *theme == Theme::StaffConduct, "{theme}");
    }
}

#[test]
fn a_statement_is_agreed_once_at_a_later_stage() {
    let asked = at("2026-12-01T09:00:00Z");
    let second = complaint([Event::StageRequested { stage: 2, at: asked }]);
    assert!(refused(complaint([]).agree_statement(asked)).ends_with("open the next stage first"));
    assert!(refused(second.agree_statement(at(RECEIVED))).ends_with("name a day from then on"));
    let agreed = at("2026-12-08T09:00:00Z");
    let event = second.agree_statement(agreed).unwrap();
    let both = complaint([Event::StageRequested { stage: 2, at: asked }, event]);
    assert_eq!((both.clock_started_at, both.statement_agreed_at), (asked, Some(agreed)));
    assert!(refused(both.agree_statement(agreed)).contains("was agreed on 2026-12-08"));
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// An action agreed on 4 November with the responding manager of SEN, due on 27 November.
fn agreed() -> Event {
    agree(&complaint([]), "train the team", "2026-11-04", "2026-11-27").unwrap()
}

fn agree(case: &Case, what: &str, agreed_on: &str, due_on: &str) -> Result<Event, Refusal> {
    let owner = Owner::Service(ServiceId("sen".to_owned()));
    let days = (day(agreed_on), day(due_on));
    case.agree_action(what, Purpose::default(), owner, days, day("2026-11-05"))
}

#[test]
fn an_action_outlives_the_answer_and_starts_its_reminders_anew_with_each_date() {
    let case = complaint([agreed(), responded(1), closed()]);
    assert_eq!(case.status, CaseStatus::Closed);
    assert_eq!(case.owed().count(), 1, "still owed");
    let today = day("2026-11-20");
    let moved = case.move_action(1, day("2026-12-04"), "the trainer is ill", today).unwrap();
    let done = complaint([agreed(), moved.clone()])
        .finish_action(1, today, "attendance list", Some("17/1".to_owned()), today)
        .unwrap();
    let case = complaint([agreed(), moved.clone(), done.clone()]);
    let one = case.action(1).unwrap();
    assert_eq!((one.state, one.due_on, one.round), (ActionState::Done, day("2026-12-04"), 2));
    assert_eq!((one.ended_on, one.message.as_deref()), (Some(today), Some("17/1")));
    assert_eq!(case.owed().count(), 0);
    let again = case.reopen_action(1, None, "half were not there", today).unwrap();
    let case = complaint([agreed(), moved, done, again]);
    let one = case.action(1).unwrap();
    assert_eq!((one.state, one.round, one.ended_on), (ActionState::Open, 3, None));
    assert_eq!(one.evidence, None);
    let second = agree(&case, "a leaflet", "2026-11-05", "2026-11-30").unwrap();
    assert!(matches!(second, Event::Action { number: 2, .. }));
    assert!(!format!("{second:?}").contains("leaflet"), "what it is may name people");
}

#[test]
fn actions_are_refused_in_words_that_say_what_is_possible() {
    let open = complaint([]);
    let on = |case: &Case| refused(agree(case, "x", "2026-11-04", "2026-11-27"));
    assert_eq!(on(&complaint([withdrawn()])), "the case is withdrawn: reopen it first");
    let merged = Event::Merged { into: "NCC-2026-00398-5".to_owned(), because: Private::default() };
    assert!(on(&complaint([merged])).ends_with("agree it on NCC-2026-00398-5"));
    for status in [responded(1), closed()] {
        agree(&complaint([status]), "x", "2026-11-04", "2026-11-27").unwrap();
    }
    for (what, agreed_on, due_on, words) in [
        (" ", "2026-11-04", "2026-11-27", "nothing is to be done: say what in a sentence"),
        ("x", "2026-11-06", "2026-11-27", "2026-11-06 is still to come: name the day on which"),
        ("x", "2026-11-01", "2026-11-27", "the case was received on 2026-11-02: name a day"),
        ("x", "2026-11-04", "2026-11-04", "2026-11-04 has passed: name a day from today on"),
    ] {
        let said = refused(agree(&open, what, agreed_on, due_on));
        assert!(said.starts_with(words), "{said}");
    }
    let nobody = Owner::Person { name: Private(" ".to_owned()), address: None };
    let today = day("2026-11-20");
    let odd =
        Purpose { theme: Some(Theme::Communication), part: Some(SubTheme::Delay), service: None };
    let none = Purpose::default();
    let said = refused(open.agree_action("x", none, nobody.clone(), (today, today), today));
    assert_eq!(said, "the action has no owner: name a person or a service");
    let said = refused(open.agree_action("x", odd, nobody, (today, today), today));
    assert!(said.contains("it is part of `service_issue`"), "{said}");

    let case = complaint([agreed()]);
    let same = day("2026-11-27");
    for (said, words) in [
        (refused(case.move_action(2, same, "x", today)), "no action 2: it has action 1"),
        (refused(case.move_action(1, same, "x", today)), "due on 2026-11-27 already"),
        (refused(case.move_action(1, today, " ", today)), "moving a date needs a reason"),
        (refused(case.move_action(1, same.yesterday().unwrap(), "x", same)), "has passed"),
        (refused(case.finish_action(1, today, " ", None, today)), "nothing shows that it was done"),
        (refused(case.finish_action(1, day("2026-11-03"), "x", None, today)), "was agreed on"),
        (refused(case.finish_action(1, same, "x", None, today)), "is still to come"),
        (refused(case.drop_action(1, "", today)), "dropping an action needs a reason"),
        (refused(case.reopen_action(1, None, "x", today)), "action 1 is open already"),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let over = complaint([agreed(), case.drop_action(1, "the team is gone", today).unwrap()]);
    let said = refused(over.finish_action(1, today, "x", None, today));
    assert_eq!(said, "action 1 is dropped already: reopen the action first");
    let late = refused(over.reopen_action(1, None, "x", day("2026-12-01")));
    assert_eq!(late, "2026-11-27 has passed: name a day from today on");
}
