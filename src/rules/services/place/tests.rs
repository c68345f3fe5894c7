use std::fmt::Write as _;

use super::*;
use crate::email::{Address, FilledForm, Kind};

const SHIPPED: &str = include_str!("../../../../rules/services.toml");

fn services() -> Services {
    Services::from_toml("services.toml", SHIPPED).unwrap()
}

fn email(text: &str) -> Email {
    let address = Private("helen@example.org".to_owned());
    let from = Some(Address { address, name: None });
    let text = Private(text.to_owned());
    Email { kind: Kind::Human, from, reply_text: text.clone(), text, ..Email::blank() }
}

fn area_of(email: &Email) -> Option<AreaFound> {
    let services = services();
    let sen = services.all().iter().find(|one| one.id == "sen").unwrap();
    services.area_of(sen, email)
}

/// The one area that a text names, or `several`.
fn named(text: &str) -> Option<String> {
    area_of(&email(text)).map(|found| found.area.unwrap_or_else(|| "several".to_owned()))
}

#[test]
fn a_postcode_counts_however_it_is_written() {
    for text in [
        "Helen Marsh\n12 Elm Road\nNM5 2JT",
        "we live at nm5 2jt",
        "NM52JT",
        "nm52jt",
        "Address: 12 Elm Road, NM5\u{a0}2JT.",
        "(NM5  2JT)",
        "NM5\u{200f} 2J\u{200b}T",
        "I live in NM5",
        "NM4 7LT",
    ] {
        assert_eq!(named(text).as_deref(), Some("south"), "{text:?}");
    }
    assert_eq!(named("NM4 6LT").as_deref(), Some("north"), "the longest beginning counts");
    assert_eq!(named("I live in NM4"), None, "shared by two areas: it alone says nothing");
}

#[test]
fn what_only_looks_like_a_postcode_does_not_count() {
    for text in [
        "NCC-2026-00412-7",
        "my reference is NM5 2345",
        "EHC-NM5 2JT",
        "NM5-2026/2JT",
        "NM5 2JTX",
        "NM5 2KM away",
        "nm5",
        "ANM5 2JT",
        "nm52jt@example.org",
        "https://northmere.example/NM52JT",
        "file NM5_2JT",
        "NM5 12JT",
        "N\u{41c}5 2JT",
        "\u{202e}TJ2 5MN",
        "\u{202e}NM5 2JT\u{202c}",
        "NM52 JT",
        "",
    ] {
        assert_eq!(named(text), None, "{text:?}");
    }
}

#[test]
fn ten_thousand_postcodes_are_read_once_and_few_are_kept() {
    let mut text = String::new();
    for number in 0..10_000 {
        writeln!(text, "NM5 {}JT NM5 2JTNM5 2JT-", number % 10).unwrap();
    }
    let found = area_of(&email(&text)).unwrap();
    assert_eq!((found.area.as_deref(), found.words.len()), (Some("south"), KEPT));
    text.push_str(" NM1 4EE");
    let found = area_of(&email(&text)).unwrap();
    assert_eq!((found.area, found.words.len()), (None, KEPT + 1));
}

#[test]
fn two_areas_are_no_choice_and_a_postcode_counts_before_a_place() {
    assert_eq!(named("from NM5 2JT to NM1 4EE").as_deref(), Some("several"));
    assert_eq!(named("Stanbrook and Millbury").as_deref(), Some("several"));
    let found = area_of(&email("The taxi firm is at NM1 4EE.\nStanbrook, Millbury")).unwrap();
    assert_eq!((found.area.as_deref(), found.is_sure), (Some("north"), false));
    assert_eq!(found.words[0].from, AreaFrom::Elsewhere);
    // Where nothing of an area stands, nothing is chosen.
    assert_eq!(named("we live in Coldbridge, XX1 2AB"), None);
}

#[test]
fn a_place_counts_as_a_name_and_not_as_part_of_another() {
    assert_eq!(named("we moved to Millbury in May").as_deref(), Some("south"));
    assert_eq!(named("MILLBURY").as_deref(), Some("south"));
    for text in
        ["he goes to Stanbrook Academy", "millbury", "Kirkwell C of E Primary", "Millburyton"]
    {
        assert_eq!(named(text), None, "{text}");
    }
    let found = area_of(&email("we moved to Millbury in May")).unwrap();
    assert!(!found.is_sure, "a place's name is never sure");
    assert_eq!(found.words[0].words.0, "Millbury");
}

#[test]
fn only_the_writers_own_words_count() {
    let own = "Please see below.\n\nHelen";
    let quoted = format!("{own}\n\nFrom: A School\nSent: Monday\n\n> NM1 4EE\nStanbrook NM1 4EE\n");
    for reply in [own, &quoted] {
        let email = Email { text: Private(quoted.clone()), ..email(reply) };
        assert_eq!(area_of(&email), None, "{reply}");
    }
    // What a colleague of the council passes on stands above their own address.
    let colleague = Address { address: Private("kim@northmere.example".to_owned()), name: None };
    let passed_on = Email { from: Some(colleague), ..email("Front Door\nCounty Hall\nNM1 4EE") };
    assert_eq!(area_of(&passed_on), None);
}

#[test]
fn below_the_name_it_is_sure_and_within_the_text_it_is_not() {
    let letter = |middle: &str, last: &str| {
        let lines = ["One", middle, "Two", "Three", "Four", "Five", "Yours, Helen Marsh", last];
        area_of(&email(&lines.join("\n\n"))).unwrap()
    };
    assert!(letter("", "12 Elm Road, NM5 2JT").is_sure);
    assert!(!letter("we wait at NM5 2JT each day", "").is_sure);
    assert!(!letter("", "He is fetched from NM5 2JT").is_sure);
    assert!(!letter("", "Millbury Primary School, NM5 2JT").is_sure);
    let text = "Please help.\n-- \nHelen Marsh\nNM5 2JT";
    let signed = Email { text: Private(text.to_owned()), ..email("Please help.") };
    let found = area_of(&signed).unwrap();
    assert_eq!((found.is_sure, found.words[0].from), (true, AreaFrom::Signature));
}

#[test]
fn the_forms_question_for_their_home_counts_alone() {
    let form = |home: &str| FilledForm {
        layout: "feedback".to_owned(),
        sender: Private("noreply@forms.northmere.example".to_owned()),
        answers: [("text", "the school is at NM1 4EE"), ("home", home)]
            .map(|(word, said)| (word.to_owned(), Private(said.to_owned())))
            .into(),
    };
    let of = |home: &str| area_of(&Email { form: Some(form(home)), ..email("") });
    let found = of("12 Elm Road, nm5 2jt").unwrap();
    assert_eq!((found.area.as_deref(), found.is_sure), (Some("south"), true));
    assert_eq!(of("5 Quay Street, XX1 2AB"), None, "they live where no area is");
    let found = of("12 Elm Road").unwrap();
    assert_eq!((found.area.as_deref(), found.is_sure), (Some("north"), false));
}

#[test]
fn a_service_without_areas_has_none() {
    let services = services();
    let other = services.all().iter().find(|one| one.areas.is_empty()).unwrap();
    assert_eq!(services.area_of(other, &email("NM5 2JT")), None);
}
