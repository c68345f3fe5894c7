//! The lists that go to managers: what is due, worst first, counted before it is listed.

use serde::Serialize;

use super::context::{Contact, Context, Council};
use super::letter::ContextKind;
use super::words::{InList, count};

/// The most rows that a list shows; the rest are a number.
pub const MOST_ROWS: usize = 12;

/// One case in a list. No field can hold a name, an address or what the message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The case reference.
    pub reference: String,
    /// `Corporate complaint`.
    pub type_words: String,
    /// `step 1`; empty where the type has none.
    pub stage_words: Option<String>,
    /// Working days left; negative once late.
    pub days_left: i32,
    /// The same as [`list_words`](super::words::list_words) says it: `35 days late`, `due tomorrow`,
    /// `in 6 days`. What is due today or tomorrow is counted by these words.
    pub days_words: String,
    /// The day by which we need the answer.
    pub due: InList,
    /// What we wait for: `your answer`, `say if it is yours, by today`.
    pub waiting_for: String,
    /// Who has it, where the list is of several services: `SEN, North`.
    pub with: Option<String>,
    /// How often we have asked.
    pub times_chased: usize,
    /// The day has passed.
    pub is_late: bool,
}

impl Row {
    fn is_due_tomorrow(&self) -> bool {
        self.days_words == "due tomorrow"
    }

    fn is_due_today(&self) -> bool {
        self.days_words == "due today"
    }
}

/// An action agreed from a complaint, in a list. What it is may name people, so the list does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionRow {
    /// The case reference.
    pub reference: String,
    /// Its number within the case.
    pub number: i64,
    /// The service that it is for: `SEN, North`.
    pub service: String,
    /// As in a [`Row`].
    pub days_words: String,
    /// The day by which it is to be done.
    pub due: InList,
    /// What is asked of the reader, as a sentence without its end.
    pub asks: Option<String>,
    /// The day has passed.
    pub is_late: bool,
}

/// The actions in one person's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actions {
    /// The worst [`MOST_ROWS`], worst first.
    pub rows: Vec<ActionRow>,
    /// How many more there are.
    pub more: usize,
    /// Whether the reader owns all of them.
    pub yours: bool,
    /// `2 actions`.
    pub how_many: String,
    /// `1 late`, or when the first is due.
    #[serde(skip)]
    headline: String,
    /// What to know first, as a sentence.
    #[serde(skip)]
    sentence: String,
}

impl Actions {
    /// Counts and cuts what one person gets, worst first; none where that is nothing.
    pub fn of(mut rows: Vec<ActionRow>, yours: bool) -> Option<Self> {
        let next = rows.first()?.days_words.clone();
        let due = |words: &str| rows.iter().filter(|row| row.days_words == words).count();
        let counts = Counts {
            open: rows.len(),
            late: rows.iter().filter(|row| row.is_late).count(),
            today: due("due today"),
            tomorrow: due("due tomorrow"),
        };
        rows.truncate(MOST_ROWS);
        let whose = if yours { "of the actions that you own" } else { "of the actions agreed" };
        let parts = are_parts(counts);
        let sentence = if parts.is_empty() {
            let next = next.trim_start_matches("due ");
            format!("{whose}, none is late. The first is due {next}.")
        } else {
            format!("{whose}, {}.", and_list(&parts, "and"))
        };
        Some(Self {
            more: counts.open - rows.len(),
            rows,
            yours,
            how_many: count(counts.open, "action", "actions"),
            headline: headline(counts, &next),
            sentence,
        })
    }
}

/// What a list holds, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Every case in it.
    pub open: usize,
    /// Past their day.
    pub late: usize,
    /// Due today.
    pub today: usize,
    /// Due tomorrow.
    pub tomorrow: usize,
}

/// A date of the Ombudsman in a list. No field can hold a name, an address or what a letter says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OmbudsmanLine {
    /// The council's case, or `Ombudsman case 3` where none is linked.
    pub case: String,
    /// The Ombudsman's reference.
    pub theirs: Option<String>,
    /// `Contact 5: enquiry`, `Remedy 2: agreed, and not done yet`.
    pub what: String,
    /// How far off it is, as in [`Row::days_words`].
    pub days_words: String,
    /// The day; where it has none, that of the decision.
    pub due: InList,
    /// The day has passed.
    pub is_late: bool,
    /// It is to be done by a day.
    pub has_date: bool,
}

/// A manager's list for the day: at most one mail a working day, none when nothing is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// First name, where known.
    pub greeting_name: Option<String>,
    /// Whose list it is: `SEN, North`.
    pub service: String,
    /// The worst [`MOST_ROWS`], worst first.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: usize,
    /// Everything, counted.
    pub counts: Counts,
    /// `5 complaints`.
    pub how_many: String,
    /// For the subject: `2 late, 1 due tomorrow`, or the first row's words.
    pub headline: String,
    /// What to do first, as a sentence without its name.
    pub first_sentence: String,
    /// Who else sees the late ones, as a sentence.
    pub who_hears: Option<String>,
    /// The page with the whole list.
    pub list_url: Option<String>,
    /// The actions of the reader, where one is to be reminded of.
    pub actions: Option<Actions>,
    /// The reader is of the complaints team itself: it acts on the cases rather than answering us.
    pub for_team: bool,
    /// The Ombudsman's dates, the first due first.
    pub from_ombudsman: Vec<OmbudsmanLine>,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for Digest {
    const KIND: ContextKind = ContextKind::Digest;
}

impl Digest {
    /// Sorts, counts and cuts the rows of one manager.
    pub fn of(service: &str, mut rows: Vec<Row>, contact: Contact, council: Council) -> Self {
        rows.sort_by(|a, b| {
            (a.due.0, a.days_left, &a.reference).cmp(&(b.due.0, b.days_left, &b.reference))
        });
        let counts = Counts {
            open: rows.len(),
            late: rows.iter().filter(|row| row.is_late).count(),
            today: rows.iter().filter(|row| row.is_due_today()).count(),
            tomorrow: rows.iter().filter(|row| row.is_due_tomorrow()).count(),
        };
        let next = rows.first().map_or_else(String::new, |row| row.days_words.clone());
        rows.truncate(MOST_ROWS);
        Self {
            greeting_name: None,
            service: service.to_owned(),
            more: counts.open - rows.len(),
            rows,
            counts,
            how_many: count(counts.open, "complaint", "complaints"),
            headline: headline(counts, &next),
            first_sentence: first_sentence(counts, &next),
            who_hears: None,
            list_url: None,
            actions: None,
            for_team: false,
            from_ombudsman: Vec::new(),
            contact,
            council,
        }
    }

    /// The same with actions. Where there is nothing else, it is about them alone.
    #[must_use]
    pub fn with(mut self, actions: Option<Actions>) -> Self {
        if let Some(actions) = &actions {
            if self.rows.is_empty() {
                self.how_many.clone_from(&actions.how_many);
                self.headline.clone_from(&actions.headline);
                self.first_sentence.clone_from(&actions.sentence);
            } else {
                self.headline = format!("{}; {}", self.headline, actions.how_many);
            }
        }
        self.actions = actions;
        self
    }

    /// The same with the Ombudsman's dates, which give the mail its first words where it has nothing else.
    #[must_use]
    pub fn with_ombudsman(mut self, lines: Vec<OmbudsmanLine>) -> Self {
        let alone = self.rows.is_empty() && self.actions.is_none();
        if let (true, Some(first)) = (alone, lines.first()) {
            let late = lines.iter().filter(|line| line.is_late).count();
            let need = if lines.len() == 1 { "needs" } else { "need" };
            self.how_many =
                count(lines.len(), "matter of the Ombudsman", "matters of the Ombudsman");
            self.headline = match late {
                0 if !first.has_date => "without a day by which to do it".to_owned(),
                0 => format!("first due {}", first.days_words.trim_start_matches("due ")),
                late => format!("{late} late"),
            };
            self.first_sentence = format!("{} {need} you: {}.", self.how_many, self.headline);
        }
        self.from_ombudsman = lines;
        self
    }
}

/// `2 late, 1 due tomorrow`; with nothing that urgent, when the first is due.
fn headline(counts: Counts, next: &str) -> String {
    let parts = urgent_parts(counts);
    if parts.is_empty() {
        format!("first due {}", next.trim_start_matches("due "))
    } else {
        parts.join(", ")
    }
}

fn urgent_parts(counts: Counts) -> Vec<String> {
    [(counts.late, "late"), (counts.today, "due today"), (counts.tomorrow, "due tomorrow")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect()
}

/// `2 are late`, `1 is due tomorrow`.
fn are_parts(counts: Counts) -> Vec<String> {
    [(counts.late, "late"), (counts.today, "due today"), (counts.tomorrow, "due tomorrow")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| {
            format!("{number} {} {words}", if number == 1 { "is" } else { "are" })
        })
        .collect()
}

/// `2 are late and 1 is due tomorrow. Please answer those 3 first.`
fn first_sentence(counts: Counts, next: &str) -> String {
    let urgent = counts.late + counts.today + counts.tomorrow;
    let parts = are_parts(counts);
    let ask = match urgent {
        0 => {
            return format!(
                "nothing is late. The first is due {next}.",
                next = next.trim_start_matches("due ")
            );
        }
        1 => "Please answer that one first.".to_owned(),
        all if all == counts.open => "Please answer the one at the top first.".to_owned(),
        some => format!("Please answer those {some} first."),
    };
    format!("{}. {ask}", and_list(&parts, "and"))
}

/// `a`, `a and b`, `a, b and c`, with the language's word for "and".
pub fn and_list(parts: &[String], and: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
    }
}

/// How late the late ones are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OverdueCounts {
    /// Open cases.
    pub open: usize,
    /// Due within the next five working days.
    pub due_this_week: usize,
    /// Late, all of them.
    pub overdue: usize,
    /// 1 to 5 working days late.
    pub days_1_to_5: usize,
    /// 6 to 10 working days late.
    pub days_6_to_10: usize,
    /// 11 to 20 working days late.
    pub days_11_to_20: usize,
    /// More than 20 working days late.
    pub over_20: usize,
}

impl OverdueCounts {
    /// Counts cases by their working days left (negative once late).
    pub fn of(days_left: impl IntoIterator<Item = i32>) -> Self {
        let mut counts = Self::default();
        for days in days_left {
            counts.open += 1;
            match days {
                ..-20 => counts.over_20 += 1,
                -20..=-11 => counts.days_11_to_20 += 1,
                -10..=-6 => counts.days_6_to_10 += 1,
                -5..=-1 => counts.days_1_to_5 += 1,
                0..=5 => counts.due_this_week += 1,
                6.. => {}
            }
            counts.overdue += usize::from(days < 0);
        }
        counts
    }
}

/// What one manager has that is late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManagerRow {
    /// The service or manager: `SEN, North`.
    pub name: String,
    /// How many are late.
    pub overdue: usize,
    /// How late the worst is, in working days: `35 days`, `1 day`.
    pub oldest_words: String,
}

/// What is late, to a head of service or a director: counts first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueDigest {
    /// First name, where known.
    pub greeting_name: Option<String>,
    /// Whose area: `SEN`; not used in the weekly subject.
    pub area: String,
    /// A director's weekly list rather than a head of service's.
    pub is_weekly: bool,
    /// The counts.
    pub counts: OverdueCounts,
    /// How late the worst is, in words: `32 working days`.
    pub oldest_words: String,
    /// Against last week: `2 more than last week`; empty where nobody knows.
    pub change_words: Option<String>,
    /// By manager, worst first.
    pub managers: Vec<ManagerRow>,
    /// The worst five.
    pub worst: Vec<Row>,
    /// The actions of the reader, where one is to be reminded of.
    pub actions: Option<Actions>,
    /// What would help, as a sentence.
    pub would_help: Option<String>,
    /// The Ombudsman's dates, the first due first.
    pub from_ombudsman: Vec<OmbudsmanLine>,
    /// The page with all of it.
    pub list_url: Option<String>,
    /// Who asks.
    pub contact: Contact,
    /// The council.
    pub council: Council,
}

impl Context for OverdueDigest {
    const KIND: ContextKind = ContextKind::OverdueDigest;
}

/// `2 more than last week`, `1 fewer than last week`, `the same as last week`.
pub fn change_words(now: usize, last_week: usize) -> String {
    match now.cmp(&last_week) {
        std::cmp::Ordering::Greater => format!("{} more than last week", now - last_week),
        std::cmp::Ordering::Less => format!("{} fewer than last week", last_week - now),
        std::cmp::Ordering::Equal => "the same as last week".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::letters::sample;

    fn row(reference: &str, day: i8, days_left: i32, words: &str) -> Row {
        Row {
            reference: reference.to_owned(),
            type_words: "Corporate complaint".to_owned(),
            stage_words: None,
            days_left,
            days_words: words.to_owned(),
            due: InList(date(2026, 11, day)),
            waiting_for: "your answer".to_owned(),
            with: None,
            times_chased: 0,
            is_late: days_left < 0,
        }
    }

    fn digest(rows: Vec<Row>) -> Digest {
        Digest::of("SEN, North", rows, sample::contact(), sample::council())
    }

    #[test]
    fn the_worst_comes_first_and_the_sentence_says_what_to_do() {
        let list = digest(vec![
            row("c", 26, 1, "due tomorrow"),
            row("d", 30, 3, "in 3 days"),
            row("a", 3, -16, "16 days late"),
            row("b", 4, -15, "15 days late"),
        ]);
        let order: Vec<&str> = list.rows.iter().map(|row| row.reference.as_str()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
        assert_eq!(list.headline, "2 late, 1 due tomorrow");
        assert_eq!(
            list.first_sentence,
            "2 are late and 1 is due tomorrow. Please answer those 3 first."
        );
    }

    #[test]
    fn one_case_is_one_case() {
        let list = digest(vec![row("a", 25, 0, "due today")]);
        assert_eq!(list.how_many, "1 complaint");
        assert_eq!(list.first_sentence, "1 is due today. Please answer that one first.");
    }

    #[test]
    fn nothing_urgent_says_when_the_first_is_due() {
        let list = digest(vec![row("a", 30, 3, "in 3 days")]);
        assert_eq!(list.headline, "first due in 3 days");
        assert_eq!(list.first_sentence, "nothing is late. The first is due in 3 days.");
    }

    #[test]
    fn the_ombudsmans_dates_give_the_first_words_only_where_there_is_nothing_else() {
        let line = |late: bool, words: &str| OmbudsmanLine {
            case: "NCC-2026-00412-7".to_owned(),
            theirs: None,
            what: "Contact 5: enquiry".to_owned(),
            days_words: words.to_owned(),
            due: InList(date(2026, 11, 25)),
            is_late: late,
            has_date: true,
        };
        let undated = OmbudsmanLine { has_date: false, ..line(false, "decided 10 days ago") };
        let undated = digest(Vec::new()).with_ombudsman(vec![undated]);
        assert_eq!(
            undated.first_sentence,
            "1 matter of the Ombudsman needs you: without a day by which to do it."
        );
        let alone = digest(Vec::new()).with_ombudsman(vec![line(false, "due tomorrow")]);
        assert_eq!(
            alone.first_sentence,
            "1 matter of the Ombudsman needs you: first due tomorrow."
        );
        let late = digest(Vec::new())
            .with_ombudsman(vec![line(true, "2 days late"), line(false, "in 3 days")]);
        assert_eq!(
            (late.how_many.as_str(), late.headline.as_str()),
            ("2 matters of the Ombudsman", "1 late")
        );
        let both = digest(vec![row("a", 25, 0, "due today")]).with_ombudsman(late.from_ombudsman);
        assert_eq!((both.how_many.as_str(), both.from_ombudsman.len()), ("1 complaint", 2));
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let rows = (0..170).map(|n| row(&format!("{n:03}"), 3, -16, "16 days late")).collect();
        let list = digest(rows);
        assert_eq!((list.rows.len(), list.more, list.counts.late), (12, 158, 170));
        assert_eq!(list.first_sentence, "170 are late. Please answer the one at the top first.");
    }

    fn action(days_left: i32, words: &str) -> ActionRow {
        ActionRow {
            reference: "a".to_owned(),
            number: 1,
            service: "SEN, North".to_owned(),
            days_words: words.to_owned(),
            due: InList(date(2026, 11, 3)),
            asks: None,
            is_late: days_left < 0,
        }
    }

    #[test]
    fn actions_alone_are_what_the_list_is_about_and_with_complaints_they_come_second() {
        let actions =
            || Actions::of(vec![action(-2, "2 days late"), action(4, "in 4 days")], true).unwrap();
        let alone = digest(Vec::new()).with(Some(actions()));
        assert_eq!((&*alone.how_many, &*alone.headline), ("2 actions", "1 late"));
        assert_eq!(alone.first_sentence, "of the actions that you own, 1 is late.");
        let both = digest(vec![row("a", 25, 0, "due today")]).with(Some(actions()));
        assert_eq!((&*both.how_many, &*both.headline), ("1 complaint", "1 due today; 2 actions"));
        assert_eq!(both.first_sentence, "1 is due today. Please answer that one first.");
        let soon = Actions::of(vec![action(4, "in 4 days")], false).unwrap();
        let soon = digest(Vec::new()).with(Some(soon));
        assert_eq!(soon.headline, "first due in 4 days");
        assert_eq!(
            soon.first_sentence,
            "of the actions agreed, none is late. The first is due in 4 days."
        );
        assert_eq!(Actions::of(Vec::new(), true), None);
    }

    #[test]
    fn lateness_is_counted_in_the_bands_that_directors_read() {
        let counts = OverdueCounts::of([9, 5, 0, -1, -5, -6, -10, -11, -20, -21, -35]);
        assert_eq!((counts.open, counts.due_this_week, counts.overdue), (11, 2, 8));
        assert_eq!((counts.days_1_to_5, counts.days_6_to_10), (2, 2));
        assert_eq!((counts.days_11_to_20, counts.over_20), (2, 2));
        assert_eq!(change_words(9, 7), "2 more than last week");
        assert_eq!(change_words(6, 7), "1 fewer than last week");
        assert_eq!(change_words(7, 7), "the same as last week");
    }
}
