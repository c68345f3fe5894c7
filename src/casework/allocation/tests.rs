use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const SHIPPED: &str = include_str!("../../../rules/officers.toml");
const TODAY: Date = date(2026, 12, 22);

fn officers(text: &str) -> Officers {
    Officers::from_toml("officers.toml", text, Some(&["sen", "transport"])).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let faults = Officers::from_toml("officers.toml", text, Some(&["sen"])).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn officer(id: &str, more: &str) -> String {
    format!(
        "[[officer]]\nid = \"{id}\"\nname = \"A\"\naddress = \"{id}@northmere.example\"\n{more}\n"
    )
}

fn facts() -> Facts {
    Facts {
        record_type: Some(RecordType::CorporateComplaint),
        lead: ServiceId("sen".to_owned()),
        flags: Vec::new(),
        customer_type: CustomerType::Parent,
        stage: 1,
        late: false,
        earlier: None,
    }
}

fn chosen(officers: &Officers, facts: &Facts, loads: &Loads) -> (String, Ground) {
    let choice = officers.choose(facts, loads, TODAY).unwrap();
    (choice.officer.0, choice.ground)
}

fn with(id: &str, ground: Ground) -> (String, Ground) {
    (id.to_owned(), ground)
}

fn loaded(some: &[(&str, u32)]) -> Loads {
    let mut loads = Loads::default();
    for (id, cases) in some {
        loads.add(&OfficerId((*id).to_owned()), Load { cases: *cases, points: cases * 10 });
    }
    loads
}

#[test]
fn as_shipped_the_file_names_nobody_and_its_examples_are_valid() {
    assert_eq!(officers(SHIPPED), Officers::default());
    assert_eq!(officers(""), Officers::default());
    let examples = SHIPPED.lines().skip_while(|line| *line != "# [[officer]]");
    let examples = examples.filter(|line| line.contains("[[") || line.contains(" = "));
    let examples: Vec<&str> = examples.filter_map(|line| line.strip_prefix("# ")).collect();
    let read = officers(&examples.join("\n"));
    assert_eq!((read.all().len(), read.rules.len()), (2, 1), "{}", examples.join("\n"));
    assert_eq!(read.all()[0].deputy, Some(OfficerId("bob".to_owned())));
}

#[test]
fn the_least_work_for_the_share_decides_and_the_reason_says_so() {
    let team = officers(&(officer("ann", "share = 0.5") + &officer("bob", "")));
    assert_eq!(chosen(&team, &facts(), &Loads::default()), with("bob", Ground::LeastWork));
    assert_eq!(chosen(&team, &facts(), &loaded(&[("bob", 2)])), with("ann", Ground::LeastWork));
    let choice = team.choose(&facts(), &loaded(&[("bob", 2)]), TODAY).unwrap();
    assert_eq!(choice.because, "has the least work for a share of 0.5: 0 open cases, 0 points");
    // A child at risk weighs more, and so does what is late or past its first stage.
    let at_risk = Facts { flags: vec![Flag::Safeguarding], stage: 2, late: true, ..facts() };
    assert_eq!(team.weight(&at_risk), 10 + 5 + 5 + 10);
    assert_eq!(team.points(3, 1, 2, 1), 30 + 5 + 10 + 10);
}

#[test]
fn the_first_rule_that_fits_decides_and_a_deputy_stands_in() {
    let rule = "[[allocate]]\nflags = [\"child_author\"]\nto = [\"cat\"]\nwhy = \"Cat writes to children\"\n\
        [[allocate]]\nservices = [\"sen\"]\ncustomers = [\"parent\"]\nto = [\"ann\"]\nwhy = \"SEN\"\n";
    let text =
        officer("ann", "deputy = \"bob\"") + &officer("bob", "") + &officer("cat", "") + rule;
    let team = officers(&text);
    let child = Facts { flags: vec![Flag::ChildAuthor], ..facts() };
    assert_eq!(chosen(&team, &child, &loaded(&[("cat", 9)])), with("cat", Ground::Rule));
    assert_eq!(chosen(&team, &facts(), &loaded(&[("ann", 9)])), with("ann", Ground::Rule));
    let other = Facts { lead: ServiceId("transport".to_owned()), ..facts() };
    assert_eq!(chosen(&team, &other, &loaded(&[("ann", 9)])), with("bob", Ground::LeastWork));
    let why = team.choose(&facts(), &Loads::default(), TODAY).unwrap().because;
    assert_eq!(why, "rule 2: SEN");

    let away = "deputy = \"bob\"\naway = [{ from = 2026-12-22, until = 2026-12-22 }]";
    let text = officer("ann", away) + &officer("bob", "") + &officer("cat", "") + rule;
    let team = officers(&text);
    assert_eq!(chosen(&team, &facts(), &loaded(&[("bob", 9)])), with("bob", Ground::Deputy));
    assert_eq!(team.present(&OfficerId("ann".to_owned()), TODAY).unwrap().id.0, "bob");
    let back = date(2026, 12, 23);
    assert_eq!(team.choose(&facts(), &Loads::default(), back).unwrap().officer.0, "ann");

    let text = officer("ann", "takes_new = false")
        + &officer("bob", "")
        + rule
            .split_once("[[allocate]]\nservices")
            .map(|(_, rest)| format!("[[allocate]]\nservices{rest}"))
            .unwrap()
            .as_str();
    let choice = officers(&text).choose(&facts(), &Loads::default(), TODAY).unwrap();
    assert_eq!((choice.officer.0.as_str(), choice.ground), ("bob", Ground::LeastWork));
    assert!(choice.because.ends_with("; nobody of rule 1 is free"), "{}", choice.because);
}

#[test]
fn whoever_knows_the_customer_goes_first_unless_away_full_or_not_for_it() {
    let known = Facts {
        earlier: Some((OfficerId("ann".to_owned()), "NCC-2026-00001-1".to_owned())),
        ..facts()
    };
    let team = |ann: &str| officers(&(officer("ann", ann) + &officer("bob", "")));
    let loads = loaded(&[("ann", 9)]);
    assert_eq!(chosen(&team(""), &known, &loads), with("ann", Ground::Earlier));
    for kept in [
        "away = [{ from = 2026-12-21, until = 2026-12-22 }]",
        "most_open = 9",
        "takes_new = false",
        "record_types = [\"enquiry\"]",
        "services = [\"transport\"]",
    ] {
        assert_eq!(chosen(&team(kept), &known, &loads), with("bob", Ground::LeastWork), "{kept}");
    }
    let at_risk = Facts { flags: vec![Flag::Safeguarding], ..known };
    let not = team("not_flags = [\"safeguarding\"]");
    assert_eq!(chosen(&not, &at_risk, &loads), with("bob", Ground::LeastWork));
}

#[test]
fn an_absence_is_counted_in_working_days() {
    let calendar = WorkingCalendar::from_json(
        "calendar",
        include_str!("../../../rules/calendar/bank-holidays-england.json"),
    )
    .unwrap();
    let away = Absence { from: date(2026, 12, 21), until: date(2027, 1, 1) };
    // Christmas Day, the substitute for Boxing Day and New Year's Day are none.
    assert_eq!(away.working_days(&calendar), 7);
    assert!(away.covers(date(2026, 12, 21)) && away.covers(date(2027, 1, 1)));
    assert!(!away.covers(date(2026, 12, 20)) && !away.covers(date(2027, 1, 2)));
}

#[test]
fn every_fault_has_its_place_and_a_cure() {
    let text =
        officer("Ann", "share = 1.5\nservices = [\"swimming\"]\nmost_open = 0\ndeputy = \"Ann\"")
            + &officer("nobody", "away = [{ from = 2026-12-22, until = 2026-12-21 }]")
            + &officer("bob", "deputy = \"eve\"\nrecord_types = [\"follow_up\"]")
            + &officer("bob", "").replace("bob@northmere.example", "bob")
            + "[[allocate]]\nto = []\nwhy = \" \"\n[[allocate]]\nto = [\"zoe\"]\nwhy = \"x\"\n";
    let said = faults(&text).join("\n");
    for part in [
        "officers.toml, line 2, column 6: `Ann` is no id",
        "`1.5` is no share of the work",
        "services.toml has no service `swimming`",
        "write takes_new = false instead",
        "nobody stands in for themselves",
        "`nobody` is nobody's id",
        "the last day away, 2026-12-21, is before the first, 2026-12-22",
        "no officer has the id `eve`",
        "`follow_up` is no case of its own",
        "officer `bob` is there twice",
        "`bob` is not an e-mail address",
        "the rule gives its cases to nobody",
        "the rule has no reason",
        "no officer has the id `zoe`",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(faults("[[officer]]\nname = \"x\"")[0].contains("`id` is missing"));
    assert!(faults("colour = 1")[0].contains("unknown field `colour`"));
    assert!(faults("on_absence = \"sing\"")[0].contains("sing"));
    assert!(faults("[load]\ncase = 0")[0].contains("weighs nothing"));
}

fn held(case: i64, owner: Option<&str>, facts: Facts) -> Held {
    let owner = owner.map(|owner| OfficerId(owner.to_owned()));
    Held { case, reference: format!("case {case}"), owner, facts }
}

fn applied(held: &[Held], moves: &[Handover]) -> Vec<Held> {
    let to = |case: i64| moves.iter().find(|one| one.case == case).map(|one| one.to.clone());
    held.iter().cloned().map(|one| Held { owner: to(one.case).or(one.owner), ..one }).collect()
}

#[test]
fn the_work_is_evened_out_with_the_fewest_moves_and_no_child_at_risk_moves() {
    let team = officers(
        &(officer("ann", "") + &officer("bob", "") + &officer("cat", "takes_new = false")),
    );
    let risk = Facts { flags: vec![Flag::Safeguarding], ..facts() };
    let mut cases: Vec<Held> = (1..=6).map(|case| held(case, Some("ann"), facts())).collect();
    cases.push(held(7, Some("ann"), risk));
    cases.push(held(8, Some("cat"), facts()));
    let moves = team.even_out(&cases, TODAY);
    // Eighty points with one and none with the other: four cases of ten make it even.
    assert_eq!(moves.iter().map(|one| one.case).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert!(moves.iter().all(|one| one.to.0 == "bob" && one.ground == Ground::EvenedOut));
    assert!(moves[3].because == "evens out the work: 80 points with ann, 0 with bob");
    assert_eq!(team.even_out(&applied(&cases, &moves), TODAY), []);
}

#[test]
fn whoever_goes_hands_over_to_the_deputy_then_to_others() {
    let team = officers(
        &(officer("ann", "deputy = \"bob\"")
            + &officer("bob", "most_open = 1\ntakes_new = false")
            + &officer("cat", "not_flags = [\"safeguarding\"]")),
    );
    let risk = Facts { flags: vec![Flag::Safeguarding], ..facts() };
    let cases = [
        held(1, Some("ann"), facts()),
        held(2, Some("ann"), risk.clone()),
        held(3, Some("ann"), risk),
    ];
    let which: Vec<&Held> = cases.iter().collect();
    let (moves, left) = team.hand_over(Some(&OfficerId("ann".to_owned())), &which, &cases, TODAY);
    let told: Vec<_> = moves
        .iter()
        .map(|one| (one.case, one.to.0.as_str(), one.ground, one.safeguarding))
        .collect();
    assert_eq!(told, [(2, "bob", Ground::Deputy, true), (1, "cat", Ground::LeastWork, false)]);
    assert_eq!(left, [3], "nobody else takes a child at risk");
}

/// A team of some shares, limits and absences.
fn teams() -> impl Strategy<Value = Officers> {
    let one =
        (1u32..=10, proptest::option::of(1u32..30), any::<bool>(), proptest::bool::weighted(0.2));
    proptest::collection::vec(one, 1..6).prop_map(|all| {
        let mut text = String::new();
        for (at, (share, most, takes_new, away)) in all.into_iter().enumerate() {
            let most = most.map_or_else(String::new, |most| format!("most_open = {most}\n"));
            let away =
                if away { "away = [{ from = 2026-12-20, until = 2026-12-24 }]\n" } else { "" };
            let share = f64::from(share) / 10.0;
            let more = format!("share = {share}\n{most}{away}takes_new = {takes_new}");
            text += &officer(&format!("o{at}"), &more);
        }
        officers(&text)
    })
}

/// Some cases as they come in.
fn arrivals() -> impl Strategy<Value = Vec<Facts>> {
    let one = (any::<bool>(), 1u8..3, any::<bool>()).prop_map(|(risk, stage, late)| {
        let flags = if risk { vec![Flag::Safeguarding] } else { Vec::new() };
        Facts { flags, stage, late, ..facts() }
    });
    proptest::collection::vec(one, 0..120)
}

/// Gives every case as it comes; whose each is.
fn given(team: &Officers, cases: &[Facts]) -> (Loads, Vec<Held>) {
    let mut loads = Loads::default();
    let mut all = Vec::new();
    for (at, facts) in cases.iter().enumerate() {
        let choice = team.choose(facts, &loads, TODAY);
        if let Some(choice) = &choice {
            loads.add(&choice.officer, Load { cases: 1, points: team.weight(facts) });
        }
        let owner = choice.map(|choice| choice.officer.0);
        all.push(held(i64::try_from(at).unwrap(), owner.as_deref(), facts.clone()));
    }
    (loads, all)
}

/// Nobody has more for their share than another, who could be given one, would have with one case more.
fn is_fair(team: &Officers, loads: &Loads, heaviest: u32) -> Result<(), TestCaseError> {
    for one in team.all() {
        for other in team
            .all()
            .iter()
            .filter(|other| other.takes_new && other.is_free(&facts(), loads, TODAY))
        {
            let mine = per_share(loads.of(&one.id).points, 0, other.share);
            let theirs = per_share(loads.of(&other.id).points, heaviest, one.share);
            prop_assert!(mine <= theirs, "{} beside {}: {loads:?}", one.id, other.id);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn arrivals_keep_shares_limits_and_absences(team in teams(), cases in arrivals()) {
        let (loads, held) = given(&team, &cases);
        for officer in team.all() {
            let load = loads.of(&officer.id);
            if officer.absence_on(TODAY).is_some() || !officer.takes_new {
                prop_assert_eq!(load, Load::default());
            }
            prop_assert!(officer.most_open.is_none_or(|most| load.cases <= most));
        }
        is_fair(&team, &loads, 30)?;
        // A case is nobody's only while nobody is free.
        let free = team.all().iter().any(|one| one.takes_new && one.is_free(&facts(), &loads, TODAY));
        prop_assert!(!free || held.iter().all(|one| one.owner.is_some()));
        prop_assert_eq!(team.loads(&held), loads);
        prop_assert_eq!(given(&team, &cases).1, held, "the same from the same");
    }

    #[test]
    fn evening_out_ends_even_and_moves_each_case_once(
        team in teams(), cases in arrivals(), owners in proptest::collection::vec(0usize..6, 120),
    ) {
        let cases: Vec<Held> = cases.into_iter().zip(owners).enumerate().map(|(at, (facts, owner))| {
            held(i64::try_from(at).unwrap(), team.all().get(owner).map(|one| one.id.0.as_str()), facts)
        }).collect();
        let moves = team.even_out(&cases, TODAY);
        let after = applied(&cases, &moves);
        let mut moved: Vec<i64> = moves.iter().map(|one| one.case).collect();
        moved.sort_unstable();
        moved.dedup();
        prop_assert_eq!(moved.len(), moves.len());
        let loads = team.loads(&after);
        for one in &moves {
            prop_assert!(!one.safeguarding && one.from.as_ref() != Some(&one.to));
            let to = team.get(&one.to).unwrap();
            prop_assert!(to.takes_new && to.absence_on(TODAY).is_none());
            prop_assert!(to.most_open.is_none_or(|most| loads.of(&to.id).cases <= most));
        }
        prop_assert_eq!(team.even_out(&after, TODAY), vec![], "what is even stays");
    }
}
