//! What a service leaves on its answer page: files, what it has typed and not sent, and what calls somebody.

use postern::casework::answer::Given;
use postern::casework::case::Alarm;
use postern::email::uploaded;
use postern::store::alarms::{self, NewAlarm};
use postern::store::answers::{self, NewAnswer};
use postern::store::attachments::{self, Carrier, Scan, Scanned};
use postern::store::tasks::{self, NewTask};
use postern::store::uploads::{self, Upload};
use postern::store::{drafts, requests};

use super::links::asked;
use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, tx};

fn upload(name: &str, bytes: &[u8]) -> Upload {
    Upload { file: uploaded(Some(name), "application/pdf", bytes), bytes: bytes.to_vec() }
}

#[tokio::test]
async fn a_file_of_an_answer_is_kept_once_and_scanned_like_any() {
    both_engines(async |db| {
        let (case_id, request_id) = asked(&db, 1).await;
        let given = Given::default();
        let new = NewAnswer {
            case_id,
            request_id,
            message_id: None,
            by_name: None,
            by_address: None,
            answer: &given,
            waits: true,
        };
        let large = vec![7_u8; 2_500_000];
        let files = [upload("a.pdf", b"%PDF-1.7 a"), upload("b.bin", &large)];
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(tx!(db, tx => answers::add(&mut tx, &new, nine())));
            let id = *ids.last().unwrap();
            tx!(db, tx => uploads::keep(&mut tx, id, &files));
        }
        let all = attachments::of_case(&db, case_id).await.unwrap();
        let seen: Vec<_> =
            all.iter().map(|one| (one.carrier(), one.number, one.name.as_deref())).collect();
        let (first, second) = (Carrier::Answer(ids[0]), Carrier::Answer(ids[1]));
        assert_eq!(
            seen,
            [
                (Some(first), 1, Some("a.pdf")),
                (Some(first), 2, Some("b.bin")),
                (Some(second), 1, Some("a.pdf")),
                (Some(second), 2, Some("b.bin")),
            ]
        );
        assert_eq!((all[0].scan, all[0].inline), (Scan::NotScanned, false));
        assert_eq!(attachments::of(&db, second).await.unwrap().len(), 2);
        let names = tx!(db, tx => uploads::names_of_request(&mut tx, request_id));
        assert_eq!(names.len(), 4);
        let read = attachments::bytes(&db, None, &all[1].sha256).await.unwrap();
        assert_eq!(read.as_deref(), Some(&large[..]));
        assert_eq!(attachments::bytes(&db, None, "no such").await.unwrap(), None);

        // Each content waits for the scanner once, and of an infected one is told once an answer.
        for _ in 0..2 {
            let file = tx!(db, tx => attachments::claim(&mut tx, "gw", nine(), later(60))).unwrap();
            assert_eq!(file.message_id, None);
            let infected = file.sha256 == all[0].sha256;
            let found = Scanned {
                scan: if infected { Scan::Infected } else { Scan::Clean },
                answer: infected.then(|| "Eicar".to_owned()),
                counts: false,
                again_at: None,
            };
            assert!(
                tx!(db, tx => attachments::scanned(&mut tx, &file.sha256, "gw", &found, nine()))
            );
        }
        assert!(tx!(db, tx => attachments::claim(&mut tx, "gw", later(99), later(100))).is_none());
        assert!(attachments::any_untold(&db).await.unwrap());
        let untold = tx!(db, tx => attachments::take_untold(&mut tx, nine()));
        let told: Vec<_> =
            untold.iter().map(|one| (one.carrier, one.number, one.case_id)).collect();
        assert_eq!(told, [(first, 1, Some(case_id)), (second, 1, Some(case_id))]);
        assert!(!attachments::any_untold(&db).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_typed_is_kept_by_mailbox_until_its_request_is_over() {
    both_engines(async |db| {
        let (case_id, request) = asked(&db, 1).await;
        let of = async |who: &str| tx!(db, tx => drafts::of(&mut tx, request, who));
        let save = async |who: &str, what: &str| {
            tx!(db, tx => drafts::save(&mut tx, (request, who), what, nine()));
        };
        save("a@b.example", "one").await;
        save("a@b.example", ODD).await;
        save("c@d.example", "theirs").await;
        assert_eq!(of("a@b.example").await.unwrap().typed, odd_kept());
        assert_eq!(of("c@d.example").await.unwrap().typed, "theirs");
        assert!(of("e@f.example").await.is_none());
        tx!(db, tx => drafts::drop_of_mailbox(&mut tx, request, "c@d.example"));
        assert!(of("c@d.example").await.is_none());
        assert!(of("a@b.example").await.is_some());
        assert!(tx!(db, tx => requests::answered(&mut tx, request, None, nine())));
        assert!(of("a@b.example").await.is_none(), "it goes with the answer");
        save("a@b.example", "more").await;
        tx!(db, tx => requests::cancel_all(&mut tx, case_id, later(90)));
        assert!(of("a@b.example").await.is_none(), "and with the case");
    })
    .await;
}

#[tokio::test]
async fn what_is_chosen_goes_with_what_is_typed() {
    both_engines(async |db| {
        let (case_id, request) = asked(&db, 1).await;
        let (ours, theirs) = ((request, "a@b.example"), (request, "c@d.example"));
        let large = vec![7_u8; 2_500_000];
        let files = [upload(ODD, b"%PDF-1.7 a"), upload("b.bin", &large)];
        for whose in [ours, theirs] {
            tx!(db, tx => drafts::save(&mut tx, whose, "one", nine()));
            tx!(db, tx => drafts::add_files(&mut tx, whose, &files));
        }
        let of =
            async |whose: (i64, &str)| tx!(db, tx => drafts::files_of(&mut tx, whose.0, whose.1));
        let chosen = of(ours).await;
        assert_eq!(chosen.len(), 2);
        assert_eq!(chosen[1].file, files[1].file);
        let read = tx!(db, tx => drafts::with_bytes(&mut tx, chosen[1].clone()));
        assert_eq!(read.bytes, large);
        // A form may name any file: those of another mailbox stay, with their bytes.
        let other = of(theirs).await;
        let ids: Vec<i64> = other.iter().map(|one| one.id).collect();
        tx!(db, tx => drafts::drop_files(&mut tx, ours, &ids));
        let read = tx!(db, tx => drafts::with_bytes(&mut tx, other[0].clone()));
        assert_eq!(read.bytes, b"%PDF-1.7 a");
        tx!(db, tx => drafts::drop_files(&mut tx, ours, &[chosen[0].id]));
        assert_eq!(of(ours).await.len(), 1);
        tx!(db, tx => drafts::drop_of_mailbox(&mut tx, request, ours.1));
        assert!(of(ours).await.is_empty());
        let gone = tx!(db, tx => drafts::with_bytes(&mut tx, chosen[1].clone()));
        assert!(gone.bytes.is_empty(), "the bytes go too");
        // Of two who send it at once, one does.
        assert!(tx!(db, tx => drafts::take(&mut tx, request, theirs.1)));
        assert!(!tx!(db, tx => drafts::take(&mut tx, request, theirs.1)));
        assert!(tx!(db, tx => requests::answered(&mut tx, request, None, nine())));
        assert!(of(theirs).await.is_empty(), "it goes with the answer");
        tx!(db, tx => drafts::add_files(&mut tx, theirs, &files));
        let chosen = of(theirs).await;
        tx!(db, tx => requests::cancel_all(&mut tx, case_id, later(90)));
        assert!(of(theirs).await.is_empty(), "and with the case");
        let gone = tx!(db, tx => drafts::with_bytes(&mut tx, chosen[0].clone()));
        assert!(gone.bytes.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_was_typed_for_a_case_calls_until_somebody_has_opened_it() {
    both_engines(async |db| {
        let (case_id, _) = asked(&db, 1).await;
        let about = Alarm::Case(case_id);
        let new = NewAlarm { about, called: "duty@b.example".to_owned() };
        // Each thing that is typed calls by itself.
        for seconds in [0, 1] {
            tx!(db, tx => alarms::raise(&mut tx, &new, later(seconds)));
        }
        assert!(alarms::first(&db).await.unwrap().is_none(), "nothing is left to do");
        let task = NewTask { kind: "safeguarding", case_id: Some(case_id), ..NewTask::default() };
        tx!(db, tx => tasks::add(&mut tx, &task, nine()));
        let first = alarms::first(&db).await.unwrap().unwrap();
        assert_eq!((first.case_id, first.message_id), (Some(case_id), None));
        assert_eq!(first.received_at, first.called_at);
        let taken = tx!(db, tx => alarms::take(&mut tx, later(0), later(20)));
        assert_eq!(taken.len(), 1, "the one that was called for so long ago");
        assert!(tx!(db, tx => alarms::opened(&mut tx, about, ODD, later(21))));
        assert!(!tx!(db, tx => alarms::opened(&mut tx, about, ODD, later(22))));
        assert!(tx!(db, tx => alarms::take(&mut tx, later(30), later(30))).is_empty());
    })
    .await;
}
