//! The rules that ship: valid, refused when broken, and as right as they were over the labelled
//! messages that ship with them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use postern::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use postern::email::{Email, Kind};
use postern::fault::Fault;
use postern::rules::trial::{self, Labelled, Report};
use postern::rules::{Classification, Known, RuleSet, Services, explain};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every rule file, as the gateway reads them.
fn shipped_files() -> Vec<(String, String)> {
    fs::read_dir(folder("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = format!("rules/{}", path.file_name().unwrap().to_string_lossy());
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn shipped_rules() -> RuleSet {
    RuleSet::load(&shipped_files()).unwrap_or_else(|faults| panic!("{}", listed(&faults)))
}

/// The directory alone, with one file of rules.
fn with_rules(text: &str) -> Result<RuleSet, Vec<Fault>> {
    let mut files: Vec<(String, String)> =
        shipped_files().into_iter().filter(|(name, _)| name.ends_with("services.toml")).collect();
    files.push(("rules/30-service.toml".to_owned(), text.to_owned()));
    RuleSet::load(&files)
}

fn message(from: &str, subject: &str, body: &str) -> Email {
    let line = serde_json::json!({
        "id": "x", "from_name": "", "from_addr": from, "subject": subject, "body": body,
        "labels": {"record_type": "enquiry", "service": ["sen"], "customer_type": "parent",
                   "themes": [], "flags": []},
    });
    Labelled::from_json(&line.to_string()).unwrap().email
}

fn classified(rules: &RuleSet, from: &str, subject: &str, body: &str) -> Classification {
    rules.classify(&message(from, subject, body), &Known::default())
}

/// Labelled messages of these files.
fn labelled(folder_of: &str, files: &[&str]) -> Vec<Labelled> {
    let read = |file: &&str| fs::read_to_string(folder(folder_of).join(file)).unwrap();
    let texts: Vec<String> = files.iter().map(read).collect();
    texts.iter().flat_map(|text| text.lines()).map(|l| Labelled::from_json(l).unwrap()).collect()
}

/// The rules with everything that the second opinion learns from.
fn rules_with_examples() -> RuleSet {
    shipped_rules()
        .with_examples(labelled("rules/examples", &[&PLAIN[..], &ORDINARY, &SIDEWAYS].concat()))
}

/// Letters that say what they are about, and letters that say it sideways or not at all.
const PLAIN: [&str; 6] = [
    "boundaries.jsonl",
    "everyday.jsonl",
    "mailbox.jsonl",
    "plain-spoken.jsonl",
    "roundabout.jsonl",
    "typical.jsonl",
];
/// The ordinary post: what went wrong, in reasonable order, and one letter in five that is harder; and short ones.
const ORDINARY: [&str; 38] = [
    "airfield.jsonl",
    "canalside.jsonl",
    "cathedral-city.jsonl",
    "coalfield.jsonl",
    "commuter-belt.jsonl",
    "county-town.jsonl",
    "dockside.jsonl",
    "estuary.jsonl",
    "even-handed.jsonl",
    "family-centre.jsonl",
    "few-lines.jsonl",
    "few-words.jsonl",
    "greenbelt.jsonl",
    "harbour.jsonl",
    "hill-country.jsonl",
    "in-brief.jsonl",
    "in-order.jsonl",
    "induction.jsonl",
    "interviews.jsonl",
    "kindly-meant.jsonl",
    "lakeside.jsonl",
    "large-town.jsonl",
    "market-square.jsonl",
    "market-town.jsonl",
    "marshes.jsonl",
    "new-town.jsonl",
    "on-the-bus.jsonl",
    "one-line.jsonl",
    "pit-villages.jsonl",
    "plainly-put.jsonl",
    "promenade.jsonl",
    "quayside.jsonl",
    "railway-town.jsonl",
    "ring-road.jsonl",
    "season-ticket.jsonl",
    "tramway.jsonl",
    "uplands.jsonl",
    "watermill.jsonl",
];
const SIDEWAYS: [&str; 17] = [
    "back-office.jsonl",
    "by-the-sea.jsonl",
    "garrison.jsonl",
    "harm-and-near-harm.jsonl",
    "islands.jsonl",
    "kitchen-table.jsonl",
    "monday.jsonl",
    "orchards.jsonl",
    "rights-and-rules.jsonl",
    "risk.jsonl",
    "sidelong.jsonl",
    "terraces.jsonl",
    "unheard.jsonl",
    "village.jsonl",
    "well-put.jsonl",
    "who-and-what.jsonl",
    "young-and-kin.jsonl",
];

/// Floors a little below what the rules reach: a change that makes them worse is seen.
fn expect_at_least(name: &str, report: &Report, floors: [(&str, f64, f64); 5]) {
    let short: Vec<String> = floors
        .iter()
        .filter(|(_, reached, floor)| reached < floor)
        .map(|(field, reached, floor)| format!("{field} {reached:.3} is below {floor}"))
        .collect();
    assert!(short.is_empty(), "{name}: {}\n{report}", short.join(", "));
}

/// Every child at risk is found.
fn expect_every_child(name: &str, report: &Report) {
    assert_eq!(
        report.at_risk_found, report.at_risk,
        "{name}: a child at risk was missed\n{report}"
    );
}

#[test]
fn messages_that_the_second_opinion_has_not_seen() {
    let corpus = labelled("tests/complaints", &["dev.jsonl", "dev-b.jsonl"]);
    assert_eq!(corpus.len(), 220);
    let report = trial::score(&trial::judge(rules_with_examples(), &corpus, 1));
    let share = |count| report.share_of(count);
    let floors = [
        ("record type", share(report.record_type), 0.94),
        ("lead service", share(report.lead_service), 0.93),
        ("customer type", share(report.customer_type), 0.94),
        ("themes F1", report.themes.f1(), 0.79),
        ("flags F1", report.flags.f1(), 0.91),
    ];
    expect_at_least("letters of the tests", &report, floors);
    expect_every_child("letters of the tests", &report);
    let sure = report.without_officer_right * 100 >= report.without_officer * 97;
    assert!(sure && report.without_officer >= 130, "without an officer\n{report}");
}

/// Who says that it is no complaint may thank somebody, offer an idea, or ask something.
#[test]
fn no_complaint_is_not_always_thanks() {
    let rules = shipped_rules();
    let read = |body: &str| {
        let body = format!("This is not a complaint. {body}");
        classified(&rules, "ann@example.org", "Hello", &body).record_type
    };
    for (expected, bodies) in [
        (
            RecordType::Comment,
            &[
                "I would like to suggest that the youth hub opens on Sunday afternoons.",
                "I would like to suggest that the admissions web site remembers the form.",
                "I'd like to suggest a text message when the school taxi is late.",
                "May I recommend that annual review papers are sent by email rather than by post?",
                "Only an idea: put a bench outside the family hub.",
            ][..],
        ),
        (
            RecordType::Compliment,
            &[
                "I would like to thank the driver who waited for my son in the rain.",
                "Quite the opposite: Mrs Dale in the SEN team has been wonderful.",
                "Thank you for the short breaks. I would suggest you give Kim a pay rise!",
            ],
        ),
        (
            RecordType::Enquiry,
            &[
                "Could you tell me how I apply for a school bus pass?",
                "A question: how long does an EHC assessment usually take?",
            ],
        ),
    ] {
        for body in bodies {
            assert_eq!(read(body), expected, "{body}");
        }
    }
    let complaint = "This is not a complaint about the school. I want to make a formal complaint about the SEN team, \
        who have not answered for a year. I would like to suggest that they learn to read.";
    let read = classified(&rules, "ann@example.org", "Complaint", complaint);
    assert_eq!(read.record_type, RecordType::CorporateComplaint);
}

/// A file's letters, each judged by what the others teach.
#[track_caller]
fn judged(files: &[&str], floors: [f64; 5], (without_officer, right): (usize, usize)) -> Report {
    let corpus = labelled("rules/examples", files);
    let report = trial::score(&trial::judge(rules_with_examples(), &corpus, 5));
    let share = |count| report.share_of(count);
    let [record, lead, customer, themes, flags] = floors;
    let floors = [
        ("record type", share(report.record_type), record),
        ("lead service", share(report.lead_service), lead),
        ("customer type", share(report.customer_type), customer),
        ("themes F1", report.themes.f1(), themes),
        ("flags F1", report.flags.f1(), flags),
    ];
    expect_at_least("examples", &report, floors);
    let sure = report.without_officer_right * 100 >= report.without_officer * right;
    assert!(sure && report.without_officer >= without_officer, "without an officer\n{report}");
    report
}

#[test]
fn examples_each_judged_by_what_the_others_teach() {
    let report = judged(&PLAIN, [0.94, 0.95, 0.95, 0.79, 0.87], (500, 97));
    expect_every_child("letters that say what they are about", &report);
}

#[test]
fn of_the_ordinary_post_three_in_five_need_no_officer_first() {
    let report = judged(&ORDINARY, [0.95, 0.96, 0.95, 0.79, 0.86], (2_100, 97));
    expect_every_child("the ordinary post", &report);
}

#[test]
fn what_is_said_sideways_is_known_less_often_and_surely_never() {
    let report = judged(&SIDEWAYS, [0.88, 0.86, 0.87, 0.69, 0.77], (700, 92));
    // Dangers told without a word of danger, put among as many letters that only sound like one: none that a rule
    // speaks of is taken off again.
    assert!(report.at_risk_found * 100 >= report.at_risk * 88, "children at risk\n{report}");
}

#[test]
fn no_school_matter_is_a_complaint_under_the_children_act() {
    let files = [&PLAIN[..], &SIDEWAYS, &ORDINARY].concat();
    let rules = shipped_rules().with_examples(labelled("rules/examples", &files[..7]));
    let education: Vec<String> = rules
        .services()
        .all()
        .iter()
        .filter(|service| service.table == 9)
        .map(|service| service.id.clone())
        .collect();
    let mut of_education = 0;
    for letter in labelled("rules/examples", &files[7..]) {
        let got = rules.classify(&letter.email, &Known::default());
        let lead = got.services[0].as_str().to_owned();
        if education.contains(&lead) {
            of_education += 1;
            assert_ne!(got.record_type, RecordType::ChildrenActComplaint, "{lead}");
            assert_ne!(got.record_type, RecordType::Representation, "{lead}");
        }
    }
    assert!(of_education > 100, "{of_education} letters");
}

#[test]
fn a_few_words_resemble_nothing_enough_to_call_somebody() {
    let rules = rules_with_examples();
    for text in [
        "Is there any news of my complaint?",
        "The taxi for school came at ten past nine again.",
        "Thank you for your letter.",
        "Who do I ask about a school place?",
        "I will ring tomorrow.",
    ] {
        let got = rules.classify(&message("a@example.org", "Hello", text), &Known::default());
        assert_eq!(got.flags, [], "{text}");
    }
}

/// Examples are English: of a letter in another language it knows too little to say what it is.
#[test]
fn who_says_next_to_nothing_is_read_by_a_person() {
    let rules = rules_with_examples();
    let sure = |subject: &str, body: &str, file: Option<&str>| {
        let attachments: Vec<serde_json::Value> = file
            .iter()
            .map(|name| serde_json::json!({"name": name, "type": "application/pdf"}))
            .collect();
        let line = serde_json::json!({
            "id": "x", "from_name": "Jo Bray", "from_addr": "jo.bray@example.com", "subject": subject, "body": body,
            "attachments": attachments,
            "labels": {"record_type": "enquiry", "service": ["sen"], "customer_type": "parent",
                       "themes": [], "flags": []},
        });
        let email = Labelled::from_json(&line.to_string()).unwrap().email;
        let found = rules.classify(&email, &Known::default());
        (found.confidence, found.needs_officer)
    };
    let told =
        "My son's school transport has not come for two weeks and nobody answers when I ring.";
    assert!(!sure("Complaint about school transport", told, None).1);
    assert!(!sure("Complaint about school transport", told, Some("timetable.pdf")).1);
    for (subject, body, file) in [
        ("EHCP", "", None),
        (
            "Complaint about my son's school transport, two weeks now",
            "Please see attached.",
            Some("letter.pdf"),
        ),
    ] {
        let (sure, needs_officer) = sure(subject, body, file);
        assert!(needs_officer && sure <= 0.5, "{subject}: {sure}");
    }
}

#[test]
fn what_is_written_in_another_language_is_not_turned_by_what_it_resembles() {
    let rules = rules_with_examples();
    for (subject, text) in [
        (
            "Скарга",
            "Добрий день, я хочу поскаржитися. План для моєї доньки був обіцяний ще в червні. Минуло чотири \
             місяці, а відповіді немає. Я телефонувала багато разів. Прошу відповісти мені письмово.",
        ),
        (
            "شكوى",
            "السلام عليكم، أريد تقديم شكوى. لم تأت سيارة المدرسة هذا الأسبوع. اتصلت بالمكتب مرات كثيرة ولم يرد أحد.",
        ),
        (
            "Skarga",
            "Dzień dobry, chciałabym złożyć skargę. Mój syn ma osiem lat. Taksówka nie przyjechała trzy razy. \
             Dzwoniłam, ale nikt nie odbiera. Proszę o wyjaśnienie i o przeprosiny.",
        ),
    ] {
        let got = rules.classify(&message("a@example.org", subject, text), &Known::default());
        let never = [RecordType::Compliment, RecordType::Comment, RecordType::NotForUs];
        assert!(!never.contains(&got.record_type), "{subject}: {}", explain(&got));
        assert!(got.needs_officer, "{subject}: {}", explain(&got));
    }
}

#[test]
fn the_second_opinion_is_shown_and_never_silent() {
    let rules = rules_with_examples();
    let letter =
        |text: &str| rules.classify(&message("a@example.org", "", text), &Known::default());
    let got = letter(
        "The cab that takes my lad in did not come again and I lost a morning's pay. Who do I see about it?",
    );
    let said = |label: &str| {
        let mut second = got.evidence.iter().filter(|one| one.rule == "second-opinion");
        second.any(|one| one.label.starts_with(label) && one.place == "whole")
    };
    for label in ["record_type:", "service:", "customer:"] {
        assert!(said(label), "{label}: {}", explain(&got));
    }
    // What no rule knows a word of is a person's, however sure the second opinion is.
    let unknown =
        letter("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.");
    assert!(unknown.needs_officer, "{}", explain(&unknown));
}

#[test]
fn a_machine_is_nobodys_complaint() {
    let rules = shipped_rules();
    for kind in [Kind::AutoReply, Kind::Bounce, Kind::Spam, Kind::Newsletter, Kind::MailingList] {
        let mut email =
            message("a@example.org", "EHC plan", "My son has been hurt and his EHC plan is late.");
        email.kind = kind;
        let got = rules.classify(&email, &Known::default());
        assert_eq!(got.record_type, RecordType::NotForUs, "{kind:?}");
        assert_eq!(got.services, [ServiceId::none()], "{kind:?}");
        assert_eq!(got.customer_type, CustomerType::Unknown, "{kind:?}");
        assert!(got.themes.is_empty() && got.flags.is_empty(), "{kind:?}");
    }
}

#[test]
fn a_web_form_is_a_person_though_a_machine_sends_it() {
    let rules = shipped_rules();
    let mut email = message(
        "noreply@forms.northmere.example",
        "Customer feedback form",
        "Type of feedback: Complaint\nPlease tell us what happened: My daughter's school taxi never came.",
    );
    email.kind = Kind::Notification;
    let got = rules.classify(&email, &rules.services().known_of(&email));
    assert_eq!(got.record_type, RecordType::CorporateComplaint);
    assert_eq!(got.services.first().unwrap().as_str(), "home_to_school_transport");
    assert_eq!(got.customer_type, CustomerType::Parent);
}

#[test]
fn what_the_register_knows_goes_before_words() {
    let rules = shipped_rules();
    let known = Known {
        sender_has_case: true,
        case_services: vec![ServiceId("fostering".to_owned())],
        case_customer: Some(CustomerType::FosterCarer),
        ..Known::default()
    };
    let got =
        rules.classify(&message("a@example.org", "Re: hello", "any news about the taxi?"), &known);
    assert_eq!(got.record_type, RecordType::FollowUp);
    assert_eq!(got.services.first().unwrap().as_str(), "fostering");
    assert_eq!(got.customer_type, CustomerType::FosterCarer);

    let service = Known { sender_is_service: true, answers_request: true, ..Known::default() };
    let got =
        rules.classify(&message("a@northmere.example", "Re: request", "On its way."), &service);
    assert_eq!(got.record_type, RecordType::ServiceResponse);
    assert!(got.themes.is_empty());
}

#[test]
fn a_child_at_risk_is_flagged_in_anyones_words() {
    let rules = shipped_rules();
    for text in [
        "my stepdad punched me again last night and i dont want to go home",
        "I can hear the man next door beating his little girl every night.",
        "My pupil came in with burns on his arm this morning and says his uncle did it.",
        "The children at number 12 are left alone all night and have had nothing to eat.",
        "My nephew is living with his dad who is drunk every day and drives him around.",
        "She is 13 and gets into cars with older men. She did not come home last night.",
        "I want to kill myself, nobody at the home listens",
        "You sent my ex our new address. There is a non-molestation order against him.",
    ] {
        let got = classified(&rules, "a@example.org", "help", text);
        assert!(got.flags.contains(&Flag::Safeguarding), "{text}\n{}", explain(&got));
        assert!(got.needs_officer, "{text}");
    }
}

/// Whom a letter asks something of besides is asked too: in few words nobody is spoken of as strongly as the lead.
#[test]
fn two_services_of_whom_something_is_asked_both_answer() {
    let rules = shipped_rules();
    for (text, both) in [
        (
            "My daughter's overnight short breaks were stopped in June and the disabled children's team do not \
             answer. And the SEN team still have not named a school in her EHC plan, which was due in May.",
            ["children_with_disabilities", "sen"],
        ),
        (
            "Jamie's school taxi has not come since half term and nobody at school transport answers about a \
             new driver. The SEN team have not sent his EHC plan either, it was due in July. Put both right.",
            ["home_to_school_transport", "sen"],
        ),
    ] {
        let got = classified(&rules, "a@example.org", "two things", text);
        let asked: Vec<&str> = got.services.iter().map(ServiceId::as_str).collect();
        assert!(both.iter().all(|one| asked.contains(one)), "{text}\n{}", explain(&got));
    }
}

#[test]
fn what_a_writer_rules_out_does_not_choose_the_service() {
    let rules = shipped_rules();
    let got = classified(
        &rules,
        "a@example.org",
        "Complaint",
        "This is not about the school bus or the taxi. My daughter's EHC plan is four months late \
         and nobody at the SEN team has answered my emails.",
    );
    assert_eq!(got.services.first().unwrap().as_str(), "sen");
    assert_eq!(got.record_type, RecordType::CorporateComplaint);
    assert!(got.themes.contains(&Theme::Communication));
    assert!(got.evidence.iter().any(|evidence| evidence.place == "aside"), "{}", explain(&got));
}

#[test]
fn an_empty_message_goes_to_an_officer() {
    let got = classified(&shipped_rules(), "a@example.org", "", "");
    assert!(got.needs_officer);
    assert!(got.confidence < 0.3, "{}", got.confidence);
}

#[test]
fn every_service_can_be_written_to_in_every_role() {
    let rules = shipped_rules();
    let services = rules.services();
    assert_eq!(services.all().len(), 16);
    assert_eq!(services.all().iter().filter(|service| service.table == 6).count(), 10);
    let day = jiff::civil::date(2026, 11, 27);
    for service in services.all() {
        let id = ServiceId(service.id.clone());
        for role in postern::rules::services::ROLES {
            assert!(!services.address_for(&id, None, role, day).is_empty(), "{id} has no {role}");
        }
        assert_eq!(services.is_service_address(&service.inbox.address.to_uppercase()), Some(id));
    }
    let sen = services.get(&ServiceId("sen".to_owned())).unwrap();
    assert!(services.is_service_address(&sen.corporate_director.address).is_none());
    assert!(services.is_council_address("anyone@northmere.example"));
    assert!(!services.is_council_address("noreply@forms.northmere.example"));
    assert!(!services.is_council_address("anyone@notnorthmere.example"));
}

#[test]
fn the_version_changes_with_the_rules() {
    let files = shipped_files();
    let version = RuleSet::load(&files).unwrap().version().to_owned();
    let mut reversed: Vec<_> = files.iter().rev().cloned().collect();
    assert_eq!(RuleSet::load(&reversed).unwrap().version(), version, "order of the files");
    let edited = reversed.iter_mut().find(|(name, _)| name.ends_with("30-service.toml")).unwrap();
    edited.1.push_str("\n# edited\n");
    assert_ne!(RuleSet::load(&reversed).unwrap().version(), version);
}

#[test]
fn every_fault_is_named_at_once_with_its_place_and_cure() {
    let broken = r#"
[[rule]]
id = "a"
why = "x"
label = "service:sne"
weight = 1.0
words = ["plan"]

[[rule]]
id = "a"
why = "x"
label = "theme:communication"
wieght = 1.0
words = ["plan"]

[[rule]]
id = "a"
why = "x"
label = "flag:anonymous"
weight = 1.0
regex = ["(plan"]
where = ["subjet"]

[[decision]]
id = "d"
why = "x"
all = ["fact:nowhere"]
then = ["record_type:complaint"]

[[ruel]]
id = "z"

[officer]
below = 7
"#;
    let faults = with_rules(broken).err().unwrap();
    let text = listed(&faults);
    for wanted in [
        "line 5, column 9: unknown service `sne`; write one of: childrens_social_work",
        "line 13, column 1: unknown field `wieght`; write one of `id`, `why`",
        "rule `a` stands twice",
        "not a regular expression",
        "unknown place `subjet`; write one of: subject",
        "unknown fact `nowhere`",
        "unknown record type `complaint`; write one of: children_act_complaint",
        "unknown section `ruel`",
        "`below` is no confidence; write a number from 0",
    ] {
        assert!(text.contains(wanted), "{wanted}\nmissing in\n{text}");
    }
    assert!(
        faults.iter().all(|fault| fault.file == "rules/30-service.toml" && fault.at.is_some()),
        "{text}"
    );
}

#[test]
fn an_officer_looks_below_the_confidence_that_the_set_says() {
    let looks = |section: &str| {
        let rule = "[[rule]]\nid = \"sen.plan\"\nwhy = \"x\"\nlabel = \"service:sen\"\nweight = 4\nwords = [\"EHC plan\"]\n\n\
                    [[decision]]\nid = \"D\"\nwhy = \"x\"\nall = [\"service:sen\"]\n\
                    then = [\"record_type:corporate_complaint\", \"customer:parent\"]\n";
        let rules = with_rules(&format!("{rule}\n{section}"))
            .unwrap_or_else(|faults| panic!("{}", listed(&faults)));
        let text = "The EHC plan of my son is late, and the EHC plan of my daughter too.";
        classified(&rules, "a@example.org", "EHC plan", text).needs_officer
    };
    assert!(!looks("[officer]\nbelow = 0.0\n"));
    assert!(looks("[officer]\nbelow = 1.0\n"));
}

#[test]
fn words_count_where_and_as_often_as_a_rule_asks() {
    let rules = with_rules(
        r#"
[[rule]]
id = "chased"
why = "Chased again and again."
label = "service:sen"
weight = 3.0
words = ["rang"]
at_least = 3

[[rule]]
id = "closed-bus"
why = "The bus is what is late, not something else in the sentence."
label = "service:home_to_school_transport"
weight = 3.0
words = ["bus"]
near = ["late"]
within = 2
"#,
    )
    .unwrap();
    let check = |text: &str, wanted: &[&str]| {
        let got = classified(&rules, "a@example.org", "", text);
        let fired: Vec<&str> = got.evidence.iter().map(|one| one.rule.as_str()).collect();
        assert_eq!(fired, wanted, "{text}");
    };
    check("I rang on Monday. I rang on Tuesday and rang at noon.", &[]);
    check("I rang on Monday. I rang on Tuesday. Then I rang at noon.", &["chased"]);
    check("The bus was late.", &["closed-bus"]);
    check("Late again, the bus.", &["closed-bus"]);
    check("The bus took him to the museum and we were all late.", &[]);
    check("The bus came. It was late.", &[]);
}

#[test]
fn an_example_that_goes_wrong_is_a_fault() {
    let rule = |fires: bool| {
        format!(
            "[[rule]]\nid = \"sen.plan\"\nwhy = \"x\"\nlabel = \"service:sen\"\nweight = 4\n\
             words = [\"EHC plan\"]\nunless = [\"not about\"]\n\
             example = [{{ text = \"It is not about his EHC-plan.\", fires = {fires} }}]\n"
        )
    };
    assert!(with_rules(&rule(false)).is_ok());
    let faults = with_rules(&rule(true)).err().unwrap();
    assert_eq!(faults.len(), 1);
    assert!(
        listed(&faults).contains("line 8, column 12: rule `sen.plan` does not fire on its example")
    );
}

#[test]
fn a_directory_with_faults_is_refused() {
    let text =
        shipped_files().into_iter().find(|(name, _)| name.ends_with("services.toml")).unwrap().1;
    let check = |from: &str, to: &str, wanted: &str| {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from} is not there");
        let faults = Services::from_toml("rules/services.toml", &broken).unwrap_err();
        assert!(listed(&faults).contains(wanted), "{wanted}\nmissing in\n{}", listed(&faults));
    };
    check("table    = 9", "table    = 7", "table 7 counts no services");
    check("division = \"epa\"", "division = \"eps\"", "unknown division `eps`");
    check("sen-complaints@northmere.example", "sen-complaints", "is not an e-mail address");
    check("id       = \"sen\"", "id       = \"fair_access\"", "service `fair_access` stands twice");
    check("[\"northmere.example\"]", "[\"@northmere\"]", "is not a domain");
}

/// Words that rules look for, between anything at all.
fn any_text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let piece = prop_oneof![
        any::<String>(),
        "[ .!?;'\u{2019}\u{ad}\u{200b}&£\n\r\t>-]{0,6}",
        prop::sample::select(vec![
            "EHC plan",
            "My son\u{2019}s",
            "İstanbul",
            "NCC-2026-00412-7",
            "social worker",
            "On x wrote:"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_classified_and_quoted_as_it_stands() {
    let rules = shipped_rules();
    let config = proptest::test_runner::Config {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let texts = (any_text(), any_text());
    runner
        .run(&texts, |(subject, body)| {
            let email = message("a@example.org", &subject, &body);
            let got = rules.classify(&email, &Known::default());
            proptest::prop_assert!((0.0..=1.0).contains(&got.confidence));
            proptest::prop_assert!(!got.services.is_empty());
            let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let whole = plain(&format!("{subject}\n{body}\na@example.org\nexample.org"));
            for evidence in got.evidence.iter().filter(|evidence| evidence.place != "decision") {
                let quoted = evidence.text.trim_end_matches('…');
                proptest::prop_assert!(whole.contains(quoted), "{quoted:?} is not in {whole:?}");
            }
            Ok(())
        })
        .unwrap();
}
