//! Accounts, and the tokens that open them.

use postern::account::{self, AccountFault, Role};
use postern::store::accounts;

use super::support::postgres::both_engines;
use super::{later, nine};

#[tokio::test]
async fn a_token_opens_its_account_until_that_is_disabled() {
    both_engines(async |db| {
        let opens = async |token: &str| account::opened_by(&db, token).await.unwrap();
        let officer = account::add(&db, " pat ", Role::Officer, nine()).await.unwrap();
        let reader = account::add(&db, "Zoë O'Neil", Role::Reader, later(1)).await.unwrap();
        assert_ne!(officer, reader);
        assert_eq!(officer.len(), "postern_1_".len() + 64);
        let found = opens(&officer).await.unwrap();
        assert_eq!((&*found.name.0, found.role), ("pat", Role::Officer));
        assert_eq!(opens(&reader).await.unwrap().role, Role::Reader);

        let (head, secret) = officer.split_at("postern_1_".len());
        for wrong in ["", "pat", "postern_", "postern_1_", "postern_x_y", secret, head] {
            assert!(opens(wrong).await.is_none(), "{wrong}");
        }
        for wrong in [head.replace('1', "2") + secret, head.replace('1', "9") + secret] {
            assert!(opens(&wrong).await.is_none(), "another's number");
        }
        for row in accounts::list(&db).await.unwrap() {
            assert!(!officer.contains(&row.token_sha256), "the token is kept nowhere");
        }

        assert!(account::disable(&db, "pat", later(2)).await.unwrap());
        assert!(opens(&officer).await.is_none());
        assert!(!account::disable(&db, "pat", later(3)).await.unwrap(), "it is already");
        let again = account::add(&db, "pat", Role::Reader, later(4)).await.unwrap();
        assert!(opens(&officer).await.is_none(), "the old token stays shut");
        assert_eq!(opens(&again).await.unwrap().role, Role::Reader);
        let names: Vec<String> =
            accounts::list(&db).await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["Zoë O'Neil", "pat"]);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_taken_or_none_gets_no_token() {
    both_engines(async |db| {
        account::add(&db, "pat", Role::Officer, nine()).await.unwrap();
        let again = account::add(&db, "pat", Role::Reader, nine()).await;
        assert!(matches!(again, Err(AccountFault::Taken)), "{again:?}");
        for bad in ["", " ", "Gateway", "a\nb", &"x".repeat(65)] {
            let refused = account::add(&db, bad, Role::Officer, nine()).await;
            assert!(matches!(refused, Err(AccountFault::NotAName)), "{bad:?}: {refused:?}");
        }
        assert_eq!(accounts::list(&db).await.unwrap().len(), 1);
    })
    .await;
}
