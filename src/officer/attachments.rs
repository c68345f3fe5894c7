//! What came attached, for officers, and what of it may go on.

use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::attachments::{self, AttachmentRow, Scan};

/// One attachment of a message, by its number there, from 1.
///
/// # Errors
/// When the database refuses.
pub async fn attachment(
    gateway: &Gateway,
    message: i64,
    number: i64,
) -> Result<Option<AttachmentRow>, StoreError> {
    let all = attachments::of_message(&gateway.db, message).await?;
    Ok(all.into_iter().find(|one| one.number == number))
}

/// The bytes of an attachment, read back from its message. None where they are not there.
///
/// # Errors
/// When the database refuses.
pub async fn attachment_bytes(
    gateway: &Gateway,
    attachment: &AttachmentRow,
) -> Result<Option<Vec<u8>>, StoreError> {
    attachments::bytes(&gateway.db, attachment.message_id, &attachment.sha256).await
}

/// The attachments of a message that may go on to somebody else: what was found clean and, where no
/// scanner is configured, what none has seen. Never what is infected, and never what a scanner was to
/// look at and did not. Whatever comes to forward files takes them from here and from nowhere else.
///
/// # Errors
/// When the database refuses.
pub async fn sendable(gateway: &Gateway, message: i64) -> Result<Vec<AttachmentRow>, StoreError> {
    let scanned_here = gateway.config.scan.scanner().is_some();
    let mut all = attachments::of_message(&gateway.db, message).await?;
    all.retain(|one| match one.scan {
        Scan::Clean => true,
        Scan::NotScanned => !scanned_here,
        Scan::Infected | Scan::CouldNotScan => false,
    });
    Ok(all)
}
