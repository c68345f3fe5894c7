//! A service by area: who answers for a part of the county, where that is not whom the service names for all of it;
//! and how a service wants to be asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Contact, MOST_MARGIN, Service};
use crate::fault::Fault;

/// Who of a service gets the letter that asks it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AskWhom {
    /// Its inbox alone.
    Inbox,
    /// Its responding manager alone.
    Manager,
    /// Both.
    #[default]
    Both,
}

/// One area of a service. What it does not say is the service's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// The id that the register uses.
    pub id: String,
    /// Plain words for letters to staff.
    pub name: String,
    /// Names of places in it.
    #[serde(default)]
    pub districts: Vec<String>,
    /// Beginnings of postcodes: the outward code (`NM1`), or that and the digit after the space (`NM2 4`).
    #[serde(default)]
    pub postcodes: Vec<String>,
    /// Its own complaints inbox.
    pub inbox: Option<Contact>,
    /// Other addresses that it writes from.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Who signs its answers.
    pub responding_manager: Option<Contact>,
    /// Whoever stands in for them.
    #[serde(default)]
    pub deputies: Vec<Contact>,
    /// Next above.
    pub head_of_service: Option<Contact>,
    /// How many working days the team keeps to check its draft.
    pub checking_margin: Option<u16>,
    /// Who of it is asked.
    pub ask: Option<AskWhom>,
    /// Whether the customer's message goes with the request.
    pub attach_message: Option<bool>,
    /// Early steps of the ladder that it does not want.
    pub skip: Option<Vec<String>>,
    /// Where it begins in the file, in bytes.
    #[serde(skip)]
    at: usize,
    /// The same by line and column.
    #[serde(skip)]
    pub(super) place: Option<(usize, usize)>,
}

/// Reads the areas of a service, each with its place.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Area>, D::Error> {
    let areas = Vec::<Spanned<Area>>::deserialize(from)?.into_iter();
    Ok(areas.map(|one| Area { at: one.span().start, ..one.into_inner() }).collect())
}

impl Area {
    /// Whether it says anything by itself of who answers, or how.
    fn is_own(&self) -> bool {
        let contacts = [&self.inbox, &self.responding_manager, &self.head_of_service];
        contacts.iter().any(|one| one.is_some())
            || !self.deputies.is_empty()
            || self.checking_margin.is_some()
    }

    /// Every address that the area names by itself.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let contacts = [&self.inbox, &self.responding_manager, &self.head_of_service];
        let contacts = contacts.into_iter().flatten().chain(&self.deputies);
        let contacts = contacts.map(|contact| contact.address.as_str());
        contacts.chain(self.addresses.iter().map(String::as_str))
    }

    /// The service as it is in this area.
    pub(super) fn of(&self, service: &Service) -> Service {
        let or = |own: &Option<Contact>, theirs: &Contact| own.as_ref().unwrap_or(theirs).clone();
        let some = |own: &Vec<Contact>, theirs: &Vec<Contact>| {
            if own.is_empty() { theirs.clone() } else { own.clone() }
        };
        let addresses =
            if self.addresses.is_empty() { &service.addresses } else { &self.addresses };
        Service {
            name: self.name.clone(),
            inbox: or(&self.inbox, &service.inbox),
            addresses: addresses.clone(),
            responding_manager: or(&self.responding_manager, &service.responding_manager),
            deputies: some(&self.deputies, &service.deputies),
            head_of_service: or(&self.head_of_service, &service.head_of_service),
            checking_margin: self.checking_margin.or(service.checking_margin),
            ask: self.ask.or(service.ask),
            attach_message: self.attach_message.or(service.attach_message),
            skip: self.skip.clone().unwrap_or_else(|| service.skip.clone()),
            areas: Vec::new(),
            ..service.clone()
        }
    }
}

/// Reads what areas of one service say into one form, and finds what is wrong with them.
pub(super) fn check(file: &str, text: &str, service: &mut Service, faults: &mut Vec<Fault>) {
    let id = service.id.clone();
    let (mut ids, mut postcodes, mut districts) =
        (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    for area in &mut service.areas {
        let mut fault = |what: String, cure: &str| {
            faults.push(Fault::new(file, what, cure).at_offset(text, area.at));
        };
        area.place = Fault::new(file, "", "").at_offset(text, area.at).at;
        let name = area.id.clone();
        if !is_id(&name) {
            fault(format!("`{name}` is no id of an area"), "write small letters, digits and _");
        }
        if !ids.insert(name.clone()) {
            fault(format!("area `{name}` of `{id}` stands twice"), "keep one of the two");
        }
        if area.name.trim().is_empty() {
            fault(format!("area `{name}` has no name"), "write the words that letters say");
        }
        let mut read = Vec::new();
        for written in &area.postcodes {
            let Some(prefix) = prefix(written) else {
                let cure = "write what stands before the space (NM1), or that and the digit after it (NM2 4)";
                fault(format!("`{written}` is no beginning of a postcode"), cure);
                continue;
            };
            if let Some(other) = postcodes.insert(prefix.clone(), name.clone()) {
                let what = format!("`{prefix}` is of the areas `{other}` and `{name}`");
                fault(what, "take it out of one of the two");
            }
            read.push(prefix);
        }
        area.postcodes = read;
        for written in &area.districts {
            let folded = super::place::words(written).join(" ");
            if folded.is_empty() {
                fault(format!("area `{name}` has a district of no words"), "write a place's name");
                continue;
            }
            if let Some(other) = districts.insert(folded, name.clone()) {
                let what = format!("`{written}` is of the areas `{other}` and `{name}`");
                fault(what, "take it out of one of the two");
            }
        }
        if area.postcodes.is_empty() && area.districts.is_empty() && !area.is_own() {
            let what = format!("area `{name}` says neither where it is nor who answers there");
            fault(what, "write districts or postcodes, or a contact of its own, or take it out");
        }
        if area.checking_margin.is_some_and(|days| days > MOST_MARGIN) {
            fault("a margin of more than a year".to_owned(), "write 0 to 260");
        }
        for address in area.addresses().filter(|one| !super::looks_like_address(one)) {
            fault(format!("`{address}` is not an e-mail address"), "write name@domain");
        }
    }
}

/// Whether a word is fit to be the id of an area.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    // `none` is how an officer takes an area away.
    !text.is_empty() && text != "none" && text.chars().all(plain)
}

/// The beginning of a postcode as it is kept: `NM1`, `NM2 4`. None for anything else.
pub(super) fn prefix(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let mut words = text.split_ascii_whitespace();
    let (outward, sector, more) = (words.next()?, words.next(), words.next());
    let is_sector = |one: &str| one.len() == 1 && one.bytes().all(|b| b.is_ascii_digit());
    let good = super::place::is_outward(outward) && sector.is_none_or(is_sector) && more.is_none();
    good.then(|| match sector {
        Some(sector) => format!("{outward} {sector}"),
        None => outward.to_owned(),
    })
}

/// Beginnings of postcodes that an area names in vain: each is a whole outward code of which other areas have every
/// sector.
pub(super) fn shadowed(service: &Service) -> Vec<(&Area, &str)> {
    let claimed = |prefix: &str, by: &Area| {
        let others = service.areas.iter().filter(|other| other.id != by.id);
        others.flat_map(|other| &other.postcodes).any(|one| one == prefix)
    };
    let all =
        service.areas.iter().flat_map(|area| area.postcodes.iter().map(move |one| (area, one)));
    all.filter(|(area, one)| {
        !one.contains(' ') && (0..10).all(|sector| claimed(&format!("{one} {sector}"), area))
    })
    .map(|(area, one)| (area, one.as_str()))
    .collect()
}

#[cfg(test)]
mod tests;
