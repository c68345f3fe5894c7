//! Requests, rungs, runs and digests; mailboxes.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use postern::casework::vocabulary::ServiceId;
use postern::store::mailboxes::{self, Cursor};
use postern::store::requests::{self, NewRequest};
use postern::store::rungs::{self, Chased, NewRung};
use postern::store::{StoreError, Tx};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, several, tx};

const TODAY: Date = date(2026, 3, 16);

fn request(case_id: i64, service: &str, due_on: Date) -> NewRequest<'_> {
    NewRequest {
        case_id,
        service,
        round: 1,
        leads: service == "sen",
        asked_on: TODAY,
        draft_due_on: Some(date(2026, 3, 30)),
        due_on,
        short: false,
        part: requests::PartOf::default(),
        message_attached: false,
    }
}

async fn ask(tx: &mut Tx, new: &NewRequest<'_>) -> Result<Option<i64>, StoreError> {
    Ok(requests::ask(tx, std::slice::from_ref(new), nine()).await?.pop().unwrap())
}

/// Records one rung; whether it was new.
async fn record_rung(
    tx: &mut Tx,
    request: i64,
    rung: &str,
    outcome: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rung = NewRung { of: request, round: 1, rung, fell_on: TODAY, outcome };
    Ok(rungs::record(tx, Chased::Requests, &[rung], now).await? == 1)
}

#[tokio::test]
async fn a_service_is_asked_once_and_answers_once() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let due = date(2026, 4, 15);
        let id = tx!(db, tx => ask(&mut tx, &request(case, "sen", due))).unwrap();
        assert_eq!(tx!(db, tx => ask(&mut tx, &request(case, "sen", due))), None);
        let rows = requests::of_case(&db, case).await.unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.id, row.case_id, row.service.as_str(), row.leads), (id, case, "sen", true));
        assert_eq!((row.state.as_str(), row.asked_at), ("asked", nine().as_millisecond()));
        assert_eq!((row.asked_on.as_str(), row.due_on.as_str()), ("2026-03-16", "2026-04-15"));
        assert_eq!((row.draft_due_on.as_deref(), row.short), (Some("2026-03-30"), false));
        assert!(tx!(db, tx => requests::open_of(&mut tx, case, "sen")).is_some());
        assert!(tx!(db, tx => requests::open_of(&mut tx, case, "transport")).is_none());

        assert!(tx!(db, tx => requests::answered(&mut tx, id, Some(7), later(60))));
        assert!(!tx!(db, tx => requests::answered(&mut tx, id, Some(8), later(90))), "was known");
        let row = &requests::of_case(&db, case).await.unwrap()[0];
        assert_eq!(
            (row.state.as_str(), row.answered_at),
            ("answered", Some(later(60).as_millisecond()))
        );
        assert!(tx!(db, tx => requests::open_of(&mut tx, case, "sen")).is_none());
        tx!(db, tx => requests::cancel_all(&mut tx, case, later(90)));
        assert_eq!(requests::of_case(&db, case).await.unwrap()[0].state, "answered");
    })
    .await;
}

#[tokio::test]
async fn only_open_requests_of_open_cases_are_chased_those_due_first_first() {
    both_engines(async |db| {
        let (one, two) = (open_case(&db, 1).await, open_case(&db, 2).await);
        for (case, service, due) in [
            (one, "sen", date(2026, 4, 20)),
            (one, "transport", date(2026, 4, 15)),
            (two, "sen", date(2026, 4, 10)),
            (two, "fostering", date(2026, 4, 10)),
        ] {
            tx!(db, tx => ask(&mut tx, &request(case, service, due))).unwrap();
        }
        let chased = tx!(db, tx => requests::chased(&mut tx));
        let order: Vec<_> = chased.iter().map(|one| (one.case_id, one.service.as_str())).collect();
        assert_eq!(order, [(two, "sen"), (two, "fostering"), (one, "transport"), (one, "sen")]);
        let first = &chased[0];
        assert_eq!((first.reference.as_str(), first.stage), ("NCC-2026-00002", 1));
        assert_eq!(first.record_type, "corporate_complaint");
        assert_eq!((first.procedure_id.as_str(), first.state.as_str()), ("corporate", "asked"));
        assert_eq!((first.asked_on.as_str(), first.short), ("2026-03-16", false));
        assert_eq!(first.draft_due_on.as_deref(), Some("2026-03-30"));

        tx!(db, tx => requests::cancel_others(&mut tx, two, &[ServiceId("sen".to_owned())], nine()));
        for row in tx!(db, tx => requests::all_open_of(&mut tx, one)) {
            tx!(db, tx => requests::redate(&mut tx, row.id, None, date(2026, 4, 1), true));
        }
        let chased = tx!(db, tx => requests::chased(&mut tx));
        let order: Vec<_> = chased
            .iter()
            .map(|one| (one.case_id, one.due_on.as_str(), one.draft_due_on.is_some(), one.short))
            .collect();
        assert_eq!(
            order,
            [
                (one, "2026-04-01", false, true),
                (one, "2026-04-01", false, true),
                (two, "2026-04-10", true, false)
            ]
        );
        tx!(db, tx => requests::cancel_all(&mut tx, one, later(90)));
        assert_eq!(tx!(db, tx => requests::chased(&mut tx)).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_rung_a_run_and_a_digest_happen_once_whoever_asks() {
    both_engines(async |db| {
        let case = open_case(&db, 1).await;
        let asked = request(case, "sen", date(2026, 4, 15));
        let id = tx!(db, tx => ask(&mut tx, &asked)).unwrap();
        let won = several(&db, 5, move |gateway, mut tx| async move {
            let now = later(i64::try_from(gateway).unwrap());
            let rung = record_rung(&mut tx, id, "first", "sent", now).await?;
            let run = requests::begin_run(&mut tx, TODAY, now).await?;
            let digest = requests::claim_digest(&mut tx, "ann@x.example", TODAY).await?;
            tx.commit().await?;
            Ok((rung, run, digest))
        })
        .await;
        let won: Vec<_> = won.into_iter().map(Result::unwrap).filter(|won| won.0).collect();
        assert_eq!(won, [(true, true, true)], "one gateway has all three");
        assert!(requests::has_run(&db, TODAY).await.unwrap());
        assert!(!requests::has_run(&db, date(2026, 3, 17)).await.unwrap());
        assert!(tx!(db, tx => requests::claim_digest(&mut tx, "ann@x.example", date(2026, 3, 17))));
        assert!(tx!(db, tx => requests::claim_digest(&mut tx, ODD, TODAY)));
        assert!(!tx!(db, tx => requests::claim_digest(&mut tx, &odd_kept(), TODAY)));
        assert!(tx!(db, tx => record_rung(&mut tx, id, "second", "skipped", later(9))));
        let rungs = requests::rungs_of_case(&db, case).await.unwrap();
        let told: Vec<_> = rungs
            .iter()
            .map(|one| (one.request_id, one.rung.as_str(), one.outcome.as_str()))
            .collect();
        assert_eq!(told, [(id, "first", "sent"), (id, "second", "skipped")]);
        assert_eq!(rungs[0].fell_on, "2026-03-16");
        assert_eq!(tx!(db, tx => requests::rungs_of_open(&mut tx)).len(), 2);
        tx!(db, tx => requests::cancel_all(&mut tx, case, later(90)));
        assert!(tx!(db, tx => requests::rungs_of_open(&mut tx)).is_empty());

        // A run that was rolled back was none.
        let mut tx = db.begin().await.unwrap();
        assert!(requests::begin_run(&mut tx, date(2026, 3, 18), nine()).await.unwrap());
        drop(tx);
        assert!(tx!(db, tx => requests::begin_run(&mut tx, date(2026, 3, 18), nine())));
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_is_read_by_one_gateway_at_a_time() {
    both_engines(async |db| {
        let won = several(&db, 5, |gateway, mut tx| async move {
            let name = format!("gateway-{gateway}");
            let cursor = mailboxes::lease(&mut tx, "main", &name, nine(), later(120)).await?;
            tx.commit().await?;
            Ok(cursor.map(|_| name))
        })
        .await;
        let won: Vec<String> = won.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        let (owner, other) = (won[0].as_str(), "another");

        let cursor = Cursor { uid_validity: 3, last_uid: 40, uid_next: 41 };
        assert!(tx!(db, tx => mailboxes::advance(&mut tx, "main", owner, cursor)));
        let stolen = Cursor { last_uid: 99, ..cursor };
        assert!(!tx!(db, tx => mailboxes::advance(&mut tx, "main", other, stolen)));
        let lease = async |gateway: &str, now, until| tx!(db, tx => mailboxes::lease(&mut tx, "main", gateway, now, until));
        assert_eq!(lease(owner, later(60), later(180)).await, Some(cursor), "renewed");
        assert_eq!(lease(other, later(179), later(300)).await, None);
        assert_eq!(lease(other, later(180), later(300)).await, Some(cursor), "the lease has ended");
        assert!(!tx!(db, tx => mailboxes::advance(&mut tx, "main", owner, stolen)));

        tx!(db, tx => mailboxes::give_back(&mut tx, "main", owner));
        assert_eq!(lease(owner, later(182), later(300)).await, None, "not his to give back");
        tx!(db, tx => mailboxes::give_back(&mut tx, "main", other));
        assert_eq!(lease(owner, later(183), later(300)).await, Some(cursor));
        tx!(db, tx => mailboxes::release_all(&mut tx));
        assert_eq!(lease(other, later(184), later(300)).await, Some(cursor));
    })
    .await;
}

#[tokio::test]
async fn the_trouble_of_a_mailbox_is_shown_until_it_is_read_again() {
    both_engines(async |db| {
        for name in ["b", "a"] {
            tx!(db, tx => mailboxes::lease(&mut tx, name, "one", nine(), later(120))).unwrap();
        }
        tx!(db, tx => mailboxes::trouble(&mut tx, "a", ODD));
        let all = mailboxes::all(&db).await.unwrap();
        assert_eq!(all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((all[0].trouble.as_deref(), all[0].looked_at), (Some(&*odd_kept()), None));
        tx!(db, tx => mailboxes::looked(&mut tx, "a", later(5)));
        let all = mailboxes::all(&db).await.unwrap();
        assert_eq!(
            (all[0].trouble.as_deref(), all[0].looked_at),
            (None, Some(later(5).as_millisecond()))
        );
    })
    .await;
}
