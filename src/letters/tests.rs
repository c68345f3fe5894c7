//! Every letter as shipped, and what a wrong template is told.

use jiff::civil::date;

use super::*;
use crate::private::Private;

mod editions;

fn load(files: &[(String, String)]) -> Letters {
    Letters::tried(files).unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{} faults:\n{}", lines.len(), lines.join("\n"))
    })
}

pub(super) fn shipped() -> Letters {
    load(&Letters::shipped())
}

fn html_of(written: &Written) -> String {
    written.html.as_ref().unwrap().0.clone()
}

/// Each letter to a customer, in every branch.
fn customer_letters() -> Vec<(LetterId, serde_json::Value, Written)> {
    let letters = shipped();
    let to_customers = LetterId::ALL.iter().filter(|letter| letter.is_to_customer());
    to_customers
        .flat_map(|&letter| sample::samples(letter).into_iter().map(move |s| (letter, s.fields)))
        .map(|(letter, context)| {
            let written = letters.fill_in(letter, context.clone(), &Adjustment::NONE).unwrap();
            (letter, context, written)
        })
        .collect()
}

#[test]
fn the_acknowledgement_of_a_corporate_complaint_reads_so() {
    let letter = LetterId::AcknowledgementCorporateSen;
    let context =
        CustomerLetter { helpers: vec!["School transport".to_owned()], ..sample::customer(letter) };
    let written = shipped().write(letter, &context).unwrap();
    assert_eq!(written.subject, "We have your message: NCC-2026-00431-5");
    assert_eq!(
        *written.text,
        "\
Hello

Thank you for writing to us. We got your message on Wednesday 25 November 2026. \
Your reference is NCC-2026-00431-5.

We have logged it as a complaint.
This is the first of two steps.

We will answer by Wednesday 23 December 2026.

Special educational needs will look into it.
School transport will help.
Priya Shah is your contact: 01632 960 118, complaints@northmere.example.

You can reply to this email at any time to add something. Please give your reference. \
Tell us if we have got anything wrong.

A complaint does not change how long you have to appeal to the tribunal. It does not stop that time.
Free advice and mediation: https://www.northmere.example/send-advice

Tell us if you want large print, easy read, another language or a call. \
Tell us too if you want someone to help you.

We keep your message on our record. Our team can read it, and so can the people who answer it.
How we use your information: https://www.northmere.example/privacy

If you are still unhappy after both steps, the Ombudsman can look at it. It is free.
How to ask the Ombudsman: https://ombudsman.example/complain

If someone is in danger, call 999. Out of hours you can call us on 01632 960 999.

This message was sent by our computer system. A person will read yours.

Children's complaints team, Northmere County Council
"
    );
}

#[test]
fn automatic_mail_greets_without_a_name() {
    let letters = shipped();
    let letter = LetterId::AcknowledgementCorporate;
    let plain = letters.write(letter, &sample::customer(letter)).unwrap();
    assert!(plain.text.starts_with("Hello\n"));
    let released = CustomerLetter {
        greeting_name: Some(Private("Helen <Marsh>".to_owned())),
        ..sample::customer(letter)
    };
    let released = letters.write(letter, &released).unwrap();
    assert!(released.text.starts_with("Dear Helen <Marsh>\n"));
    assert!(html_of(&released).contains("Dear Helen &lt;Marsh&gt;"), "values are escaped");
}

proptest::proptest! {
    #[test]
    fn no_value_becomes_a_tag_or_a_header(name in ".{0,60}", reference in ".{0,40}") {
        static LETTERS: std::sync::LazyLock<Letters> = std::sync::LazyLock::new(shipped);
        let letter = LetterId::AcknowledgementCorporate;
        let plain = CustomerLetter {
            greeting_name: Some(Private("Helen".to_owned())),
            ..sample::customer(letter)
        };
        let odd = CustomerLetter {
            greeting_name: Some(Private(format!("Helen {name}"))),
            reference: format!("NCC {reference}"),
            ..plain.clone()
        };
        let tags = |context| html_of(&LETTERS.write(letter, context).unwrap()).matches('<').count();
        proptest::prop_assert_eq!(tags(&plain), tags(&odd));
        let subject = LETTERS.write(letter, &odd).unwrap().subject;
        proptest::prop_assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}

#[test]
fn every_customer_letter_is_plain() {
    for (letter, context, written) in customer_letters() {
        let child = context["is_child"] == true;
        let reading = reading::read(&written.text);
        assert!(reading.grade <= if child { 4.0 } else { 6.0 }, "{letter}: {reading:?}");
        assert!(reading.mean_sentence <= 15.0, "{letter}: {reading:?}");
        assert!(reading.longest_sentence <= 25, "{letter}: {reading:?}");
    }
}

#[test]
fn every_customer_letter_says_what_it_must() {
    for (letter, context, written) in customer_letters() {
        let text = written.text.0.as_str();
        let says = |words: &str| assert!(text.contains(words), "{letter} lacks {words}:\n{text}");
        says(context["reference"].as_str().unwrap());
        says(context["received_on"].as_str().unwrap());
        assert!(text.to_lowercase().contains("call 999"), "{letter} lacks 999:\n{text}");
        says("01632 960 999");
        if letter.is_acknowledgement() {
            says("large print");
            says("language");
            says("https://www.northmere.example/privacy");
            says("01632 960 118");
            says("complaints@northmere.example");
        }
        if let Some(due) = context["answer_by"].as_str() {
            says(due);
        }
        let complaint = context["record_type"].as_str().is_some_and(|t| t.ends_with("_complaint"));
        // A member is told of somebody else's complaint.
        if complaint && letter != LetterId::MemberComplaint {
            says("Ombudsman");
            says("free");
        }
    }
}

#[test]
fn no_customer_letter_uses_the_words_of_the_law() {
    for (letter, _, written) in customer_letters() {
        let text = written.text.to_lowercase();
        for words in ["statutory", "adjudicat", "concurrent", "representation", "court", "police"] {
            assert!(!text.contains(words), "{letter} says {words}");
        }
    }
}

#[test]
fn thanks_and_ideas_get_no_date_and_no_ombudsman() {
    for (letter, _, written) in customer_letters() {
        if matches!(letter, LetterId::AcknowledgementComment | LetterId::AcknowledgementCompliment)
        {
            let text = written.text.to_lowercase();
            assert!(!text.contains("ombudsman") && !text.contains("answer by"), "{text}");
            assert_eq!(text.matches(" 2026").count(), 1, "only the day it came: {text}");
        }
    }
}

#[test]
fn a_child_is_told_first_what_to_do_in_danger_and_little_more() {
    let letter = LetterId::AcknowledgementChild;
    let written = shipped().write(letter, &sample::customer(letter)).unwrap();
    let text = &written.text.0;
    assert!(text.starts_with("In danger? Call 999."), "{text}");
    let said = reading::read(text);
    assert!(said.words <= 120 && said.grade <= 4.0, "{said:?}");
    for words in ["done nothing wrong by telling us", "advocate", "free", "Northmere Young Voices"]
    {
        assert!(text.contains(words), "{words}");
    }
    assert!(html_of(&written).contains("font-size:20px"), "the danger line is in large type");
}

#[test]
fn someone_at_risk_is_told_first_what_to_do() {
    for (letter, context, written) in customer_letters() {
        if context["safeguarding"] == true {
            let (first, rest) = written.text.split_once('\n').unwrap();
            assert!(first.to_lowercase().contains("call 999"), "{letter}");
            assert!(!rest.to_lowercase().contains("call 999"), "{letter}: said once");
        }
    }
}

#[test]
fn both_parts_say_the_same() {
    let letters = shipped();
    for &letter in LetterId::ALL {
        for sample in sample::samples(letter) {
            let written =
                letters.fill_in(letter, sample.fields.clone(), &Adjustment::NONE).unwrap();
            let mut text = page::words_of_text(&written.text);
            let mut html = page::words_of_html(&html_of(&written));
            text.sort();
            html.sort();
            assert_eq!(text, html, "{letter}, {}", sample.name);
        }
    }
}

#[test]
fn html_is_one_small_page_without_pictures() {
    let letters = shipped();
    for &letter in LetterId::ALL {
        for sample in sample::samples(letter) {
            let html = html_of(
                &letters.fill_in(letter, sample.fields.clone(), &Adjustment::NONE).unwrap(),
            );
            assert!(html.len() < 30_000, "{letter}: {}", html.len());
            assert!(html.contains("<html lang=\"en-GB\">") && html.contains("max-width:640px"));
            for tag in ["<img", "<script", "<style", "src=", "class=", "<p>", "<td>", "<h1>"] {
                assert!(!html.contains(tag), "{letter} has {tag}");
            }
            for tag in ["table", "tr", "td", "p", "ul", "li", "h1", "h2", "a", "strong", "div"] {
                let opened = html.matches(&format!("<{tag} ")).count()
                    + html.matches(&format!("<{tag}>")).count();
                assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{letter}: {tag}");
            }
        }
    }
}

#[test]
fn chase_mails_say_that_a_reply_counts_and_hold_nothing_of_the_customer() {
    let letters = shipped();
    for letter in [LetterId::ServiceRequest, LetterId::Reminder, LetterId::Digest] {
        for sample in sample::samples(letter) {
            let text =
                letters.fill_in(letter, sample.fields.clone(), &Adjustment::NONE).unwrap().text.0;
            // The complaints team does not answer itself, and to be done is no answer.
            let team = sample.fields.get("for_team").is_some_and(|flag| *flag == true);
            let none = sample.fields.get("rows").is_some_and(|rows| *rows == serde_json::json!([]));
            let counts = text.contains("counts as your answer");
            assert_eq!(counts, !team && !none, "{letter}: {text}");
        }
    }
}

#[test]
fn subjects_are_those_of_the_design() {
    let letters = shipped();
    let subject = |letter: LetterId, sample: usize| {
        let samples = sample::samples(letter);
        letters.fill_in(letter, samples[sample].fields.clone(), &Adjustment::NONE).unwrap().subject
    };
    for (letter, expected) in [
        (LetterId::Holding, "Your answer is late: NCC-2026-00214-0"),
        (LetterId::ServiceRequest, "Please answer by Friday 11 December: NCC-2026-00412-7"),
        (LetterId::Reminder, "Answer 6 working days late: NCC-2026-00412-7"),
        (LetterId::Digest, "5 complaints for SEN, North: 2 late, 1 due tomorrow"),
        (LetterId::OverdueDigest, "SEN: 5 overdue, oldest 35 working days"),
        (LetterId::OfficerNotice, "NCC-2026-00398-4: send or write by Friday 4 December"),
        (LetterId::SafeguardingAlert, "Urgent: open message 9127 now"),
    ] {
        assert_eq!(subject(letter, 0), expected);
    }
    assert_eq!(subject(LetterId::SafeguardingAlert, 2), "Urgent: open case NCC-2026-00412-7 now");
    assert_eq!(subject(LetterId::Reminder, 1), "Answer due in 3 working days: NCC-2026-00412-7");
    assert_eq!(
        subject(LetterId::OverdueDigest, 1),
        "Overdue complaints this week: 5, 2 over 20 days"
    );
}

#[test]
fn a_subject_stays_one_line_whatever_a_field_holds() {
    let reminder = sample::samples(LetterId::Reminder).remove(0).fields;
    let mut context = reminder;
    context["due_words"] = "late\r\nBcc: all@example.org".into();
    let written = shipped().fill_in(LetterId::Reminder, context, &Adjustment::NONE).unwrap();
    assert_eq!(written.subject, "Answer late Bcc: all@example.org: NCC-2026-00412-7");
}

#[test]
fn a_letter_is_not_written_from_another_letters_facts() {
    let context = sample::customer(LetterId::AcknowledgementCorporate);
    let fault = shipped().write(LetterId::Reminder, &context).unwrap_err();
    assert!(matches!(fault, LetterFault::WrongContext { .. }), "{fault}");
}

#[test]
fn nothing_personal_is_in_what_a_letter_prints_of_itself() {
    let letter = LetterId::AcknowledgementCorporate;
    let context = CustomerLetter {
        greeting_name: Some(Private("Helen Marsh".to_owned())),
        ..sample::customer(letter)
    };
    let written = shipped().write(letter, &context).unwrap();
    assert!(!format!("{context:?} {written:?}").contains("Helen"));
}

#[test]
fn the_version_changes_with_any_word() {
    let files = Letters::shipped();
    let mut changed = files.clone();
    edit(&mut changed, "base.txt", "Thank you for writing", "Thanks for writing");
    edit(&mut changed, "base.html", "Thank you for writing", "Thanks for writing");
    assert_eq!(load(&files).version(), load(&files).version());
    assert_ne!(load(&files).version(), load(&changed).version());
    assert_eq!(load(&files).version().len(), 12);
}

pub(super) fn edit(files: &mut [(String, String)], name: &str, from: &str, to: &str) {
    let place = format!("letters/{name}");
    let (_, text) = files.iter_mut().find(|(file, _)| file.ends_with(&place)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    *text = text.replacen(from, to, 1);
}

/// The one fault that a single edit of the shipped templates must give, or the first of several.
fn broken(name: &str, from: &str, to: &str) -> Fault {
    let mut files = Letters::shipped();
    edit(&mut files, name, from, to);
    let faults = Letters::load(&files).expect_err("the set is refused");
    let place = format!("letters/{name}");
    let fault = faults.into_iter().find(|fault| fault.file.ends_with(&place));
    fault.unwrap_or_else(|| panic!("no fault names {name}"))
}

#[track_caller]
fn check(fault: &Fault, at: Option<(usize, usize)>, what: &str, cure: &str) {
    assert_eq!(fault.at, at, "{fault}");
    assert!(fault.what.contains(what), "{fault}");
    assert!(fault.cure.contains(cure), "{fault}");
}

#[test]
fn a_misspelt_field_is_shown_with_its_place_and_the_right_one() {
    let name = "acknowledgement-corporate/body.txt";
    let fault = broken(name, "{{ answer_by }}", "{{ anser_by }}");
    assert_eq!(fault.file, "templates/letters/acknowledgement-corporate/body.txt");
    check(&fault, Some((10, 22)), "unknown field `anser_by`", "did you mean `answer_by`?");
    let fault = broken("base.txt", "{{ contact.phone }}", "{{ contact.fone }}");
    check(&fault, Some((32, 48)), "`contact.fone`", "did you mean `contact.phone`?");
}

#[test]
fn a_misspelt_field_is_found_in_a_branch_that_is_seldom_taken() {
    let name = "digest/body.txt";
    let fault = broken(name, "And {{ more }} more", "{% if more > 999 %}{{ mroe }}{% endif %}");
    assert_eq!(fault.what, "unknown field `mroe`");
    let fault = broken(name, "row.times_chased }} times", "row.times_asked }} times");
    assert_eq!(fault.what, "unknown field `row.times_asked`");
    assert_eq!(fault.at.unwrap().0, 11);
}

#[test]
fn a_field_that_can_be_empty_must_be_asked_for() {
    let name = "acknowledgement-corporate/body.txt";
    let fault = broken(name, "{% endblock %}", "{{ greeting_name }}\n{% endblock %}");
    check(&fault, Some((7, 4)), "the field `greeting_name` can be empty", "{% if");
}

#[test]
fn a_subject_may_not_give_a_person_away() {
    let name = "holding/subject.txt";
    let fault = broken(name, "{{ reference }}", "{{ greeting_name }}");
    check(&fault, Some((1, 25)), "`greeting_name` may not stand in a subject", "reference");
    let fault = broken(name, "Your", "{% include \"base.txt\" %}Your");
    check(&fault, Some((1, 1)), "`include` is not allowed", "stands alone");
}

#[test]
fn escaping_cannot_be_switched_off() {
    let name = "holding/body.html";
    let fault = broken(name, "{{ why }}", "{{ why | safe }}");
    check(&fault, Some((4, 13)), "unknown filter", "README.md");
    let fault = broken(
        name,
        "<p>{{ why }}</p>",
        "{% autoescape false %}<p>{{ why }}</p>{% endautoescape %}",
    );
    check(&fault, Some((4, 1)), "`autoescape` is not allowed", "take this tag out");
}

#[test]
fn a_tag_that_is_not_closed_is_shown() {
    let fault = broken("reminder/body.txt", "{% endblock %}", "");
    assert!(fault.what.starts_with("not a template:"), "{fault}");
    assert!(fault.at.is_some() && fault.cure.contains("needs its end"), "{fault}");
}

#[test]
fn a_loop_without_end_is_stopped() {
    let name = "digest/body.txt";
    let long = format!("{}{}", "{% for a in rows %}".repeat(8), "{% endfor %}".repeat(8));
    let fault = broken(name, "Questions:", &long);
    assert_eq!(fault.what, "this goes on for ever");
}

#[test]
fn words_that_are_too_hard_are_refused() {
    let hard = "Notwithstanding contemporaneous proceedings, consideration under the statutory \
                procedure necessitates comprehensive organisational investigation.";
    let mut files = Letters::shipped();
    for ending in ["txt", "html"] {
        let name = format!("acknowledgement-corporate/body.{ending}");
        edit(
            &mut files,
            &name,
            "We have logged",
            &format!("{} We have logged", [hard; 4].join(" ")),
        );
    }
    let faults = Letters::load(&files).unwrap_err();
    let found = |what: &str| faults.iter().any(|fault| fault.what.contains(what));
    assert!(found("reading grade") && found("says `statutory`"), "{faults:?}");
    // The letter about special educational needs goes on from it.
    let of = ["acknowledgement-corporate/body.txt", "acknowledgement-corporate-sen/body.txt"];
    assert!(faults.iter().all(|f| of.iter().any(|one| f.file.ends_with(one))), "{faults:?}");
}

#[test]
fn a_line_that_must_be_there_is_missed() {
    let mut files = Letters::shipped();
    for ending in ["txt", "html"] {
        edit(&mut files, &format!("base.{ending}"), "call 999", "call somebody");
    }
    let faults = Letters::load(&files).unwrap_err();
    let of = |id: &str| faults.iter().filter(|fault| fault.file.contains(id)).count();
    assert!(of("acknowledgement-corporate/body.txt") > 0 && of("holding/body.txt") > 0);
    assert!(faults.iter().all(|fault| fault.what.contains("999")), "{faults:?}");
}

#[test]
fn the_parts_must_say_the_same() {
    let name = "acknowledgement-member/body.html";
    let fault = broken(name, "to your office only", "to your office");
    check(&fault, None, "lacks words that the other part has: `only`", "same in body.txt");
}

#[test]
fn files_that_are_missing_or_unknown_are_named() {
    let mut files = Letters::shipped();
    files.retain(|(name, _)| !name.ends_with("letters/reminder/body.html"));
    files.push(("templates/letters/remindr/body.txt".to_owned(), String::new()));
    files.push(("templates/letters/digest/body.htm".to_owned(), String::new()));
    files.push(("templates/letters/base.css".to_owned(), String::new()));
    files.push(("templates/letters/notes.md".to_owned(), String::new()));
    let mut faults = Letters::load(&files).unwrap_err();
    faults.sort_by(|a, b| a.file.cmp(&b.file));
    let shown: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.file.as_str(), fault.what.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("templates/letters/base.css", "unknown shared file `base.css`"),
            ("templates/letters/digest/body.htm", "unknown file `body.htm`"),
            ("templates/letters/reminder/body.html", "this file is missing"),
            ("templates/letters/remindr/body.txt", "unknown letter `remindr`"),
        ]
    );
}

#[test]
fn a_set_may_lie_anywhere() {
    for root in ["letters/", "/srv/letters/templates/letters/", "./letters/"] {
        let moved = Letters::shipped()
            .into_iter()
            .map(|(name, text)| (name.replace("templates/letters/", root), text))
            .collect::<Vec<_>>();
        assert_eq!(load(&moved).version(), shipped().version(), "{root}");
    }
}

#[test]
fn templates_from_before_there_was_a_letter_go_on_with_the_shipped_one() {
    let mut files = Letters::shipped();
    files.retain(|(name, _)| !name.contains("letters/answer-link/"));
    edit(&mut files, "withdrawal/subject.txt", "You do", "So you do");
    let letters = load(&files);
    assert_eq!(letters.from_shipped(), [LetterId::AnswerLink]);
    assert!(!letters.samples(LetterId::AnswerLink, &Adjustment::NONE).is_empty());
    assert!(shipped().from_shipped().is_empty());
    // Of a letter that is there every part must be.
    files.retain(|(name, _)| !name.ends_with("letters/digest/body.txt"));
    let faults = Letters::load(&files).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].file, "templates/letters/digest/body.txt");
}

#[test]
fn templates_from_before_there_was_a_frame_go_on_in_their_own() {
    let mut files = Letters::shipped();
    files.retain(|(name, _)| !name.contains("/frame."));
    for (name, before) in [
        ("letters/base.html", include_str!("tests/before-frame/base.html")),
        ("letters/base.txt", include_str!("tests/before-frame/base.txt")),
        ("letters/staff.html", include_str!("tests/before-frame/staff.html")),
    ] {
        let (_, text) = files.iter_mut().find(|(file, _)| file.ends_with(name)).unwrap();
        *text = before.replace("This message was sent", "This letter was sent");
    }
    let letters = load(&files);
    assert!(letters.from_shipped().is_empty(), "nobody is told of what nobody misses");
    for &letter in LetterId::ALL {
        let now = shipped().samples(letter, &Adjustment::NONE);
        let before = letters.samples(letter, &Adjustment::NONE);
        assert_eq!(now.len(), before.len());
        for ((_, now), (_, before)) in now.iter().zip(&before) {
            let own = |text: &str| text.replace("This letter was sent", "This message was sent");
            assert_eq!(now.text.0, own(&before.text), "{letter}");
            // An empty line of HTML says nothing.
            let lines = |html: &str| {
                let lines = html.lines().filter(|line| !line.is_empty()).map(str::to_owned);
                lines.collect::<Vec<_>>()
            };
            assert_eq!(lines(&html_of(now)), lines(&own(&html_of(before))), "{letter}");
        }
    }
}

#[test]
fn an_edition_goes_on_from_no_letter_that_it_has_not() {
    let mut files = Letters::shipped();
    files.retain(|(name, _)| !name.contains("letters/cy/acknowledgement-corporate/"));
    let faults = Letters::load(&files).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    let place = "templates/letters/cy/acknowledgement-corporate-sen/body.html";
    let fault = faults.iter().find(|fault| fault.file == place).unwrap();
    check(fault, Some((2, 1)), "not written in `cy`", "write cy/acknowledgement-corporate/ too");
}

#[test]
fn an_empty_folder_names_every_file() {
    let faults = Letters::load(&[]).unwrap_err();
    assert_eq!(faults.len(), 8 + 3 * LetterId::ALL.len());
}

#[test]
fn dates_in_letters_are_in_words() {
    let context = CustomerLetter {
        received_on: InFull(date(2027, 1, 2)),
        ..sample::customer(LetterId::AcknowledgementNeutral)
    };
    let written = shipped().write(LetterId::AcknowledgementNeutral, &context).unwrap();
    assert!(written.text.contains("on Saturday 2 January 2027."), "{}", written.text.0);
}

#[test]
fn the_guide_for_staff_lists_every_field() {
    let guide = include_str!("../../templates/README.md");
    for &letter in LetterId::ALL {
        for sample in sample::samples(letter) {
            for path in check::paths(&sample.fields) {
                let leaf = !path.ends_with("[]")
                    && !["council", "contact", "counts"].contains(&path.as_str());
                assert!(!leaf || guide.contains(&format!("`{path}`")), "{letter}: {path}");
            }
        }
    }
}
