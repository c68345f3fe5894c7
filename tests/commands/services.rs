//! The directory of services: who is away, margins of their own, and what `check` finds in it.

use jiff::civil::Date;

use super::{Desk, SETTINGS, complaint, copy_all, deliver, root};

const MANAGER: &str = "theodora.lyle@northmere.example";
const SAM: &str = "sam.reed@northmere.example";

fn desk() -> Desk {
    let desk = Desk::with(&format!("rules = \"rules\"\n{SETTINGS}"));
    copy_all(&root().join("rules"), &desk.path("rules"));
    desk
}

/// Changes the desk's directory.
fn edit(desk: &Desk, change: impl Fn(String) -> String) {
    let text = std::fs::read_to_string(desk.path("rules/services.toml")).unwrap();
    desk.write("rules/services.toml", change(text));
}

fn add(desk: &Desk, more: &str) {
    edit(desk, |text| format!("{text}\n{more}"));
}

/// The recipients of every letter so far, and the day of the one request's draft.
fn asked(desk: &Desk) -> (Vec<String>, Date) {
    deliver(desk, 1, complaint(1));
    desk.data(&["-q", "serve", "--once"]);
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = list[0]["reference"].as_str().unwrap().to_owned();
    let case = desk.objects(&["-q", "case", "show", "--json", &reference]).remove(0);
    let letters = case["letters"].as_array().unwrap().iter();
    let to = letters.map(|one| one["recipient"].as_str().unwrap().to_owned()).collect();
    (to, case["requests"][0]["draft_due_on"].as_str().unwrap().parse().unwrap())
}

#[test]
fn the_request_of_a_manager_who_is_away_goes_to_the_deputy() {
    let desk = desk();
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    let day = |days: i64| today + jiff::Span::new().days(days);
    add(
        &desk,
        &format!(
            "[[person]]\naddress = \"{MANAGER}\"\naway = [{{ from = {}, until = {} }}]\n\
             deputy = {{ name = \"Sam Reed\", address = \"{SAM}\" }}\n",
            day(-3),
            day(20)
        ),
    );
    let (to, _) = asked(&desk);
    assert!(to.iter().any(|one| one == SAM), "{to:?}");
    assert!(!to.iter().any(|one| one == MANAGER), "{to:?}");
    // What is chased goes to the deputy as well, and back once the manager is there again.
    let mails = |day: Date| {
        let at = format!("{day}T09:00");
        let said = desk.data(&["-q", "remind", "--json", "--dry-run", "--at", &at]);
        let mails = said.lines().filter(|line| line.starts_with('{'));
        let mails = mails.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        mails.map(|one| one["recipient"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (mut deputy, mut manager) = (0, 0);
    let works = |days: &i64| day(*days).weekday().to_monday_zero_offset() < 5;
    for days in (1..=40).filter(works) {
        let mails = mails(day(days));
        let heard = |who: &str| mails.iter().filter(|one| *one == who).count();
        assert_eq!(if days <= 20 { heard(MANAGER) } else { heard(SAM) }, 0, "{days}: {mails:?}");
        deputy += heard(SAM);
        manager += heard(MANAGER);
    }
    assert!(deputy > 0 && manager > 0, "{deputy} {manager}");
}

#[test]
fn a_deputy_who_has_a_service_of_their_own_answers_for_the_one_that_was_asked() {
    let desk = desk();
    let other = "gwendolyn.pask@northmere.example";
    let today = postern::clock::london_day(postern::clock::Clock::System.now());
    // On a closed day the service is asked on the next that is worked.
    let until = today + jiff::Span::new().days(7);
    add(
        &desk,
        &format!(
            "[[person]]\naddress = \"{MANAGER}\"\naway = [{{ from = {today}, until = {until} }}]\n\
             deputy = {{ name = \"Gwendolyn Pask\", address = \"{other}\" }}\n"
        ),
    );
    let (to, _) = asked(&desk);
    assert!(to.iter().any(|one| one == other), "{to:?}");
    let list = desk.objects(&["-q", "case", "list", "--json"]);
    let reference = list[0]["reference"].as_str().unwrap();
    let reply = format!(
        "From: Gwendolyn Pask <{other}>\r\nTo: complaints@northmere.example\r\nSubject: Re: {reference}\r\n\
         Message-ID: <reply@northmere.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\nOur answer: the plan \
         was sent on Friday. We are sorry that it is late.\r\n"
    );
    deliver(&desk, 2, reply);
    desk.data(&["-q", "serve", "--once"]);
    let case = desk.objects(&["-q", "case", "show", "--json", reference]).remove(0);
    assert_eq!(case["requests"][0]["state"], "answered", "{case}");
}

#[test]
fn a_service_has_a_margin_of_its_own() {
    let (_, shipped) = asked(&desk());
    let desk = desk();
    edit(&desk, |text| text.replace("id       = \"sen\"", "id = \"sen\"\nchecking_margin = 8"));
    let (_, own) = asked(&desk);
    assert!(own < shipped, "{own} {shipped}");
    edit(&desk, |text| text.replace("checking_margin = 8", "checking_margin = 300"));
    desk.refused(&["rules", "check"], 2, "a margin of more than a year; write 0 to 260");
}

#[test]
fn check_warns_of_what_nobody_reaches_and_of_who_never_hears() {
    let desk = desk();
    let shipped = desk.run(&["check"]);
    assert_eq!(shipped.status, 0, "{shipped:?}");
    for words in ["no rule can reach", "would never hear", "nobody in the directory"] {
        assert!(!shipped.err.contains(words), "{}", shipped.err);
    }
    let copy = std::fs::read_to_string(desk.path("rules/services.toml")).unwrap();
    let first = copy.split("[[service]]").nth(1).unwrap();
    let swimming =
        first.replace("childrens_social_work", "swimming").replace("imelda.frost", "ida.wells");
    add(
        &desk,
        &format!("[[service]]{swimming}\n[[person]]\naddress = \"who.else@northmere.example\"\n"),
    );
    let ladder = std::fs::read_to_string(desk.path("rules/reminders.toml")).unwrap();
    let ladder = ladder.replace("\"corporate_director\"", "\"complaints_manager\"");
    desk.write("rules/reminders.toml", ladder);
    let line = copy.lines().count() + 2;
    let ran = desk.run(&["check"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("everything is valid"), "{ran:?}");
    for words in [
        format!(
            "warning: rules/services.toml, line {line}, column 1: no rule can reach the service `swimming`; write a rule"
        ),
        "alban.reeve@northmere.example (corporate_director) would never hear".to_owned(),
        "nobody in the directory has the address who.else@northmere.example; correct".to_owned(),
    ] {
        assert!(ran.err.contains(&words), "{words}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("would never hear").count(), 1, "once a person: {}", ran.err);
    desk.write(
        "rules/65-ours.toml",
        "[[rule]]\nid = \"ours.swim\"\nwhy = \"to try\"\nlabel = \"service:swimming\"\nweight = 5.0\n\
         words = [\"swimming pool\"]\n",
    );
    assert!(!desk.run(&["check"]).err.contains("no rule can reach"));
}

const LIST: &str = "id,label,name,table,division,checking_margin,inbox_name,inbox_address,responding_manager_name,\
    responding_manager_address,head_of_service_name,head_of_service_address,divisional_director_name,\
    divisional_director_address,corporate_director_name,corporate_director_address\n";

#[test]
fn a_list_changes_contacts_and_adds_services_and_comments_stay() {
    let desk = desk();
    let before = std::fs::read_to_string(desk.path("rules/services.toml")).unwrap();
    let list = format!(
        "{LIST}sen,,,,,5,,,\"O\u{2019}Neil, Zo\u{eb}\",zoe.oneil@northmere.example,,,,,,\n\
         swimming,Swimming,Swimming,9,epa,,Swimming,swim@northmere.example,Ida Wells,ida@northmere.example,\
         Ada Ray,ada@northmere.example,Conrad Ivey,conrad.ivey@northmere.example,Alban Reeve,alban.reeve@northmere.example\n"
    );
    desk.write("staff.csv", format!("\u{feff}{list}"));
    let told = desk.data(&["services", "import", "staff.csv", "--dry-run"]);
    for words in [
        "sen\n",
        "swimming: new\n",
        "responding_manager_address: theodora.lyle@northmere.example -> zoe.oneil@",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let read = || std::fs::read_to_string(desk.path("rules/services.toml")).unwrap();
    assert_eq!(read(), before, "only said");
    assert_eq!(desk.data(&["services", "import", "staff.csv"]), told);
    let after = read();
    assert_ne!(after, before);
    let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(comments(&after), comments(&before));
    let all = desk.objects(&["services", "list", "--json"]);
    assert_eq!(all.len(), 17);
    let sen = all.iter().find(|one| one["id"] == "sen").unwrap();
    assert_eq!(sen["responding_manager"]["name"], "O\u{2019}Neil, Zo\u{eb}");
    assert_eq!(sen["checking_margin"], 5);
    assert_eq!(sen["name"], "Special educational needs", "an empty cell changes nothing");
    assert_eq!(all[16]["head_of_service"]["address"], "ada@northmere.example");
    assert!(desk.data(&["services", "list"]).contains("checked for 5 days"));
    let again = desk.run(&["services", "import", "staff.csv"]);
    assert!(again.out.is_empty() && again.err.contains("holds all of it already"), "{again:?}");
    // As Excel writes it on Windows: the same names, with a word of warning.
    let bytes = list.chars().map(|letter| match letter {
        '\u{2019}' => 0x92,
        letter => u8::try_from(letter).unwrap(),
    });
    desk.write("windows.csv", bytes.collect::<Vec<u8>>());
    let again = desk.run(&["services", "import", "windows.csv"]);
    assert!(again.out.is_empty() && again.err.contains("Windows-1252"), "{again:?}");
    assert!(again.err.contains("holds all of it already"), "{again:?}");
}

#[test]
fn a_list_that_cannot_be_read_changes_nothing() {
    let desk = desk();
    let before = std::fs::read(desk.path("rules/services.toml")).unwrap();
    for (list, words) in [
        ("", "staff.csv, line 1, column 1: the list is empty; write a header line first"),
        ("id,phone\nsen,1\n", "line 1, column 4: unknown column `phone`; write one of: id, label"),
        ("name\nSEN\n", "there is no column `id`"),
        ("id,inbox_address\nsen,nowhere\n", "line 2, column 5: `nowhere` is not an e-mail address"),
        ("id,name\nsen,\"SEN\n", "line 2, column 5: the quotes that begin here do not end"),
        ("id,name\nsen,a,b\n", "line 2, column 7: 3 cells where the header has 2"),
        ("id,name\nsen,a\nsen,b\n", "line 3, column 1: the service `sen` stands twice"),
        (
            "id,name\nswimming,a\n",
            "line 2, column 1: the service `swimming` is new and lacks label, table",
        ),
        ("id,checking_margin\nsen,900\n", "line 2, column 5: `900` is no margin; write 0 to 260"),
    ] {
        desk.write("staff.csv", list);
        desk.refused(&["services", "import", "staff.csv"], 2, words);
    }
    desk.refused(&["services", "import", "nowhere.csv"], 2, "nowhere.csv: cannot be read");
    assert_eq!(std::fs::read(desk.path("rules/services.toml")).unwrap(), before);
    let shipped = Desk::new();
    shipped.write("staff.csv", "id,name\nsen,a\n");
    shipped.refused(&["services", "import", "staff.csv"], 1, "the settings name no rules folder");
}
