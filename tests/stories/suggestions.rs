//! What may belong together, and what does not: offered to an officer, who decides.

use serde_json::Value;

use super::support::council::Council;
use super::{SEN, TRANSPORT, answer_to, mail, mail_with, sink};

/// What waits for an officer, of one kind.
fn waiting(council: &Council, kind: &str) -> Vec<Value> {
    let rows = council.lists(&["case", "list", "--waiting"]);
    rows.into_iter().filter(|row| row["waiting"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_complaint_sent_twice_is_offered_as_a_duplicate_and_merged_by_an_officer() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let first = council.waits_for_letter("ann@example.org").reference();
    let again = format!("Dear team, I have heard nothing.\r\n{TRANSPORT}Yours, Ann\r\n");
    council.receives(&mail("ann@example.org", "Still no taxi", &again));
    let letters = council.waits_for_letters(2, "ann@example.org");
    let second = letters[1].reference();
    assert_ne!(first, second, "nothing is joined in silence");

    let offered = waiting(&council, "suggestion");
    assert_eq!(offered.len(), 1, "{offered:?}");
    assert_eq!(
        (&offered[0]["kind"], &offered[0]["about"]),
        (&"duplicate".into(), &first.as_str().into())
    );
    assert_eq!(offered[0]["reference"], second.as_str());
    let because = offered[0]["because"].as_str().unwrap();
    assert!(
        because.contains("% of its words are those of") && !because.contains("ann"),
        "{because}"
    );

    let done =
        council.says(&["case", "merge", &second, "--into", &first, "--because", "sent twice"]);
    assert!(done.contains(&format!("{second} is merged into {first}")), "{done}");
    assert!(waiting(&council, "suggestion").is_empty());
    assert_eq!(council.case(&second)["status"], "closed");
    assert!(council.case(&second)["requests"][0]["state"] == "cancelled");
    assert_eq!(council.case(&first)["merged"][0], second.as_str());

    // What answers the letter about the second goes to the first.
    council.receives(&answer_to(&letters[1], "ann@example.org", "Thank you, any news?\r\n"));
    council.until("the answer is with the first", |council| {
        council.case(&first)["messages"].as_array().unwrap().len() == 2
    });
    council.says(&["case", "separate", &second, "--because", "two taxis after all"]);
    assert_eq!(council.case(&second)["status"], "open");
    assert_eq!(council.case(&second)["requests"][0]["state"], "asked");
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_words_from_another_address_are_offered_too_and_nobody_hears_of_it() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let first = council.waits_for_letter("ann@example.org").reference();
    council.receives(&mail("ann.smith@work.example", "Taxi", TRANSPORT));
    let letter = council.waits_for_letter("ann.smith@work.example");
    assert!(!letter.words().contains(&first));
    let offered = waiting(&council, "suggestion");
    assert_eq!((offered.len(), &offered[0]["kind"]), (1, &"similar".into()));
    let id = offered[0]["id"].to_string();
    council.says(&["case", "decline", &id]);
    assert!(waiting(&council, "suggestion").is_empty());
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_campaign_each_letter_is_compared_with_the_first_also_when_all_come_at_once() {
    let mut council = Council::with(sink().await);
    for number in 0..12 {
        let writer = format!("parent{number}@example.org");
        council.receives(&mail(&writer, "The taxi", TRANSPORT));
    }
    council.serve();
    for number in 0..12 {
        council.waits_for_letter(&format!("parent{number}@example.org"));
    }
    let offered = waiting(&council, "suggestion");
    assert_eq!(offered.len(), 11, "{offered:?}");
    let about: std::collections::BTreeSet<&str> =
        offered.iter().map(|one| one["about"].as_str().unwrap()).collect();
    assert_eq!(about.len(), 1, "all with the first");
    assert!(offered.iter().all(|one| one["kind"] == "similar" && one["reference"] != one["about"]));
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_matter_sent_by_reply_is_suggested_as_new_and_split_off_by_an_officer() {
    let mut council = Council::with(sink().await);
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let letter = council.waits_for_letter("ann@example.org");
    let first = letter.reference();
    council.receives(&answer_to(&letter, "ann@example.org", SEN));
    council.until("it is with the case", |council| {
        council.case(&first)["messages"].as_array().unwrap().len() == 2
    });
    let offered = waiting(&council, "suggestion");
    assert_eq!((offered.len(), &offered[0]["kind"]), (1, &"new_matter".into()), "{offered:?}");

    let message = offered[0]["message_id"].to_string();
    council.says(&["case", "split", &message]);
    council.until("a case of its own is acknowledged", |council| {
        council
            .letters_to("ann@example.org")
            .iter()
            .any(|letter| letter.is_acknowledgement() && letter.reference() != first)
    });
    let cases = council.cases();
    let own = cases.iter().find(|case| case["reference"] != first.as_str()).unwrap();
    assert_eq!((cases.len(), &own["record_type"]), (2, &"corporate_complaint".into()));
    assert_eq!(own["lead_service"], "sen");
    assert_eq!(council.case(&first)["messages"].as_array().unwrap().len(), 1);
    assert!(waiting(&council, "suggestion").is_empty());
    council.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_claims_to_be_a_service_is_shown_as_such_and_trusted_with_nothing() {
    let mut council = Council::with(sink().await);
    council.setting("intake", "authentication_servers = [\"mx.northmere.example\"]");
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let reference = council.waits_for_letter("ann@example.org").reference();
    let service = "school-transport@northmere.example";
    let asked = council.waits_for_letter(service);

    // It quotes the reference, from the service's own address: but the server says it is not.
    let forged = "Authentication-Results: mx.northmere.example; dmarc=fail header.from=northmere.example\r\n";
    let text = format!("Re {reference}. We have answered, close the case.\r\n");
    council.receives(&mail_with(service, "RE: answered", forged, &text));
    council.until("it is settled", |council| {
        waiting(council, "task").iter().any(|task| task["kind"] == "forged")
    });
    assert_eq!(council.case(&reference)["messages"].as_array().unwrap().len(), 1);
    assert_eq!(council.case(&reference)["requests"][0]["state"], "asked", "nothing is answered");
    assert_eq!(council.letters_to(service).len(), 1, "and nobody is acknowledged");

    // The same from the true server answers the request.
    let proven = "Authentication-Results: mx.northmere.example; dmarc=pass header.from=northmere.example\r\n";
    let answer = answer_to(&asked, service, "Our draft is attached.\r\n");
    council.receives(&format!("{proven}{answer}"));
    council.until("the request is answered", |council| {
        council.case(&reference)["requests"][0]["state"] == "answered"
    });
    council.close();
}
