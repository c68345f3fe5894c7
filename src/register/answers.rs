//! What services answered, as an officer looks at it before it counts.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::casework::answer::{self, Check};
use crate::casework::case::{self, Case};
use crate::casework::vocabulary::{Outcome, ServiceId};
use crate::letters::reading;
use crate::store::answers::{self, AnswerRow};
use crate::store::attachments::{self, AttachmentRow};
use crate::store::{Db, StoreError, links, moment};

/// What came back to a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Answers)]
pub struct Answers {
    /// Reference.
    pub reference: String,
    /// What services answered, oldest first. What a service sends anew is another answer; none is changed.
    pub answers: Vec<Answer>,
    /// Who saw what the customer wrote, on the answer page.
    pub views: Vec<View>,
}

/// A service's answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Answer)]
pub struct Answer {
    /// Service id.
    pub service: String,
    /// `waiting`, `confirmed`, `sent_back`, `set_aside`.
    pub state: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// Who gave it, as they wrote their name on the page.
    pub by_name: Option<String>,
    /// The mailbox that it came from.
    pub by_address: Option<String>,
    /// The message that it came by; none where it was given on the page.
    pub message: Option<i64>,
    /// What happened, in the service's words.
    pub what: String,
    /// Point by point.
    pub points: Vec<PointAnswered>,
    /// What will be put right.
    pub remedy: Option<Remedy>,
    /// What came with it on the page; of a mail, `case show` lists it.
    pub files: Vec<AttachmentRow>,
    /// What can be told of it without reading it.
    pub checks: Vec<Check>,
    /// The school grade of its words: about a reader's age less five.
    pub grade: f64,
    /// When an officer decided.
    pub decided_at: Option<Timestamp>,
    /// Who.
    pub decided_by: Option<String>,
    /// What it lacks, where it was sent back.
    pub note: Option<String>,
}

/// One point of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PointAnswered {
    /// Which.
    pub point: case::Point,
    /// What was found.
    pub finding: Outcome,
    /// Why.
    pub why: String,
}

/// What a service will put right.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Remedy)]
pub struct Remedy {
    /// What.
    pub what: String,
    /// Who sees to it.
    pub by_whom: Option<String>,
    /// By when.
    #[schema(value_type = Option<String>)]
    pub by: Option<Date>,
}

/// That somebody saw what a customer wrote.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AnswerPageView)]
pub struct View {
    /// The mailbox that the link and its code were sent to.
    pub mailbox: String,
    /// For which service.
    pub service: String,
    /// When, the first time in a session, or on a day where no code was asked for.
    pub at: Timestamp,
    /// Whether the code was typed that went to that mailbox; else whoever had the link saw it, from within the council's
    /// network or because the settings ask nobody for a code.
    pub by_code: bool,
}

impl Answers {
    /// What came back to a case.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn of(db: &Db, case: &Case, id: i64) -> Result<Self, StoreError> {
        let rows = answers::of_case(db, id).await?;
        let views = links::views_of(db, id).await?.into_iter();
        let mut files = attachments::of_case(db, id).await?;
        files.retain(|file| file.answer_id.is_some());
        Ok(Self {
            reference: case.reference.to_string(),
            answers: rows
                .iter()
                .map(|row| Answer::of(case, row, is_added(&rows, row), &files))
                .collect(),
            views: views
                .map(|row| View {
                    mailbox: row.recipient,
                    service: row.service,
                    at: moment(row.at),
                    by_code: row.by_code,
                })
                .collect(),
        })
    }
}

/// Whether something was added to an answer, which need not say everything again.
fn is_added(rows: &[AnswerRow], row: &AnswerRow) -> bool {
    let mut before = rows.iter().filter(|one| one.request_id == row.request_id && one.id < row.id);
    before.next_back().is_some_and(|one| one.state != "sent_back")
}

impl Answer {
    fn of(case: &Case, row: &AnswerRow, is_added: bool, files: &[AttachmentRow]) -> Self {
        let files: Vec<AttachmentRow> =
            files.iter().filter(|file| file.answer_id == Some(row.id)).cloned().collect();
        let given = row.given();
        let part = case.part(&ServiceId(row.service.clone()));
        let asked = if is_added { Vec::new() } else { part.points };
        // Of a mail or a file only a reader can tell.
        let by_reader = row.message_id.is_some() || !files.is_empty();
        let mut checks = given.checks(&asked, by_reader);
        let words = given.words();
        let read = reading::read(&words);
        let plain = (!words.is_empty()).then_some(read.grade <= PLAIN);
        checks.push(Check { what: "plain English".to_owned(), met: plain });
        let point = |one: &answer::PointAnswered| PointAnswered {
            point: one.point,
            finding: one.finding,
            why: one.why.0.clone(),
        };
        Self {
            service: row.service.clone(),
            state: row.state.clone(),
            given_at: moment(row.given_at),
            by_name: row.by_name.clone(),
            by_address: row.by_address.clone(),
            message: row.message_id,
            points: given.points.iter().map(point).collect(),
            remedy: given.remedy.as_ref().map(|one| Remedy {
                what: one.what.0.clone(),
                by_whom: one.by_whom.as_ref().map(|name| name.0.clone()),
                by: one.by,
            }),
            what: given.what.0,
            files,
            checks,
            // One digit after the point, and no grade below the first.
            grade: (read.grade.max(0.0) * 10.0).round() / 10.0,
            decided_at: row.decided_at.map(moment),
            decided_by: row.decided_by.clone(),
            note: row.note.clone(),
        }
    }
}

/// The hardest school grade that an answer to a customer may have without a hint: console text's own (console 4).
const PLAIN: f64 = 8.0;
