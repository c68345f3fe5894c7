//! What can be done on the page, and what was typed into its forms. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::casework::answer::{FINDINGS, Given, PointAnswered, Remedy};
use crate::casework::case::Point;
use crate::casework::reply::Says;
use crate::casework::vocabulary::Outcome;
use crate::casework::working::in_words;
use crate::private::Private;

/// What can be done on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Answer,
    Accept,
    MoreTime,
    NotOurs,
    Away,
}

impl Act {
    pub(super) const ALL: [Self; 5] =
        [Self::Answer, Self::Accept, Self::MoreTime, Self::NotOurs, Self::Away];
    /// What needs nothing that the customer wrote.
    pub(super) const WITHOUT_CODE: &[Self] =
        &[Self::Accept, Self::MoreTime, Self::NotOurs, Self::Away];

    /// As a path has it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Accept => "accept",
            Self::MoreTime => "more-time",
            Self::NotOurs => "not-ours",
            Self::Away => "away",
        }
    }

    pub(super) fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.id() == id)
    }

    /// What a reply by mail is called that does the same.
    pub(super) fn says(self) -> Says {
        match self {
            Self::Answer => Says::Answers,
            Self::Accept => Says::Accepts,
            Self::MoreTime => Says::MoreTime,
            Self::NotOurs => Says::NotOurs,
            Self::Away => Says::Away,
        }
    }

    /// The link to its form, and what stands below.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Answer => (
                "Give our answer",
                "Say what happened, what you found, and what you will put right.",
            ),
            Self::Accept => (
                "Accept it and name who will answer",
                "Tells us that it is with the right team. Its day stays.",
            ),
            Self::MoreTime => {
                ("Ask for more time", "The complaints team decides, and writes to you.")
            }
            Self::NotOurs => (
                "Say it is not ours",
                "Say why and, if you can, whose it is. Please do this within 1 working day.",
            ),
            Self::Away => ("Say that who has it is away", "Until when, and who has it meanwhile."),
        }
    }

    /// What is said when it is done.
    pub(super) fn thanks(self) -> &'static str {
        match self {
            Self::Answer => {
                "We have your answer. Nobody reminds you of it while we check it. There is nothing more to do."
            }
            Self::Accept => "Thank you for accepting it. We wait for your answer by the day below.",
            Self::MoreTime => {
                "We have your request for more time, and tell you what we decide. Until then the day stays."
            }
            Self::NotOurs => {
                "We have noted that it is not yours. Nobody reminds you of it any more."
            }
            Self::Away => "Thank you for telling us. We look for somebody else, and the day stays.",
        }
    }

    pub(super) fn button(self) -> &'static str {
        match self {
            Self::Answer => "Check your answer",
            Self::Accept => "Accept it",
            Self::MoreTime => "Ask for more time",
            Self::NotOurs => "Say it is not ours",
            Self::Away => "Tell us",
        }
    }
}

/// What was typed, by field.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed(BTreeMap<String, String>);

/// What is wrong, by field.
pub(super) type Faults = Vec<(String, String)>;

/// The longest name and the longest text that are taken, in characters.
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 50_000;

/// What was said with a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) name: String,
    /// What was written beside an act, in one text.
    pub(super) words: Option<String>,
    /// By when they can answer, where they ask for longer.
    pub(super) until: Option<Date>,
    /// The answer.
    pub(super) given: Option<Given>,
}

impl Typed {
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// A field, without the blanks around it and with the line ends of this program.
    pub(super) fn get(&self, field: &str) -> String {
        let text = self.0.get(field).map_or("", String::as_str);
        text.replace("\r\n", "\n").trim().to_owned()
    }

    /// What an earlier answer says, to be made better.
    pub(super) fn of_answer(given: &Given, points: &[Point]) -> Self {
        let mut typed = BTreeMap::new();
        typed.insert("what".to_owned(), given.what.0.clone());
        for (at, point) in points.iter().enumerate() {
            if let Some(one) = given.points.iter().find(|one| one.point == *point) {
                typed.insert(format!("finding-{at}"), one.finding.id().to_owned());
                typed.insert(format!("why-{at}"), one.why.0.clone());
            }
        }
        if let Some(remedy) = &given.remedy {
            typed.insert("remedy".to_owned(), remedy.what.0.clone());
            let by_whom = remedy.by_whom.as_ref().map_or("", |name| name.as_str());
            typed.insert("by-whom".to_owned(), by_whom.to_owned());
            if let Some(day) = remedy.by {
                typed.insert("by-day".to_owned(), day.day().to_string());
                typed.insert("by-month".to_owned(), day.month().to_string());
                typed.insert("by-year".to_owned(), day.year().to_string());
            }
        }
        Self(typed)
    }

    /// Everything that was written, so that nothing of it is lost.
    pub(super) fn all(&self, points: usize) -> String {
        let points = (0..points).map(|at| format!("why-{at}"));
        let fields = points.chain(["what", "remedy", "why", "whose", "who"].map(str::to_owned));
        let texts = fields.map(|field| self.get(&field)).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    /// Reads what was typed for an act. Where files came with an answer they may be all of it.
    ///
    /// # Errors
    /// Everything that is wrong, in the form's order.
    pub(super) fn read(
        &self,
        act: Act,
        points: &[Point],
        today: Date,
        has_files: bool,
    ) -> Result<Sent, Faults> {
        let mut faults = Faults::new();
        let mut asked_until = None;
        let (words, given) = match act {
            Act::Accept => {
                let who = self.short("who", &mut faults);
                ((!who.is_empty()).then(|| format!("{who} will answer")), None)
            }
            Act::MoreTime => {
                let until = self.after(today, "until", true, &mut faults);
                let why = self.needed("why", "Say why you need more time", &mut faults);
                asked_until = until;
                let until = until.map_or_else(String::new, in_words);
                (Some(format!("until {until}: {why}")), None)
            }
            Act::NotOurs => {
                let why = self.needed("why", "Say why it is not yours", &mut faults);
                let whose = self.short("whose", &mut faults);
                let whose = if whose.is_empty() {
                    String::new()
                } else {
                    format!(" Whose it is: {whose}.")
                };
                (Some(format!("{why}{whose}")), None)
            }
            Act::Away => {
                let until = self.after(today, "until", false, &mut faults);
                let who = self.short("who", &mut faults);
                let until = until
                    .map_or_else(|| "away".to_owned(), |day| format!("until {}", in_words(day)));
                let who = if who.is_empty() {
                    String::new()
                } else {
                    format!("; {who} has it meanwhile")
                };
                (Some(format!("{until}{who}")), None)
            }
            Act::Answer => (None, Some(self.answer(points, has_files, &mut faults))),
        };
        let name = self.short("name", &mut faults);
        if name.is_empty() {
            faults.push(("name".to_owned(), "Enter your name".to_owned()));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Sent { name, words, until: asked_until, given })
    }

    fn answer(&self, points: &[Point], has_files: bool, faults: &mut Faults) -> Given {
        let mut answered = Vec::with_capacity(points.len());
        for (at, point) in points.iter().enumerate() {
            let fields = [format!("finding-{at}"), format!("why-{at}")];
            if has_files && fields.iter().all(|field| self.get(field).is_empty()) {
                continue;
            }
            let label = point.label().to_lowercase();
            let found = self.get(&format!("finding-{at}")).parse::<Outcome>().ok();
            let found = found.filter(|found| FINDINGS.iter().any(|(known, _)| known == found));
            if found.is_none() {
                let words = format!("Say what you found of {label}");
                faults.push((format!("finding-{at}"), words));
            }
            let why = self.needed(&format!("why-{at}"), &format!("Say why, of {label}"), faults);
            let finding = found.unwrap_or(Outcome::NoFinding);
            answered.push(PointAnswered { point: *point, finding, why: Private(why) });
        }
        let what = if points.is_empty() && !has_files {
            self.needed("what", "Say what happened", faults)
        } else {
            self.long("what", faults)
        };
        let remedy = self.long("remedy", faults);
        let by_whom = Some(self.short("by-whom", faults)).filter(|name| !name.is_empty());
        let by = self.date("by", false, faults);
        if remedy.is_empty() && (by_whom.is_some() || by.is_some()) {
            faults.push(("remedy".to_owned(), "Say what will be put right".to_owned()));
        }
        let remedy = (!remedy.is_empty()).then(|| Remedy {
            what: Private(remedy),
            by_whom: by_whom.map(Private),
            by,
        });
        Given { what: Private(what), points: answered, remedy }
    }

    fn short(&self, field: &str, faults: &mut Faults) -> String {
        self.at_most(field, LONGEST_NAME, faults).replace('\n', " ")
    }

    fn long(&self, field: &str, faults: &mut Faults) -> String {
        self.at_most(field, LONGEST_TEXT, faults)
    }

    fn at_most(&self, field: &str, most: usize, faults: &mut Faults) -> String {
        let text = self.get(field);
        if text.chars().count() > most {
            faults.push((field.to_owned(), format!("Write at most {most} characters here")));
        }
        text
    }

    fn needed(&self, field: &str, words: &str, faults: &mut Faults) -> String {
        let text = self.long(field, faults);
        if text.is_empty() {
            faults.push((field.to_owned(), words.to_owned()));
        }
        text
    }

    fn after(&self, today: Date, field: &str, needed: bool, faults: &mut Faults) -> Option<Date> {
        let day = self.date(field, needed, faults)?;
        if day <= today {
            let words = format!("The day must be after {}", in_words(today));
            faults.push((format!("{field}-day"), words));
        }
        Some(day)
    }

    fn date(&self, field: &str, needed: bool, faults: &mut Faults) -> Option<Date> {
        let part = |part: &str| self.get(&format!("{field}-{part}"));
        let (day, month, year) = (part("day"), part("month"), part("year"));
        if day.is_empty() && month.is_empty() && year.is_empty() {
            if needed {
                faults.push((format!("{field}-day"), "Enter a date".to_owned()));
            }
            return None;
        }
        let read =
            (|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())();
        // A year of two digits is a slip, not the time of the Romans.
        let read = read.filter(|day| (2000..=9998).contains(&day.year()));
        if read.is_none() {
            let words = "Enter a real date, for example 4 12 2026".to_owned();
            faults.push((format!("{field}-day"), words));
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::act::Shape;
    use super::super::fields::fields;
    use super::*;
    use crate::casework::vocabulary::Theme;

    const TODAY: Date = date(2026, 11, 25);
    const CONDUCT: Point = Point { theme: Theme::StaffConduct, part: None };

    fn typed(fields: &[(&str, &str)]) -> Typed {
        Typed::of(
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn shape(act: Act) -> Shape {
        let file = crate::email::uploaded(Some("<b>plan.pdf"), "application/pdf", b"%PDF-1.7");
        let files = vec![crate::store::drafts::DraftFile { id: 7, file }];
        Shape { act, points: vec![CONDUCT], megabytes: 10, files }
    }

    fn words(act: Act, fields: &[(&str, &str)]) -> String {
        typed(fields).read(act, &[], TODAY, false).unwrap().words.unwrap_or_default()
    }

    fn faults(act: Act, points: &[Point], fields: &[(&str, &str)]) -> Vec<String> {
        let faults = typed(fields).read(act, points, TODAY, false).unwrap_err();
        faults.into_iter().map(|(field, words)| format!("{field}: {words}")).collect()
    }

    #[test]
    fn each_act_says_what_was_typed() {
        let name = ("name", "Jo Lane");
        assert_eq!(words(Act::Accept, &[name, ("who", " Sam Hill ")]), "Sam Hill will answer");
        assert_eq!(words(Act::Accept, &[name]), "");
        let until = [("until-day", "4"), ("until-month", "12"), ("until-year", "2026")];
        let time = [&[name, ("why", "the advice is late")][..], &until].concat();
        assert_eq!(words(Act::MoreTime, &time), "until Friday 4 December 2026: the advice is late");
        assert_eq!(
            words(Act::Away, &[&[name][..], &until].concat()),
            "until Friday 4 December 2026"
        );
        assert_eq!(words(Act::Away, &[name, ("who", "Sam")]), "away; Sam has it meanwhile");
        let whose = [name, ("why", "An academy."), ("whose", "Fair access")];
        assert_eq!(words(Act::NotOurs, &whose), "An academy. Whose it is: Fair access.");
    }

    #[test]
    fn whatever_lacks_is_said_beside_its_field() {
        assert_eq!(faults(Act::Accept, &[], &[("name", " ")]), ["name: Enter your name"]);
        let past = [("until-day", "25"), ("until-month", "11"), ("until-year", "2026")];
        assert_eq!(
            faults(Act::MoreTime, &[], &past),
            [
                "until-day: The day must be after Wednesday 25 November 2026",
                "why: Say why you need more time",
                "name: Enter your name"
            ]
        );
        for wrong in [["31", "2", "2026"], ["4", "12", "26"], ["", "12", "2026"], ["a", "b", "c"]] {
            let fields = [
                ("until-day", wrong[0]),
                ("until-month", wrong[1]),
                ("until-year", wrong[2]),
                ("name", "Jo"),
            ];
            let said = faults(Act::Away, &[], &fields);
            assert_eq!(said, ["until-day: Enter a real date, for example 4 12 2026"], "{wrong:?}");
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        assert_eq!(
            faults(Act::Accept, &[], &[("name", &long)]),
            ["name: Write at most 200 characters here"]
        );
        assert_eq!(
            faults(Act::Answer, &[CONDUCT], &[("name", "Jo"), ("finding-0", "withdrawn")]),
            ["finding-0: Say what you found of staff conduct", "why-0: Say why, of staff conduct"]
        );
        assert_eq!(
            faults(Act::Answer, &[], &[("name", "Jo"), ("by-whom", "Sam")]),
            ["what: Say what happened", "remedy: Say what will be put right"]
        );
    }

    #[test]
    fn an_answer_is_read_and_written_into_its_form_again() {
        let filled = [
            ("finding-0", "partly_upheld"),
            ("why-0", "The call was short.\r\nIt was not rude."),
            ("remedy", "An apology."),
            ("by-whom", "Sam Hill"),
            ("by-day", "4"),
            ("by-month", "12"),
            ("by-year", "2026"),
            ("name", "Jo"),
        ];
        let given =
            typed(&filled).read(Act::Answer, &[CONDUCT], TODAY, false).unwrap().given.unwrap();
        assert_eq!(given.points[0].finding, Outcome::PartlyUpheld);
        assert_eq!(given.points[0].why.as_str(), "The call was short.\nIt was not rude.");
        assert_eq!(given.remedy.as_ref().unwrap().by, Some(date(2026, 12, 4)));
        let again = Typed::of_answer(&given, &[CONDUCT]);
        for (field, value) in filled.iter().filter(|(field, _)| *field != "name") {
            assert_eq!(again.get(field), value.replace("\r\n", "\n"), "{field}");
        }
        let html = fields(&shape(Act::Answer), &again, &Faults::new());
        assert!(html.contains("value=\"partly_upheld\" checked"), "{html}");
        assert!(again.all(1).starts_with("The call was short."), "nothing typed is lost");
    }

    #[test]
    fn a_file_may_be_all_of_an_answer() {
        let read = |fields: &[(&str, &str)], points: &[Point]| {
            typed(fields).read(Act::Answer, points, TODAY, true)
        };
        let given = read(&[("name", "Jo")], &[CONDUCT]).unwrap().given.unwrap();
        assert_eq!(given, Given::default(), "nothing is found that nobody said");
        assert!(read(&[("name", "Jo")], &[]).is_ok());
        // What is begun is finished, and who sends it has a name.
        let half = read(&[("why-0", "It was rude.")], &[CONDUCT]).unwrap_err();
        let half: Vec<&str> = half.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(half, ["finding-0", "name"]);
    }

    #[test]
    fn every_field_has_a_label_and_its_fault() {
        let fault = vec![("why-0".to_owned(), "Say <why>".to_owned())];
        for act in Act::ALL {
            let html = fields(&shape(act), &typed(&[("what", "</textarea><b>")]), &fault);
            for id in html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let tied = id.ends_with("-hint") || id.ends_with("-error");
                let known =
                    if tied { format!("aria-describedby=\"{id}") } else { format!("for=\"{id}\"") };
                assert!(
                    html.contains(&known) || tied && html.contains(&format!(" {id}\"")),
                    "{id}: {html}"
                );
            }
            assert!(!html.contains("<b>"), "{html}");
            assert_eq!(html.contains("Error: Say &lt;why&gt;"), act == Act::Answer);
        }
    }
}
