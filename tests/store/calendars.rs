//! Changes of the calendar, and what they moved.

use jiff::civil::date;
use postern::casework::case::{Actor, Event};
use postern::on;
use postern::store::calendars::{self, Moved};
use postern::store::cases::{self, CaseRow, Clocked};
use postern::store::{Db, tasks};

use super::cases::{open_case, received};
use super::support::postgres::both_engines;
use super::{later, nine, several, tx};

/// The dates of a case by another list, a working day later.
fn counted(version: &str) -> Clocked {
    Clocked {
        procedure: "corporate".to_owned(),
        stage: 1,
        start_rule: "day_after".to_owned(),
        calendar_version: version.to_owned(),
        received_on: date(2026, 3, 16),
        acknowledge_by_on: date(2026, 3, 20),
        target_on: None,
        standard_due_on: Some(date(2026, 4, 16)),
        agreed_due_on: Some(date(2026, 4, 15)),
    }
}

fn moved(case_id: i64, after: &str) -> Moved {
    Moved {
        case_id,
        reference: format!("NCC-2026-{case_id:05}"),
        standard_before: Some("2026-04-15".to_owned()),
        standard_after: Some(after.to_owned()),
        promised_on: Some("2026-04-15".to_owned()),
        counted_on: None,
    }
}

async fn behind(db: &Db, version: &str) -> Vec<CaseRow> {
    tx!(db, tx => calendars::behind(&mut tx, version, 0, 10))
}

#[tokio::test]
async fn of_several_who_take_a_calendar_up_one_does() {
    both_engines(async |db| {
        assert_eq!(calendars::current(&db).await.unwrap(), None);
        let first = tx!(db, tx => calendars::begin(&mut tx, "c1", None, nine())).unwrap();
        let begun = several(&db, 4, move |number, mut tx| async move {
            let version = format!("c{}", number + 2);
            let begun = calendars::begin(&mut tx, &version, Some(first), later(1)).await?;
            tx.commit().await?;
            Ok(begun)
        })
        .await;
        let begun: Vec<i64> = begun.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(begun.len(), 1);
        let current = calendars::current(&db).await.unwrap().unwrap();
        assert_eq!((current.id, current.changed_at), (begun[0], later(1).as_millisecond()));
        assert_eq!((current.told, current.moves), (0, 0));
        assert!(calendars::is_known(&db, "c1").await.unwrap());
        assert!(!calendars::is_known(&db, "c9").await.unwrap());
        let again = tx!(db, tx => calendars::begin(&mut tx, "c1", Some(current.id), later(2)));
        assert!(again.is_some(), "a calendar may come again");
    })
    .await;
}

#[tokio::test]
async fn open_cases_of_another_calendar_are_counted_again_once() {
    both_engines(async |db| {
        let (one, two, closed) =
            (open_case(&db, 1).await, open_case(&db, 2).await, open_case(&db, 3).await);
        let mut tx = db.begin().await.unwrap();
        on!(&mut tx, "close", c => sqlx::query(
            "UPDATE complaint_case SET status = 'closed' WHERE id = $1")
            .bind(closed).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        assert!(!calendars::is_any_behind(&db, "c1").await.unwrap());
        assert!(behind(&db, "c1").await.is_empty());
        let rows = behind(&db, "c2").await;
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [one, two]);
        let page = tx!(db, tx => calendars::behind(&mut tx, "c2", one, 10));
        assert_eq!(page[0].id, two, "after the first");

        // Several gateways have read the same rows.
        let written = several(&db, 3, move |_, mut tx| {
            let rows = rows.clone();
            async move {
                let dates: Vec<_> = rows.iter().map(|row| (row, counted("c2"))).collect();
                let written = calendars::redate(&mut tx, &dates).await?;
                tx.commit().await?;
                Ok(written.len())
            }
        })
        .await;
        let written: usize = written.into_iter().map(Result::unwrap).sum();
        assert_eq!(written, 2, "each case by one of them");
        let row = cases::find(&db, "NCC-2026-00001").await.unwrap().unwrap();
        assert_eq!((row.version, row.calendar_version.as_str()), (2, "c2"));
        assert_eq!(row.acknowledge_by_on, "2026-03-20");
        assert_eq!(
            (
                row.target_on.as_deref(),
                row.standard_due_on.as_deref(),
                row.agreed_due_on.as_deref()
            ),
            (None, Some("2026-04-16"), Some("2026-04-15"))
        );
        assert!(!calendars::is_any_behind(&db, "c2").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn an_officer_who_acts_meanwhile_is_not_overwritten() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let read = behind(&db, "c2").await;
        let mut tx = db.begin().await.unwrap();
        on!(&mut tx, "act", c => sqlx::query(
            "UPDATE complaint_case SET agreed_due_on = '2026-05-01', version = version + 1 WHERE id = $1")
            .bind(case).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let written =
            tx!(db, tx => calendars::redate(&mut tx, &[(&read[0], counted("c2"))]));
        assert!(written.is_empty());
        let row = &behind(&db, "c2").await[0];
        assert_eq!(row.agreed_due_on.as_deref(), Some("2026-05-01"), "and comes with the next turn");
        assert!(tx!(db, tx => calendars::redate(&mut tx, &[])).is_empty());
    })
    .await;
}

#[tokio::test]
async fn histories_are_read_together_and_a_strange_one_stops_no_other() {
    both_engines(async |db| {
        let (one, two, three) =
            (open_case(&db, 1).await, open_case(&db, 2).await, open_case(&db, 3).await);
        let note = |text: &str| Event::Note { text: text.to_owned().into() };
        let events = [(two, received()), (one, received()), (two, note("a")), (one, note("b"))];
        tx!(db, tx => cases::record_all(&mut tx, &Actor::Gateway, &events, nine()));
        let mut tx = db.begin().await.unwrap();
        on!(&mut tx, "strange", c => sqlx::query(
            "INSERT INTO case_event (case_id, at, kind, actor, detail)
             VALUES ($1, 0, 'novel', 'gateway', '{\"kind\":\"novel\"}')")
            .bind(three).execute(c).await.map(drop))
        .unwrap();
        let mut all = calendars::histories(&mut tx, &[one, two, three]).await.unwrap();
        let told = all.remove(&one).unwrap().unwrap();
        assert_eq!(
            told.iter().map(|one| &one.event).collect::<Vec<_>>(),
            [&received(), &note("b")]
        );
        assert_eq!(all.remove(&two).unwrap().unwrap().len(), 2);
        assert!(all.remove(&three).unwrap().is_err());
        assert!(calendars::histories(&mut tx, &[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_moved_is_listed_and_told_once() {
    both_engines(async |db| {
        let (one, two) = (open_case(&db, 1).await, open_case(&db, 2).await);
        assert_eq!(calendars::last_that_moved(&db).await.unwrap(), None);
        let first = tx!(db, tx => calendars::begin(&mut tx, "c1", None, nine())).unwrap();
        let nothing = tx!(db, tx => calendars::to_tell(&mut tx, first));
        assert_eq!(nothing, None, "nothing moved");
        let moves = [moved(two, "2026-04-17"), moved(one, "2026-04-16")];
        tx!(db, tx => calendars::record_moves(&mut tx, first, &moves));
        assert_eq!(
            calendars::moves(&db, first).await.unwrap(),
            [moves[1].clone(), moves[0].clone()],
            "in the order in which they fall due"
        );
        let telling = several(&db, 3, move |_, mut tx| async move {
            let telling = calendars::to_tell(&mut tx, first).await?;
            tx.commit().await?;
            Ok(telling)
        })
        .await;
        let telling: Vec<_> = telling.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(telling.len(), 1);
        assert_eq!((telling[0].moves, telling[0].task), (2, None));
        tx!(db, tx => calendars::told_by(&mut tx, first, 7));

        // One more, and one that moved again.
        let three = open_case(&db, 3).await;
        let again = Moved { standard_before: None, ..moved(one, "2026-04-20") };
        let more = [again, moved(three, "2026-04-18")];
        tx!(db, tx => calendars::record_moves(&mut tx, first, &more));
        let telling = tx!(db, tx => calendars::to_tell(&mut tx, first)).unwrap();
        assert_eq!((telling.moves, telling.task), (3, Some(7)));
        let listed = calendars::moves(&db, first).await.unwrap();
        assert_eq!(listed[2], moved(one, "2026-04-20"), "from where it was first");
        // A change that moves nothing does not hide the last that did.
        tx!(db, tx => calendars::begin(&mut tx, "c2", Some(first), later(1)));
        let last = calendars::last_that_moved(&db).await.unwrap().unwrap();
        assert_eq!((last.id, last.told, last.moves), (first, 3, 3));
    })
    .await;
}

#[tokio::test]
async fn a_task_in_other_words_is_to_do_again() {
    both_engines(async |db| {
        let new = tasks::NewTask { kind: "k", words: "two".into(), ..tasks::NewTask::default() };
        let id = tx!(db, tx => tasks::add(&mut tx, &new, nine()));
        tx!(db, tx => tasks::finish(&mut tx, "k", None, later(1)));
        assert!(tasks::open(&db).await.unwrap().is_empty());
        tx!(db, tx => tasks::reword(&mut tx, id, "three \0"));
        let open = tasks::open(&db).await.unwrap();
        assert_eq!((open.len(), open[0].words.as_str()), (1, "three "));
    })
    .await;
}
