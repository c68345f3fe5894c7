//! The directory of services: who answers, and who is written to in which role.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::casework::vocabulary::ServiceId;
use crate::fault::Fault;

mod area;
pub mod import;
mod people;
mod place;

pub use area::{Area, AskWhom};
use people::{People, PersonEntry};
pub use place::AreaFound;

/// A person or a shared mailbox of the council.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// How letters greet and reminders name them.
    pub name: String,
    /// Where mail reaches them.
    pub address: String,
}

/// One service of the council.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The id that rules, database and JSON use.
    pub id: String,
    /// The annual report's words.
    pub label: String,
    /// Plain words for letters to customers.
    pub name: String,
    /// Which table of the annual report counts it: 6 (social care) or 9 (education).
    pub table: u8,
    /// `ics`, `epa`, `sen` or `dcs` (annual report, table 2).
    pub division: String,
    /// The service's own complaints inbox: requests and first reminders.
    pub inbox: Contact,
    /// Other addresses that the service writes from.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Who signs the answer.
    pub responding_manager: Contact,
    /// Whoever stands in for the responding manager.
    #[serde(default)]
    pub deputies: Vec<Contact>,
    /// Next above.
    pub head_of_service: Contact,
    /// Next above.
    pub divisional_director: Contact,
    /// Next above.
    pub corporate_director: Contact,
    /// How many working days the team keeps to check this service's draft; those of the ladder without it.
    pub checking_margin: Option<u16>,
    /// Who of it is asked; both where it does not say.
    pub ask: Option<AskWhom>,
    /// Whether the customer's message goes with the request; where it does not say, where no answer page shows it.
    pub attach_message: Option<bool>,
    /// Early steps of the ladder that it does not want.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Its areas, where it answers by area.
    #[serde(default, rename = "area", deserialize_with = "area::read")]
    pub areas: Vec<Area>,
}

/// The complaints team itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintsTeam {
    /// The team's mailbox.
    pub inbox: Contact,
    /// Who looks after open cases.
    pub complaints_officer: Contact,
    /// The officer whom SI 2006/1738 reg 10 requires.
    pub complaints_manager: Contact,
    /// The council's contact for the Ombudsman.
    pub link_officer: Contact,
    /// Who must see a child at risk at once.
    pub safeguarding_duty: Contact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    council_domains: Vec<Spanned<String>>,
    #[serde(default)]
    web_forms: Vec<String>,
    #[serde(default)]
    public_domains: Vec<Spanned<String>>,
    #[serde(default)]
    ombudsman_domains: Vec<Spanned<String>>,
    complaints_team: ComplaintsTeam,
    service: Vec<Spanned<Service>>,
    #[serde(default)]
    person: Vec<PersonEntry>,
}

/// `rules/services.toml`: every service, and whom to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    file: String,
    all: Vec<Service>,
    /// Where each begins in the file, by line and column.
    places: Vec<Option<(usize, usize)>>,
    /// By service and area: the service as it is there.
    in_areas: BTreeMap<String, BTreeMap<String, Service>>,
    people: People,
    /// The complaints team.
    pub team: ComplaintsTeam,
    /// Domains whose authenticated senders are the council's own.
    pub council_domains: Vec<String>,
    /// Addresses that the council's web forms send from: a person wrote what they carry.
    pub web_forms: Vec<String>,
    /// Domains of public bodies whose addresses are believed: Parliament, the Ombudsman. Whoever
    /// pretends to write from there is shown as pretending.
    pub public_domains: Vec<String>,
    /// Domains from which the Ombudsman writes: what comes from there goes to the link officer.
    pub ombudsman_domains: Vec<String>,
}

/// The longest margin, in working days: a year of them.
const MOST_MARGIN: u16 = 260;

/// A word of an address that says that a web form sends from it.
const FORMS: [&str; 6] = ["form", "forms", "webform", "webforms", "eform", "eforms"];

/// The roles that [`Services::address_for`] knows.
pub const ROLES: [&str; 10] = [
    "service_responder",
    "responding_manager",
    "deputy",
    "head_of_service",
    "divisional_director",
    "corporate_director",
    "complaints_officer",
    "complaints_manager",
    "link_officer",
    "safeguarding_duty",
];

impl Services {
    /// Reads and checks the directory.
    ///
    /// # Errors
    /// Every fault of the file: what is not TOML, an unknown or missing field, an id that stands
    /// twice, an address that is none.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let read: File =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let mut faults = Vec::new();
        let (mut services, mut places) = (Vec::<Service>::new(), Vec::new());
        for spanned in read.service {
            let at = spanned.span().start;
            let mut service = spanned.into_inner();
            area::check(file, text, &mut service, &mut faults);
            let mut fault = |what: String, cure: &str| {
                faults.push(Fault::new(file, what, cure).at_offset(text, at));
            };
            if services.iter().any(|other| other.id == service.id) {
                fault(format!("service `{}` stands twice", service.id), "keep one of the two");
            }
            if service.id == "none" {
                fault("`none` is not a service".to_owned(), "choose another id");
            }
            if !matches!(service.table, 6 | 9) {
                fault(format!("table {} counts no services", service.table), "write 6 or 9");
            }
            if !matches!(service.division.as_str(), "ics" | "epa" | "sen" | "dcs") {
                fault(
                    format!("unknown division `{}`", service.division),
                    "write one of: ics, epa, sen, dcs",
                );
            }
            if service.checking_margin.is_some_and(|days| days > MOST_MARGIN) {
                fault("a margin of more than a year".to_owned(), "write 0 to 260");
            }
            for address in service.above_and_own().filter(|address| !looks_like_address(address)) {
                fault(format!("`{address}` is not an e-mail address"), "write name@domain");
            }
            places.push(Fault::new(file, "", "").at_offset(text, at).at);
            services.push(service);
        }
        let mut more = Vec::new();
        let mut domains = |listed: Vec<Spanned<String>>| {
            let mut read = Vec::new();
            for domain in listed {
                if domain.get_ref().contains('@') || !domain.get_ref().contains('.') {
                    let fault = Fault::new(
                        file,
                        format!("`{}` is not a domain", domain.get_ref()),
                        "write what stands after the @, for example northmere.example",
                    );
                    faults.push(fault.at_offset(text, domain.span().start));
                }
                read.push(domain.into_inner().to_lowercase());
            }
            read
        };
        let people = People::read(file, text, read.person, &mut more);
        let council_domains = domains(read.council_domains);
        let public_domains = domains(read.public_domains);
        let ombudsman_domains = domains(read.ombudsman_domains);
        faults.append(&mut more);
        if !faults.is_empty() {
            return Err(faults);
        }
        let web_forms = read.web_forms.iter().map(|form| form.to_lowercase()).collect();
        let team = read.complaints_team;
        let all = services;
        let in_areas = |service: &Service| {
            let each = service.areas.iter().map(|area| (area.id.clone(), area.of(service)));
            (service.id.clone(), each.collect())
        };
        Ok(Self {
            file: file.to_owned(),
            in_areas: all.iter().map(in_areas).collect(),
            all,
            places,
            people,
            team,
            council_domains,
            web_forms,
            public_domains,
            ombudsman_domains,
        })
    }

    /// What is to be said of a service, at its place in the file.
    pub fn at(&self, service: &Service, what: String, cure: String) -> Fault {
        let number = self.all.iter().position(|one| one.id == service.id);
        let at = number.and_then(|number| self.places.get(number).copied().flatten());
        Fault { at, ..Fault::new(&self.file, what, cure) }
    }

    /// The same of one of its areas.
    pub fn at_area(&self, area: &Area, what: String, cure: String) -> Fault {
        Fault { at: area.place, ..Fault::new(&self.file, what, cure) }
    }

    /// What is to be said of the complaints team.
    pub fn of_team(&self, what: String, cure: String) -> Fault {
        Fault::new(&self.file, what, cure)
    }

    /// Every `[[person]]` whom neither the team nor any service names: their days away change nothing.
    pub fn absent_strangers(&self) -> Vec<Fault> {
        let team = &self.team;
        let mut known: Vec<&str> = self.all.iter().flat_map(Service::every_address).collect();
        let officers = [&team.complaints_officer, &team.complaints_manager, &team.link_officer];
        let others = [&team.inbox, &team.safeguarding_duty];
        known.extend(officers.iter().chain(&others).map(|contact| contact.address.as_str()));
        known.extend(self.people.deputies().map(|contact| contact.address.as_str()));
        let strangers = self
            .people
            .all()
            .filter(|(address, _)| !known.iter().any(|one| one.eq_ignore_ascii_case(address)));
        let warning = |(address, at): (&str, _)| {
            let what = format!("nobody in the directory has the address {address}");
            let cure = "correct the address, or take the [[person]] out";
            Fault { at, ..Fault::new(&self.file, what, cure) }
        };
        strangers.map(warning).collect()
    }

    /// Every service, in the file's order.
    pub fn all(&self) -> &[Service] {
        &self.all
    }

    /// Every service and every service in an area, as each is asked.
    pub fn each(&self) -> impl Iterator<Item = &Service> {
        self.all.iter().chain(self.in_areas.values().flat_map(BTreeMap::values))
    }

    /// The service of this id.
    pub fn get(&self, id: &ServiceId) -> Option<&Service> {
        self.all.iter().find(|service| service.id == id.as_str())
    }

    /// A service as it is in one of its areas: the area's contacts and words, and the service's own where the area has
    /// none. The service itself where no area is named, or the directory has it no longer.
    pub fn in_area(&self, id: &ServiceId, area: Option<&str>) -> Option<&Service> {
        let of_area = area.and_then(|area| self.in_areas.get(id.as_str())?.get(area));
        of_area.or_else(|| self.get(id))
    }

    /// Whom to write to about a service, or its area, in a role ([`ROLES`]) on a day: for whoever is away, their deputy.
    /// Empty for an unknown service or role. The complaints team's own roles are the same for every service.
    pub fn address_for(
        &self,
        id: &ServiceId,
        area: Option<&str>,
        role: &str,
        day: Date,
    ) -> Vec<Contact> {
        let service = self.in_area(id, area);
        let mut present = Vec::new();
        for contact in self.named_for(service, role) {
            let one = self.people.present(contact, day).unwrap_or_else(|| {
                let stands_in = service.filter(|_| role == "responding_manager");
                let deputies = stands_in.into_iter().flat_map(|service| &service.deputies);
                let mut deputies = deputies.filter_map(|deputy| self.people.present(deputy, day));
                // Nobody stands in: the mail waits for them rather than for nobody.
                deputies.next().unwrap_or_else(|| contact.clone())
            });
            if !present.contains(&one) {
                present.push(one);
            }
        }
        present
    }

    /// Whom the directory names in a role, away or not.
    fn named_for<'a>(&'a self, service: Option<&'a Service>, role: &str) -> Vec<&'a Contact> {
        match (role, service) {
            ("complaints_officer", _) => vec![&self.team.complaints_officer],
            ("complaints_manager", _) => vec![&self.team.complaints_manager],
            ("link_officer", _) => vec![&self.team.link_officer],
            ("safeguarding_duty", _) => vec![&self.team.safeguarding_duty],
            ("service_responder", Some(service)) => vec![&service.inbox],
            ("responding_manager", Some(service)) => vec![&service.responding_manager],
            ("deputy", Some(service)) => service.deputies.iter().collect(),
            ("head_of_service", Some(service)) => vec![&service.head_of_service],
            ("divisional_director", Some(service)) => vec![&service.divisional_director],
            ("corporate_director", Some(service)) => vec![&service.corporate_director],
            _ => Vec::new(),
        }
    }

    /// Who hears in the place of somebody on a day, by name and address: while they are away their deputy, where one
    /// is there.
    #[must_use]
    pub fn present(&self, (name, address): (String, String), day: Date) -> (String, String) {
        let named = Contact { name, address };
        let present = self.people.present(&named, day).unwrap_or(named);
        (present.name, present.address)
    }

    /// How many working days the team keeps to check a service's draft, where that is its own number or its area's.
    pub fn checking_margin(&self, id: &ServiceId, area: Option<&str>) -> Option<u16> {
        self.in_area(id, area)?.checking_margin
    }

    /// Whether somebody speaks for another area of a service than that which answers, and for nothing else of it.
    pub fn is_of_another_area(&self, address: &str, id: &ServiceId, area: Option<&str>) -> bool {
        let (Some(area), Some(service)) = (area, self.get(id)) else { return false };
        let represented = self.people.represented_by(address);
        let whom: Vec<&str> = std::iter::once(address.trim()).chain(represented).collect();
        let is = |own: &str| whom.iter().any(|one| one.eq_ignore_ascii_case(own));
        let here = self.in_area(id, Some(area)).into_iter().flat_map(Service::contacts);
        !here.chain(service.contacts()).any(is) && service.own_addresses().any(is)
    }

    /// Which service writes from this address, where exactly one does: a director stands over
    /// several and speaks for none of them. Whoever stands in for somebody speaks as they do, but for their own first.
    pub fn is_service_address(&self, address: &str) -> Option<ServiceId> {
        let mut own = self.speaking(address);
        match (own.next(), own.next()) {
            (Some(service), None) => Some(service),
            (Some(_), Some(_)) => None,
            (None, _) => match self.stands_in_for(address).as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
        }
    }

    /// The services for which somebody speaks as a deputy, in the file's order.
    pub fn stands_in_for(&self, address: &str) -> Vec<ServiceId> {
        let mut found: Vec<ServiceId> = Vec::new();
        for service in self.people.represented_by(address).flat_map(|whom| self.speaking(whom)) {
            if !found.contains(&service) {
                found.push(service);
            }
        }
        found
    }

    /// Whether somebody of this address is on file for a service: as itself, as whom an officer named to answer for
    /// it, above it, or standing in for one of them.
    pub fn is_on_file(
        &self,
        address: &str,
        (id, area): (&ServiceId, Option<&str>),
        named: Option<&str>,
    ) -> bool {
        let Some(service) = self.in_area(id, area) else { return false };
        let above =
            [&service.head_of_service, &service.divisional_director, &service.corporate_director];
        let own = service.contacts().chain(above.map(|one| one.address.as_str()));
        let own: Vec<&str> = own.chain(named).collect();
        let is = |whom: &str| own.iter().any(|one| one.eq_ignore_ascii_case(whom.trim()));
        is(address) || self.people.represented_by(address).any(is)
    }

    fn speaking(&self, address: &str) -> impl Iterator<Item = ServiceId> {
        let is = |own: &str| own.eq_ignore_ascii_case(address.trim());
        let theirs = self.all.iter().filter(move |service| service.own_addresses().any(is));
        theirs.map(|service| ServiceId(service.id.clone()))
    }

    /// Whether an address is the council's own, by its domain. The web forms are not: people
    /// write through them.
    pub fn is_council_address(&self, address: &str) -> bool {
        let address = address.trim().to_lowercase();
        let domain = address.rsplit('@').next().unwrap_or_default();
        self.council_domains.iter().any(|own| own == domain) && !self.is_web_form(&address)
    }

    /// What an address claims for whoever writes from it, in words: what is lost when the mail server
    /// says that it is not the sender's own. None for an address that claims nothing.
    pub fn claim_of(&self, address: &str) -> Option<&'static str> {
        let address = address.trim().to_lowercase();
        if self.is_service_address(&address).is_some() {
            return Some("a service's address");
        }
        if is_of(&self.council_domains, &address) {
            return Some("a council address");
        }
        if self.is_ombudsman(&address) {
            return Some("the Ombudsman's address");
        }
        is_of(&self.public_domains, &address).then_some("a public body's address")
    }

    /// Whether an address is the Ombudsman's, by its domain.
    pub fn is_ombudsman(&self, address: &str) -> bool {
        is_of(&self.ombudsman_domains, &address.trim().to_lowercase())
    }

    /// Whether the council's own web form sends from this address: one that the directory lists, or one of
    /// the council's own domains whose name says so.
    pub fn is_web_form(&self, address: &str) -> bool {
        let address = address.trim().to_lowercase();
        let listed = self.web_forms.contains(&address);
        listed
            || address.split_once('@').is_some_and(|(name, domain)| {
                let mut words = name.split(|c: char| !c.is_alphanumeric());
                self.council_domains.iter().any(|own| own == domain)
                    && words.any(|word| FORMS.contains(&word))
            })
    }
}

impl Service {
    /// Addresses that speak for this service alone, or for an area of it.
    fn own_addresses(&self) -> impl Iterator<Item = &str> {
        self.contacts().chain(self.areas.iter().flat_map(Area::addresses))
    }

    /// Addresses that speak for the service by itself.
    fn contacts(&self) -> impl Iterator<Item = &str> {
        [&self.inbox, &self.responding_manager, &self.head_of_service]
            .into_iter()
            .chain(&self.deputies)
            .map(|contact| contact.address.as_str())
            .chain(self.addresses.iter().map(String::as_str))
    }

    fn every_address(&self) -> impl Iterator<Item = &str> {
        self.above_and_own().chain(self.areas.iter().flat_map(Area::addresses))
    }

    fn above_and_own(&self) -> impl Iterator<Item = &str> {
        let directors = [&self.divisional_director, &self.corporate_director];
        self.contacts().chain(directors.map(|contact| contact.address.as_str()))
    }

    /// Its areas whose beginnings of postcodes other areas have sector by sector, each with the beginning.
    pub fn shadowed_areas(&self) -> Vec<(&Area, &str)> {
        area::shadowed(self)
    }
}

/// Whether an address, in small letters, is of one of these domains or one below it.
fn is_of(domains: &[String], address: &str) -> bool {
    let domain = address.rsplit('@').next().unwrap_or_default();
    domains.iter().any(|own| {
        domain.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

pub(super) fn looks_like_address(text: &str) -> bool {
    let mut sides = text.split('@');
    matches!(
        (sides.next(), sides.next(), sides.next()),
        (Some(local), Some(domain), None)
            if !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
    )
}
