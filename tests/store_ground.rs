//! The ground the store stands on: both engines, transactions that cannot be lost, migrations.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod support;

use postern::store::{instance_id, set_setting, setting};
use support::postgres::both_engines;

#[tokio::test]
async fn a_setting_is_kept_only_if_committed() {
    both_engines(async |db| {
        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "greeting", "hello\0 there").await.unwrap();
        assert_eq!(setting(&db, "greeting").await.unwrap(), None, "not before the commit");
        tx.commit().await.unwrap();
        assert_eq!(setting(&db, "greeting").await.unwrap().as_deref(), Some("hello there"));

        let mut tx = db.begin().await.unwrap();
        set_setting(&mut tx, "greeting", "goodbye").await.unwrap();
        drop(tx);
        let tx = db.begin().await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(setting(&db, "greeting").await.unwrap().as_deref(), Some("hello there"));
        assert_eq!(instance_id(&db).await.unwrap().len(), 32);
    })
    .await;
}
