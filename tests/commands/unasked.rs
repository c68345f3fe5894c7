//! Requests that are written and have not left: a case that is over, or one with another, takes them back.

use serde_json::Value;

use super::{Desk, SETTINGS, complaint};

/// A desk with two cases whose letters are written, and nothing sends them yet: as on a Saturday.
fn written() -> (Desk, [String; 2]) {
    let desk = Desk::with(&format!("{SETTINGS}[reminders]\nask_on_closed_days = true\n"));
    for number in [1, 2] {
        let file = format!("{number}.eml");
        desk.write(&file, complaint(number));
        desk.data(&["-q", "import", "--acknowledge", &file]);
    }
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = |at: usize| list[at]["reference"].as_str().unwrap().to_owned();
    let references = [reference(0), reference(1)];
    for reference in &references {
        assert!(requests(&desk, reference).iter().all(|(state, _)| state == "queued"));
        assert!(!requests(&desk, reference).is_empty());
    }
    (desk, references)
}

/// How the letters stand that ask somebody for an answer, and why.
fn requests(desk: &Desk, reference: &str) -> Vec<(String, String)> {
    let case = desk.objects(&["-q", "case", "show", "--json", reference]).remove(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let letters = case["letters"].as_array().unwrap().iter();
    let asking = letters.filter(|one| one["purpose"] == "service-request");
    asking.map(|one| (text(&one["state"]), text(&one["last_cause"]))).collect()
}

#[test]
fn nobody_is_asked_about_a_case_that_ended_before_the_request_left() {
    let (desk, [one, other]) = written();
    desk.data(&["-q", "case", "withdraw", &one, "--because", "by telephone"]);
    let stand = requests(&desk, &one);
    let never = |(state, why): &(String, String)| {
        state == "cancelled" && why == "nobody has to answer any more"
    };
    assert!(stand.iter().all(never), "{stand:?}");
    assert!(requests(&desk, &other).iter().all(|(state, _)| state == "queued"));
}

#[test]
fn a_merged_case_asks_nobody_and_asks_again_once_it_stands_by_itself() {
    let (desk, [one, other]) = written();
    desk.data(&["-q", "case", "merge", &one, "--into", &other, "--because", "sent twice"]);
    let stand = requests(&desk, &one);
    let not_now =
        |(state, why): &(String, String)| state == "cancelled" && why == "its case was merged";
    assert!(stand.iter().all(not_now), "{stand:?}");
    desk.data(&["-q", "case", "separate", &one, "--because", "another child"]);
    let stand = requests(&desk, &one);
    assert!(stand.iter().all(|(state, _)| state == "queued"), "{stand:?}");
    // What ended for good is not asked again.
    desk.data(&["-q", "case", "withdraw", &one, "--because", "by telephone"]);
    assert!(requests(&desk, &one).iter().all(|(state, _)| state == "cancelled"));
}
