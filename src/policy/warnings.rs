//! What is valid and can hardly be meant: services that no rule can reach, people who would never hear. Pure.

use std::collections::BTreeSet;

use super::Policy;
use crate::casework::reminder::Role;
use crate::casework::vocabulary::ServiceId;
use crate::fault::Fault;
use crate::rules::services::{Area, AskWhom, Contact, Service};

/// The contacts of a service above those who are asked for its answer, with what the ladder calls them.
type Above = (Role, fn(&Service) -> &Contact);

const ABOVE: [Above; 3] = [
    (Role::HeadOfService, |service| &service.head_of_service),
    (Role::DivisionalDirector, |service| &service.divisional_director),
    (Role::CorporateDirector, |service| &service.corporate_director),
];

impl Policy {
    /// What is valid and can hardly be meant, each with its place and a cure.
    pub fn warnings(&self) -> Vec<Fault> {
        let mut warnings = self.unreached();
        warnings.extend(self.unheard());
        warnings.extend(self.rules.services().absent_strangers());
        warnings.extend(self.areas());
        warnings.extend(self.letters.from_shipped().iter().map(|letter| {
            let what = "there is no such letter in the templates: the shipped words serve";
            let cure =
                "copy the folder from `postern letters export DIR shipped`, and change it there";
            Fault::new(&format!("letters/{letter}"), what, cure)
        }));
        warnings.extend(self.letters.replaced().iter().map(|fault| Fault {
            what: format!("{}: what is shipped stands in its place", fault.what),
            ..fault.clone()
        }));
        warnings
    }

    /// Services that nothing in the rules can choose: no complaint is ever sent to them by itself.
    fn unreached(&self) -> Vec<Fault> {
        let services = self.rules.services();
        let reached = self.rules.reached_services();
        let unreached = services.all().iter().filter(|one| !reached.contains(one.id.as_str()));
        let warning = |one: &Service| {
            let what = format!("no rule can reach the service `{}`", one.id);
            let cure = format!(
                "write a rule with label = \"service:{}\", or take the service out if it has no cases",
                one.id
            );
            services.at(one, what, cure)
        };
        unreached.map(warning).collect()
    }

    /// People above a service's manager, and of the team, whom no step of the ladder tells anything.
    fn unheard(&self) -> Vec<Fault> {
        let (services, roles) = (self.rules.services(), self.ladder.roles());
        let team = &services.team;
        let hear =
            |role: Role, one: &Contact| roles.contains(&role).then(|| one.address.to_lowercase());
        // Whoever is asked for an answer hears without any step, and so do the link and the duty officer.
        let asked = services.each().flat_map(|one| [&one.inbox, &one.responding_manager]);
        let always = asked.chain([&team.link_officer, &team.safeguarding_duty, &team.inbox]);
        let mut heard: BTreeSet<String> = always.map(|one| one.address.to_lowercase()).collect();
        let officers = [
            (Role::ComplaintsOfficer, &team.complaints_officer),
            (Role::ComplaintsManager, &team.complaints_manager),
        ];
        heard.extend(officers.iter().filter_map(|(role, one)| hear(*role, one)));
        for service in services.each() {
            heard.extend(ABOVE.iter().filter_map(|(role, of)| hear(*role, of(service))));
        }
        let mut unheard = Vec::new();
        for (role, one) in officers {
            if heard.insert(one.address.to_lowercase()) {
                unheard.push(services.of_team(never(role, one), cure(role)));
            }
        }
        for service in services.all() {
            for (role, of) in ABOVE {
                if heard.insert(of(service).address.to_lowercase()) {
                    unheard.push(services.at(service, never(role, of(service)), cure(role)));
                }
            }
        }
        unheard
    }

    /// What areas, and how their services want to be asked, say in vain.
    fn areas(&self) -> Vec<Fault> {
        let services = self.rules.services();
        let mut warnings = Vec::new();
        for service in services.all() {
            for (area, prefix) in service.shadowed_areas() {
                let what = format!(
                    "the postcodes {prefix} of area `{}` are all of other areas, sector by sector",
                    area.id
                );
                let cure = "take it out, or a sector from another area".to_owned();
                warnings.push(services.at_area(area, what, cure));
            }
            for area in &service.areas {
                let whole = services.in_area(&ServiceId(service.id.clone()), Some(&area.id));
                let unheard = whole.and_then(|whole| self.unheard_of_area(area, whole));
                let warning =
                    unheard.map(|(role, one)| services.at_area(area, never(role, one), cure(role)));
                warnings.extend(warning);
            }
        }
        warnings
    }

    /// A contact that an area names for itself, and that neither a request nor a step of the ladder writes to.
    fn unheard_of_area<'a>(&self, area: &'a Area, whole: &Service) -> Option<(Role, &'a Contact)> {
        let roles = self.ladder.chased_roles();
        let asks = whole.ask.unwrap_or_default();
        let inbox_hears = asks != AskWhom::Manager
            || [Role::ServiceInbox, Role::ServiceResponder].iter().any(|one| roles.contains(one));
        let manager_hears = asks != AskWhom::Inbox || roles.contains(&Role::RespondingManager);
        let head_hears = roles.contains(&Role::HeadOfService);
        let own = [
            (Role::ServiceInbox, &area.inbox, inbox_hears),
            (Role::RespondingManager, &area.responding_manager, manager_hears),
            (Role::HeadOfService, &area.head_of_service, head_hears),
        ];
        let mut unheard = own.into_iter().filter(|(.., hears)| !hears);
        unheard.find_map(|(role, one, _)| Some((role, one.as_ref()?)))
    }
}

fn never(role: Role, one: &Contact) -> String {
    format!("{} ({role}) would never hear: no step of the ladder writes to them", one.address)
}

fn cure(role: Role) -> String {
    format!("name \"{role}\" in the `to` of a step in reminders.toml, if they should")
}
