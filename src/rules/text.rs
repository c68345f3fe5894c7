//! The one text that rules look into: every part of a message, folded, with the way back.
//!
//! What folding is: [`postern_words::fold`].

use std::collections::HashSet;
use std::ops::Range;

use postern_words::{fold, fold_onto};

use super::forms;
use crate::email::{Email, FilledForm, SenderProof};

/// Which part of a message words stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The subject line.
    Subject,
    /// What this sender newly wrote.
    Text,
    /// The lines under the sender's own text that name who they are.
    Signature,
    /// A message passed on for us to read: as good as written here.
    Forwarded,
    /// Earlier correspondence left below a reply: often our own words.
    Quoted,
    /// Names of attached files.
    Attachment,
    /// The sender's name and address.
    From,
    /// The domain of the sender's address.
    FromDomain,
    /// What was answered to a question of the council's web form: the number of the question's word.
    Form(usize),
}

impl Place {
    /// Every place but those of forms, in the order that the haystack holds them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Subject,
        Self::Text,
        Self::Signature,
        Self::Forwarded,
        Self::Quoted,
        Self::Attachment,
        Self::From,
        Self::FromDomain,
    ];

    /// The word that rules write in `where`.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Signature => "signature",
            Self::Forwarded => "forwarded",
            Self::Quoted => "quoted",
            Self::Attachment => "attachment",
            Self::From => "from",
            Self::FromDomain => "from_domain",
            Self::Form(_) => "form",
        }
    }
}

/// All parts of one message, folded into one text.
#[derive(Default)]
pub(crate) struct Haystack {
    /// The folded text.
    pub(crate) folded: String,
    /// The original parts, end to end.
    original: String,
    /// For every byte of `folded`, the byte of `original` that it came from.
    origin: Vec<u32>,
    /// Where each part lies in `folded`.
    parts: Vec<(Place, Range<usize>)>,
    /// Where sentences end in `folded`, ascending.
    ends: Vec<usize>,
    /// Whether it came by the council's own web form.
    pub(crate) by_form: bool,
}

impl Haystack {
    /// Folds a whole message. `form` is what a person filled into the council's web form, and `asked` the
    /// words of all forms' questions.
    pub(crate) fn of(email: &Email, form: Option<&FilledForm>, asked: &[String]) -> Self {
        let mut haystack = Self { by_form: form.is_some(), ..Self::default() };
        haystack.add(Place::Subject, email.subject.as_ref().map_or("", |subject| subject.as_str()));
        match form {
            Some(form) => haystack.add_form(form, asked),
            None => haystack.add_letter(email),
        }
        for attachment in &email.attachments {
            if let Some(name) = &attachment.name {
                haystack.add(Place::Attachment, name);
            }
        }
        haystack
    }

    /// What a person wrote into a form, and what they chose there. An address that was typed says nothing
    /// of who they are.
    fn add_form(&mut self, form: &FilledForm, asked: &[String]) {
        self.add(Place::Text, &forms::text_of(form));
        self.add(Place::From, forms::name_of(form).unwrap_or_default());
        for (word, answer) in forms::answers(form) {
            if let Some(number) = asked.iter().position(|asked| asked == word) {
                self.add(Place::Form(number), answer);
            }
        }
    }

    fn add_letter(&mut self, email: &Email) {
        let split = split_text(email);
        self.add(Place::Text, &email.reply_text);
        self.add(Place::Signature, &split.signature);
        let below = if split.forwards { Place::Forwarded } else { Place::Quoted };
        self.add(below, &split.below);
        // What an address says counts for nothing where it is not the sender's own.
        if let Some(from) =
            email.from.as_ref().filter(|_| email.sender_proof != SenderProof::Failed)
        {
            self.add(Place::From, from.name.as_ref().map_or("", |name| name.as_str()));
            self.add(Place::From, &from.address);
            self.add(Place::FromDomain, from.address.rsplit('@').next().unwrap_or_default());
        }
    }

    /// A text as if it were one part of a message: what rules' examples are tried on.
    pub(crate) fn of_example(place: Place, text: &str) -> Self {
        let mut haystack = Self::default();
        haystack.add(place, text);
        haystack
    }

    /// Puts other words in the place of some, which stand in ascending order. What they were in the
    /// message is still known.
    pub(crate) fn replace(&mut self, words: &[(Range<usize>, &str)]) {
        let Some(last) = words.last() else { return };
        let (mut folded, mut origin) = (String::new(), Vec::with_capacity(self.origin.len()));
        // Where each replaced word ended before, and how far all that stands behind it has moved.
        let mut moved: Vec<(usize, isize)> = Vec::with_capacity(words.len());
        let mut from = 0;
        for (range, word) in words {
            folded.push_str(self.folded.get(from..range.start).unwrap_or_default());
            origin.extend_from_slice(self.origin.get(from..range.start).unwrap_or_default());
            folded.push_str(word);
            let old = self.origin.get(range.clone()).unwrap_or_default();
            let last = old.last().copied().unwrap_or_default();
            origin.extend((0..word.len()).map(|at| match old.get(at) {
                Some(origin) if at + 1 < word.len() => *origin,
                _ => last,
            }));
            from = range.end;
            moved.push((range.end, folded.len().cast_signed() - range.end.cast_signed()));
        }
        folded.push_str(self.folded.get(last.0.end..).unwrap_or_default());
        origin.extend_from_slice(self.origin.get(last.0.end..).unwrap_or_default());
        let shifted = |at: usize| {
            let before = moved.partition_point(|(end, _)| *end <= at);
            let by = before.checked_sub(1).and_then(|at| moved.get(at)).map_or(0, |(_, by)| *by);
            at.checked_add_signed(by).unwrap_or(at)
        };
        for end in &mut self.ends {
            *end = shifted(*end);
        }
        for (_, range) in &mut self.parts {
            *range = shifted(range.start)..shifted(range.end);
        }
        (self.folded, self.origin) = (folded, origin);
    }

    fn add(&mut self, place: Place, text: &str) {
        let from = self.folded.len();
        let base = self.original.len();
        self.original.push_str(text);
        self.original.push('\n');
        fold_onto(text, base, &mut self.folded, &mut self.origin, &mut self.ends);
        self.ends.push(self.folded.len());
        // A mark that no phrase holds keeps parts apart.
        self.folded.push('\n');
        self.origin.push(u32::try_from(base + text.len()).unwrap_or(u32::MAX));
        self.parts.push((place, from..self.folded.len()));
    }

    /// The place that a byte of the folded text belongs to.
    pub(crate) fn place_at(&self, offset: usize) -> Place {
        let part = self.parts.partition_point(|(_, range)| range.end <= offset);
        self.parts.get(part).map_or(Place::Text, |(place, _)| *place)
    }

    /// The number of the sentence that a byte of the folded text belongs to.
    pub(crate) fn sentence_at(&self, offset: usize) -> usize {
        self.ends.partition_point(|&end| end < offset)
    }

    /// How far into its own part a byte of the folded text stands.
    pub(crate) fn depth_of(&self, offset: usize) -> usize {
        let part = self.parts.partition_point(|(_, range)| range.end <= offset);
        self.parts.get(part).map_or(0, |(_, range)| offset - range.start)
    }

    /// The original words of a range of the folded text.
    pub(crate) fn quote(&self, range: &Range<usize>) -> &str {
        let start = self.origin.get(range.start).copied().unwrap_or_default() as usize;
        let last =
            self.origin.get(range.end.saturating_sub(1)).copied().unwrap_or_default() as usize;
        let end = self.original.get(last..).and_then(|rest| rest.chars().next());
        self.original.get(start..last + end.map_or(0, char::len_utf8)).unwrap_or_default()
    }

    /// Every part, folded, with where it stands.
    pub(crate) fn folded_parts(&self) -> impl Iterator<Item = (Place, &str)> {
        let text = |range: &Range<usize>| self.folded.get(range.clone()).unwrap_or_default();
        self.parts.iter().map(move |(place, range)| (*place, text(range)))
    }

    /// The folded words of one kind of place, joined.
    pub(crate) fn length_of(&self, place: Place) -> usize {
        self.parts.iter().filter(|(at, _)| *at == place).map(|(_, range)| range.len()).sum()
    }
}

/// A phrase of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Phrase {
    /// As it would stand in the folded text.
    pub(crate) folded: String,
    /// Written with `*` at the end: the last word may go on.
    pub(crate) open: bool,
}

impl Phrase {
    /// A phrase as it was written.
    pub(crate) fn new(written: &str) -> Self {
        Self { folded: fold(written), open: written.trim_end().ends_with('*') }
    }
}

/// What a sender newly wrote, down to the first mark of an earlier message, and the lines below their name.
pub(super) fn own_words(email: &Email) -> (String, String) {
    let until_quote = |text: &str| {
        let own = text.lines().take_while(|line| !opens_quote(line.trim()));
        own.collect::<Vec<_>>().join("\n")
    };
    match &email.form {
        Some(form) => (until_quote(&forms::text_of(form)), String::new()),
        None => (until_quote(&email.reply_text), split_text(email).signature),
    }
}

/// What lies below the sender's own words.
struct Split {
    signature: String,
    below: String,
    forwards: bool,
}

/// Sorts the lines that the reader did not count as newly written: those above the first mark of
/// an earlier message are the signature, the rest that message.
fn split_text(email: &Email) -> Split {
    let own: HashSet<&str> = email.reply_text.lines().map(str::trim).collect();
    let (mut signature, mut below) = (String::new(), String::new());
    let mut quoting = false;
    for line in email.text.lines() {
        let bare = line.trim();
        quoting = quoting || opens_quote(bare);
        if bare.is_empty() || (!quoting && own.contains(bare)) {
            continue;
        }
        let into = if quoting { &mut below } else { &mut signature };
        into.push_str(bare.trim_start_matches(['>', ' ']));
        into.push('\n');
    }
    let subject = email.subject.as_ref().map_or("", |subject| subject.trim_start());
    let subject = subject.to_ascii_lowercase();
    let forwards = email.forwarded.is_some()
        || ["fw:", "fwd:"]
            .iter()
            .any(|mark| subject.starts_with(mark) || subject.contains(&format!(": {mark}")));
    // An inline forward may be counted as the sender's own text; it is not then repeated below.
    if own.len() > 1 && below.lines().all(|line| own.contains(line.trim())) {
        below.clear();
    }
    Split { signature, below, forwards }
}

/// Whether a line is the first of an earlier message.
fn opens_quote(line: &str) -> bool {
    let lower = line.to_lowercase();
    line.starts_with('>')
        || line.starts_with("____")
        || lower.starts_with("from:")
        || lower.contains("original message---")
        || lower.contains("forwarded message---")
        || (lower.starts_with("on ") && lower.ends_with("wrote:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_they_were_written() {
        let haystack = Haystack::of_example(Place::Text, "Well, the EHC-Plan isn\u{2019}t here.");
        let at = haystack.folded.find("ehc plan isnt").unwrap();
        assert_eq!(haystack.quote(&(at..at + 13)), "EHC-Plan isn\u{2019}t");
    }

    #[test]
    fn a_word_put_in_anothers_place_moves_what_stands_behind_it() {
        let mut haystack = Haystack::of_example(Place::Text, "An asesment now. And then?");
        let at = haystack.folded.find("asesment").unwrap();
        haystack.replace(&[(at..at + 8, "assessment")]);
        assert!(haystack.folded.starts_with("an assessment now. and then?"), "{}", haystack.folded);
        assert_eq!(haystack.quote(&(at..at + 10)), "asesment");
        let sentence = |word| haystack.sentence_at(haystack.folded.find(word).unwrap());
        assert_eq!((sentence("now"), sentence("then")), (0, 1));
        let then = haystack.folded.find("then").unwrap();
        assert_eq!(haystack.quote(&(then..then + 4)), "then");
        assert_eq!(haystack.folded_parts().count(), 1);
    }

    #[test]
    fn a_sentence_ends_at_its_mark_and_at_a_short_line() {
        let haystack = Haystack::of_example(Place::Text, "One here. Two here\nthree here");
        let sentences: Vec<usize> = ["one", "two", "three"]
            .map(|word| haystack.sentence_at(haystack.folded.find(word).unwrap()))
            .into();
        assert_eq!(sentences, [0, 1, 2]);
    }
}
