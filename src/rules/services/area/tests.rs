use jiff::civil::date;

use super::*;
use crate::casework::vocabulary::ServiceId;
use crate::rules::Services;

const SHIPPED: &str = include_str!("../../../../rules/services.toml");

/// The shipped directory with another area of its last service.
fn with(areas: &str) -> Result<Services, Vec<Fault>> {
    Services::from_toml("services.toml", &format!("{SHIPPED}\n{areas}"))
}

fn sen() -> ServiceId {
    ServiceId("sen".to_owned())
}

#[test]
fn what_an_area_does_not_say_is_the_services() {
    let services = Services::from_toml("services.toml", SHIPPED).unwrap();
    let day = date(2026, 11, 25);
    let to = |area, role| {
        let all = services.address_for(&sen(), area, role, day).into_iter();
        all.map(|one| one.address.replace("@northmere.example", "")).collect::<Vec<_>>().join(" ")
    };
    for (area, role, whom) in [
        (None, "service_responder", "sen-complaints"),
        (Some("south"), "service_responder", "sen-south"),
        (Some("south"), "responding_manager", "joel.amberley"),
        (Some("south"), "deputy", "prue.ashdown"),
        (Some("north"), "deputy", "beatrix.ode"),
        (Some("south"), "head_of_service", "magnus.orchard"),
        (Some("south"), "corporate_director", "alban.reeve"),
        (Some("gone"), "responding_manager", "theodora.lyle"),
    ] {
        assert_eq!(to(area, role), whom, "{area:?} {role}");
    }
    assert_eq!(services.in_area(&sen(), Some("south")).unwrap().name, "SEN South");
    assert_eq!(services.get(&sen()).unwrap().name, "Special educational needs");
}

#[test]
fn an_area_speaks_for_its_service_and_not_for_the_other_area() {
    let services = Services::from_toml("services.toml", SHIPPED).unwrap();
    let of = |name: &str| format!("{name}@northmere.example");
    for name in ["sen-south", "Joel.Amberley", "prue.ashdown", "sen-complaints"] {
        assert_eq!(services.is_service_address(&of(name)), Some(sen()), "{name}");
    }
    let other = |name: &str, area| services.is_of_another_area(&of(name), &sen(), area);
    assert!(other("joel.amberley", Some("north")));
    assert!(!other("joel.amberley", Some("south")));
    assert!(!other("joel.amberley", None), "the service as a whole is asked");
    assert!(!other("theodora.lyle", Some("north")) && !other("magnus.orchard", Some("north")));
    assert!(!other("helen", Some("north")), "a stranger is of no area");
    let on_file = |name: &str, area| services.is_on_file(&of(name), (&sen(), area), None);
    assert!(on_file("joel.amberley", Some("south")) && on_file("alban.reeve", Some("south")));
    assert!(!on_file("joel.amberley", Some("north")) && !on_file("theodora.lyle", Some("north")));
}

#[test]
fn what_is_wrong_with_an_area_is_told_where_and_with_a_cure() {
    let area = |id: &str, more: &str| {
        format!("[[service.area]]\nid = \"{id}\"\nname = \"Area\"\n{more}\n")
    };
    let line = SHIPPED.lines().count() + 2;
    for (areas, what) in [
        (area("Mid", "postcodes = [\"NM1\"]"), "`Mid` is no id of an area"),
        (area("none", "postcodes = [\"NM1\"]"), "`none` is no id of an area"),
        (
            area("mid", "postcodes = [\"NM\"]"),
            "`NM` is no beginning of a postcode; write what stands",
        ),
        (area("mid", "postcodes = [\"NM1 2AB\"]"), "`NM1 2AB` is no beginning of a postcode"),
        (area("mid", "postcodes = [\"NM2 44\"]"), "`NM2 44` is no beginning"),
        (area("mid", "districts = [\"-\"]"), "a district of no words"),
        (area("mid", ""), "says neither where it is nor who answers there"),
        (area("mid", "postcodes = [\"NM1\"]\nchecking_margin = 300"), "more than a year"),
        (
            area("mid", "inbox = { name = \"A\", address = \"nobody\" }"),
            "`nobody` is not an e-mail address",
        ),
        (area("mid", "postcode = [\"NM1\"]"), "unknown field `postcode`"),
        (area("mid", "ask = \"everybody\""), "unknown value `everybody`; write one of `inbox`"),
        (
            area("mid", "postcodes = [\"NM1\"]") + &area("far", "postcodes = [\"nm1\"]"),
            "`NM1` is of the areas `mid` and `far`",
        ),
        (
            area("mid", "districts = [\"Long Cross\"]")
                + &area("far", "districts = [\"long-cross\"]"),
            "`long-cross` is of the areas `mid` and `far`",
        ),
        (
            area("mid", "postcodes = [\"NM1\"]") + &area("mid", "postcodes = [\"NM2\"]"),
            "area `mid` of `planning_access` stands twice",
        ),
    ] {
        let faults = with(&areas).unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let at = |one: &String| one.contains(what) && one.contains("line ");
        assert!(told.iter().any(at), "{what}: {told:?}");
        assert!(faults.iter().all(|one| one.at.is_some_and(|(at, _)| at >= line)), "{told:?}");
    }
    // Chosen by officers alone, it must say who answers.
    assert!(
        with(&area("mid", "responding_manager = { name = \"A\", address = \"a@b.example\" }"))
            .is_ok()
    );
}

#[test]
fn a_beginning_of_which_others_have_every_sector_is_in_vain() {
    let sectors = |last: u8| {
        let all: Vec<String> = (0..=last).map(|sector| format!("\"NM9 {sector}\"")).collect();
        format!(
            "[[service.area]]\nid = \"far\"\nname = \"Far\"\npostcodes = [{}]\n",
            all.join(", ")
        )
    };
    let whole = "[[service.area]]\nid = \"mid\"\nname = \"Mid\"\npostcodes = [\"NM9\", \"NM10\"]\n";
    let found = |last| {
        let services = with(&format!("{whole}{}", sectors(last))).unwrap();
        let shadowed = services.all().last().unwrap().shadowed_areas();
        shadowed.iter().map(|(area, one)| format!("{} {one}", area.id)).collect::<Vec<_>>()
    };
    assert_eq!(found(9), ["mid NM9"]);
    assert!(found(8).is_empty());
}
