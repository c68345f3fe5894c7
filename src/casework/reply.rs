//! What a service's reply says (`rules/replies.toml`). Not everything that a service writes back is its answer: who
//! takes a question for one stops chasing what nobody has answered.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::vocabulary::vocabulary;
use crate::fault::Fault;

vocabulary! {
    /// What a reply comes to.
    Says {
        /// They will answer.
        Accepts = "accepts", "accepts it";
        /// It is not theirs.
        NotOurs = "not_ours", "says that it is not theirs";
        /// They ask for longer.
        MoreTime = "more_time", "asks for more time";
        /// Who has it is away.
        Away = "away", "says that who has it is away";
        /// They say how far it is.
        Progress = "progress", "says how far it is";
        /// They ask something first.
        Asks = "asks", "asks something first";
        /// It is their answer.
        Answers = "answers", "answers what it was asked";
    }
}

/// The words by which replies are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replies {
    short: usize,
    long: usize,
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    says: Says,
    first: Vec<String>,
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    short: Spanned<usize>,
    long: Spanned<usize>,
    reply: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    says: Spanned<Says>,
    #[serde(default)]
    first: Vec<Spanned<String>>,
    #[serde(default)]
    words: Vec<Spanned<String>>,
}

/// The kinds whose words are looked for, those that outweigh others first.
const ORDER: [Says; 6] =
    [Says::Answers, Says::NotOurs, Says::MoreTime, Says::Away, Says::Progress, Says::Accepts];

impl Replies {
    /// Reads `rules/replies.toml`.
    ///
    /// # Errors
    /// Every [`Fault`] in it; one only where the file is no TOML or has an unknown key.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let entries: File =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let mut faults = Vec::new();
        let mut fault = |at: usize, what: String, cure: &str| {
            faults.push(Fault::new(file, what, cure).at_offset(text, at));
        };
        if entries.short.get_ref() > entries.long.get_ref() {
            let what = format!("short ({}) is more than long", entries.short.get_ref());
            fault(entries.short.span().start, what, "make `short` no more than `long`");
        }
        let mut seen = BTreeSet::new();
        let mut kinds = Vec::new();
        for entry in entries.reply {
            let (says, at) = (*entry.says.get_ref(), entry.says.span().start);
            if says == Says::Asks {
                let what = "what asks is known by its question mark".to_owned();
                fault(at, what, "take this entry out");
            }
            if !seen.insert(says) {
                fault(at, format!("`{says}` is there twice"), "put all its words into one entry");
            }
            let mut plainly = |all: Vec<Spanned<String>>| -> Vec<String> {
                let mut read = Vec::with_capacity(all.len());
                for one in all {
                    let words = plain(one.get_ref());
                    if words.trim().is_empty() {
                        let what = format!("`{}` has no words", one.get_ref());
                        fault(one.span().start, what, "write at least one word");
                    }
                    read.push(words);
                }
                read
            };
            let (first, words) = (plainly(entry.first), plainly(entry.words));
            kinds.push(Kind { says, first, words });
        }
        kinds.sort_by_key(|kind| ORDER.iter().position(|says| *says == kind.says));
        let (short, long) = (entries.short.into_inner(), entries.long.into_inner());
        if faults.is_empty() { Ok(Self { short, long, kinds }) } else { Err(faults) }
    }

    /// What a reply says: of what its sender newly wrote, and whether a document came with it.
    pub fn read(&self, text: &str, with_document: bool) -> Says {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let line = plain(first.split([':', ',', '.', ';', '-', '–', '!']).next().unwrap_or(first));
        let by_first = self.kinds.iter().find(|kind| kind.first.contains(&line));
        if let Some(kind) = by_first {
            return kind.says;
        }
        if with_document {
            return Says::Answers;
        }
        let words = plain(text);
        let length = words.split_whitespace().count();
        let most = |says| match says {
            Says::Answers => usize::MAX,
            Says::Accepts => self.short,
            Says::NotOurs | Says::MoreTime | Says::Away | Says::Progress | Says::Asks => self.long,
        };
        let found = self.kinds.iter().find(|kind| {
            length <= most(kind.says) && kind.words.iter().any(|known| words.contains(known))
        });
        match found {
            Some(kind) => kind.says,
            None if length <= self.long && text.contains('?') => Says::Asks,
            None => Says::Answers,
        }
    }
}

/// Small letters, the marks left out, one blank between words and around all.
fn plain(text: &str) -> String {
    let small = text.to_lowercase().replace('\u{2019}', "'");
    let words = small.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let mut plain = String::from(" ");
    for word in words.filter(|word| !word.is_empty()) {
        plain.push_str(word);
        plain.push(' ');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../rules/replies.toml");

    fn shipped() -> Replies {
        Replies::from_toml("replies.toml", SHIPPED).expect("the shipped file")
    }

    #[test]
    fn the_first_line_decides_alone() {
        let replies = shipped();
        for (text, says) in [
            ("ACCEPT", Says::Accepts),
            ("\n  Accepted.\n\nJo", Says::Accepts),
            ("Not ours: try Transport", Says::NotOurs),
            ("NOT OURS\n\nPoint 2 was upheld last year, ask them.", Says::NotOurs),
            ("More time - until Friday?", Says::MoreTime),
            ("Away, Sam has it", Says::Away),
            ("PROGRESS: two of three people are heard. Is Friday soon enough?", Says::Progress),
            ("PROGRESS\n\nThe first point will be upheld, I think.", Says::Progress),
            ("Answer: we were late and are sorry. This is ours to put right.", Says::Answers),
        ] {
            assert_eq!(replies.read(text, false), says, "{text}");
        }
        assert_eq!(replies.read("not ours", true), Says::NotOurs, "a document does not change it");
    }

    #[test]
    fn what_people_write_is_read_by_its_words() {
        let replies = shipped();
        for (text, says) in [
            ("Thanks, leave it with me, draft by Tuesday.", Says::Accepts),
            ("Hi, I’m afraid this one can’t be ours. Vale & Coast run it.", Says::NotOurs),
            ("Could I have a bit longer on this please, till the 10th?", Says::MoreTime),
            ("I am on leave until the 4th, nobody covers.", Says::Away),
            ("We're on track to send it by the 4th, both visits are done.", Says::Progress),
            ("Progress so far is slow: could we have until May?", Says::MoreTime),
            ("He is back on track at school, and the transport now comes.", Says::Answers),
            ("Before we draft: is it the autumn only, or the summer too?", Says::Asks),
            ("The visit was missed and nobody rang. We have said sorry.", Says::Answers),
            (
                "Point 1 upheld. This one is ours to mend. Could we have until May to do it?",
                Says::Answers,
            ),
        ] {
            assert_eq!(replies.read(text, false), says, "{text}");
        }
        // A word within another is another word.
        assert_eq!(replies.read("It is not ourselves that we blame.", false), Says::Answers);
        assert_eq!(
            replies.read("Any questions?", true),
            Says::Answers,
            "the document is the answer"
        );
    }

    #[test]
    fn long_letters_are_answers_whatever_they_mention() {
        let long = format!(
            "{} The hoist is not ours, it is the NHS's. Is that enough?",
            "word ".repeat(200)
        );
        assert_eq!(shipped().read(&long, false), Says::Answers);
        let longish = format!("{} this is ours", "word ".repeat(60));
        assert_eq!(shipped().read(&longish, false), Says::Answers, "too long to be only that");
    }

    #[test]
    fn faults_have_their_place() {
        let said = |text: &str| {
            let faults = Replies::from_toml("replies.toml", text).expect_err("faults");
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let head = "short = 1\nlong = 2\n";
        let twice = format!(
            "{head}[[reply]]\nsays = \"away\"\nwords = [\"...\"]\n[[reply]]\nsays = \"away\"\n"
        );
        let twice = said(&twice);
        assert!(twice.contains("line 5") && twice.contains("`...` has no words"), "{twice}");
        assert!(twice.contains("line 7") && twice.contains("`away` is there twice"), "{twice}");
        assert!(said("short = 3\nlong = 2\nreply = []").contains("short (3) is more than long"));
        let unknown = said(&format!("{head}[[reply]]\nsays = \"maybe\"\n"));
        assert!(unknown.contains("line 4"), "{unknown}");
        let asks = said(&format!("{head}[[reply]]\nsays = \"asks\"\n"));
        assert!(asks.contains("known by its question mark"), "{asks}");
    }
}
