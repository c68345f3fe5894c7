//! The council's own web forms: `rules/forms.toml` says which question is which, so that what a
//! person filled in is read as their own letter, and is answered to them.
//!
//! The form's machine sends it; the person in it is its author. That they gave an address proves
//! nothing: whoever filled it in may have written anybody's.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::services::{Services, looks_like_address};
use crate::email::{Address, Email, FilledForm, Kind, KindEvidence, ReturnPath, SenderProof};
use crate::fault::Fault;
use crate::private::Private;

/// The file's name.
pub(super) const FORMS: &str = "forms.toml";
/// The word for the question that asks who they are.
const NAME: &str = "name";
/// The word for the question that asks where they can be answered.
const ADDRESS: &str = "address";
/// The word for a question that they answer in their own words: what the form is about.
const TEXT: &str = "text";
/// The word for the question that asks which service is meant: people choose wrongly there, but not at random.
pub(super) const SERVICE: &str = "service";
/// Questions of a layout that must stand in a text before it is taken for the form.
const FEWEST: usize = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    form: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    questions: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// Every layout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forms {
    layouts: Vec<Layout>,
    /// The words of all questions, each once: rules look for what was answered by `form:` and one.
    words: Vec<String>,
}

/// How one form looks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    id: String,
    /// The question as it stands, in lower case, and the word for it; longer ones first.
    questions: Vec<(String, String)>,
}

impl Forms {
    /// Reads and checks the layouts.
    ///
    /// # Errors
    /// Every fault: what is not TOML, an id that stands twice, a layout in which nothing is a text or
    /// a question has no word.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let read: File =
            toml::from_str(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
        let (mut forms, mut faults) = (Self::default(), Vec::new());
        for form in read.form {
            let at = form.span().start;
            let form = form.into_inner();
            let mut fault = |at: usize, what: String, cure: &str| {
                faults.push(Fault::new(file, what, cure).at_offset(text, at));
            };
            if forms.layouts.iter().any(|other| other.id == form.id) {
                fault(at, format!("form `{}` stands twice", form.id), "give each its own id");
            }
            if !form.questions.values().any(|word| word.get_ref() == TEXT) {
                let what = format!("form `{}` asks for no text", form.id);
                fault(
                    at,
                    what,
                    "write `text` behind the question that they answer in their own words",
                );
            }
            let mut questions = Vec::new();
            for (question, word) in form.questions {
                let is_word = |word: &str| {
                    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                };
                if !is_word(word.get_ref()) {
                    let what = format!("`{}` is no word for a question", word.get_ref());
                    let cure = "write small letters and _, for example `service`; `name`, `address` and `text` \
                        are who they are, where they are answered, and what they say";
                    fault(word.span().start, what, cure);
                }
                let asked =
                    question.get_ref().trim().trim_end_matches(':').trim_end().to_lowercase();
                if asked.is_empty() {
                    fault(
                        question.span().start,
                        "the question is empty".to_owned(),
                        "write its words",
                    );
                }
                let word = word.into_inner();
                if !forms.words.contains(&word) {
                    forms.words.push(word.clone());
                }
                questions.push((asked, word));
            }
            questions.sort_by_key(|(question, _)| std::cmp::Reverse(question.len()));
            forms.layouts.push(Layout { id: form.id, questions });
        }
        if faults.is_empty() { Ok(forms) } else { Err(faults) }
    }

    /// The words of all questions.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// What was filled in, where the council's own form sends a message and has one of the layouts.
    pub fn read(&self, email: &Email, services: &Services) -> Option<FilledForm> {
        let sender = email.from.as_ref().filter(|_| email.sender_proof != SenderProof::Failed)?;
        if !services.is_web_form(&sender.address) {
            return None;
        }
        let read = |layout: &Layout| {
            let answers = layout.answers(&email.text);
            let texts = answers.iter().filter(|(word, answer)| word == TEXT && !answer.is_empty());
            let fits = answers.len() >= FEWEST && texts.count() > 0;
            fits.then(|| FilledForm {
                layout: layout.id.clone(),
                sender: sender.address.clone(),
                answers: answers.into_iter().map(|(word, said)| (word, Private(said))).collect(),
            })
        };
        let filled = self.layouts.iter().filter_map(read);
        filled.max_by_key(|form| form.answers.len())
    }

    /// Makes the person who filled in a form the message's author, and what they wrote its text. A machine
    /// sent it, but what may be answered is they. Anything else is left as it is.
    pub fn fill_in(&self, email: &mut Email, services: &Services) {
        let Some(form) = self.read(email, services) else { return };
        let said = |word: &'static str| {
            let of_word = form.answers.iter().filter(move |(asked, _)| asked == word);
            of_word.map(|(_, answer)| answer.0.as_str()).filter(|answer| !answer.is_empty())
        };
        let name = said(NAME).collect::<Vec<_>>().join(" ");
        let address = said(ADDRESS).find(|address| looks_like_address(address));
        email.from = address.map(|address| Address {
            address: Private(address.to_owned()),
            name: (!name.is_empty()).then_some(Private(name)),
        });
        email.reply_text = Private(text_of(&form));
        email.kind = Kind::Human;
        let layout = Private(format!("what a person filled into the form `{}`", form.layout));
        email.kind_evidence = vec![KindEvidence { header: "body".to_owned(), value: layout }];
        // What the machine says of itself is not said of the person.
        (email.from_count, email.return_path) = (1, ReturnPath::Unknown);
        email.suppress_answer.clear();
        email.reply_to.clear();
        email.sender_proof = SenderProof::Unknown;
        email.form = Some(form);
    }
}

/// What a person wrote into a form in their own words.
pub(super) fn text_of(form: &FilledForm) -> String {
    let texts = form.answers.iter().filter(|(word, answer)| word == TEXT && !answer.is_empty());
    texts.map(|(_, answer)| answer.0.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// What was answered to the other questions, with the word of each; who they are is none of them.
pub(super) fn answers(form: &FilledForm) -> impl Iterator<Item = (&str, &str)> {
    let all = form.answers.iter().map(|(word, answer)| (word.as_str(), answer.0.as_str()));
    all.filter(|(word, answer)| ![TEXT, NAME, ADDRESS].contains(word) && !answer.is_empty())
}

/// The name that they gave.
pub(super) fn name_of(form: &FilledForm) -> Option<&str> {
    form.answers.iter().find(|(word, _)| word == NAME).map(|(_, name)| name.0.as_str())
}

impl Layout {
    /// Every question that stands in a text, by its word, with what is behind it. An answer in their own
    /// words goes on to the next question; any other is one line.
    fn answers(&self, text: &str) -> Vec<(String, String)> {
        let mut answers: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if let Some((word, answer)) = self.asked(line.trim()) {
                answers.push((word.to_owned(), answer.to_owned()));
            } else if let Some((word, answer)) = answers.last_mut()
                && (word == TEXT || answer.is_empty())
            {
                answer.push_str(if answer.is_empty() { "" } else { "\n" });
                answer.push_str(line.trim());
            }
        }
        for (_, answer) in &mut answers {
            answer.truncate(answer.trim_end().len());
        }
        answers
    }

    /// The word of the question that a line begins with, and what is behind it.
    fn asked<'l>(&self, line: &'l str) -> Option<(&str, &'l str)> {
        self.questions.iter().find_map(|(question, word)| {
            let asked = line.get(..question.len())?;
            let rest = line.get(question.len()..)?.trim_start_matches(' ');
            let ends = rest.is_empty()
                || rest.starts_with([':', '|', '\t'])
                || question.ends_with(['?', '.']) && rest.starts_with('\u{a0}');
            let answer = rest.trim_start_matches([':', '|', '\t', ' ', '\u{a0}']).trim();
            (ends && asked.to_lowercase() == *question).then_some((word.as_str(), answer))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUTS: &str = r#"
[[form]]
id = "feedback"
[form.questions]
"Your name" = "name"
"Email:" = "address"
"Service" = "service"
"Service you mean" = "service"
"What happened?" = "text"
"What would you like us to do?" = "text"
"#;

    fn services() -> Services {
        Services::from_toml("services.toml", include_str!("../../rules/services.toml")).unwrap()
    }

    fn sent(text: &str) -> Email {
        let mut email = Email::blank();
        let address = Private("noreply@forms.northmere.example".to_owned());
        email.from = Some(Address { address, name: None });
        (email.text, email.reply_text) = (Private(text.to_owned()), Private(text.to_owned()));
        (email.kind, email.return_path) = (Kind::Notification, ReturnPath::Null);
        email.suppress_answer = vec!["Auto-Submitted".to_owned()];
        email
    }

    const FILLED: &str = "A form was sent.\nYour name: Ann Lee\nEMAIL: ann@example.org\nservice you mean: Taxis\n\
        What happened? : The taxi: late.\n\nService was poor.\nWhat would you like us to do?\nRing me.\nSent 1 May";

    #[test]
    fn who_filled_in_a_form_is_its_author_and_what_they_wrote_its_text() {
        let forms = Forms::from_toml("forms.toml", LAYOUTS).unwrap();
        let mut email = sent(FILLED);
        forms.fill_in(&mut email, &services());
        let from = email.from.as_ref().unwrap();
        assert_eq!(
            (from.address.as_str(), from.name.as_ref().unwrap().as_str()),
            ("ann@example.org", "Ann Lee")
        );
        assert_eq!(
            email.reply_text.as_str(),
            "The taxi: late.\n\nService was poor.\n\nRing me.\nSent 1 May"
        );
        assert_eq!((email.kind, &email.return_path), (Kind::Human, &ReturnPath::Unknown));
        assert!(email.suppress_answer.is_empty());
        let form = email.form.unwrap();
        assert_eq!(answers(&form).collect::<Vec<_>>(), [("service", "Taxis")]);
        assert_eq!(email.text.as_str(), FILLED, "officers see all of it");
    }

    #[test]
    fn nothing_else_is_taken_for_the_form() {
        let forms = Forms::from_toml("forms.toml", LAYOUTS).unwrap();
        let mut elsewhere = sent(FILLED);
        elsewhere.from.as_mut().unwrap().address = Private("noreply@other.example".to_owned());
        let mut forged = sent(FILLED);
        forged.sender_proof = SenderProof::Failed;
        let thanks = sent("Thank you for your feedback.\nService: Taxis\nYour name: Ann");
        let empty = sent("Your name: Ann\nWhat happened?\nEmail: ann@example.org");
        for email in [elsewhere, forged, thanks, empty] {
            let mut filled = email.clone();
            forms.fill_in(&mut filled, &services());
            assert_eq!(filled, email);
        }
    }

    #[test]
    fn an_address_of_the_councils_own_whose_name_says_so_is_a_web_forms() {
        let services = services();
        for (address, is) in [
            ("noreply@forms.northmere.example", true),
            ("Noreply-Forms@northmere.example", true),
            ("web.form@northmere.example", true),
            ("reform@northmere.example", false),
            ("performance@northmere.example", false),
            ("forms@other.example", false),
            ("forms@forms@northmere.example", false),
        ] {
            assert_eq!(services.is_web_form(address), is, "{address}");
            assert!(!is || !services.is_council_address(address), "{address}");
        }
    }

    #[test]
    fn without_an_address_nobody_is_answered_by_a_machine() {
        let forms = Forms::from_toml("forms.toml", LAYOUTS).unwrap();
        let mut email = sent("Your name: Ann\nEmail: none, sorry\nWhat happened? All of it.");
        email.text = Private(email.text.0.replace("? All", "?: All"));
        forms.fill_in(&mut email, &services());
        assert_eq!((&email.from, email.kind), (&None, Kind::Human));
    }

    #[test]
    fn a_wrong_layout_is_told_where_and_what_to_write() {
        let wrong = "[[form]]\nid = \"a\"\n[form.questions]\n\"Your name\" = \"Name\"\n";
        let faults = Forms::from_toml("forms.toml", wrong).unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            said.iter()
                .any(|fault| fault.starts_with("forms.toml, line 1,") && fault.contains("no text"))
        );
        assert!(
            said.iter()
                .any(|fault| fault.starts_with("forms.toml, line 4,") && fault.contains("`Name`"))
        );
    }
}
