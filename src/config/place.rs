//! Where in the file a fault stands that only shows when the settings are read together.

use crate::fault::Fault;

/// A settings file and its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// A fault at a key of the `index`-th section of this name; at the section's head where the key is
    /// what is missing, and of the whole file where the environment wrote the section.
    pub(super) fn fault(
        &self,
        section: &str,
        index: usize,
        key: &str,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Fault {
        let fault = Fault::new(self.file, what, cure);
        match self.offset_of(section, index, key) {
            Some(offset) => fault.at_offset(self.text, offset),
            None => fault,
        }
    }

    fn offset_of(&self, section: &str, index: usize, key: &str) -> Option<usize> {
        let mut offset = 0;
        let mut seen = 0;
        let mut head = None;
        for line in self.text.split_inclusive('\n') {
            let trimmed = line.trim_start();
            let start = offset + line.len() - trimmed.len();
            offset += line.len();
            if trimmed.starts_with('[') {
                if head.is_some() {
                    break;
                }
                if trimmed.trim_matches(|c: char| "[] \t\r\n".contains(c)) == section {
                    if seen == index {
                        head = Some(start);
                    }
                    seen += 1;
                }
            } else if head.is_some()
                && trimmed.split('=').next().is_some_and(|name| name.trim() == key)
            {
                return Some(start);
            }
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_at_its_key_or_at_the_head_of_its_section() {
        let text =
            "[store]\nurl = \"x\"\n\n[[mailbox]]\nname = \"a\"\n[[mailbox]]\n  name = \"b\"\n";
        let source = Source { file: "postern.toml", text };
        for (section, index, key, at) in [
            ("store", 0, "url", Some((2, 1))),
            ("mailbox", 0, "name", Some((5, 1))),
            ("mailbox", 1, "name", Some((7, 3))),
            ("mailbox", 1, "host", Some((6, 1))),
            ("mailbox", 2, "host", None),
            ("smtp", 0, "host", None),
        ] {
            assert_eq!(source.fault(section, index, key, "", "").at, at, "{section} {index} {key}");
        }
    }
}
