//! What a mailbox has typed of an answer on the answer page, and chosen for it, and not sent yet.
//!
//! It belongs to the mailbox and not to one link: every link to it asks for a code that goes there. It goes with its
//! request: when that is answered, or is over, `store::requests` drops it.

use jiff::Timestamp;
use sqlx::FromRow;

use super::StoreError;
use super::arrivals::PIECE_BYTES;
use super::db::{Tx, clean, on};
use super::uploads::Upload;
use crate::email::Attachment;

/// What was typed.
#[derive(Debug, Clone, FromRow)]
pub struct DraftRow {
    /// The fields of the form, as JSON.
    pub typed: String,
    /// When it was last saved, milliseconds.
    pub saved_at: i64,
}

/// Keeps what was typed, in place of what was typed before.
///
/// # Errors
/// When the database refuses.
pub async fn save(
    tx: &mut Tx,
    (request, recipient): (i64, &str),
    typed: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, "save a draft", c => sqlx::query(
        "INSERT INTO answer_draft (request_id, recipient, typed, saved_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_id, recipient) DO UPDATE SET typed = excluded.typed,
           saved_at = excluded.saved_at")
        .bind(request)
        .bind(clean(recipient).into_owned())
        .bind(clean(typed).into_owned())
        .bind(now.as_millisecond())
        .execute(c).await.map(drop))
}

/// What a mailbox has typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn of(
    tx: &mut Tx,
    request: i64,
    recipient: &str,
) -> Result<Option<DraftRow>, StoreError> {
    on!(tx, "look a draft up", c => sqlx::query_as(
        "SELECT typed, saved_at FROM answer_draft WHERE request_id = $1 AND recipient = $2")
        .bind(request).bind(clean(recipient).into_owned()).fetch_optional(c).await)
}

/// A file that was chosen for an answer.
#[derive(Debug, Clone)]
pub struct DraftFile {
    /// Row.
    pub id: i64,
    /// What is known of it by its content.
    pub file: Attachment,
}

/// Keeps files that were chosen, after those that were chosen before.
///
/// # Errors
/// When the database refuses.
pub async fn add_files(
    tx: &mut Tx,
    (request, recipient): (i64, &str),
    files: &[Upload],
) -> Result<(), StoreError> {
    for Upload { file, bytes } in files {
        let id: i64 = on!(tx, "keep a chosen file", c => sqlx::query_scalar(
            "INSERT INTO draft_file (request_id, recipient, file) VALUES ($1, $2, $3) RETURNING id")
            .bind(request)
            .bind(clean(recipient).into_owned())
            .bind(super::json(file))
            .fetch_one(c).await)?;
        for (piece, part) in (0_i64..).zip(bytes.chunks(PIECE_BYTES)) {
            on!(tx, "keep the bytes of a chosen file", c => sqlx::query(
                "INSERT INTO draft_bytes (file_id, piece, bytes) VALUES ($1, $2, $3)")
                .bind(id).bind(piece).bind(part).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// The files that a mailbox has chosen for a request, in the order in which they came.
///
/// # Errors
/// When the database refuses.
pub async fn files_of(
    tx: &mut Tx,
    request: i64,
    recipient: &str,
) -> Result<Vec<DraftFile>, StoreError> {
    let rows: Vec<(i64, String)> = on!(tx, "list chosen files", c => sqlx::query_as(
        "SELECT id, file FROM draft_file WHERE request_id = $1 AND recipient = $2 ORDER BY id")
        .bind(request).bind(clean(recipient).into_owned()).fetch_all(c).await)?;
    let read = rows.into_iter().map(|(id, file)| {
        let file = serde_json::from_str(&file);
        let file =
            file.map_err(|why| StoreError::unsuitable("read a chosen file", why.to_string()))?;
        Ok(DraftFile { id, file })
    });
    read.collect()
}

/// A chosen file with its bytes.
///
/// # Errors
/// When the database refuses.
pub async fn with_bytes(tx: &mut Tx, chosen: DraftFile) -> Result<Upload, StoreError> {
    let parts: Vec<(Vec<u8>,)> = on!(tx, "read the bytes of a chosen file", c => sqlx::query_as(
        "SELECT bytes FROM draft_bytes WHERE file_id = $1 ORDER BY piece")
        .bind(chosen.id).fetch_all(c).await)?;
    Ok(Upload { file: chosen.file, bytes: parts.into_iter().flat_map(|(part,)| part).collect() })
}

/// Lets files go that a mailbox had chosen for a request.
///
/// # Errors
/// When the database refuses.
pub async fn drop_files(
    tx: &mut Tx,
    (request, recipient): (i64, &str),
    files: &[i64],
) -> Result<(), StoreError> {
    for id in files {
        // Its bytes only where it is theirs: a form may name any number.
        on!(tx, "let the bytes of a chosen file go", c => sqlx::query(
            "DELETE FROM draft_bytes WHERE file_id = (SELECT id FROM draft_file
               WHERE id = $1 AND request_id = $2 AND recipient = $3)")
            .bind(id).bind(request).bind(clean(recipient).into_owned()).execute(c).await.map(drop))?;
        on!(tx, "let a chosen file go", c => sqlx::query(
            "DELETE FROM draft_file WHERE id = $1 AND request_id = $2 AND recipient = $3")
            .bind(id).bind(request).bind(clean(recipient).into_owned()).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Takes what a mailbox typed for a request, to be sent: of two who take it at once, one is told that it was there.
///
/// # Errors
/// When the database refuses.
pub async fn take(tx: &mut Tx, request: i64, recipient: &str) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = on!(tx, "take a draft", c => sqlx::query_as(
        "DELETE FROM answer_draft WHERE request_id = $1 AND recipient = $2 RETURNING saved_at")
        .bind(request).bind(clean(recipient).into_owned()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Drops what a mailbox typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of_mailbox(tx: &mut Tx, request: i64, recipient: &str) -> Result<(), StoreError> {
    let files = files_of(tx, request, recipient).await?;
    let files: Vec<i64> = files.into_iter().map(|one| one.id).collect();
    drop_files(tx, (request, recipient), &files).await?;
    take(tx, request, recipient).await.map(drop)
}

/// Drops what anybody typed for a request.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of(tx: &mut Tx, request: i64) -> Result<(), StoreError> {
    on!(tx, "drop the bytes of chosen files", c => sqlx::query(
        "DELETE FROM draft_bytes WHERE file_id IN (SELECT id FROM draft_file WHERE request_id = $1)")
        .bind(request).execute(c).await.map(drop))?;
    on!(tx, "drop chosen files", c => sqlx::query("DELETE FROM draft_file WHERE request_id = $1")
        .bind(request).execute(c).await.map(drop))?;
    on!(tx, "drop drafts", c => sqlx::query("DELETE FROM answer_draft WHERE request_id = $1")
        .bind(request).execute(c).await.map(drop))
}

/// Drops what anybody typed for a case.
///
/// # Errors
/// When the database refuses.
pub async fn drop_of_case(tx: &mut Tx, case: i64) -> Result<(), StoreError> {
    on!(tx, "drop the bytes of a case's chosen files", c => sqlx::query(
        "DELETE FROM draft_bytes WHERE file_id IN (SELECT f.id FROM draft_file f
           JOIN request r ON r.id = f.request_id WHERE r.case_id = $1)")
        .bind(case).execute(c).await.map(drop))?;
    on!(tx, "drop a case's chosen files", c => sqlx::query(
        "DELETE FROM draft_file WHERE request_id IN (SELECT id FROM request WHERE case_id = $1)")
        .bind(case).execute(c).await.map(drop))?;
    on!(tx, "drop a case's drafts", c => sqlx::query(
        "DELETE FROM answer_draft WHERE request_id IN (SELECT id FROM request WHERE case_id = $1)")
        .bind(case).execute(c).await.map(drop))
}
