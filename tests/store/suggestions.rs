//! What is suggested to officers, and how like messages are found.

use postern::store::messages;
use postern::store::suggestions::{self, Answered, NewSuggestion};
use postern::store::{cases, requests};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{ODD, email, keep, later, nine, odd_kept, settled, tx, understood};

fn suggestion(message_id: i64, case_id: i64, about_case: i64, score: i64) -> NewSuggestion {
    let because = ODD.to_owned();
    NewSuggestion {
        message_id,
        case_id: Some(case_id),
        about_case,
        kind: "duplicate",
        score,
        because,
    }
}

#[tokio::test]
async fn a_suggestion_is_made_once_and_answered_once() {
    both_engines(async |db| {
        let (one, two, three) =
            (open_case(&db, 1).await, open_case(&db, 2).await, open_case(&db, 3).await);
        let made = [suggestion(7, two, one, 500), suggestion(8, three, one, 900)];
        for _ in 0..2 {
            tx!(db, tx => suggestions::add_all(&mut tx, &made, nine()));
        }
        let open = suggestions::open(&db).await.unwrap();
        assert_eq!(
            open.iter().map(|row| row.message_id).collect::<Vec<_>>(),
            [8, 7],
            "surest first"
        );
        assert_eq!(open[0].reference.as_deref(), Some("NCC-2026-00003"));
        assert_eq!((open[0].about.as_str(), open[0].score), ("NCC-2026-00001", 900));
        assert_eq!(open[0].because, odd_kept());
        assert_eq!(suggestions::of_case(&db, one).await.unwrap().len(), 2);
        assert_eq!(suggestions::of_case(&db, two).await.unwrap().len(), 1);

        let answer =
            async |which| tx!(db, tx => suggestions::answer(&mut tx, which, "taken", later(5)));
        assert_eq!(answer(Answered::Between(one, two)).await, 1, "either way round");
        assert_eq!(answer(Answered::Between(two, one)).await, 0, "once");
        assert_eq!(answer(Answered::Message(8)).await, 1);
        assert_eq!(answer(Answered::One(open[0].id)).await, 0);
        assert!(suggestions::open(&db).await.unwrap().is_empty());
        let told = suggestions::of_case(&db, two).await.unwrap();
        assert_eq!(told[0].answer.as_deref(), Some("taken"));
    })
    .await;
}

#[tokio::test]
async fn like_messages_are_found_with_the_case_that_stands_for_theirs() {
    both_engines(async |db| {
        let (first, second) = (keep(&db, 1).await, keep(&db, 2).await);
        let (one, two) = (open_case(&db, first).await, open_case(&db, second).await);
        for (number, message, case) in [(1, first, one), (2, second, two)] {
            tx!(db, tx => understood(&mut tx, message, &email(number), "k", nine()));
            let settled =
                messages::Settled { id: message, case_id: Some(case), ..settled("opened") };
            tx!(db, tx => messages::settle(&mut tx, &[settled], "v", nine()));
        }
        let bands = [(i64::MIN, first), (5, first), (5, second), (6, second)];
        for _ in 0..2 {
            tx!(db, tx => suggestions::keep_bands(&mut tx, &bands));
        }
        let mut shared = tx!(db, tx => suggestions::sharing(&mut tx, &[5, i64::MIN, 99]));
        shared.sort_unstable();
        assert_eq!(shared, [(i64::MIN, first), (5, first), (5, second)]);
        tx!(db, tx => cases::merge(&mut tx, two, Some(one)));
        let earlier = tx!(db, tx => suggestions::earlier(&mut tx, &[first, second, 99]));
        assert_eq!(earlier.iter().map(|found| found.case_id).collect::<Vec<_>>(), [one, one]);
        assert_eq!((earlier[1].id, &earlier[1].reply_text), (second, &email(2).reply_text));
        assert!(tx!(db, tx => suggestions::earlier(&mut tx, &[])).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_merged_case_is_spoken_to_by_the_parties_of_both_and_asked_again_when_separated() {
    both_engines(async |db| {
        let (one, two) = (open_case(&db, 1).await, open_case(&db, 2).await);
        let parties = [(one, "ann@example.org", "customer"), (two, "Bob@example.org", "customer")];
        tx!(db, tx => cases::add_parties(&mut tx, &parties));
        let open = tx!(db, tx => suggestions::open_cases_of(&mut tx, &["bob@example.org", "eve@x.example"]));
        assert_eq!(open.iter().map(|case| case.id).collect::<Vec<_>>(), [two]);
        assert_eq!((open[0].address.as_str(), open[0].lead_service.as_str()), ("bob@example.org", "sen"));
        assert!(!tx!(db, tx => cases::is_party(&mut tx, one, "bob@example.org")));
        tx!(db, tx => cases::merge(&mut tx, two, Some(one)));
        assert!(tx!(db, tx => cases::is_party(&mut tx, one, "bob@example.org")));
        assert!(!tx!(db, tx => cases::is_party(&mut tx, two, "ann@example.org")));
        let standing = tx!(db, tx => cases::standing(&mut tx, two)).unwrap();
        assert_eq!(standing.id, one);
        assert_eq!(cases::merged_into(&db, one).await.unwrap(), ["NCC-2026-00002"]);
        tx!(db, tx => cases::merge(&mut tx, two, None));
        assert_eq!(tx!(db, tx => cases::standing(&mut tx, two)).unwrap().id, two);

        let asked = requests::NewRequest {
            case_id: two,
            service: "sen",
            round: 1,
            leads: true,
            asked_on: jiff::civil::date(2026, 3, 16),
            draft_due_on: None,
            due_on: jiff::civil::date(2026, 4, 15),
            short: false,
            part: requests::PartOf::default(),
            message_attached: false,
        };
        tx!(db, tx => requests::ask(&mut tx, &[asked], nine()));
        assert_eq!(tx!(db, tx => requests::services_of(&mut tx, two)), ["sen"]);
        tx!(db, tx => requests::cancel_all(&mut tx, two, later(90)));
        assert!(tx!(db, tx => requests::services_of(&mut tx, two)).is_empty());
        let sen = postern::casework::vocabulary::ServiceId("sen".to_owned());
        tx!(db, tx => requests::restore(&mut tx, two, &[sen]));
        assert!(tx!(db, tx => requests::open_of(&mut tx, two, "sen")).is_some());
    })
    .await;
}

#[tokio::test]
async fn a_message_that_opened_a_case_cannot_be_split_off() {
    both_engines(async |db| {
        let (first, second) = (keep(&db, 1).await, keep(&db, 2).await);
        let case = open_case(&db, first).await;
        assert!(!tx!(db, tx => messages::split(&mut tx, second)), "it is not settled yet");
        for id in [first, second] {
            let settled = messages::Settled { id, case_id: Some(case), ..settled("attached") };
            tx!(db, tx => messages::settle(&mut tx, &[settled], "v", nine()));
        }
        assert!(!tx!(db, tx => messages::split(&mut tx, first)));
        assert!(tx!(db, tx => messages::split(&mut tx, second)));
        let again = tx!(db, tx => messages::claim(&mut tx, "one", nine(), later(60), 9));
        assert_eq!(
            again.iter().map(|row| (row.id, row.alone)).collect::<Vec<_>>(),
            [(second, true)]
        );
    })
    .await;
}

#[tokio::test]
async fn the_answered_cases_of_somebody_are_found_and_nobody_elses() {
    both_engines(async |db| {
        let (one, two, open) =
            (open_case(&db, 1).await, open_case(&db, 2).await, open_case(&db, 3).await);
        for (case, address) in [(one, "cas@example.org"), (two, "eve@x.example"), (open, "cas@example.org")] {
            tx!(db, tx => cases::add_party(&mut tx, case, address, "customer"));
        }
        let close = async |case: i64, status: &str, answered: Option<i64>| {
            let mut tx = db.begin().await.unwrap();
            let done: Result<(), postern::store::StoreError> =
                postern::on!(&mut tx, "end a case", c => sqlx::query(
                    "UPDATE complaint_case SET status = $2, answered_at = $3 WHERE id = $1")
                    .bind(case).bind(status.to_owned()).bind(answered).execute(c).await.map(drop));
            done.unwrap();
            tx.commit().await.unwrap();
        };
        let found = async || {
            let rows = tx!(db, tx => suggestions::answered_cases_of(&mut tx, &["cas@example.org"]));
            rows.iter().map(|row| (row.id, row.stage)).collect::<Vec<_>>()
        };
        assert!(found().await.is_empty(), "nothing is answered");
        close(two, "answered", Some(1)).await;
        close(one, "closed", None).await;
        assert!(found().await.is_empty(), "closed without an answer");
        close(one, "closed", Some(1)).await;
        assert_eq!(found().await, [(one, 1)]);
    })
    .await;
}
