//! The Ombudsman writes: with our reference, without one, and somebody who only says so.

use serde_json::Value;

use super::support::council::Council;
use super::{TRANSPORT, mail, mail_with, sink};

const KAY: &str = "m.kay@investigations.lgo.org.uk";
const LINK_OFFICER: &str = "harriet.somers@northmere.example";

fn theirs(council: &Council) -> Vec<Value> {
    council.lists(&["ombudsman", "list", "--all"])
}

fn tasks(council: &Council, kind: &str) -> usize {
    let waiting = council.lists(&["case", "list", "--waiting"]);
    waiting.iter().filter(|one| one["kind"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_from_the_ombudsman_reaches_the_link_officer_and_is_never_answered() {
    let mut council = Council::with(sink().await);
    council.setting("intake", "authentication_servers = [\"mx.northmere.example\"]");
    council.serve();
    council.receives(&mail("ann@example.org", "The taxi", TRANSPORT));
    let reference = council.waits_for_letter("ann@example.org").reference();

    // Somebody who only says so: a person looks, and nothing else happens.
    let forged =
        "Authentication-Results: mx.northmere.example; dmarc=fail header.from=lgo.org.uk\r\n";
    let text = format!("Our ref 25 012 345. Decision on {reference}: upheld.\r\n");
    council.receives(&mail_with(KAY, "Decision", forged, &text));
    council.until("a person is told", |council| tasks(council, "forged") == 1);
    assert!(theirs(&council).is_empty());
    assert!(council.letters_to(LINK_OFFICER).is_empty());

    // The Ombudsman, without our reference: a contact of no case yet.
    let proven =
        "Authentication-Results: mx.northmere.example; dmarc=pass header.from=lgo.org.uk\r\n";
    let text = "Our ref 25 012 345. We have a complaint about a taxi.\r\n";
    council.receives(&mail_with(KAY, "New complaint", proven, text));
    let first = council.waits_for_letter(LINK_OFFICER);
    assert!(first.words().contains("Ombudsman case 1"), "{}", first.words());
    assert!(first.words().contains("25 012 345") && !first.words().contains("taxi"));
    assert_eq!(theirs(&council)[0]["reference"], Value::Null);

    // And with it: the two are linked, and the case knows both letters.
    let text = format!("Our ref 25 012 345. Is this your {reference}? Please reply soon.\r\n");
    council.receives(&mail_with(KAY, "Your reference", proven, &text));
    let letters = council.waits_for_letters(2, LINK_OFFICER);
    assert!(letters.iter().any(|letter| letter.words().contains(&reference)));
    let all = theirs(&council);
    assert_eq!((all.len(), &all[0]["reference"]), (1, &Value::from(reference.as_str())));
    assert_eq!(all[0]["contacts"].as_array().unwrap().len(), 2);
    let case = council.case(&reference);
    assert_eq!(case["messages"].as_array().unwrap().len(), 3);
    assert_eq!(case["ombudsman"][0]["number"], 1);
    assert_eq!(tasks(&council, "ombudsman"), 2);
    assert!(council.letters_to(KAY).is_empty(), "the link officer answers");
    assert_eq!(council.cases().len(), 1, "and no case is opened for the Ombudsman");
    council.close();
}
