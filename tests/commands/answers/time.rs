//! What an officer decides of a wish for more time, as the page shows it.

use super::{Page, Says};

const WISH: [(&str, &str); 5] = [
    ("name", "Jo Lane"),
    ("why", "The advice is late."),
    ("until-day", "4"),
    ("until-month", "12"),
    ("until-year", "2027"),
];

#[test]
fn a_wish_for_more_time_is_shown_with_what_was_decided() {
    let page = Page::start();
    let link = page.link();
    let one = format!("{link}/1");
    let nobody = page.act_refused("no-more-time", "No.");
    assert!(nobody.contains("sen waits for no decision on more time"), "{nobody}");
    assert!(!page.get(&one, "").text.contains("More time"));
    page.send(&format!("{one}/more-time"), "", &WISH).says(303, &[]);
    page.get(&one, "").says(
        200,
        &[
            "You asked on ",
            "for more time, until Saturday 4 December 2027",
            "We have not decided yet",
        ],
    );
    assert!(page.tasks().contains("a service asks for more time"), "{}", page.tasks());

    let because = "Ann Other has waited once already.";
    assert!(page.act_refused("no-more-time", " ").contains("it needs a reason"));
    let told = page.act("no-more-time", &["--service", "sen", "--because", because]);
    assert_eq!(told, "sen is told that its day stays\n");
    assert!(!page.tasks().contains("more time"), "{}", page.tasks());
    assert!(page.act("show", &[]).contains(&format!("gave sen no more time: {because}")));
    let without = page.get(&one, "");
    without.says(200, &["We decided on ", "that the day stays."]).tells_nothing();
    let cookie = page.unlock(&link);
    page.get(&one, &cookie).says(200, &["that the day stays.", because]);
    // Both who were asked are told, and no name is in the mail.
    for (_, subject, text) in page.waits_for("The day for your answer stays", 2) {
        assert!(!subject.contains("Ann") && !text.contains("Ann Other"), "{text}");
        assert!(text.contains("Read why, and answer: "), "{text}");
    }
    assert!(page.act_refused("no-more-time", "No.").contains("waits for no decision"));

    // It asks again; an officer names its points, and then moves its day.
    page.send(&format!("{one}/more-time"), "", &WISH).says(303, &[]);
    page.act("part", &["--service", "sen", "--points", "delay"]);
    page.get(&one, "").says(200, &["We have not decided yet"]);
    assert!(page.tasks().contains("a service asks for more time"), "its day did not move");
    let due = page.show()["due"].as_str().unwrap().to_owned();
    page.act("part", &["--service", "sen", "--due", &due]);
    let day = postern::casework::working::in_words(due.parse().unwrap());
    page.get(&one, "").says(200, &["We moved your day on ", &format!("It is now {day}.")]);
    assert!(!page.tasks().contains("more time"), "{}", page.tasks());
}

#[test]
fn a_task_that_is_ended_without_a_decision_leaves_nobody_waiting_for_one() {
    let page = Page::start();
    page.act("correct", &["--service", "sen,fostering", "--because", "both had it"]);
    let one = format!("{}/1", page.link());
    page.send(&format!("{one}/more-time"), "", &WISH).says(303, &[]);
    // That another service has answered decides nothing of it.
    page.act("answered", &["--service", "fostering"]);
    assert!(page.tasks().contains("a service asks for more time"), "{}", page.tasks());
    page.get(&one, "").says(200, &["We have not decided yet"]);

    let waiting = page.desk.objects(&["-q", "case", "list", "--waiting", "--json"]);
    let task = waiting.iter().find(|one| one.to_string().contains("more_time"));
    let task = task.unwrap_or_else(|| panic!("{waiting:?}"));
    let number = task["task"].as_i64().or(task["id"].as_i64()).unwrap().to_string();
    page.desk.data(&["-q", "case", "done", &number]);
    assert!(page.act("show", &[]).contains("(more_time) is done, and no day was moved by that"));
    let due = page.request()["due"].as_str().map(str::to_owned);
    let aside = page.get(&one, "");
    aside.says(200, &["We looked at it on ", "and moved nothing. Your day stays: "]);
    assert!(!aside.text.contains("We have not decided yet"), "{}", aside.text);
    assert_eq!(page.request()["due"].as_str().map(str::to_owned), due);
    // An officer may still decide, and who asks again is waited with again.
    page.send(&format!("{one}/more-time"), "", &WISH).says(303, &[]);
    page.get(&one, "").says(200, &["We have not decided yet"]);
    page.act("no-more-time", &["--service", "sen", "--because", "It is urgent."]);
    page.get(&one, "").says(200, &["We decided on ", "that the day stays."]);
}

#[test]
fn who_asked_for_more_time_is_told_when_the_whole_case_gets_it() {
    let page = Page::start();
    let link = page.link();
    // Of a type whose answer may take longer.
    page.act(
        "correct",
        &["--type", "children_act_complaint", "--because", "a social worker's act"],
    );
    page.send(&format!("{link}/1/more-time"), "", &WISH).says(303, &[]);
    let due: jiff::civil::Date = page.show()["due"].as_str().unwrap().parse().unwrap();
    let until = (1..15).find_map(|days| {
        let day = due.checked_add(jiff::Span::new().days(days)).unwrap().to_string();
        let extend =
            ["-q", "case", "extend", &page.reference, "--until", &day, "--because", "two services"];
        (page.desk.run(&extend).status == 0).then_some(day)
    });
    until.expect("a day that the procedure allows");
    page.get(&format!("{link}/1"), "").says(200, &["We moved your day on "]);
    assert!(!page.tasks().contains("more time"), "{}", page.tasks());
    for (_, subject, text) in page.waits_for("You have more time", 2) {
        assert!(subject.contains(&page.reference) && text.contains("Please answer by "), "{text}");
    }
}

impl Page {
    /// What an act that is refused says.
    fn act_refused(&self, act: &str, because: &str) -> String {
        let words = ["-q", "case", act, &*self.reference, "--service", "sen", "--because", because];
        let ran = self.desk.run(&words);
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.err
    }
}
