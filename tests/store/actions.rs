//! Actions agreed from complaints, and their reminders.

use jiff::civil::{Date, date};
use postern::casework::case::{Action, ActionState, Owner, Purpose};
use postern::casework::vocabulary::{ServiceId, SubTheme, Theme};
use postern::private::Private;
use postern::store::actions::{self, Listed};
use postern::store::rungs::{self, Chased, NewRung};
use postern::store::tasks::{self, NewTask};
use postern::store::{Db, StoreError, Tx, cases};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, several, tx};

fn action(number: u32, due_on: Date) -> Action {
    Action {
        number,
        what: Private(ODD.to_owned()),
        purpose: Purpose {
            theme: Some(Theme::ServiceIssue),
            part: Some(SubTheme::Delay),
            service: Some(ServiceId("sen".to_owned())),
        },
        owner: Owner::Person {
            name: Private(ODD.to_owned()),
            address: Some(Private("Sam@Example.org".to_owned())),
        },
        state: ActionState::Open,
        agreed_on: date(2026, 3, 16),
        due_on,
        round: 1,
        ended_on: None,
        evidence: None,
        message: None,
    }
}

fn of_service(number: u32, due_on: Date) -> Action {
    let fostering = ServiceId("fostering".to_owned());
    let purpose = Purpose::default();
    Action { owner: Owner::Service(fostering), purpose, ..action(number, due_on) }
}

async fn numbers(db: &Db, which: Listed<'_>, count: i64) -> Vec<(i64, i64)> {
    let rows = actions::page(db, which, count).await.unwrap();
    rows.iter().map(|row| (row.case_id, row.number)).collect()
}

#[tokio::test]
async fn an_action_comes_back_as_it_went_in_and_becomes_what_it_is_written_as() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let mut one = action(1, date(2026, 5, 29));
        tx!(db, tx => actions::put(&mut tx, case, &one));
        let rows = actions::of_case(&db, case).await.unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.reference.as_str(), row.number, row.round), ("NCC-2026-00001", 1, 1));
        assert_eq!(
            (row.what.as_str(), row.owner_name.as_deref()),
            (&*odd_kept(), Some(&*odd_kept()))
        );
        assert_eq!(row.owner_address.as_deref(), Some("sam@example.org"));
        assert_eq!(
            (row.theme.as_deref(), row.part.as_deref()),
            (Some("service_issue"), Some("delay"))
        );
        assert_eq!((row.service.as_deref(), row.owner_service.as_deref()), (Some("sen"), None));
        assert_eq!((row.agreed_on.as_str(), row.due_on.as_str()), ("2026-03-16", "2026-05-29"));

        one.state = ActionState::Done;
        one.due_on = date(2026, 6, 12);
        one.round = 2;
        one.ended_on = Some(date(2026, 6, 1));
        one.evidence = Some(Private(ODD.to_owned()));
        one.message = Some("17/1".to_owned());
        tx!(db, tx => actions::put(&mut tx, case, &one));
        let rows = actions::of_case(&db, case).await.unwrap();
        assert_eq!(rows.len(), 1, "one row an action");
        let row = &rows[0];
        assert_eq!((row.state.as_str(), row.due_on.as_str(), row.round), ("done", "2026-06-12", 2));
        assert_eq!(
            (row.ended_on.as_deref(), row.message.as_deref()),
            (Some("2026-06-01"), Some("17/1"))
        );
        assert_eq!(row.evidence.as_deref(), Some(&*odd_kept()));
        assert!(tx!(db, tx => actions::owed(&mut tx)).is_empty());
        assert_eq!(actions::find(&db, row.id).await.unwrap().unwrap().number, 1);
        assert!(actions::find(&db, row.id + 1).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn lists_give_what_is_due_first_first_a_page_at_a_time_and_a_merged_cases_with_the_other() {
    both_engines(async |db| {
        let (one, two) = (open_case(&db, 1).await, open_case(&db, 2).await);
        for (case, new) in [
            (one, action(1, date(2026, 6, 1))),
            (one, of_service(2, date(2026, 5, 1))),
            (two, of_service(1, date(2026, 5, 1))),
            (two, Action { state: ActionState::Dropped, ..action(2, date(2026, 4, 1)) }),
        ] {
            tx!(db, tx => actions::put(&mut tx, case, &new));
        }
        let all = Listed::default();
        assert_eq!(numbers(&db, all, 9).await, [(two, 2), (one, 2), (two, 1), (one, 1)]);
        let open = Listed { state: Some("open"), ..all };
        assert_eq!(numbers(&db, open, 9).await, [(one, 2), (two, 1), (one, 1)]);
        let page = actions::page(&db, open, 1).await.unwrap();
        let rest = Listed { after: page.first(), ..open };
        assert_eq!(numbers(&db, rest, 9).await, [(two, 1), (one, 1)]);
        let late = Listed { overdue_on: Some(date(2026, 5, 2)), ..all };
        assert_eq!(numbers(&db, late, 9).await, [(one, 2), (two, 1)]);
        let late = Listed { overdue_on: Some(date(2026, 5, 1)), ..all };
        assert!(numbers(&db, late, 9).await.is_empty(), "due today is not late");
        let theirs = Listed { service: Some("fostering"), ..open };
        assert_eq!(numbers(&db, theirs, 9).await, [(one, 2), (two, 1)]);
        let owed = tx!(db, tx => actions::owed(&mut tx));
        assert_eq!(owed.len(), 3);

        tx!(db, tx => cases::merge(&mut tx, two, Some(one)));
        assert_eq!(actions::of_case(&db, one).await.unwrap().len(), 4);
        assert_eq!(actions::of_case(&db, two).await.unwrap().len(), 2, "and its own stay its own");
    })
    .await;
}

async fn record(tx: &mut Tx, action: i64, round: i64, rung: &str) -> Result<bool, StoreError> {
    let fell_on = date(2026, 5, 1);
    let rung = NewRung { of: action, round, rung, fell_on, outcome: "sent" };
    Ok(rungs::record(tx, Chased::Actions, &[rung], nine()).await? == 1)
}

#[tokio::test]
async fn a_reminder_is_recorded_once_a_date_whoever_asks() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        tx!(db, tx => actions::put(&mut tx, case, &action(1, date(2026, 5, 1))));
        let id = actions::of_case(&db, case).await.unwrap()[0].id;
        let won = several(&db, 6, move |_, mut tx| async move {
            let new = record(&mut tx, id, 1, "action_due").await?;
            tx.commit().await?;
            Ok(new)
        })
        .await;
        assert_eq!(won.into_iter().filter(|new| *new.as_ref().unwrap()).count(), 1);
        assert_eq!(tx!(db, tx => actions::rungs_of_owed(&mut tx)).len(), 1);
        // Its date is moved: those of the date before no longer count, and the same rung comes again.
        let moved = Action { round: 2, ..action(1, date(2026, 6, 1)) };
        tx!(db, tx => actions::put(&mut tx, case, &moved));
        assert!(tx!(db, tx => actions::rungs_of_owed(&mut tx)).is_empty());
        assert!(tx!(db, tx => record(&mut tx, id, 2, "action_due")));
        assert_eq!(tx!(db, tx => actions::rungs_of_owed(&mut tx)).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_tasks_of_one_action_end_with_it_and_no_others() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let reference = "NCC-2026-00001";
        let about = |number| actions::task_about(reference, number) + "remind its owner";
        for (kind, words) in [
            (actions::TASK, about(1)),
            (actions::TASK, about(12)),
            (actions::REPLY, "its owner wrote".to_owned()),
            ("check", "look".to_owned()),
        ] {
            let task =
                NewTask { kind, case_id: Some(case), words: words.into(), ..NewTask::default() };
            tx!(db, tx => tasks::add(&mut tx, &task, nine()));
        }
        tx!(db, tx => actions::end_tasks(&mut tx, case, (reference, 1), later(5)));
        let left = tasks::open(&db).await.unwrap();
        let left: Vec<&str> = left.iter().map(|task| task.words.as_str()).collect();
        assert_eq!(left, [about(12).as_str(), "look"]);
    })
    .await;
}
