//! What a period of the register comes to.

use jiff::civil::date;
use postern::store::letters::{self, Finished, NewLetter};
use postern::store::requests::{self, NewRequest, PartOf};
use postern::store::rungs::{self, Chased, NewRung};
use postern::store::{StoreError, survey};

use super::cases::open_case;
use super::support::postgres::both_engines;
use super::{keep, nine, tx};

#[tokio::test]
async fn cases_letters_and_rungs_are_listed_as_they_came() {
    both_engines(async |db| {
        survey::trust_the_power(&db).await.unwrap();
        let message = keep(&db, 1).await;
        let case = open_case(&db, message).await;
        let opened = survey::opened_after(&db, 0).await.unwrap();
        assert_eq!(opened.iter().map(|one| one.id).collect::<Vec<_>>(), [case]);
        assert!(survey::opened_after(&db, case).await.unwrap().is_empty());

        let due = date(2026, 4, 15);
        let waiting = async |day| survey::unanswered_by(&db, day).await.unwrap().len();
        assert_eq!(waiting(date(2027, 1, 1)).await, 0, "nobody was asked");
        let new = NewRequest {
            case_id: case,
            service: "sen",
            round: 1,
            leads: true,
            asked_on: date(2026, 3, 16),
            draft_due_on: None,
            due_on: due,
            short: false,
            part: PartOf::default(),
            message_attached: false,
        };
        let request = tx!(db, tx => async {
            let asked = requests::ask(&mut tx, &[new], nine()).await?.remove(0).unwrap();
            let rung = NewRung { of: asked, round: 0, rung: "allocate", fell_on: due, outcome: "sent" };
            rungs::record(&mut tx, Chased::Requests, &[rung], nine()).await?;
            Ok::<_, StoreError>(asked)
        });
        assert_eq!(waiting(date(2027, 1, 1)).await, 1);
        assert_eq!(waiting(date(2026, 1, 1)).await, 0, "its day is later");
        let rungs = survey::rungs(&db).await.unwrap();
        assert_eq!(
            (rungs.len(), rungs[0].request_id, rungs[0].fell_on.as_str()),
            (1, request, "2026-04-15")
        );
        assert_eq!(rungs[0].recorded_at, nine().as_millisecond());
        tx!(db, tx => requests::answered(&mut tx, request, None, nine()));
        assert_eq!(waiting(date(2027, 1, 1)).await, 0, "it has answered");

        let letter = NewLetter {
            purpose: "digest",
            template: "digest",
            once_key: "digest:1",
            case_id: None,
            request_id: None,
            message_id: None,
            recipient: "lena@northmere.example",
            due_at: nine(),
        };
        tx!(db, tx => async {
            let id = letters::begin(&mut tx, &[letter], nine()).await?.remove(0).unwrap();
            let finished = Finished {
                id,
                envelope_from: String::new(),
                subject: "Subject".to_owned(),
                header_message_id: String::new(),
                bytes: b"bytes".to_vec(),
            };
            letters::finish(&mut tx, &[finished]).await
        });
        let sent = survey::letters(&db).await.unwrap();
        assert_eq!((sent.len(), sent[0].purpose.as_str(), sent[0].sent_at), (1, "digest", None));
        assert_eq!(
            (sent[0].state.as_str(), sent[0].recipient.as_str()),
            ("queued", "lena@northmere.example")
        );
    })
    .await;
}
