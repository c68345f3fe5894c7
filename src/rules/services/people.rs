//! Who of the directory is away when, and who then hears in their place.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Contact, looks_like_address};
use crate::casework::allocation::{Absence, AwayEntry};
use crate::fault::Fault;

/// `[[person]]` as written: somebody whom services or the team name by this address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonEntry {
    address: Spanned<String>,
    #[serde(default)]
    away: Vec<AwayEntry>,
    deputy: Option<Spanned<Contact>>,
}

/// When somebody is away, and who stands in for them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    away: Vec<Absence>,
    deputy: Option<Contact>,
    line: Option<(usize, usize)>,
}

/// Everybody of whom the directory says so, by their address in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct People(BTreeMap<String, Person>);

impl People {
    pub(super) fn read(
        file: &str,
        text: &str,
        entries: Vec<PersonEntry>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut people = Self::default();
        for entry in entries {
            let mut fault = |at: usize, what: String, cure: &str| {
                faults.push(Fault::new(file, what, cure).at_offset(text, at));
            };
            let at = entry.address.span().start;
            let address = entry.address.get_ref().trim().to_lowercase();
            let listed = entry.deputy.iter().map(|one| (one.span().start, &one.get_ref().address));
            for (at, one) in listed.chain([(at, &address)]) {
                if !looks_like_address(one) {
                    fault(at, format!("`{one}` is not an e-mail address"), "write name@domain");
                }
            }
            if let Some(deputy) = &entry.deputy
                && deputy.get_ref().address.eq_ignore_ascii_case(&address)
            {
                let what = "nobody stands in for themselves".to_owned();
                fault(deputy.span().start, what, "name somebody else");
            }
            let mut away = Vec::new();
            for written in &entry.away {
                match written.read() {
                    Ok(days) => away.push(days),
                    Err(wrong) => {
                        for one in wrong {
                            fault(one.at, one.what, &one.cure);
                        }
                    }
                }
            }
            let line = Fault::new(file, "", "").at_offset(text, at).at;
            let deputy = entry.deputy.map(Spanned::into_inner);
            let twice = format!("`{address}` has two [[person]] sections");
            if people.0.insert(address, Person { away, deputy, line }).is_some() {
                fault(at, twice, "write all their days away into one");
            }
        }
        people
    }

    fn of(&self, address: &str) -> Option<&Person> {
        self.0.get(&address.trim().to_lowercase())
    }

    pub(super) fn is_away(&self, address: &str, day: Date) -> bool {
        self.of(address).is_some_and(|one| one.away.iter().any(|away| away.covers(day)))
    }

    /// Who hears in somebody's place on a day: they themselves; while they are away their deputy, or the deputy's
    /// deputy. None where all of them are away, or nobody is named.
    pub(super) fn present(&self, contact: &Contact, day: Date) -> Option<Contact> {
        let mut asked = vec![contact];
        loop {
            let last = asked.last()?;
            if !self.is_away(&last.address, day) {
                return Some((*last).clone());
            }
            let next = self.of(&last.address)?.deputy.as_ref()?;
            // Two who stand in for each other, and are both away.
            if asked.iter().any(|one| one.address.eq_ignore_ascii_case(&next.address)) {
                return None;
            }
            asked.push(next);
        }
    }

    /// Those for whom somebody of this address stands in at times.
    pub(super) fn represented_by(&self, address: &str) -> impl Iterator<Item = &str> {
        let is = |one: &Contact| one.address.eq_ignore_ascii_case(address.trim());
        let theirs = self.0.iter().filter(move |(_, one)| one.deputy.as_ref().is_some_and(is));
        theirs.map(|(whom, _)| whom.as_str())
    }

    /// Everybody who stands in for somebody.
    pub(super) fn deputies(&self) -> impl Iterator<Item = &Contact> {
        self.0.values().filter_map(|one| one.deputy.as_ref())
    }

    /// Every address of whom it is said, with the place.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Option<(usize, usize)>)> {
        self.0.iter().map(|(address, one)| (address.as_str(), one.line))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::Services;
    use super::*;
    use crate::casework::vocabulary::ServiceId;

    const SHIPPED: &str = include_str!("../../../rules/services.toml");

    fn with(people: &str) -> Result<Services, Vec<Fault>> {
        Services::from_toml("services.toml", &format!("{SHIPPED}\n{people}"))
    }

    fn person(address: &str, deputy: Option<&str>) -> String {
        let deputy = deputy.map_or(String::new(), |address| {
            format!("deputy = {{ name = \"Sam Reed\", address = \"{address}\" }}\n")
        });
        format!(
            "[[person]]\naddress = \"{address}\"\naway = [{{ from = 2026-12-21, until = 2027-01-01 }}]\n{deputy}"
        )
    }

    const MANAGER: &str = "Imelda.Frost@northmere.example";
    const SAM: &str = "sam.reed@northmere.example";

    fn manager(services: &Services, day: Date) -> Vec<String> {
        let id = ServiceId("childrens_social_work".to_owned());
        let all = services.address_for(&id, None, "responding_manager", day);
        all.into_iter().map(|one| one.address).collect()
    }

    #[test]
    fn a_deputy_hears_on_every_day_away_and_on_no_other() {
        let services = with(&person(MANAGER, Some(SAM))).unwrap();
        let own = "imelda.frost@northmere.example";
        for (day, whom) in [
            (date(2026, 12, 20), own),
            (date(2026, 12, 21), SAM),
            (date(2027, 1, 1), SAM),
            (date(2027, 1, 2), own),
        ] {
            assert_eq!(manager(&services, day), [whom], "{day}");
        }
    }

    #[test]
    fn without_a_deputy_of_their_own_the_services_hears_and_else_they_themselves() {
        let day = date(2026, 12, 22);
        let deputy = "tamsin.oakes@northmere.example";
        assert_eq!(manager(&with(&person(MANAGER, None)).unwrap(), day), [deputy]);
        // Both stand in for each other, and are away: the service's deputy, and when she is away too nobody is lost.
        let both = person(MANAGER, Some(SAM)) + &person(SAM, Some(MANAGER));
        assert_eq!(manager(&with(&both).unwrap(), day), [deputy]);
        let all = both + &person(deputy, None);
        assert_eq!(manager(&with(&all).unwrap(), day), ["imelda.frost@northmere.example"]);
        // A deputy who is away has a deputy.
        let chain = person(MANAGER, Some(SAM)) + &person(SAM, Some("lea@northmere.example"));
        assert_eq!(manager(&with(&chain).unwrap(), day), ["lea@northmere.example"]);
    }

    #[test]
    fn whoever_stands_in_speaks_for_the_service_but_for_their_own_first() {
        let social_work = ServiceId("childrens_social_work".to_owned());
        let services = with(&person(MANAGER, Some(SAM))).unwrap();
        assert_eq!(services.is_service_address(SAM), Some(social_work.clone()));
        let other = "gwendolyn.pask@northmere.example";
        let services = with(&person(MANAGER, Some(other))).unwrap();
        let own = ServiceId("children_in_care".to_owned());
        assert_eq!(services.is_service_address(other), Some(own));
        assert_eq!(services.stands_in_for(other), [social_work]);
    }

    #[test]
    fn on_file_for_a_service_is_who_answers_who_is_above_and_who_stands_in() {
        let social_work = ServiceId("childrens_social_work".to_owned());
        let services = with(&person(MANAGER, Some(SAM))).unwrap();
        let on_file =
            |address: &str, named| services.is_on_file(address, (&social_work, None), named);
        let service = services.get(&social_work).unwrap();
        for address in [MANAGER, SAM, &service.inbox.address, &service.corporate_director.address] {
            assert!(on_file(&address.to_uppercase(), None), "{address}");
        }
        let stranger = "lea@northmere.example";
        assert!(!on_file(stranger, None));
        assert!(on_file(stranger, Some("Lea@northmere.example")), "an officer named them");
        let services = with(&person(stranger, Some("pat@northmere.example"))).unwrap();
        let is = |named| services.is_on_file("pat@northmere.example", (&social_work, None), named);
        assert!(is(Some(stranger)) && !is(None), "they stand in for whom an officer named");
    }

    #[test]
    fn what_is_wrong_with_a_person_is_told_where() {
        let line = SHIPPED.lines().count() + 3;
        for (wrong, what) in [
            (
                "address = \"a@b.c\"\naway = [{ from = 2026-12-02, until = 2026-12-01 }]",
                "before the first",
            ),
            (
                "address = \"a@b.c\"\naway = [{ from = 2026-12-02T10:00:00, until = 2026-12-03 }]",
                "is not a day",
            ),
            (
                "address = \"a@b.c\"\ndeputy = { name = \"A\", address = \"A@b.c\" }",
                "stands in for themselves",
            ),
        ] {
            let faults = with(&format!("[[person]]\n{wrong}\n")).unwrap_err();
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let at =
                |one: &String| one.contains(what) && one.contains(&format!("line {}", line + 1));
            assert!(told.iter().any(at), "{what}, line {}: {told:?}", line + 1);
        }
        let twice = person(SAM, None) + &person(SAM, None);
        assert!(with(&twice).unwrap_err()[0].what.contains("two [[person]]"));
    }
}
