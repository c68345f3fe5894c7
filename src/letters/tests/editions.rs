//! The same letters in another language, in easy read, in another form.

use super::*;
use crate::casework::adjustment::{Adjustment, Format};

fn in_edition(edition: &str, format: Format) -> Adjustment {
    Adjustment { edition: Some(edition.to_owned()), format }
}

#[test]
fn a_letter_is_written_in_another_language_where_it_is_there() {
    let (letters, letter) = (shipped(), LetterId::AcknowledgementCorporate);
    let context = CustomerLetter {
        helpers: vec!["School transport".to_owned(), "Fair access".to_owned()],
        ..sample::customer(letter)
    };
    let welsh = letters.write_as(letter, &context, &in_edition("cy", Format::Usual)).unwrap();
    assert_eq!(welsh.subject, "Mae eich neges gennym: NCC-2026-00431-5");
    assert_eq!((welsh.language.as_str(), welsh.letter), ("cy", "acknowledgement-corporate"));
    for words in [
        "Helo\n",
        "fel hyn: cwyn.",
        "Dyma'r cyntaf o ddau gam.",
        "erbyn dydd Mercher 23 Rhagfyr 2026.",
        "yn helpu: Cludiant ysgol a Mynediad teg.",
        "ffoniwch 999",
    ] {
        assert!(welsh.text.contains(words), "{words}:\n{}", *welsh.text);
    }
    assert!(!welsh.text.contains("December") && !welsh.text.contains("complaint."));
    assert!(html_of(&welsh).contains("<html lang=\"cy\">"));
    // What nobody has translated goes out in English, whole: in its own page and with its own dates.
    let letter = LetterId::AcknowledgementEnquiry;
    let context = sample::customer(letter);
    let other = letters.write_as(letter, &context, &in_edition("cy", Format::Usual)).unwrap();
    assert_eq!(other, letters.write(letter, &context).unwrap());
    let gone = letters.write_as(letter, &context, &in_edition("pl", Format::Usual)).unwrap();
    assert_eq!(gone, other);
}

#[test]
fn easy_read_is_plainer_than_the_usual_letter() {
    let letters = shipped();
    for letter in [LetterId::AcknowledgementChildrenAct, LetterId::Holding] {
        assert!(letters.is_in(letter, "easy-read"));
        let of = |adjustment: &Adjustment| -> Vec<reading::Reading> {
            let samples = letters.samples(letter, adjustment);
            samples.iter().map(|(_, written)| reading::read(&written.text)).collect()
        };
        let (usual, easy) = (of(&Adjustment::NONE), of(&in_edition("easy-read", Format::Usual)));
        for (usual, easy) in usual.iter().zip(&easy) {
            assert!(easy.mean_sentence < usual.mean_sentence, "{letter}: {easy:?}, {usual:?}");
            assert!(easy.grade <= 4.0, "{letter}: {easy:?}");
        }
    }
}

#[test]
fn each_form_is_the_same_words() {
    let (letters, letter) = (shipped(), LetterId::Holding);
    let written =
        |format| letters.samples(letter, &Adjustment { edition: None, format }).swap_remove(0).1;
    let usual = written(Format::Usual);
    let large = written(Format::LargePrint);
    assert_eq!(large.text, usual.text);
    assert_eq!(page::words_of_html(&html_of(&large)), page::words_of_html(&html_of(&usual)));
    assert!(
        html_of(&large).contains("font-size:24px") && !html_of(&large).contains("font-size:16px")
    );
    let plain = written(Format::PlainText);
    assert_eq!((&plain.text, plain.html, plain.by_hand), (&usual.text, None, None));
    let braille = written(Format::Braille);
    assert_eq!((&braille.text, braille.by_hand), (&usual.text, Some(Format::Braille)));
}

#[test]
fn an_edition_is_checked_as_the_usual_letters_are() {
    let fault = broken("cy/holding/body.txt", "{{ was_due }}", "{{ was_dew }}");
    check(&fault, Some((3, 156)), "unknown field `was_dew`", "did you mean `was_due`?");
    let fault = broken("cy/holding/subject.txt", "{{ reference }}", "{{ greeting_name }}");
    check(&fault, Some((1, 27)), "may not stand in a subject", "use only: reference");
    let mut files = Letters::shipped();
    for ending in ["txt", "html"] {
        edit(&mut files, &format!("cy/base.{ending}"), "ffoniwch 999", "ffoniwch rywun");
    }
    let faults = Letters::load(&files).unwrap_err();
    assert!(faults.iter().all(|fault| fault.file.contains("letters/cy/")), "{faults:?}");
    assert!(faults.iter().all(|fault| fault.what.contains("`ffoniwch 999`")), "{faults:?}");
    let fault = broken("cy/edition.toml", "\"a complaint\" = \"cwyn\"\n", "");
    check(&fault, Some((1, 1)), "nothing is said for \"a complaint\"", "[words]");
    let hard =
        "Notwithstanding contemporaneous proceedings necessitating organisational investigation";
    let mut files = Letters::shipped();
    for ending in ["txt", "html"] {
        let name = format!("easy-read/holding/body.{ending}");
        edit(&mut files, &name, "We are sorry.", &format!("{}.", [hard; 2].join(" ")));
    }
    let faults = Letters::load(&files).unwrap_err();
    assert!(faults.iter().any(|fault| fault.what.contains("above 4")), "{faults:?}");
    assert!(faults.iter().all(|fault| fault.file.contains("easy-read/holding")), "{faults:?}");
}

#[test]
fn an_edition_has_whole_letters_to_customers_and_no_others() {
    let mut files = Letters::shipped();
    files.retain(|(name, _)| {
        !name.ends_with("cy/holding/body.html") && !name.ends_with("cy/base.txt")
    });
    let new = |name: &str| (format!("templates/letters/{name}"), String::new());
    files.extend(["cy/reminder/body.txt", "cy/holdng/body.txt", "pl/holding/body.txt"].map(new));
    let mut faults = Letters::load(&files).unwrap_err();
    faults.sort_by(|a, b| a.file.cmp(&b.file));
    let shown: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (fault.file.trim_start_matches("templates/letters/"), fault.what.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("cy/base.txt", "this file is missing"),
            ("cy/holding/body.html", "this file is missing"),
            ("cy/holdng/body.txt", "unknown letter `holdng`"),
            ("cy/reminder/body.txt", "`reminder` goes to staff"),
            ("pl/holding/body.txt", "unknown letter `pl`"),
        ]
    );
    assert!(faults.last().unwrap().cure.contains("needs its edition.toml"), "{faults:?}");
}
