//! Files that came with an answer on the answer page. No message brought them, so their bytes are kept here, once
//! however often the same file comes; what is known of their danger stands with every other file's.

use jiff::Timestamp;

use super::StoreError;
use super::arrivals::PIECE_BYTES;
use super::attachments::{AttachmentRow, Carrier, Row, Untold};
use super::db::{Db, Tx, clean, on};
use crate::email::Attachment;

/// A file that was uploaded: what it is, and its bytes.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What is known of it by its content.
    pub file: Attachment,
    /// Its bytes, as they came.
    pub bytes: Vec<u8>,
}

/// Keeps the files of an answer, in the order in which they were chosen.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &mut Tx, answer: i64, files: &[Upload]) -> Result<(), StoreError> {
    for (position, Upload { file, bytes }) in (0_i64..).zip(files) {
        keep_bytes(tx, &file.sha256, bytes).await?;
        on!(tx, "keep an uploaded file", c => sqlx::query(
            "INSERT INTO attached_file (sha256, size_bytes, media_type) VALUES ($1, $2, $3)
             ON CONFLICT (sha256) DO NOTHING")
            .bind(&file.sha256)
            .bind(i64::try_from(file.bytes).unwrap_or(i64::MAX))
            .bind(clean(&file.media_type).into_owned())
            .execute(c).await.map(drop))?;
        on!(tx, "keep the file of an answer", c => sqlx::query(
            "INSERT INTO answer_file (answer_id, position, sha256, name, declared, notes)
             VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(answer)
            .bind(position)
            .bind(&file.sha256)
            .bind(file.name.as_ref().map(|name| clean(name).into_owned()))
            .bind(clean(&file.declared).into_owned())
            .bind(super::json(&file.notes))
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

async fn keep_bytes(tx: &mut Tx, sha256: &str, bytes: &[u8]) -> Result<(), StoreError> {
    for (piece, part) in (0_i64..).zip(bytes.chunks(PIECE_BYTES)) {
        on!(tx, "keep the bytes of an uploaded file", c => sqlx::query(
            "INSERT INTO uploaded_bytes (sha256, piece, bytes) VALUES ($1, $2, $3)
             ON CONFLICT (sha256, piece) DO NOTHING")
            .bind(sha256).bind(piece).bind(part).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The bytes of a file that was uploaded; none where it never was.
pub(super) async fn bytes(db: &Db, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let size: Option<(i64,)> = on!(db, "find an uploaded file", c => sqlx::query_as(
        "SELECT size_bytes FROM attached_file
         WHERE sha256 = $1 AND EXISTS (SELECT 1 FROM answer_file f WHERE f.sha256 = $1)")
        .bind(sha256).fetch_optional(c).await)?;
    let Some((size,)) = size else { return Ok(None) };
    let size = usize::try_from(size).unwrap_or(0);
    let mut whole = Vec::with_capacity(size);
    for piece in 0..i64::try_from(size.div_ceil(PIECE_BYTES)).unwrap_or(0) {
        let row: Option<(Vec<u8>,)> = on!(db, "read the bytes of an uploaded file", c => sqlx::query_as(
            "SELECT bytes FROM uploaded_bytes WHERE sha256 = $1 AND piece = $2")
            .bind(sha256).bind(piece).fetch_optional(c).await)?;
        let Some((part,)) = row else { return Ok(None) };
        whole.extend_from_slice(&part);
    }
    Ok(Some(whole))
}

const ROW: &str =
    "SELECT CAST(NULL AS BIGINT) AS message_id, a.answer_id, a.position, a.name, f.media_type, a.declared,
            f.size_bytes, a.sha256, FALSE AS inline, a.notes, f.scan, f.scan_answer, f.scanned_at
     FROM answer_file a JOIN attached_file f ON f.sha256 = a.sha256";

/// What came with the answers to a case, in their order.
pub(super) async fn of_case(db: &Db, case: i64) -> Result<Vec<AttachmentRow>, StoreError> {
    let rows: Vec<Row> = on!(db, "list the files of a case's answers", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} JOIN service_answer s ON s.id = a.answer_id WHERE s.case_id = $1
         ORDER BY a.answer_id, a.position")))
        .bind(case).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What came with one answer.
pub(super) async fn of_answer(db: &Db, answer: i64) -> Result<Vec<AttachmentRow>, StoreError> {
    let rows: Vec<Row> = on!(db, "list the files of an answer", c => sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{ROW} WHERE a.answer_id = $1 ORDER BY a.position")))
        .bind(answer).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The names of the files of a request's answers, by answer, as they were given.
///
/// # Errors
/// When the database refuses.
pub async fn names_of_request(
    tx: &mut Tx,
    request: i64,
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    on!(tx, "list the files of a request's answers", c => sqlx::query_as(
        "SELECT f.answer_id, f.name FROM answer_file f JOIN service_answer a ON a.id = f.answer_id
         WHERE a.request_id = $1 ORDER BY f.answer_id, f.position")
        .bind(request).fetch_all(c).await)
}

const UNTOLD: &str = "told_at IS NULL
    AND sha256 IN (SELECT sha256 FROM attached_file WHERE scan = 'infected')";

/// Whether an infected file came with an answer of which nobody was told.
pub(super) async fn any_untold(db: &Db) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(db, "look for infected files of answers", c => sqlx::query_as(sqlx::AssertSqlSafe(
        format!("SELECT answer_id FROM answer_file WHERE {UNTOLD} LIMIT 1")))
        .fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Takes those, to tell them in this transaction.
pub(super) async fn take_untold(tx: &mut Tx, now: Timestamp) -> Result<Vec<Untold>, StoreError> {
    let taken: Vec<(i64, i64, String)> = on!(tx, "take infected files of answers", c => sqlx::query_as(sqlx::AssertSqlSafe(
        format!("UPDATE answer_file SET told_at = $1 WHERE {UNTOLD} RETURNING answer_id, position, sha256")))
        .bind(now.as_millisecond()).fetch_all(c).await)?;
    let mut untold = Vec::with_capacity(taken.len());
    for (answer, position, sha256) in taken {
        let (case_id,): (i64,) = on!(tx, "find the case of an answer", c => sqlx::query_as(
            "SELECT case_id FROM service_answer WHERE id = $1").bind(answer).fetch_one(c).await)?;
        let (word,): (Option<String>,) = on!(tx, "find what the scanner said", c => sqlx::query_as(
            "SELECT scan_answer FROM attached_file WHERE sha256 = $1").bind(&sha256).fetch_one(c).await)?;
        untold.push(Untold {
            carrier: Carrier::Answer(answer),
            case_id: Some(case_id),
            number: position + 1,
            answer: word,
        });
    }
    Ok(untold)
}
