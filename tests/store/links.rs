//! Links to the answer page, their codes, sessions and forms; and what services answered.

use jiff::civil::date;
use postern::casework::answer::Given;
use postern::private::Private;
use postern::store::answers::{self, Decided, NewAnswer};
use postern::store::links::{self, NewLink, ViewRow};
use postern::store::requests::{self, NewRequest, PartOf};
use postern::store::{self, Db};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, several, tx};

/// A case with a request that was asked.
pub(super) async fn asked(db: &Db, number: i64) -> (i64, i64) {
    let case_id = open_case(db, number).await;
    let new = [NewRequest {
        case_id,
        service: "sen",
        round: 1,
        leads: true,
        asked_on: date(2026, 3, 16),
        draft_due_on: None,
        due_on: date(2026, 4, 15),
        short: false,
        part: PartOf::default(),
        message_attached: false,
    }];
    (case_id, tx!(db, tx => requests::ask(&mut tx, &new, nine())).pop().unwrap().unwrap())
}

#[tokio::test]
async fn secrets_are_drawn_together_and_none_twice() {
    both_engines(async |db| {
        let mut drawn: Vec<String> =
            tx!(db, tx => store::draw_some(&mut tx, 40)).into_iter().map(|one| one.0).collect();
        assert!(
            drawn
                .iter()
                .all(|one| one.len() == 64 && one.bytes().all(|byte| byte.is_ascii_hexdigit()))
        );
        drawn.sort();
        drawn.dedup();
        assert_eq!(drawn.len(), 40);
        assert!(tx!(db, tx => store::draw_some(&mut tx, 0)).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_link_is_found_by_the_hash_of_its_token_and_replaced_once_a_day() {
    both_engines(async |db| {
        let ((_, one), (_, two)) = (asked(&db, 1).await, asked(&db, 2).await);
        let new = |token: &str, requests| NewLink {
            token_sha256: token.to_owned(),
            recipient: ODD.to_owned(),
            requests,
        };
        let both = [new("a", vec![two, one]), new("b", vec![one])];
        tx!(db, tx => links::add(&mut tx, &both, date(2026, 3, 16), nine()));
        let link = tx!(db, tx => links::of_token(&mut tx, "a")).unwrap();
        assert_eq!((link.recipient.clone(), link.made_on.as_str()), (odd_kept(), "2026-03-16"));
        assert_eq!(tx!(db, tx => links::requests_of(&mut tx, link.id)), [(1, two), (2, one)]);
        assert!(tx!(db, tx => links::of_token(&mut tx, "c")).is_none());
        assert!(tx!(db, tx => links::replace(&mut tx, link.id, later(-60), nine())));
        assert!(!tx!(db, tx => links::replace(&mut tx, link.id, later(-60), later(1))), "too soon");
        assert!(tx!(db, tx => links::replace(&mut tx, link.id, later(5), later(60))));
        let other = tx!(db, tx => links::of_token(&mut tx, "b")).unwrap();
        assert_eq!(other.replaced_at, None, "another link is another");
    })
    .await;
}

#[tokio::test]
async fn a_code_opens_one_session_within_its_time_and_tries() {
    both_engines(async |db| {
        let (case, request) = asked(&db, 1).await;
        let new = [NewLink {
            token_sha256: "a".to_owned(),
            recipient: "to".to_owned(),
            requests: vec![request],
        }];
        tx!(db, tx => links::add(&mut tx, &new, date(2026, 3, 16), nine()));
        let link = tx!(db, tx => links::of_token(&mut tx, "a")).unwrap();
        let tries =
            async |since: i64| tx!(db, tx => links::try_code(&mut tx, link.id, later(since), 2));
        assert_eq!(tries(-60).await, None, "none was sent");
        let old = tx!(db, tx => links::add_code(&mut tx, &link, "old", nine()));
        let code = tx!(db, tx => links::add_code(&mut tx, &link, "new", later(1)));
        assert!(code > old);
        assert_eq!(tx!(db, tx => links::codes_since(&mut tx, "to", nine())), 1);
        assert_eq!(tries(-60).await, Some((code, "new".to_owned())), "only the last counts");
        assert_eq!(tries(2).await, None, "too old");
        assert!(tries(-60).await.is_some());
        assert_eq!(tries(-60).await, None, "tried too often");

        let code = tx!(db, tx => links::add_code(&mut tx, &link, "third", later(3)));
        tx!(db, tx => links::begin_session(&mut tx, (link.id, code), "s", later(100), later(4)));
        assert_eq!(tries(-60).await, None, "used");
        let session =
            async |link: i64, shown: &str| tx!(db, tx => links::session(&mut tx, link, shown));
        let (id, until) = session(link.id, "s").await.unwrap();
        assert_eq!(until, later(100).as_millisecond());
        assert_eq!(session(link.id, "t").await, None);
        assert_eq!(session(link.id + 1, "s").await, None, "another link");
        for at in [5, 6] {
            tx!(db, tx => links::viewed(&mut tx, id, request, later(at)));
        }
        let views = links::views_of(&db, case).await.unwrap();
        let view = |second, by_code| ViewRow {
            recipient: "to".to_owned(),
            service: "sen".to_owned(),
            at: later(second).as_millisecond(),
            by_code,
        };
        assert_eq!(views, [view(5, true)]);
        // Without a code, once a day.
        for (at, day) in [(4, 1), (7, 1), (8, 2)] {
            let day = jiff::civil::date(2026, 11, day);
            tx!(db, tx => links::viewed_openly(&mut tx, (link.id, request), day, later(at)));
        }
        let views = links::views_of(&db, case).await.unwrap();
        assert_eq!(views, [view(4, false), view(5, true), view(8, false)]);
    })
    .await;
}

#[tokio::test]
async fn a_form_is_taken_once_however_many_send_it() {
    both_engines(async |db| {
        let (_, request) = asked(&db, 1).await;
        let taken = several(&db, 8, move |_, mut tx| async move {
            let taken = links::take_form(&mut tx, "key", (1, request), "accept", nine()).await?;
            tx.commit().await?;
            Ok(taken)
        });
        let taken = taken.await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
        assert_eq!(taken, 1);
        assert!(tx!(db, tx => links::take_form(&mut tx, "other", (1, request), "accept", nine())));
    })
    .await;
}

#[tokio::test]
async fn answers_wait_until_they_are_decided() {
    both_engines(async |db| {
        let (case_id, request_id) = asked(&db, 1).await;
        let given = Given { what: Private(ODD.to_owned()), ..Given::default() };
        let new = NewAnswer {
            case_id,
            request_id,
            message_id: None,
            by_name: Some(ODD),
            by_address: Some("to"),
            answer: &given,
            waits: true,
        };
        assert!(!tx!(db, tx => answers::any_waits(&mut tx, case_id)));
        tx!(db, tx => answers::add(&mut tx, &new, nine()));
        tx!(db, tx => answers::add(&mut tx, &NewAnswer { waits: false, ..new.clone() }, later(1)));
        assert!(tx!(db, tx => answers::any_waits(&mut tx, case_id)));
        let rows = answers::of_case(&db, case_id).await.unwrap();
        let states: Vec<&str> = rows.iter().map(|row| row.state.as_str()).collect();
        assert_eq!(states, ["waiting", "confirmed"]);
        assert_eq!(
            (rows[0].given().what.0, rows[0].by_name.clone()),
            (odd_kept(), Some(odd_kept()))
        );
        let by = Decided { state: "confirmed", by: "pat", note: None };
        assert_eq!(tx!(db, tx => answers::decide(&mut tx, request_id, by, later(2))), 1);
        assert_eq!(tx!(db, tx => answers::decide(&mut tx, request_id, by, later(3))), 0);
        assert!(tx!(db, tx => requests::answered(&mut tx, request_id, None, later(1))));
        assert!(tx!(db, tx => requests::open_again(&mut tx, request_id)));
        assert!(!tx!(db, tx => requests::open_again(&mut tx, request_id)), "it is open");
        let row = tx!(db, tx => requests::last_of(&mut tx, case_id, "sen")).unwrap();
        assert_eq!((row.state.as_str(), row.answered_at), ("accepted", None));
        assert_eq!(
            tx!(db, tx => answers::send_back(&mut tx, request_id, ("pat", ODD), later(4))),
            2
        );
        let rows = tx!(db, tx => answers::of_request(&mut tx, request_id));
        assert!(rows.iter().all(|row| row.state == "sent_back" && row.note == Some(odd_kept())));
        assert_eq!(tx!(db, tx => answers::decide_all(&mut tx, case_id, by, later(5))), 0);
    })
    .await;
}
