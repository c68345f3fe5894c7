//! Long times: asked once a month how far they are.

use jiff::civil::date;

use super::*;

/// 65 working days from 2 March 2026: due on 5 June, the draft on 2 June, the reminders from 20 May.
fn long() -> RequestDates {
    request(date(2026, 3, 2), 65)
}

#[test]
fn sixty_five_days_are_asked_how_far_they_are_once_a_month_until_the_reminders_begin() {
    let dates = long();
    assert_eq!(dates.due_on, date(2026, 6, 5));
    assert_eq!(
        climbed(&dates, date(2026, 6, 8)),
        [
            "allocate 2 Mar",
            "progress 30 Mar",
            "progress#2 29 Apr",
            "halfway 20 May",
            "soon 28 May",
            "draft_due 2 Jun",
            "holding_check 3 Jun",
            "overdue 8 Jun",
        ]
    );
    let rungs = LADDER.of_requests().rungs(&dates, &CALENDAR).unwrap();
    assert_eq!(rungs[1].to, [Role::RespondingManager]);
    assert!(rungs[1].asks.as_ref().unwrap().contains("PROGRESS"));
    assert_eq!(from(dates.opened_on, &dates, "progress#2"), 40);
}

#[test]
fn shorter_limits_are_not_asked_how_far_they_are() {
    for limit in 1..=70 {
        let dates = request(date(2026, 3, 2), limit);
        let rungs = LADDER.of_requests().rungs(&dates, &CALENDAR).unwrap();
        let asked: Vec<&Rung> =
            rungs.iter().filter(|rung| rung.id.starts_with("progress")).collect();
        assert_eq!(asked.is_empty(), limit < 45, "{limit} working days");
        let halfway = rungs.iter().find(|rung| rung.id == "halfway").map(|rung| rung.on);
        for rung in asked {
            assert!(Some(rung.on) < halfway, "{} of {limit} is not before halfway", rung.id);
        }
    }
    // A service asked late in a long stage has a short time itself.
    let late = RequestDates { opened_on: date(2026, 4, 10), ..long() };
    assert!(climbed(&late, date(2026, 6, 8)).iter().all(|rung| !rung.starts_with("progress")));
}

#[test]
fn each_month_is_asked_once_and_after_a_gap_only_the_highest_rung() {
    let dates = long();
    assert_eq!(today(date(2026, 3, 27), &dates, &["allocate"]), None);
    assert_eq!(today(date(2026, 3, 30), &dates, &["allocate"]).as_deref(), Some("progress"));
    assert_eq!(today(date(2026, 3, 30), &dates, &["progress"]), None);
    assert_eq!(today(date(2026, 3, 31), &dates, &["progress"]), None);
    assert_eq!(today(date(2026, 4, 2), &dates, &["allocate"]).as_deref(), Some("progress"), "late");
    let (rungs, missed) = due(date(2026, 4, 30), false, &dates, &["allocate"]);
    assert_eq!((rungs, missed), (vec!["progress#2".to_owned()], vec!["progress".to_owned()]));
    // The reminders have begun: it is not asked any more.
    let (rungs, missed) = due(date(2026, 5, 21), false, &dates, &["allocate", "progress"]);
    assert_eq!((rungs, missed), (vec!["halfway".to_owned()], vec!["progress#2".to_owned()]));
    assert_eq!(today(date(2026, 5, 22), &dates, &["progress", "halfway"]), None);
}

#[test]
fn a_time_made_long_is_asked_how_far_it_is_though_the_earlier_date_was_reminded_of() {
    // 25 working days, and two reminders; then the answer may take 65.
    let sent = ["allocate", "halfway", "soon"];
    let before = request(date(2026, 3, 2), 25);
    assert_eq!(climbed(&before, date(2026, 3, 27))[1..], ["halfway 20 Mar", "soon 27 Mar"]);
    assert_eq!(today(date(2026, 3, 30), &before, &sent), None);
    assert_eq!(today(date(2026, 3, 30), &long(), &sent).as_deref(), Some("progress"));
    let sent = ["allocate", "halfway", "soon", "progress"];
    assert_eq!(today(date(2026, 4, 29), &long(), &sent).as_deref(), Some("progress#2"));
    let sent = ["allocate", "halfway", "soon", "progress", "progress#2"];
    for day in [date(2026, 4, 30), date(2026, 5, 20), date(2026, 5, 28)] {
        assert_eq!(today(day, &long(), &sent), None, "{day}: what was sent is not repeated");
    }
    assert_eq!(today(date(2026, 6, 2), &long(), &sent).as_deref(), Some("draft_due"));
    // Extended while nothing ran, and looked at when the reminders have begun again: nothing comes back.
    assert_eq!(today(date(2026, 5, 21), &long(), &["allocate", "halfway", "soon"]), None);
    // And a time made short again is asked no more.
    assert_eq!(today(date(2026, 3, 30), &request(date(2026, 3, 2), 40), &["allocate"]), None);
}

#[test]
fn wrong_words_about_long_limits_are_named_with_their_place() {
    let said = faults(&SHIPPED.replace("long_from = 45", "long_from = 10"));
    assert!(
        said[0].contains("would be both short and long; write more than short_up_to, which is 10"),
        "{said:?}"
    );
    let said = faults(&SHIPPED.replace("long_from = 45", "long_from = 261"));
    assert!(said[0].contains("no answer takes more than a year; write at most 260"), "{said:?}");
    let said = faults(&SHIPPED.replace("long_from = 45\n", ""));
    let line =
        1 + SHIPPED.lines().position(|line| line.starts_with("only_while = \"long\"")).unwrap();
    assert!(
        said[0].contains(&format!("line {}", line - 1))
            && said[0]
                .contains("nothing says how many working days are long; write `long_from = 45`"),
        "{said:?}"
    );
    let said = faults(&SHIPPED.replace("until = \"draft_due - 8\"", "until = \"halfway\""));
    assert!(said[0].contains("`halfway` is no day of a request"), "{said:?}");
    let said = faults(&SHIPPED.replace("only_while = \"long\"", "only_while = \"longish\""));
    assert!(said[0].contains("write `not_accepted` or `long`"), "{said:?}");
    // A council's own file from before there were long limits asks nobody, and is no fault.
    let old = SHIPPED.replace("long_from = 45\n", "").replace("only_while = \"long\"\n", "");
    assert!(Ladder::from_toml("reminders.toml", &old).is_ok());
}
