//! The directory of services: who answers, and who is written to in which role.

use serde::Deserialize;
use toml::Spanned;

use crate::casework::vocabulary::ServiceId;
use crate::fault::Fault;

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
}

/// `rules/services.toml`: every service, and whom to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    all: Vec<Service>,
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
        let mut services: Vec<Service> = Vec::new();
        for spanned in read.service {
            let at = spanned.span().start;
            let service = spanned.into_inner();
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
            for address in service.every_address().filter(|address| !looks_like_address(address)) {
                fault(format!("`{address}` is not an e-mail address"), "write name@domain");
            }
            services.push(service);
        }
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
        let council_domains = domains(read.council_domains);
        let public_domains = domains(read.public_domains);
        let ombudsman_domains = domains(read.ombudsman_domains);
        if !faults.is_empty() {
            return Err(faults);
        }
        let web_forms = read.web_forms.iter().map(|form| form.to_lowercase()).collect();
        let team = read.complaints_team;
        let all = services;
        Ok(Self { all, team, council_domains, web_forms, public_domains, ombudsman_domains })
    }

    /// Every service, in the file's order.
    pub fn all(&self) -> &[Service] {
        &self.all
    }

    /// The service of this id.
    pub fn get(&self, id: &ServiceId) -> Option<&Service> {
        self.all.iter().find(|service| service.id == id.as_str())
    }

    /// Whom to write to about a service in a role ([`ROLES`]). Empty for an unknown service or
    /// role. The complaints team's own roles are the same for every service.
    pub fn address_for(&self, id: &ServiceId, role: &str) -> Vec<Contact> {
        let team = match role {
            "complaints_officer" => Some(&self.team.complaints_officer),
            "complaints_manager" => Some(&self.team.complaints_manager),
            "link_officer" => Some(&self.team.link_officer),
            "safeguarding_duty" => Some(&self.team.safeguarding_duty),
            _ => None,
        };
        if let Some(contact) = team {
            return vec![contact.clone()];
        }
        let Some(service) = self.get(id) else { return Vec::new() };
        match role {
            "service_responder" => vec![service.inbox.clone()],
            "responding_manager" => vec![service.responding_manager.clone()],
            "deputy" => service.deputies.clone(),
            "head_of_service" => vec![service.head_of_service.clone()],
            "divisional_director" => vec![service.divisional_director.clone()],
            "corporate_director" => vec![service.corporate_director.clone()],
            _ => Vec::new(),
        }
    }

    /// Which service writes from this address, where exactly one does: a director stands over
    /// several and speaks for none of them.
    pub fn is_service_address(&self, address: &str) -> Option<ServiceId> {
        let mut found = self.all.iter().filter(|service| {
            service.own_addresses().any(|own| own.eq_ignore_ascii_case(address.trim()))
        });
        match (found.next(), found.next()) {
            (Some(service), None) => Some(ServiceId(service.id.clone())),
            _ => None,
        }
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

    /// Whether the council's own web form sends from this address.
    pub fn is_web_form(&self, address: &str) -> bool {
        self.web_forms.iter().any(|form| form.eq_ignore_ascii_case(address.trim()))
    }
}

impl Service {
    /// Addresses that speak for this service alone.
    fn own_addresses(&self) -> impl Iterator<Item = &str> {
        [&self.inbox, &self.responding_manager, &self.head_of_service]
            .into_iter()
            .chain(&self.deputies)
            .map(|contact| contact.address.as_str())
            .chain(self.addresses.iter().map(String::as_str))
    }

    fn every_address(&self) -> impl Iterator<Item = &str> {
        let directors = [&self.divisional_director, &self.corporate_director];
        self.own_addresses().chain(directors.map(|contact| contact.address.as_str()))
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
