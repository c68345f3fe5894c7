//! Services that answer by area, and how they want to be asked: from the customer's own words to whoever answers there.

use jiff::civil::Date;
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use super::desk::OneCase;
use super::{Desk, SETTINGS, copy_all, deliver, root};

const POSTCODE: &str = "NM5 2JT";

/// A complaint about special educational needs, with more of its text and what stands below the name.
fn complaint(more: &str, below: &str) -> String {
    format!(
        "From: Helen Marsh <helen@example.org>\r\nTo: complaints@northmere.example\r\nSubject: Formal complaint about my \
         son's EHC Plan\r\nMessage-ID: <c1@example.org>\r\nDate: Mon, 16 Nov 2026 08:00:00 +0000\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nI wish to complain formally. My son's EHC plan is four months late \
         and the SEN team does not answer me, his mother. {more}\r\n\r\nYours sincerely\r\n\r\nHelen Marsh\r\n{below}\r\n"
    )
}

fn from_the_south() -> String {
    complaint("", &format!("12 Elm Road, Millbury {POSTCODE}"))
}

/// A desk with rules of its own, changed, and one case.
fn changed(change: impl Fn(String) -> String, settings: &str, message: &str) -> OneCase {
    let desk = Desk::with(&format!(
        "rules = \"rules\"\n{SETTINGS}{settings}[reminders]\nask_on_closed_days = true\n"
    ));
    copy_all(&root().join("rules"), &desk.path("rules"));
    edit(&desk, change);
    deliver(&desk, 1, message);
    desk.data(&["-q", "serve", "--once"]);
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = list[0]["reference"].as_str().unwrap().to_owned();
    OneCase { desk, reference }
}

fn edit(desk: &Desk, change: impl Fn(String) -> String) {
    let text = std::fs::read_to_string(desk.path("rules/services.toml")).unwrap();
    desk.write("rules/services.toml", change(text));
}

/// A mail that left.
struct Mail {
    to: String,
    subject: String,
    text: String,
    /// Name and text of what is attached.
    attached: Option<(String, String)>,
}

fn mails(desk: &Desk) -> Vec<Mail> {
    desk.data(&["-q", "serve", "--once"]);
    let files = std::fs::read_dir(desk.path("outbox")).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let attached = mail.attachments().next().map(|part| {
            let name = part.attachment_name().unwrap().to_owned();
            (name, part.text_contents().unwrap().to_owned())
        });
        Mail {
            to: mail.to().unwrap().first().unwrap().address().unwrap().to_owned(),
            subject: mail.subject().unwrap().to_owned(),
            text: mail.body_text(0).unwrap().replace("\r\n", " "),
            attached,
        }
    };
    files.map(read).collect()
}

/// Whom the service was asked by mail, without the domain.
fn asked(case: &OneCase) -> Vec<String> {
    let mails =
        mails(&case.desk).into_iter().filter(|mail| mail.subject.starts_with("Please answer"));
    let mut to: Vec<String> = mails.map(|mail| mail.to.replace("@northmere.example", "")).collect();
    to.sort();
    to
}

fn move_to(case: &OneCase, area: &str) -> String {
    case.act("area", &["--service", "sen", "--area", area, "--because", "they moved"])
}

/// Somebody of the council replies.
fn replies(case: &OneCase, number: usize, from: &str, words: &str) {
    let mail = format!(
        "From: {from}@northmere.example\r\nTo: complaints@northmere.example\r\nSubject: Re: {}\r\n\
         Message-ID: <r{number}@northmere.example>\r\nDate: Tue, 17 Nov 2026 09:00:00 +0000\r\n\r\n{words}\r\n",
        case.reference
    );
    deliver(&case.desk, number, mail);
    case.desk.data(&["-q", "serve", "--once"]);
}

/// The reminders of some days to come, each as if nobody had been reminded before: to whom without the domain, and by
/// which steps.
fn reminded(desk: &Desk, days: impl Iterator<Item = i64>) -> Vec<(String, Vec<String>)> {
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    let day = |days: i64| today + jiff::Span::new().days(days);
    let works = |day: &Date| day.weekday().to_monday_zero_offset() < 5;
    let mails = days.map(day).filter(works).flat_map(|day| {
        let at = format!("{day}T09:00");
        let said = desk.data(&["-q", "remind", "--json", "--dry-run", "--at", &at]);
        let mails = said.lines().filter(|line| line.starts_with('{')).map(str::to_owned);
        mails.map(|line| serde_json::from_str::<Value>(&line).unwrap()).collect::<Vec<_>>()
    });
    mails
        .map(|mail| {
            let because = mail["because"].as_array().unwrap().iter();
            let rungs = because.map(|one| one[1].as_str().unwrap().to_owned()).collect();
            let to = mail["recipient"].as_str().unwrap().replace("@northmere.example", "");
            (to, rungs)
        })
        .collect()
}

fn requests(case: &OneCase) -> Vec<(Value, Value)> {
    let object = case.show();
    let all = object["requests"].as_array().unwrap().iter();
    all.map(|one| (one["area"].clone(), one["state"].clone())).collect()
}

#[test]
fn a_case_from_the_south_is_asked_there_moved_to_the_north_chased_and_answered_there() {
    let case = OneCase::with(from_the_south());
    assert_eq!(asked(&case), ["joel.amberley", "sen-south"]);
    let words = case.act("show", &[]);
    assert!(
        words.contains("  area       sen: south\n             \"NM5 2JT\" (below their name)"),
        "{words}"
    );
    assert!(words.contains("asked      sen (south) on"), "{words}");
    let mail = mails(&case.desk).into_iter().find(|mail| mail.to.starts_with("sen-south")).unwrap();
    assert!(mail.text.contains("For SEN South. Corporate complaint"), "{}", mail.text);
    let area = &case.show()["areas"][0];
    assert_eq!((&area["area"], &area["is_sure"]), (&json!("south"), &json!(true)));
    let chased = reminded(&case.desk, (10..=40).step_by(5));
    let heard =
        |who: &str, all: &[(String, Vec<String>)]| all.iter().filter(|one| one.0 == who).count();
    assert!(
        heard("joel.amberley", &chased) > 0 && heard("magnus.orchard", &chased) > 0,
        "{chased:?}"
    );
    assert_eq!(heard("theodora.lyle", &chased) + heard("lena.brandt", &chased), 0, "{chased:?}");

    assert_eq!(move_to(&case, "north"), "sen answers as SEN North, and is asked anew\n");
    assert_eq!(
        requests(&case),
        [(json!("south"), json!("cancelled")), (json!("north"), json!("asked"))]
    );
    assert_eq!(asked(&case), ["joel.amberley", "lena.brandt", "sen-north", "sen-south"]);
    let chased = reminded(&case.desk, (10..=40).step_by(5));
    assert!(
        heard("lena.brandt", &chased) > 0 && heard("magnus.orchard", &chased) > 0,
        "{chased:?}"
    );
    assert_eq!(heard("joel.amberley", &chased), 0, "{chased:?}");
    assert!(
        case.refused("area", &["--service", "sen", "--area", "north", "--because", "so"])
            .contains("already")
    );

    // The South answers the mail that it had: that is not the North's answer, and ends nothing.
    replies(&case, 2, "joel.amberley", "NOT OURS, they live in the north now.");
    assert_eq!(requests(&case)[1], (json!("north"), json!("asked")));
    assert!(case.waiting().contains("a service added to the case: read it"), "{}", case.waiting());
    replies(&case, 3, "lena.brandt", "ACCEPT");
    assert_eq!(requests(&case)[1].1, "accepted");
    replies(
        &case,
        4,
        "sen-north",
        "The plan was late because the advice was. We are sorry, and it is out today.",
    );
    assert_eq!(requests(&case)[1].1, "answered");
    let told = case.act("area", &["--service", "sen", "--none", "--because", "countywide"]);
    assert_eq!(told, "sen answers as Special educational needs; nothing has to be asked anew\n");
    let history = case.act("show", &[]);
    for words in [
        "the gateway took south for the area of sen",
        "pat took north for the area of sen",
        "pat took no area of sen: its own contacts answer",
    ] {
        assert!(history.contains(words), "{words}: {history}");
    }
}

#[test]
fn two_areas_are_no_choice_and_wait_for_an_officer() {
    let case = OneCase::with(complaint("The school is at NM1 4EE.", POSTCODE));
    assert_eq!(asked(&case), ["sen-complaints", "theodora.lyle"]);
    let waits = |case: &OneCase| case.waiting().contains("the message names several areas of sen");
    assert!(waits(&case), "{}", case.waiting());
    let words = case.act("show", &[]);
    assert!(words.contains("sen: several are named: choose one with `case area`"), "{words}");
    assert!(words.contains("north: \"NM1 4EE\" (beside a school, a firm or an office)"), "{words}");
    assert!(words.contains("south: \"NM5 2JT\" (below their name)"), "{words}");
    let told = case.refused("area", &["--service", "sen", "--area", "east", "--because", "so"]);
    assert!(told.contains("sen has no area `east`; services.toml has: north, south"), "{told}");
    let adoption = ["--service", "adoption", "--none", "--because", "so"];
    assert!(case.refused("area", &adoption).contains("adoption does not answer by area"));
    // Whom the service's own contacts serve is not asked again; whom another area serves is.
    case.act("area", &["--service", "sen", "--none", "--because", "both homes"]);
    assert!(!waits(&case) && asked(&case).len() == 2, "{}", case.waiting());
    move_to(&case, "south");
    assert_eq!(asked(&case), ["joel.amberley", "sen-complaints", "sen-south", "theodora.lyle"]);
}

#[test]
fn what_is_not_sure_is_shown_and_no_postcode_reaches_a_log() {
    let desk = Desk::with(&format!("{SETTINGS}[reminders]\nask_on_closed_days = true\n"));
    deliver(&desk, 1, complaint("He is fetched from NM5 2JT by a taxi firm.", ""));
    let ran = desk.run(&["-vv", "serve", "--once"]);
    assert!(ran.status == 0 && !ran.err.is_empty(), "{ran:?}");
    assert!(!ran.err.contains(POSTCODE) && !ran.err.contains("NM52JT"), "{}", ran.err);
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = list[0]["reference"].as_str().unwrap().to_owned();
    let case = OneCase { desk, reference };
    assert_eq!(asked(&case), ["joel.amberley", "sen-south"]);
    let words = case.act("show", &[]);
    assert!(words.contains("sen: south, not sure: `case area` puts it right"), "{words}");
    assert_eq!(case.show()["areas"][0]["is_sure"], false);
}

#[test]
fn a_service_that_is_asked_later_gets_its_area_from_the_same_message() {
    let about_transport = from_the_south()
        .replace("EHC plan is four months late", "school taxi never comes")
        .replace("EHC Plan", "school taxi")
        .replace("the SEN team", "school transport");
    let case = OneCase::with(about_transport);
    assert!(!asked(&case).iter().any(|to| to.starts_with("sen")), "{:?}", asked(&case));
    case.act("correct", &["--service", "sen", "--because", "it is about the plan"]);
    assert_eq!(requests(&case).last().unwrap(), &(json!("south"), json!("asked")));
    assert!(asked(&case).contains(&"sen-south".to_owned()));
}

/// What went with the request to the service's inbox; whether the letter says so, and whether the register does.
fn attached(case: &OneCase) -> (Option<(String, String)>, bool, bool) {
    let asked = |mail: &Mail| mail.subject.starts_with("Please answer");
    let mail = mails(&case.desk).into_iter().find(asked).unwrap();
    assert!(!mail.subject.contains("Marsh") && !mail.text.contains("Marsh"), "{}", mail.text);
    let kept = case.show()["requests"][0]["message_attached"].as_bool().unwrap();
    (mail.attached, mail.text.contains("The customer's message is attached."), kept)
}

#[test]
fn what_the_customer_wrote_goes_with_the_request_where_no_page_shows_it() {
    let case = OneCase::with(from_the_south());
    let (attached_to, says, kept) = attached(&case);
    let (name, text) = attached_to.unwrap();
    assert_eq!((name.as_str(), says, kept), ("message.txt", true, true));
    assert!(text.starts_with("What the customer wrote to the council, received on "), "{text}");
    assert!(
        text.contains("I wish to complain formally. My son's EHC plan is four months late"),
        "{text}"
    );
    assert!(case.act("show", &[]).contains("asked sen, with the customer's message"));
    let seen =
        case.desk.data(&["-q", "letters", "preview", "service-request", "--case", &case.reference]);
    assert!(
        seen.contains("The customer's message is attached.") && seen.contains("SEN South"),
        "{seen}"
    );
    // Whoever is asked anew gets it as the first did.
    move_to(&case, "north");
    let north =
        mails(&case.desk).into_iter().find(|mail| mail.to.starts_with("sen-north")).unwrap();
    assert_eq!(north.attached.unwrap().1, text);
    // No list that chases carries it.
    let digests =
        mails(&case.desk).into_iter().filter(|mail| !mail.subject.starts_with("Please answer"));
    assert_eq!(digests.filter(|mail| mail.attached.is_some()).count(), 0);
}

#[test]
fn it_stays_here_where_a_page_shows_it_or_somebody_must_be_guarded() {
    let page = "public_url = \"http://127.0.0.1:9\"\n";
    let none = (None, false, false);
    let with = |settings: &str| {
        let settings = SETTINGS.replace("[console]\n", &format!("[console]\n{settings}"));
        let desk = Desk::with(&format!("{settings}[reminders]\nask_on_closed_days = true\n"));
        deliver(&desk, 1, from_the_south());
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        OneCase { desk, reference }
    };
    assert_eq!(attached(&with(page)), none, "the page shows it");
    assert!(attached(&with("")).0.is_some());
    let wants = |value: &str| {
        let value = format!("id        = \"south\"\nattach_message = {value}");
        changed(|text| text.replace("id        = \"south\"", &value), "", &from_the_south())
    };
    assert_eq!(attached(&wants("false")), none, "the area wants none");
    assert!(attached(&wants("true")).0.is_some());
    let anonymous =
        from_the_south().replace("his mother.", "his mother. I want to stay anonymous.");
    let case = OneCase::with(anonymous);
    assert!(case.show()["flags"].as_array().unwrap().contains(&json!("anonymous")));
    assert_eq!(attached(&case), none);
}

#[test]
fn files_are_told_of_and_stay_here() {
    let text = from_the_south();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=b");
    let mail = format!(
        "{head}\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{body}\r\n--b\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=\"diary.txt\"\r\n\r\nA DIARY\r\n--b--\r\n"
    );
    let case = OneCase::with(mail);
    let (_, text) = attached(&case).0.unwrap();
    assert!(
        text.contains("[Came with 1 file, not passed on by mail: ask the complaints team.]"),
        "{text}"
    );
    assert!(!text.contains("DIARY") && !text.contains("diary"), "{text}");
}

#[test]
fn a_service_says_who_of_it_is_asked() {
    for (ask, whom) in [
        ("inbox", &["sen-south"][..]),
        ("manager", &["joel.amberley"]),
        ("both", &["joel.amberley", "sen-south"]),
    ] {
        let preference = format!("id       = \"sen\"\nask = \"{ask}\"");
        let case =
            changed(|text| text.replace("id       = \"sen\"", &preference), "", &from_the_south());
        assert_eq!(asked(&case), whom, "{ask}");
    }
}

#[test]
fn a_service_does_without_courtesies_and_without_nothing_else() {
    let skip = |steps: &str| {
        let steps = format!("id       = \"sen\"\nskip = [{steps}]");
        move |text: String| text.replace("id       = \"sen\"", &steps)
    };
    // Between the days on which its answer is half due and due soon.
    let rungs = |case: &OneCase| {
        let all = reminded(&case.desk, 11..=19).into_iter();
        all.filter(|one| one.0 == "joel.amberley").flat_map(|one| one.1).collect::<Vec<_>>()
    };
    let usual = rungs(&OneCase::with(from_the_south()));
    assert!(usual.iter().any(|rung| rung == "halfway"), "{usual:?}");
    let fewer = changed(skip("\"halfway\", \"soon\""), "", &from_the_south());
    assert!(rungs(&fewer).is_empty(), "{:?}", rungs(&fewer));
    let late = reminded(&fewer.desk, 30..=40);
    assert!(late.iter().any(|one| one.0 == "magnus.orchard"), "what is overdue is told: {late:?}");
    let desk = &fewer.desk;
    for step in [
        "allocate",
        "not_accepted",
        "draft_due",
        "overdue",
        "overdue_20",
        "holding_check",
        "nowhere",
    ] {
        edit(desk, |text| {
            let at = text.find("skip = [\"").unwrap();
            let end = at + text[at..].find(']').unwrap();
            format!("{}skip = [\"{step}\"{}", &text[..at], &text[end..])
        });
        let words = format!(
            "the step `{step}` cannot be skipped; write early steps that only the manager hears: progress"
        );
        let ran = desk.run(&["check"]);
        assert!(ran.status == 2 && ran.err.contains(&words), "{words}: {ran:?}");
    }
}

#[test]
fn check_warns_of_areas_in_vain() {
    let case = changed(
        |text| {
            let text = text.replace("\"NM8\"]", "\"NM8\", \"NM9\"]\nask = \"manager\"");
            let sectors: Vec<String> = (0..10).map(|one| format!("\"NM9 {one}\"")).collect();
            text.replace("\"NM4\"]", &format!("\"NM4\", {}]", sectors.join(", ")))
        },
        "",
        &from_the_south(),
    );
    let ran = case.desk.run(&["check"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    for words in [
        "the postcodes NM9 of area `south` are all of other areas, sector by sector; take it out",
        "sen-south@northmere.example (service_inbox) would never hear",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    assert!(ran.err.contains("warning: rules/services.toml, line "), "{}", ran.err);
}

#[test]
fn a_difference_names_the_area_and_the_list_shows_it() {
    let case = changed(|text| text, "", &from_the_south());
    let desk = &case.desk;
    copy_all(&desk.path("rules"), &desk.path("draft"));
    let text = std::fs::read_to_string(desk.path("draft/services.toml")).unwrap();
    let text = text.replace("\"NM8\"]", "\"NM8\", \"NM9\"]").replace("joel.amberley", "ada.wells");
    desk.write("draft/services.toml", text);
    let told = desk.data(&["rules", "diff", "rules", "draft"]);
    assert!(told.contains("area sen south: changed\n"), "{told}");
    assert!(told.contains("postcodes: with NM9\n"), "{told}");
    assert!(told.contains("ada.wells@northmere.example>"), "{told}");
    assert!(!told.contains("service sen"), "{told}");
    let listed = desk.data(&["services", "list"]);
    let south = listed.lines().find(|line| line.starts_with("  south")).unwrap();
    assert!(south.contains("Joel Amberley") && south.contains("NM4 7, NM5"), "{south}");
    let all = desk.objects(&["services", "list", "--json"]);
    let sen = all.iter().find(|one| one["id"] == "sen").unwrap();
    assert_eq!(sen["areas"][1]["inbox"]["address"], "sen-south@northmere.example");
    assert_eq!((&sen["ask"], &sen["areas"][0]["checking_margin"]), (&json!("both"), &Value::Null));
}

const LIST: &str = "id,area,name,districts,postcodes,checking_margin,ask,inbox_name,inbox_address,responding_manager_name,\
    responding_manager_address,head_of_service_name,head_of_service_address\n";

#[test]
fn a_list_changes_areas_and_adds_them() {
    let case = changed(|text| text, "", &from_the_south());
    let desk = &case.desk;
    let list = format!(
        "{LIST}sen,south,,,nm9; NM5,5,,,,Ada Wells,ada.wells@northmere.example,Una Reed,una.reed@northmere.example\n\
         sen,west,SEN West,Long Cross; Welham,NM10,,inbox,SEN West,sen-west@northmere.example,,,,\n\
         fostering,east,Fostering East,Eastholme,,,,,,Bo Lund,bo.lund@northmere.example,,\n"
    );
    desk.write("areas.csv", &list);
    let told = desk.data(&["services", "import", "areas.csv"]);
    for words in [
        "sen south\n",
        "    postcodes: NM4 7; NM5; NM6; NM7; NM8 -> NM9; NM5\n",
        "sen west: new\n",
        "fostering east: new\n",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let all = desk.objects(&["services", "list", "--json"]);
    let areas = |id: &str| all.iter().find(|one| one["id"] == id).unwrap()["areas"].clone();
    let (sen, fostering) = (areas("sen"), areas("fostering"));
    assert_eq!(sen.as_array().unwrap().len(), 3);
    assert_eq!(sen[1]["postcodes"], json!(["NM9", "NM5"]));
    assert_eq!((&sen[1]["checking_margin"], &sen[2]["ask"]), (&json!(5), &json!("inbox")));
    assert_eq!(sen[1]["head_of_service"]["name"], "Una Reed");
    assert_eq!(sen[2]["districts"], json!(["Long Cross", "Welham"]));
    assert_eq!(fostering[0]["responding_manager"]["address"], "bo.lund@northmere.example");
    let again = desk.run(&["services", "import", "areas.csv"]);
    assert!(again.out.is_empty() && again.err.contains("holds all of it already"), "{again:?}");
    assert_eq!(desk.run(&["check"]).status, 0);

    let before = std::fs::read(desk.path("rules/services.toml")).unwrap();
    for (list, words) in [
        (
            "id,area,label\nsen,south,SEN\n",
            "line 2, column 11: an area has no label of its own; leave the cell empty",
        ),
        (
            "id,districts\nsen,Welham\n",
            "line 2, column 5: only an area has districts; name the area",
        ),
        (
            "id,area,postcodes\nsen,south,NM\n",
            "line 2, column 11: `NM` is no beginning of a postcode",
        ),
        ("id,area,name\nsen,South,a\n", "line 2, column 5: `South` is no id of an area"),
        ("id,area,name\nswim,a,b\n", "line 2, column 1: there is no service `swim`"),
        ("id,area,districts\nsen,far,Far\n", "the area `far` of `sen` is new and lacks name"),
        (
            "id,area\nsen,south\nsen,south\n",
            "line 3, column 1: the area `south` of `sen` stands twice",
        ),
        (
            "id,area,inbox_name\nfostering,east,East\n",
            "has no inbox yet; fill in both inbox_name and inbox_address",
        ),
        (
            "id,area,ask\nsen,south,us\n",
            "`us` is nobody who is asked; write inbox, manager or both",
        ),
        ("id,area,postcodes\nsen,south,NM1\n", "`NM1` is of the areas `north` and `south`"),
    ] {
        desk.write("areas.csv", list);
        let ran = desk.run(&["services", "import", "areas.csv"]);
        assert!(
            ran.status == 2 && ran.out.is_empty() && ran.err.contains(words),
            "{words}: {ran:?}"
        );
    }
    assert_eq!(std::fs::read(desk.path("rules/services.toml")).unwrap(), before);
}

#[test]
fn what_a_colleague_passes_on_is_not_the_customers_and_says_nothing_of_where_they_live() {
    let passed_on = from_the_south()
        .replace("Helen Marsh <helen@example.org>", "Front Door <front-desk@northmere.example>");
    let case = OneCase::with(passed_on);
    assert_eq!(attached(&case), (None, false, false));
    assert_eq!(case.show()["areas"], json!([]));
}

#[test]
fn a_request_that_waits_to_leave_never_reaches_whom_somebody_else_answers_for() {
    let desk = Desk::with(&format!("{SETTINGS}[reminders]\nask_on_closed_days = true\n"));
    desk.write("one.eml", from_the_south());
    // Letters are written, and nothing sends them yet: as on a Saturday.
    desk.data(&["-q", "import", "--acknowledge", "one.eml"]);
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = list[0]["reference"].as_str().unwrap().to_owned();
    let case = OneCase { desk, reference };
    move_to(&case, "north");
    assert_eq!(asked(&case), ["lena.brandt", "sen-north"]);
    let object = case.show();
    let letters = object["letters"].as_array().unwrap().iter();
    let never = letters.filter(|one| one["state"] == "cancelled");
    assert_eq!(never.filter(|one| one["last_cause"] == "somebody else answers").count(), 2);
}
