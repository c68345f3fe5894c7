//! What a customer is told when an officer does not take a case on, and where they can go instead
//! (`rules/routes.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::vocabulary::RejectionReason;
use crate::fault::Fault;

/// The words for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What was found, in plain words.
    pub why: String,
    /// What the reader can do instead.
    pub route: String,
}

/// The words for every reason of table 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes(BTreeMap<RejectionReason, Route>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    route: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reason: Spanned<RejectionReason>,
    why: Spanned<String>,
    route: Spanned<String>,
}

impl Routes {
    /// Reads `rules/routes.toml`.
    ///
    /// # Errors
    /// Every [`Fault`] in it: a reason without words, or there twice. One only where the file is no
    /// TOML or has an unknown key.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let entries: File =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let mut faults = Vec::new();
        let mut routes = BTreeMap::new();
        for entry in entries.route {
            let reason = *entry.reason.get_ref();
            for words in [&entry.why, &entry.route] {
                if words.get_ref().trim().is_empty() {
                    let what = format!("`{reason}` has nothing to say here");
                    let fault = Fault::new(file, what, "write one or two plain sentences");
                    faults.push(fault.at_offset(text, words.span().start));
                }
            }
            let route = Route { why: entry.why.into_inner(), route: entry.route.into_inner() };
            if routes.insert(reason, route).is_some() {
                let what = format!("`{reason}` is there twice");
                let fault = Fault::new(file, what, "keep one entry for each reason");
                faults.push(fault.at_offset(text, entry.reason.span().start));
            }
        }
        for reason in RejectionReason::ALL.iter().filter(|reason| !routes.contains_key(*reason)) {
            let cure = format!("add a [[route]] with reason = \"{reason}\", why and route");
            faults.push(Fault::new(file, format!("nothing is said for `{reason}`"), cure));
        }
        if faults.is_empty() { Ok(Self(routes)) } else { Err(faults) }
    }

    /// The words for a reason. The file is read only when it has them for each.
    pub fn of(&self, reason: RejectionReason) -> Option<&Route> {
        self.0.get(&reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../rules/routes.toml");

    #[test]
    fn every_reason_has_words() {
        let routes = Routes::from_toml("routes.toml", SHIPPED).unwrap();
        for reason in RejectionReason::ALL {
            assert!(routes.of(*reason).is_some(), "{reason}");
        }
    }

    #[test]
    fn faults_have_a_place_and_a_cure() {
        let twice =
            format!("{SHIPPED}\n[[route]]\nreason = \"other\"\nwhy = \"x\"\nroute = \" \"\n");
        let faults = Routes::from_toml("routes.toml", &twice).unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("`other` has nothing to say here"), "{said:?}");
        assert!(said[1].contains("`other` is there twice"), "{said:?}");
        let none = Routes::from_toml("routes.toml", "route = []").unwrap_err();
        assert_eq!(none.len(), RejectionReason::ALL.len());
        let odd = Routes::from_toml("routes.toml", "[[route]]\nreason = \"bored\"").unwrap_err();
        assert!(odd[0].to_string().contains("bored"), "{odd:?}");
    }
}
