use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

mod long;

const SHIPPED: &str = include_str!("../../../rules/reminders.toml");
const ENGLAND: &str = include_str!("../../../rules/calendar/bank-holidays-england.json");

static CALENDAR: LazyLock<WorkingCalendar> =
    LazyLock::new(|| WorkingCalendar::from_json("days.json", ENGLAND).unwrap());
static LADDER: LazyLock<Ladder> =
    LazyLock::new(|| Ladder::from_toml("rules/reminders.toml", SHIPPED).unwrap());

/// A request opened on a day and due `limit` working days later.
fn request(opened_on: Date, limit: u16) -> RequestDates {
    let due_on = CALENDAR.add_working_days(opened_on, limit.into()).unwrap();
    RequestDates {
        opened_on,
        accepted: true,
        draft_due_on: LADDER.draft_due_on(opened_on, due_on, None, &CALENDAR).unwrap(),
        due_on,
        short: LADDER.is_short(limit),
    }
}

/// The ladder until a day, as `id day` lines.
fn climbed(dates: &RequestDates, until: Date) -> Vec<String> {
    let rungs = LADDER.of_requests().rungs(dates, &CALENDAR).unwrap();
    rungs
        .iter()
        .take_while(|rung| rung.on <= until)
        .map(|rung| format!("{} {}", rung.id, rung.on.strftime("%-d %b")))
        .collect()
}

/// What goes out on a day, and what is passed over with it.
fn due(day: Date, weekly: bool, dates: &RequestDates, sent: &[&str]) -> (Vec<String>, Vec<String>) {
    let sent = sent.iter().map(|id| (*id).to_owned()).collect();
    let due = LADDER.of_requests().all_due_today(day, weekly, dates, &sent, &CALENDAR).unwrap();
    let ids = |rungs: Vec<Rung>| rungs.into_iter().map(|rung| rung.id).collect();
    (ids(due.rungs), ids(due.passed_over))
}

/// What goes out on a day on which directors hear too.
fn today(day: Date, dates: &RequestDates, sent: &[&str]) -> Option<String> {
    let (rungs, _) = due(day, true, dates, sent);
    (!rungs.is_empty()).then(|| rungs.join(" and "))
}

fn faults(text: &str) -> Vec<String> {
    let faults = Ladder::from_toml("reminders.toml", text).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn twenty_days_and_then_on_and_on() {
    let mut dates = request(date(2026, 11, 2), 20);
    assert_eq!(dates.due_on, date(2026, 11, 30));
    dates.accepted = false;
    assert_eq!(
        climbed(&dates, date(2027, 1, 15)),
        [
            "allocate 2 Nov",
            "not_accepted 4 Nov",
            "halfway 13 Nov",
            "soon 20 Nov",
            "draft_due 25 Nov",
            "holding_check 26 Nov",
            "overdue 1 Dec",
            "overdue_5 7 Dec",
            "overdue_10 14 Dec",
            "overdue_10#2 21 Dec",
            "overdue_10#3 30 Dec",
            "overdue_20 30 Dec",
            "overdue_10#4 7 Jan",
            "overdue_10#5 14 Jan",
        ]
    );
}

#[test]
fn ten_days_climb_faster() {
    let dates = request(date(2026, 11, 2), 10);
    assert_eq!(
        climbed(&dates, date(2026, 11, 17)),
        [
            "allocate 2 Nov",
            "halfway 5 Nov",
            "soon 9 Nov",
            "draft_due 11 Nov",
            "holding_check 12 Nov",
            "overdue 17 Nov",
        ]
    );
    // Three days leave none to check in: no draft date, and nothing before the opening.
    assert_eq!(
        climbed(&request(date(2026, 11, 2), 3), date(2026, 11, 6)),
        ["allocate 2 Nov", "holding_check 3 Nov", "overdue 6 Nov"]
    );
}

/// How many working days a rung falls after a day of the request; negative before it.
fn from(day: Date, dates: &RequestDates, id: &str) -> i32 {
    let rungs = LADDER.of_requests().rungs(dates, &CALENDAR).unwrap();
    let rung = rungs.iter().find(|rung| rung.id == id).unwrap();
    CALENDAR.working_days_between(day, rung.on).unwrap()
}

#[test]
fn the_early_rungs_of_ten_days_are_half_as_early() {
    for (limit, early) in [(10, [-4, -2, 0]), (11, [-8, -3, 0]), (20, [-8, -3, 0])] {
        // The calendar's first day that is worked, so that the earliest falls after the opening.
        let dates = request(date(2026, 11, 2), limit);
        let draft = dates.draft_due_on.unwrap();
        let early = early.into_iter().zip(["halfway", "soon", "draft_due"]);
        for (offset, id) in early.filter(|(offset, _)| i32::from(limit) - 3 + offset >= 0) {
            assert_eq!(from(draft, &dates, id), offset, "{id} of {limit}");
        }
    }
}

#[test]
fn each_rung_goes_to_its_people_in_its_way() {
    let dates = request(date(2026, 11, 2), 20);
    let rungs = LADDER.of_requests().rungs(&dates, &CALENDAR).unwrap();
    let rung = |id: &str| rungs.iter().find(|rung| rung.id == id).unwrap();
    assert_eq!(rung("allocate").to, [Role::ServiceInbox, Role::RespondingManager]);
    assert_eq!(rung("allocate").via, Via::OwnMail);
    assert_eq!(rung("overdue_20").via, Via::WeeklyDigest);
    assert_eq!(rung("overdue_10#2").to, [Role::DivisionalDirector]);
    assert!(rung("holding_check").asks.as_ref().unwrap().contains("holding letter"));
    assert_eq!(rung("halfway").asks, None);
    assert_eq!(LADDER.send_at(), jiff::civil::time(8, 30, 0, 0));
}

#[test]
fn asked_on_a_saturday_is_chased_from_monday() {
    let dates = request(date(2026, 11, 7), 20);
    assert_eq!(climbed(&dates, date(2026, 11, 9)), ["allocate 9 Nov"]);
    assert_eq!(today(date(2026, 11, 7), &dates, &[]), None);
    assert_eq!(today(date(2026, 11, 9), &dates, &[]).as_deref(), Some("allocate"));
    // A date promised for a closed day is chased before it.
    let dates = RequestDates { due_on: date(2026, 12, 25), draft_due_on: None, ..dates };
    assert!(climbed(&dates, date(2026, 12, 31)).contains(&"overdue 29 Dec".to_owned()));
    let draft = RequestDates { draft_due_on: Some(date(2026, 11, 29)), ..dates };
    assert!(climbed(&draft, date(2026, 12, 1)).contains(&"draft_due 27 Nov".to_owned()));
}

#[test]
fn after_a_gap_only_the_highest_is_sent_and_lower_ones_never() {
    let dates = request(date(2026, 11, 2), 20);
    let back = date(2026, 12, 8);
    assert_eq!(today(back, &dates, &["allocate", "halfway"]).as_deref(), Some("overdue_5"));
    assert_eq!(today(back, &dates, &["allocate", "halfway", "overdue_5"]), None);
    let (_, missed) = due(back, false, &dates, &["allocate", "halfway"]);
    assert_eq!(missed, ["soon", "draft_due", "holding_check", "overdue"]);
}

#[test]
fn rungs_of_one_day_all_go_out_and_the_list_of_the_week_bars_nothing() {
    // Twenty working days late: the director of the division hears every five, the corporate one weekly.
    let dates = request(date(2026, 11, 2), 20);
    let (thursday, sent) = (date(2026, 12, 30), ["overdue_10", "overdue_10#2"]);
    assert_eq!(due(thursday, false, &dates, &sent).0, ["overdue_10#3"]);
    assert_eq!(due(thursday, true, &dates, &sent).0, ["overdue_10#3", "overdue_20"]);
    let sent = ["overdue_10", "overdue_10#2", "overdue_10#3"];
    assert_eq!(due(date(2027, 1, 4), true, &dates, &sent).0, ["overdue_20"]);
    // A backlog found late: of what goes daily the highest, and the weekly list all the same.
    let (rungs, missed) = due(date(2027, 1, 18), true, &dates, &["allocate"]);
    assert_eq!(rungs, ["overdue_20", "overdue_10#5"]);
    assert!(missed.contains(&"overdue_10#4".to_owned()), "{missed:?}");
    assert!(!missed.contains(&"overdue_20".to_owned()), "{missed:?}");
    // Nobody has accepted it by the day of the first reminder: both are told; a day late, one is.
    let short = RequestDates { accepted: false, ..request(date(2026, 11, 2), 13) };
    let both = ["not_accepted", "halfway"];
    assert_eq!(due(date(2026, 11, 4), false, &short, &["allocate"]).0, both);
    let (rungs, missed) = due(date(2026, 11, 5), false, &short, &["allocate"]);
    assert_eq!((rungs, missed), (vec!["halfway".to_owned()], vec!["not_accepted".to_owned()]));
}

#[test]
fn a_request_not_accepted_is_chased_until_it_is() {
    let mut dates = request(date(2026, 11, 2), 20);
    let day = date(2026, 11, 5);
    assert_eq!(today(day, &dates, &["allocate"]), None);
    dates.accepted = false;
    assert_eq!(today(day, &dates, &["allocate"]).as_deref(), Some("not_accepted"));
    // Accepted after that: nothing below it comes back.
    dates.accepted = true;
    assert_eq!(today(day, &dates, &["not_accepted"]), None);
    assert_eq!(today(date(2026, 11, 13), &dates, &["not_accepted"]).as_deref(), Some("halfway"));
}

#[test]
fn a_later_due_date_repeats_nothing() {
    let dates = request(date(2026, 11, 2), 20);
    let extended =
        RequestDates { due_on: date(2026, 12, 14), draft_due_on: Some(date(2026, 12, 9)), ..dates };
    let sent = ["allocate", "halfway", "soon"];
    assert_eq!(today(date(2026, 11, 27), &extended, &sent), None);
    assert_eq!(today(date(2026, 12, 4), &extended, &sent), None);
    assert_eq!(today(date(2026, 12, 9), &extended, &sent).as_deref(), Some("draft_due"));
    // Nor does a repetition that lies ahead again let a lower rung out.
    let sent = ["overdue_10#2"];
    assert_eq!(today(date(2026, 12, 16), &extended, &sent), None);
    assert_eq!(today(date(2027, 1, 8), &extended, &sent), None);
    assert_eq!(
        today(date(2027, 1, 14), &extended, &sent).as_deref(),
        Some("overdue_10#3 and overdue_20")
    );
}

#[test]
fn near_the_end_of_the_calendar_known_rungs_still_go_out() {
    let dates = request(date(2027, 12, 1), 18);
    assert_eq!(climbed(&dates, date(2027, 12, 31)).last().unwrap(), "overdue 30 Dec");
    assert_eq!(today(date(2027, 12, 30), &dates, &[]).as_deref(), Some("overdue"));
    assert!(
        LADDER
            .of_requests()
            .all_due_today(date(2028, 1, 4), true, &dates, &BTreeSet::new(), &CALENDAR)
            .is_err()
    );
    let unknown = RequestDates { due_on: date(2028, 1, 10), ..dates };
    assert!(LADDER.of_requests().rungs(&unknown, &CALENDAR).is_err());
}

#[test]
fn every_wrong_value_is_named_at_once_with_its_place() {
    let wrong = SHIPPED
        .replace("send_at = \"08:30\"", "send_at = \"half past eight\"")
        .replace("at = \"draft_due - 8\"", "at = \"draft - 8\"")
        .replace("at_short = \"draft_due - 2\"", "at_short = \"draft_due -- 2\"")
        .replacen("repeat_every = 5", "repeat_every = 0", 1)
        .replace("to = [\"corporate_director\"]", "to = []")
        .replace("id = \"overdue_5\"", "id = \"overdue\"")
        .replace("id = \"soon\"", "id = \"soon#1\"");
    let expected = [
        ("\"half past", "`half past eight` is not a time of day; write it as \"08:30\""),
        ("\"draft - 8", "`draft - 8` is no day of a request; write opened, draft_due or due"),
        ("\"soon#1\"", "`soon#1` is no id; write small letters"),
        ("\"draft_due -- 2", "`draft_due -- 2` is no day of a request"),
        (
            "0\nto = [\"divisional_director\"]\n\n[[step]]\nid = \"overdue_20",
            "a step cannot repeat every 0 days",
        ),
        ("[]\n", "the step goes to nobody; name at least one role"),
        ("\"overdue\"\nat = \"due + 5", "step `overdue` is there twice; give each step its own id"),
    ];
    let said = faults(&wrong);
    for (text, words) in expected {
        let fault =
            Fault::new("reminders.toml", "", "").at_offset(&wrong, wrong.find(text).unwrap());
        let place = fault.to_string().replace(": ; ", ": ");
        assert!(
            said.iter().any(|said| said.starts_with(&format!("{place}{words}"))),
            "{place}{words}\n{said:#?}"
        );
    }
    assert_eq!(said.len(), expected.len(), "{said:#?}");
}

#[test]
fn a_wrong_role_or_key_names_the_right_ones() {
    let said = faults(&SHIPPED.replace("\"head_of_service\"", "\"head\""));
    assert!(said[0].contains("unknown value `head`; write one of `service_inbox`"), "{said:?}");
    let said = faults(&SHIPPED.replacen("asks =", "ask =", 1));
    assert!(said[0].contains("unknown field `ask`; write one of `id`, `at`"), "{said:?}");
}

/// The reminder of an action agreed on 2 November 2026 that is due on a day.
fn of_action(today: Date, due_on: Date, sent: &[&str]) -> Option<String> {
    let sent = sent.iter().map(|id| (*id).to_owned()).collect();
    let dates = RequestDates::of_action(date(2026, 11, 2), due_on);
    let rung = LADDER.of_actions().due_today(today, &dates, &sent, &CALENDAR).unwrap();
    rung.map(|rung| rung.id)
}

#[test]
fn an_action_is_reminded_of_before_its_day_on_it_and_on_and_on_after_it() {
    let dates = RequestDates::of_action(date(2026, 11, 2), date(2026, 12, 18));
    let rungs = LADDER.of_actions().rungs(&dates, &CALENDAR).unwrap();
    let until = rungs.iter().take_while(|rung| rung.on <= date(2027, 1, 21));
    let climbed: Vec<String> =
        until.map(|rung| format!("{} {}", rung.id, rung.on.strftime("%-d %b"))).collect();
    // Christmas Day, the holiday for Boxing Day and New Year's Day do not count.
    assert_eq!(
        climbed,
        [
            "action_soon 11 Dec",
            "action_due 18 Dec",
            "action_overdue 21 Dec",
            "action_late 29 Dec",
            "action_late#2 6 Jan",
            "action_late#3 13 Jan",
            "action_late#4 20 Jan",
            "action_very_late 20 Jan",
        ]
    );
    assert_eq!(rungs[0].to, [Role::ActionOwner]);
    assert_eq!(rungs[2].to, [Role::ActionOwner, Role::RespondingManager]);
    assert!(rungs.iter().all(|rung| rung.via == Via::Digest), "one mail a person a day");
    // A day that is no working day: the one before it counts. A short action has no early reminder.
    let saturday = RequestDates::of_action(date(2026, 12, 16), date(2026, 12, 19));
    let rungs = LADDER.of_actions().rungs(&saturday, &CALENDAR).unwrap();
    assert_eq!((rungs[0].id.as_str(), rungs[0].on), ("action_due", date(2026, 12, 18)));
}

#[test]
fn after_a_gap_only_the_highest_reminder_of_an_action_is_sent_and_each_once() {
    let due = date(2026, 12, 18);
    assert_eq!(of_action(date(2026, 12, 10), due, &[]), None);
    assert_eq!(of_action(date(2026, 12, 30), due, &[]).as_deref(), Some("action_late"));
    assert_eq!(of_action(date(2026, 12, 30), due, &["action_late"]), None);
    assert_eq!(of_action(date(2026, 12, 26), due, &[]), None, "a closed day");
    let later = of_action(date(2027, 1, 8), due, &["action_late"]);
    assert_eq!(later.as_deref(), Some("action_late#2"));
}

#[test]
fn wrong_reminders_of_actions_are_named_with_their_place() {
    let wrong = SHIPPED
        .replace("at = \"due - 5\"\nto = [\"action_owner\"]", "at = \"opened - 5\"\nto = []")
        .replace("id = \"action_due\"", "id = \"action_soon\"")
        .replacen("to = [\"responding_manager\"]", "to = [\"action_owner\"]", 1);
    let said = faults(&wrong);
    for words in [
        "`opened - 5` is no day of an action; write agreed or due",
        "the step goes to nobody",
        "step `action_soon` is there twice",
        "no action is reminded of here; write it in an [[action]]",
    ] {
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:#?}");
    }
    assert_eq!(said.len(), 4, "{said:#?}");
    // A folder from before there were actions reminds nobody.
    let before = SHIPPED.split("[[action]]").next().unwrap();
    assert!(Ladder::from_toml("reminders.toml", before).unwrap().of_actions().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A daemon that runs on some days and not on others, and is restarted in between.
    #[test]
    fn whatever_days_it_runs_each_rung_is_sent_once_and_in_order(
        opened in 0..3000_i32,
        limit in 1..66_u16,
        accepted in any::<bool>(),
        gaps in prop::collection::vec(1..25_i32, 1..40),
    ) {
        let opened_on = date(2016, 1, 1).saturating_add(opened.days());
        let dates = RequestDates { accepted, ..request(opened_on, limit) };
        let rungs = LADDER.of_requests().rungs(&dates, &CALENDAR).unwrap();
        let mut sent = BTreeSet::new();
        let mut highest = None;
        let mut ran_on = opened_on.yesterday().unwrap();
        let mut day = ran_on;
        for gap in gaps {
            day = day.saturating_add(gap.days());
            let again = |sent: &BTreeSet<String>| {
                LADDER.of_requests().all_due_today(day, true, &dates, sent, &CALENDAR).unwrap().rungs
            };
            let due = again(&sent);
            if !CALENDAR.is_working_day(day).unwrap() {
                prop_assert!(due.is_empty(), "sent on a closed day");
                continue;
            }
            let came_due = rungs.iter().any(|rung| rung.on > ran_on && rung.on <= day);
            prop_assert_eq!(!due.is_empty(), came_due, "something after a gap that held any");
            ran_on = day;
            let on_its_day = due.iter().all(|rung| rung.on == day);
            let daily = due.iter().filter(|rung| rung.via != Via::WeeklyDigest).count();
            prop_assert!(on_its_day || daily <= 1, "late, only the highest");
            for rung in due {
                prop_assert!(rung.on <= day);
                prop_assert!(CALENDAR.is_working_day(rung.on).unwrap());
                if rung.via != Via::WeeklyDigest {
                    prop_assert!(highest < Some(rung.rank), "never down the ladder");
                    highest = Some(rung.rank);
                }
                prop_assert!(sent.insert(rung.id), "sent twice");
            }
            prop_assert!(again(&sent).is_empty());
        }
    }

    #[test]
    fn rungs_are_in_order_of_day_on_working_days_with_ids_of_their_own(
        opened in 0..3000_i32, limit in 1..66_u16, accepted in any::<bool>(),
    ) {
        let opened_on = date(2016, 1, 1).saturating_add(opened.days());
        let dates = RequestDates { accepted, ..request(opened_on, limit) };
        let rungs = LADDER.of_requests().rungs(&dates, &CALENDAR).unwrap();
        let ids: BTreeSet<&str> = rungs.iter().map(|rung| rung.id.as_str()).collect();
        prop_assert_eq!(ids.len(), rungs.len());
        prop_assert!(rungs.windows(2).all(|pair| pair[0].on <= pair[1].on && pair[0].rank < pair[1].rank));
        for rung in &rungs {
            prop_assert!(rung.on >= opened_on);
            prop_assert!(CALENDAR.is_working_day(rung.on).unwrap());
        }
    }
}

#[test]
fn the_ombudsmans_day_is_told_five_and_two_days_before_and_on_it() {
    let dates = RequestDates::of_action(date(2026, 11, 2), date(2026, 11, 20));
    let rungs = LADDER.of_ombudsman().rungs(&dates, &CALENDAR).unwrap();
    let upto: Vec<&Rung> = rungs.iter().filter(|rung| rung.on <= dates.due_on).collect();
    let offsets =
        upto.iter().map(|rung| CALENDAR.working_days_between(dates.due_on, rung.on).unwrap());
    assert_eq!(offsets.collect::<Vec<_>>(), [-5, -2, 0]);
    for rung in upto {
        assert_eq!(rung.to, [Role::LinkOfficer, Role::DivisionalDirector], "{}", rung.id);
        assert_eq!(rung.via, Via::Digest, "on its day, never in the week's list alone");
    }
}

#[test]
fn the_ombudsmans_dates_have_a_ladder_of_their_own() {
    let ladder = LADDER.of_ombudsman();
    let dates = RequestDates {
        opened_on: date(2026, 11, 2),
        accepted: true,
        draft_due_on: None,
        due_on: date(2026, 11, 20),
        short: false,
    };
    let today = |day: Date, sent: &[&str]| {
        let sent = sent.iter().map(|id| (*id).to_owned()).collect();
        ladder.due_today(day, &dates, &sent, &CALENDAR).unwrap().map(|rung| rung.id)
    };
    let five = "ombudsman_5";
    assert_eq!(today(date(2026, 11, 12), &[]), None);
    assert_eq!(today(date(2026, 11, 13), &[]).as_deref(), Some(five));
    assert_eq!(today(date(2026, 11, 13), &[five]), None, "once");
    assert_eq!(today(date(2026, 11, 18), &[five]).as_deref(), Some("ombudsman_2"));
    assert_eq!(today(date(2026, 11, 20), &[five]).as_deref(), Some("ombudsman_due"));
    assert_eq!(today(date(2026, 11, 21), &[five]), None, "a Saturday");
    let late = |day: Date, sent: &[&str]| today(day, sent).unwrap();
    assert_eq!(late(date(2026, 11, 23), &["ombudsman_due"]), "ombudsman_overdue");
    let third = late(date(2026, 11, 25), &["ombudsman_overdue"]);
    assert_eq!(third, "ombudsman_overdue#3", "each working day, and of a gap the last alone");
    let to = ladder.due_today(date(2026, 11, 25), &dates, &BTreeSet::new(), &CALENDAR).unwrap();
    assert_eq!(to.unwrap().to, [Role::LinkOfficer, Role::ComplaintsManager]);
}

#[test]
fn what_was_agreed_without_a_date_counts_from_the_decision() {
    let ladder = LADDER.of_undated_remedies();
    let decided = RequestDates::of_action(date(2026, 11, 2), date(2026, 11, 2));
    let today = |day, sent: &[&str]| {
        let sent = sent.iter().map(ToString::to_string).collect();
        ladder.due_today(day, &decided, &sent, &CALENDAR).unwrap().map(|rung| rung.id)
    };
    let id = "remedy_without_date";
    assert_eq!(today(date(2026, 11, 13), &[]), None, "nine working days");
    assert_eq!(today(date(2026, 11, 16), &[]).as_deref(), Some(id));
    assert_eq!(today(date(2026, 11, 17), &[id]), None, "each once");
    assert_eq!(today(date(2026, 11, 30), &[id]).as_deref(), Some("remedy_without_date#2"));
    // A file from before there were such steps goes on with the shipped ones; a date of theirs has none of them.
    let at = SHIPPED.rfind("[[ombudsman]]").unwrap();
    let before = Ladder::from_toml("reminders.toml", &SHIPPED[..at]).unwrap();
    assert_eq!(before.of_undated_remedies(), ladder);
    let dated = LADDER.of_ombudsman().rungs(&decided, &CALENDAR).unwrap();
    assert!(dated.iter().all(|rung| !rung.id.starts_with(id)));
    let said = faults(&SHIPPED.replace("decided + 10", "decided - 10"));
    assert!(
        said.iter().any(|said| said.contains("nothing is agreed before the decision")),
        "{said:#?}"
    );
}

#[test]
fn a_file_from_before_the_ombudsmans_steps_goes_on_with_the_shipped_ones() {
    let before = SHIPPED.split("[[ombudsman]]").next().unwrap();
    let ladder = Ladder::from_toml("reminders.toml", before).unwrap();
    assert_eq!(ladder.of_ombudsman(), LADDER.of_ombudsman());
    let own = format!(
        "{before}\n[[ombudsman]]\nid = \"a\"\nat = \"draft_due - 1\"\nto = []\n[[ombudsman]]\nid = \"a\"\nat = \"due\"\nto = [\"link_officer\"]\n"
    );
    let said = faults(&own).join("\n");
    for part in ["the Ombudsman waits for no draft", "goes to nobody", "`a` is there twice"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let own_mail = format!(
        "{before}\n[[ombudsman]]\nid = \"a\"\nat = \"due\"\nto = [\"link_officer\"]\nvia = \"own_mail\"\n"
    );
    assert!(faults(&own_mail).join("\n").contains("via"), "one mail a person a day");
}

#[test]
fn a_margin_of_the_services_own_is_kept_in_place_of_the_ladders() {
    let (opened_on, due_on) = (date(2026, 3, 16), date(2026, 4, 15));
    let draft =
        |margin| LADDER.draft_due_on(opened_on, due_on, margin, &CALENDAR).unwrap().unwrap();
    let left = |day| CALENDAR.working_days_between(day, due_on).unwrap();
    assert_eq!((left(draft(None)), left(draft(Some(7))), left(draft(Some(0)))), (3, 7, 0));
    // A part with a day of its own is checked for as long too.
    let part = |margin| LADDER.part_due_on(opened_on, due_on, Some(8), margin, &CALENDAR).unwrap();
    assert_eq!(left(part(None).1), 5);
    assert_eq!(left(part(Some(6)).1), 2);
}

#[test]
fn only_early_steps_that_tell_nobody_above_can_be_left_out() {
    let can: Vec<&str> = LADDER.of_requests().courtesies().collect();
    assert_eq!(can, ["progress", "halfway", "soon"]);
    let all: Vec<String> = LADDER.of_requests().0.iter().map(|step| step.id.clone()).collect();
    let left = LADDER.of_requests().without(&all);
    assert_eq!(left.0.len(), all.len() - can.len(), "whatever is asked for");
    // What was skipped neither goes out late nor bars what was sent before it was asked for.
    let dates = request(date(2026, 3, 16), 20);
    let steps =
        LADDER.of_requests().without(&can.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    let on = |day| {
        let sent = BTreeSet::from(["allocate".to_owned()]);
        let due = steps.all_due_today(day, true, &dates, &sent, &CALENDAR).unwrap();
        due.rungs.into_iter().map(|rung| rung.id).collect::<Vec<_>>()
    };
    let draft = dates.draft_due_on.unwrap();
    let before = |days: i32| CALENDAR.add_working_days(draft, -days).unwrap();
    assert!(on(before(8)).is_empty() && on(before(3)).is_empty() && on(before(1)).is_empty());
    assert_eq!(on(draft), ["draft_due"]);
    // Without anything left out nothing is copied.
    assert!(matches!(LADDER.of_requests().without(&[]), Cow::Borrowed(_)));
}
