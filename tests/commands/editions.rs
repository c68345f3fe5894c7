//! How a customer is written to: in another language, in easy read, in a form that is no mail; and the templates as
//! versions.

use serde_json::Value;

use super::{Desk, SETTINGS, deliver};

/// A complaint that the rules place by themselves, by one person, as often as it is sent.
fn complaint(number: usize) -> String {
    format!(
        "From: Dee <Dee@example.org>\r\nTo: complaints@northmere.example\r\nSubject: Complaint: EHCP late\r\n\
         Message-ID: <sure{number}@example.org>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n\r\n\
         I want to make a formal complaint. I am his mother. The EHC plan for my child number {number} was due in June \
         and is four months late. The SEN team do not answer my calls. I want an apology and the plan.\r\n\r\n\
         Dee Marsh, 4 Mill Lane, Northmere NM1 2AB\r\n"
    )
}

/// A desk with one case, which was acknowledged.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    deliver(&desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    let reference = references(&desk).remove(0);
    (desk, reference)
}

fn references(desk: &Desk) -> Vec<String> {
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let mut all: Vec<String> =
        list.iter().map(|one| one["reference"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn show(desk: &Desk, reference: &str) -> Value {
    desk.objects(&["-q", "case", "show", reference, "--json"]).remove(0)
}

/// What left for the customer, in order, with line ends and quoted-printable undone.
fn left(desk: &Desk) -> Vec<String> {
    let files = std::fs::read_dir(desk.path("outbox")).into_iter().flatten();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.filter(|text| text.to_lowercase().contains("to: dee@example.org")).collect()
}

fn with<'a>(begin: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [begin, more].concat()
}

fn body(mail: &str) -> String {
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    parsed.body_text(0).unwrap().replace("\r\n", "\n")
}

#[test]
fn who_asked_for_it_is_written_to_in_welsh_from_then_on() {
    let (desk, reference) = desk();
    assert!(body(&left(&desk)[0]).starts_with("Hello\n"), "nothing is recorded yet");
    let begin = ["-q", "case", "adjust", &reference];
    desk.refused(&with(&begin, &["--letters", "welsh"]), 1, "use one of: usual, cy, easy-read");
    desk.refused(&begin, 2, "--letters");
    desk.refused(&with(&begin, &["--format", "loud"]), 2, "sign_language");
    let told =
        desk.data(&with(&begin, &["--letters", "cy", "--because", "asked on the telephone"]));
    assert!(told.contains("written to from now on in Cymraeg (Welsh)"), "{told}");
    desk.refused(&with(&begin, &["--letters", "cy"]), 1, "so already");
    let case = show(&desk, &reference);
    assert_eq!((&case["letters_in"], &case["letters_as"]), (&"cy".into(), &"usual".into()));
    let words = desk.data(&["-q", "case", "show", &reference]);
    assert!(words.contains("letters    cy") && words.contains("asked on the telephone"), "{words}");

    // Another case of the same person, whatever the letters of the address.
    deliver(&desk, 2, complaint(2).replace("Dee@example.org", "dee@EXAMPLE.org"));
    desk.data(&["-q", "serve", "--once"]);
    let mails = left(&desk);
    assert_eq!(mails.len(), 2);
    let welsh = body(&mails[1]);
    assert!(welsh.contains("Diolch am ysgrifennu atom."), "{welsh}");
    assert!(mails[1].contains("Content-Language: cy\r\n"), "{}", mails[1]);
    assert!(mails[1].contains("Subject: Mae eich neges gennym: "));
    let other = references(&desk).remove(1);
    assert_eq!(show(&desk, &other)["letters_in"], "cy");

    // In large print too; what is not said stays, and `usual` takes it back.
    desk.data(&["-q", "case", "adjust", &other, "--format", "large_print"]);
    deliver(&desk, 3, complaint(3));
    desk.data(&["-q", "serve", "--once"]);
    let large = left(&desk).remove(2);
    let parsed = mail_parser::MessageParser::default().parse(large.as_bytes()).unwrap();
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains("font-size:24px") && !html.contains("font-size:16px"), "{html}");
    assert!(html.contains("Diolch am ysgrifennu atom."));
    desk.data(&["-q", "case", "adjust", &other, "--format", "usual", "--letters", "usual"]);
    let case = show(&desk, &reference);
    assert_eq!((&case["letters_in"], &case["letters_as"]), (&Value::Null, &"usual".into()));
}

#[test]
fn an_acknowledgement_that_waits_is_written_again_as_its_reader_needs_it() {
    let desk = Desk::with(&SETTINGS.replace("neutral_on_day = 0\n", ""));
    let unsure = "From: Dee <dee@example.org>\r\nTo: complaints@northmere.example\r\nSubject: transport\r\n\
        Message-ID: <unsure@example.org>\r\n\r\nThe taxi for school came at ten past nine again.\r\n\r\n\
        Dee Marsh, 4 Mill Lane, Northmere NM1 2AB\r\n";
    deliver(&desk, 1, unsure);
    desk.data(&["-q", "serve", "--once"]);
    let reference = references(&desk).remove(0);
    let waiting = || -> String {
        let queued = desk.objects(&["-q", "letters", "list", "--queued", "--json"]);
        let mut first = queued.iter().filter(|letter| letter["purpose"] == "acknowledgement");
        let id = first.next().unwrap()["id"].to_string();
        assert!(first.next().is_none(), "{queued:?}");
        desk.data(&["-q", "letters", "show", &id])
    };
    let act = |more: &[&str]| desk.data(&with(&["-q", "case", more[0], &reference], &more[1..]));
    act(&["adjust", "--format", "plain_text"]);
    assert!(waiting().contains("choose who should answer"), "nobody has decided what it is");
    act(&["confirm"]);
    assert!(waiting().contains("Thank you for writing to us."));
    act(&["adjust", "--letters", "easy-read"]);
    assert!(waiting().contains("Thank you for your message. It came on"));
}

#[test]
fn what_cannot_be_mailed_is_written_and_left_to_a_person() {
    let (desk, reference) = desk();
    desk.data(&["-q", "case", "adjust", &reference, "--format", "braille"]);
    deliver(&desk, 2, complaint(2));
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk).len(), 1, "the first, from before");
    let held = desk.objects(&["-q", "letters", "list", "--held", "--json"]);
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0]["last_cause"], "the customer needs it in braille");
    let id = held[0]["id"].to_string();
    let words = desk.data(&["-q", "letters", "show", &id]);
    assert!(words.starts_with("To: dee@example.org\nSubject: We have your message: "), "{words}");
    assert!(words.contains("We will answer by"), "{words}");
    desk.refused(&["-q", "letters", "show", "999"], 1, "there is no letter 999");
    let other = references(&desk).remove(1);
    let tasks = show(&desk, &other)["tasks"].clone();
    let task =
        tasks.as_array().unwrap().iter().find(|task| task["kind"] == "send_otherwise").unwrap();
    let words = task["words"].as_str().unwrap();
    assert!(
        words.contains("in braille") && words.contains(&format!("letters show {id}")),
        "{words}"
    );
    desk.data(&["-q", "letters", "cancel", &id]);
    desk.data(&["-q", "serve", "--once"]);
    assert_eq!(left(&desk).len(), 1);
    let tasks = show(&desk, &other)["tasks"].clone();
    assert!(
        !tasks.as_array().unwrap().iter().any(|task| task["kind"] == "send_otherwise"),
        "{tasks}"
    );
}

#[test]
fn a_letter_is_seen_on_a_case_before_anything_is_sent() {
    let (desk, reference) = desk();
    let letters = |desk: &Desk| show(desk, &reference)["letters"].as_array().unwrap().len();
    let before = letters(&desk);
    let see = |letter: &str, more: &[&str]| {
        let arguments =
            [&["-q", "letters", "preview", letter, "--case", &reference], more].concat();
        desk.data(&arguments)
    };
    let holding = see("holding", &[]);
    assert!(holding.starts_with("Subject: Your answer is late: NCC-"), "{holding}");
    assert!(holding.contains(&reference) && holding.contains("Here stands why"), "{holding}");
    let due = show(&desk, &reference)["due"].as_str().unwrap().to_owned();
    let due: jiff::civil::Date = due.parse().unwrap();
    let due = due.strftime("%A %-d %B %Y").to_string();
    assert!(holding.contains(&format!("we would answer by {due}")), "{due}: {holding}");
    assert!(see("acknowledgement-corporate", &["--letters", "cy"]).contains("Diolch am"));
    let neutral = see("acknowledgement-neutral", &[]);
    assert!(neutral.contains("We will write to you again by"), "{neutral}");
    assert!(see("rejection", &["--reason", "duplicate"]).contains(&reference));
    for letter in ["ask-customer", "interest-refused", "stage-request", "withdrawal", "follow-up"] {
        assert!(see(letter, &[]).contains(&reference), "{letter}");
    }
    let request = see("service-request", &[]);
    assert!(request.contains("For SEN North.") && !request.contains("Dee"), "{request}");
    let none = ["letters", "preview", "digest", "--case", &reference];
    desk.refused(&none, 1, "postern remind --dry-run");
    desk.refused(&["letters", "preview", "holdng"], 2, "expected");
    let json: Value =
        serde_json::from_str(&see("holding", &["--json", "--format", "paper"])).unwrap();
    assert_eq!((&json["by_hand"], &json["language"]), (&"paper".into(), &"en-GB".into()));
    let page = desk.path("letter.html");
    see("holding", &["--html", page.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));

    // For invented people too, from a draft, and nothing was kept or queued by any of it.
    let invented = desk.data(&["-q", "letters", "preview", "holding"]);
    assert_eq!(invented.matches("Subject: ").count(), 4);
    desk.refused(&["letters", "preview", "rejection", "--letters", "cy"], 2, "it is in: usual");
    assert_eq!(letters(&desk), before);
    let list = desk.objects(&["-q", "letters", "templates", "--json"]);
    let one = |id: &str| list.iter().find(|one| one["letter"] == id).unwrap().clone();
    assert_eq!(one("holding")["editions"], serde_json::json!(["cy", "easy-read"]));
    assert_eq!(one("digest")["to"], "staff");
    let grades = list.iter().filter(|one| one["to"] == "customer");
    assert!(
        grades.map(|one| one["grade"].as_f64().unwrap()).all(|grade| grade > 0.0 && grade <= 6.0)
    );
}

const PAT: [&str; 4] = ["--author", "Pat Lee", "--reason", "the new telephone times"];

#[test]
fn templates_are_published_with_author_and_reason_and_taken_back() {
    let desk = Desk::with(&format!("templates = \"templates\"\n{SETTINGS}"));
    let publish = with(&["-q", "letters", "publish", "--templates", "draft"], &PAT);
    let exported = desk.data(&[
        "-q",
        "letters",
        "export",
        desk.path("templates").to_str().unwrap(),
        "shipped",
    ]);
    assert!(exported.contains(" files written"), "{exported}");
    desk.data(&["-q", "letters", "export", desk.path("draft").to_str().unwrap()]);
    let place = desk.path("draft/letters/base.txt");
    let text = std::fs::read_to_string(&place).unwrap();
    std::fs::write(&place, text.replace("call 999", "call somebody")).unwrap();
    desk.refused(&publish, 2, "does not say `call 999`");
    std::fs::write(
        &place,
        text.replace("Please give your reference.", "Please say your reference."),
    )
    .unwrap();
    desk.refused(&publish, 2, "lacks words that the other part has");
    let html = desk.path("draft/letters/base.html");
    let page = std::fs::read_to_string(&html).unwrap();
    std::fs::write(
        &html,
        page.replace("Please give your reference.", "Please say your reference."),
    )
    .unwrap();
    assert!(desk.objects(&["-q", "letters", "versions", "--json"]).is_empty());

    let seen = desk.data(&["-q", "letters", "preview", "withdrawal", "--templates", "draft"]);
    assert!(!seen.is_empty());
    let differs = desk.data(&["-q", "letters", "diff", "live", "draft"]);
    assert!(
        differs.contains("letters/base.txt") && differs.contains("  + You can reply"),
        "{differs}"
    );
    let told = desk.data(&publish);
    assert!(
        told.contains("recorded  ") && told.contains("files changed in the live set: 2"),
        "{told}"
    );
    let rows = desk.objects(&["-q", "letters", "versions", "--json"]);
    assert_eq!(rows.len(), 2, "what stood before is a version too");
    assert_eq!((&rows[0]["author"], &rows[0]["live"]), (&"Pat Lee".into(), &true.into()));
    assert_eq!(rows[0]["reason"], "the new telephone times");
    let live = || std::fs::read_to_string(desk.path("templates/letters/base.txt")).unwrap();
    assert!(live().contains("Please say your reference."));
    desk.refused(&publish, 1, "nothing changed");

    // Edits by hand are not lost, and what was is published again.
    std::fs::write(desk.path("templates/letters/base.txt"), live().replace("Hello", "Good day"))
        .unwrap();
    let html = desk.path("templates/letters/base.html");
    let page = std::fs::read_to_string(&html).unwrap();
    std::fs::write(&html, page.replace("Hello", "Good day")).unwrap();
    let first = rows[1]["version"].as_str().unwrap();
    let back = [&["-q", "letters", "rollback", first][..], &PAT[..]].concat();
    desk.refused(&back, 1, "postern letters diff");
    let told = desk.data(&[&back[..], &["--adopt"]].concat());
    assert!(told.contains(&format!("published {first}")), "{told}");
    assert_eq!(live(), text);
    assert_eq!(desk.objects(&["-q", "letters", "versions", "--json"]).len(), 4);
    assert!(
        desk.objects(&["-q", "rules", "versions", "--json"]).is_empty(),
        "rules are counted apart"
    );
}

#[test]
fn without_a_folder_of_their_own_templates_cannot_be_published() {
    let desk = Desk::new();
    let next = [&["-q", "letters", "publish"], &PAT[..]].concat();
    desk.refused(&next, 2, "templates = \"templates\"");
    let ran = desk.run(&["letters", "versions"]);
    assert!(ran.err.contains("the shipped letters serve"), "{ran:?}");
}

#[test]
fn a_letter_that_a_new_version_made_wrong_stops_nothing() {
    let desk = Desk::with(&format!("templates = \"templates\"\n{SETTINGS}"));
    let folder = desk.path("templates");
    desk.data(&["-q", "letters", "export", folder.to_str().unwrap(), "shipped"]);
    // As if a name had always been there until now.
    let greets = "Hello {{ greeting_name }}";
    for part in ["body.txt", "body.html"] {
        let place = folder.join("letters/acknowledgement-corporate").join(part);
        let text = std::fs::read_to_string(&place).unwrap();
        let text = text.replacen("We have logged", &format!("{greets}. We have logged"), 1);
        std::fs::write(place, text).unwrap();
    }
    let ran = desk.run(&["check"]);
    assert!(ran.status == 0 && ran.out.contains("everything is valid"), "{ran:?}");
    for words in [
        "templates/letters/acknowledgement-corporate/body.txt, line 3",
        "can be empty: what is shipped stands in its place",
        "put it inside {% if … %}",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    deliver(&desk, 1, complaint(1));
    let ran = desk.run(&["serve", "--once"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let mails = std::fs::read_dir(desk.path("outbox")).unwrap();
    let mails = mails.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let first: Vec<String> = mails.filter(|mail| mail.contains("We have your message")).collect();
    assert_eq!(first.len(), 1);
    assert!(
        first[0].contains("We have logged it as") && !first[0].contains("Hello ."),
        "{}",
        first[0]
    );
    // Who writes such a letter now is told, and it is not published.
    let folder = folder.to_str().unwrap();
    desk.refused(&["-q", "letters", "templates", "--templates", folder], 2, "can be empty");
    desk.refused(&["-q", "letters", "preview", "digest", "--templates", folder], 2, "can be empty");
    let publish = with(&["-q", "letters", "publish", "--templates", folder], &PAT);
    desk.refused(&publish, 2, "can be empty");
}
