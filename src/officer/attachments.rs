//! What came attached, for officers, and what of it may go on.

use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::attachments::{self, AttachmentRow, Carrier, Scan};

/// One attachment of a message or of an answer, by its number there, from 1.
///
/// # Errors
/// When the database refuses.
pub async fn attachment(
    gateway: &Gateway,
    carrier: Carrier,
    number: i64,
) -> Result<Option<AttachmentRow>, StoreError> {
    let all = attachments::of(&gateway.db, carrier).await?;
    Ok(all.into_iter().find(|one| one.number == number))
}

/// The bytes of an attachment, read back from its message or as they were uploaded. None where they are not there.
///
/// # Errors
/// When the database refuses.
pub async fn attachment_bytes(
    gateway: &Gateway,
    attachment: &AttachmentRow,
) -> Result<Option<Vec<u8>>, StoreError> {
    attachments::bytes(&gateway.db, attachment.message_id, &attachment.sha256).await
}

/// The attachments of a message or of an answer that may go on to somebody else: what was found clean and, where no
/// scanner is configured, what none has seen. Never what is infected, and never what a scanner was to
/// look at and did not. Whatever comes to forward files takes them from here and from nowhere else.
///
/// # Errors
/// When the database refuses.
pub async fn sendable(
    gateway: &Gateway,
    carrier: Carrier,
) -> Result<Vec<AttachmentRow>, StoreError> {
    let scanned_here = gateway.config.scan.scanner().is_some();
    let mut all = attachments::of(&gateway.db, carrier).await?;
    all.retain(|one| match one.scan {
        Scan::Clean => true,
        Scan::NotScanned => !scanned_here,
        Scan::Infected | Scan::CouldNotScan => false,
    });
    Ok(all)
}
