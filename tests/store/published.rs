//! Rule sets as they were published.

use std::collections::BTreeMap;

use postern::store::StoreError;
use postern::store::published::{self, Kind, NewSet};

use super::support::postgres::both_engines;
use super::{ODD, later, nine, odd_kept, several, tx};

fn set(version: &str) -> NewSet {
    let text = |name: &str| (name.to_owned(), format!("{version} {ODD}"));
    NewSet {
        version: version.to_owned(),
        author: ODD.to_owned(),
        reason: "because".to_owned(),
        files: BTreeMap::from([text("30-service.toml"), text("ours/35-ours.toml")]),
    }
}

#[tokio::test]
async fn publications_are_kept_whole_and_listed_newest_first() {
    both_engines(async |db| {
        assert!(published::list(&db, Kind::Rules).await.unwrap().is_empty());
        let first = tx!(db, tx => published::add(&mut tx, Kind::Rules, &set("aaaa"), None, nine()));
        let second = tx!(db, tx => published::add(&mut tx, Kind::Rules, &set("bbbb"), Some(first), later(1)));
        let third = tx!(db, tx => published::add(&mut tx, Kind::Rules, &set("aaaa"), Some(second), later(2)));
        let rows = published::list(&db, Kind::Rules).await.unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (row.id, &*row.version, row.previous.as_deref())).collect();
        let expected =
            [(third, "aaaa", Some("bbbb")), (second, "bbbb", Some("aaaa")), (first, "aaaa", None)];
        assert_eq!(told, expected, "a version may come again");
        assert_eq!((&rows[1].author, &*rows[1].reason), (&odd_kept(), "because"));
        assert_eq!(rows[1].published_at, later(1).as_millisecond());
        let files = published::files(&db, Kind::Rules, second).await.unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files["ours/35-ours.toml"], format!("bbbb {}", odd_kept()));
        assert!(published::files(&db, Kind::Rules, 99).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn of_two_that_publish_at_once_the_second_is_told() {
    both_engines(async |db| {
        let first = tx!(db, tx => published::add(&mut tx, Kind::Rules, &set("aaaa"), None, nine()));
        let results = several(&db, 4, move |number, mut tx| async move {
            let after = Some(first);
            published::add(&mut tx, Kind::Rules, &set(&format!("bbb{number}")), after, later(1))
                .await?;
            tx.commit().await
        })
        .await;
        let refused: Vec<&StoreError> =
            results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(refused.len(), 3, "{results:?}");
        assert!(refused.iter().all(|fault| fault.is_unique_violation()), "{refused:?}");
        assert_eq!(published::list(&db, Kind::Rules).await.unwrap().len(), 2);
    })
    .await;
}
