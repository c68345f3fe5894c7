//! What this council alone knows: `rules/lists.toml` names its schools, its members' addresses, its
//! partners' domains, and whatever else rules look for by one name (`@schools`) instead of many words.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::text::Phrase;
use crate::fault::Fault;

/// The file's name.
pub(super) const LISTS: &str = "lists.toml";
/// What stands before a list's name where a rule uses it.
pub(super) const MARK: char = '@';

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    list: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    what: String,
    entries: Vec<Spanned<String>>,
}

/// Every list, by its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists(BTreeMap<String, Vec<Phrase>>);

impl Lists {
    /// Reads and checks the lists.
    ///
    /// # Errors
    /// Every fault: what is not TOML, a name that stands twice or is none, an entry too short to be
    /// looked for. A list without entries is none: a council may have nothing to say yet.
    pub(super) fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let read: File =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let (mut lists, mut faults) = (Self::default(), Vec::new());
        for list in read.list {
            let at = list.span().start;
            let list = list.into_inner();
            let mut fault = |at: usize, what: String, cure: &str| {
                faults.push(Fault::new(file, what, cure).at_offset(text, at));
            };
            let is_name = |id: &str| id.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if list.id.is_empty() || !is_name(&list.id) {
                let what = format!("`{}` is no name for a list", list.id);
                fault(at, what, "write small letters and _, for example `schools`");
            }
            if list.what.trim().is_empty() {
                fault(at, "`what` is empty".to_owned(), "say it in a few words");
            }
            let mut phrases = Vec::with_capacity(list.entries.len());
            for entry in list.entries {
                let phrase = Phrase::new(entry.get_ref());
                if phrase.folded.chars().count() < 2 {
                    let what = format!("the entry `{}` is too short", entry.get_ref());
                    fault(entry.span().start, what, "write two letters or more");
                }
                phrases.push(phrase);
            }
            if lists.0.insert(list.id.clone(), phrases).is_some() {
                fault(at, format!("list `{}` stands twice", list.id), "keep one of the two");
            }
        }
        if faults.is_empty() { Ok(lists) } else { Err(faults) }
    }

    /// The entries of a list.
    pub(super) fn get(&self, name: &str) -> Option<&[Phrase]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Every list's name, as rules write it.
    pub(super) fn names(&self) -> String {
        let names = self.0.keys().map(|name| format!("{MARK}{name}"));
        names.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_list_is_told_where_and_what_to_write() {
        let wrong = "[[list]]\nid = \"Schools\"\nwhat = \"s\"\nentries = [\"Hill School\",\n \"-\"]\n[[list]]\nid = \"a\"\nwhat = \"a\"\n\
            entries = []\n[[list]]\nid = \"a\"\nwhat = \"\"\nentries = []\n";
        let faults = Lists::from_toml("lists.toml", wrong).unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for (at, part) in [
            ("line 1,", "`Schools`"),
            ("line 5,", "too short"),
            ("line 10,", "twice"),
            ("line 10,", "`what`"),
        ] {
            let at = format!("lists.toml, {at}");
            let told = said.iter().any(|fault| fault.starts_with(&at) && fault.contains(part));
            assert!(told, "{at} {part}: {said:?}");
        }
    }
}
