-- What came attached. Its bytes stand in the message that brought it (`message_bytes`) and nowhere
-- else: docs/decisions/0002-attachments-kept-once.md.

-- A file by its decoded content, however often it came. It is looked at and scanned once.
CREATE TABLE attached_file (
  sha256 {text} PRIMARY KEY,
  size_bytes BIGINT NOT NULL,
  -- by its content where that tells
  media_type {text} NOT NULL,
  -- the first message that brought it: where its bytes are read
  message_id BIGINT NOT NULL,
  -- not_scanned, clean, infected, could_not_scan
  scan {text} NOT NULL DEFAULT 'not_scanned',
  -- the scanner's word for it: the signature's name, or why it could not
  scan_answer {text},
  scanned_at BIGINT,
  -- tries that reached the scanner without a verdict
  scan_attempts BIGINT NOT NULL DEFAULT 0,
  -- when it is scanned next; NULL: never again
  scan_due_at BIGINT DEFAULT 0,
  leased_by {text} NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX attached_file_due ON attached_file (scan_due_at);
CREATE INDEX attached_file_scan ON attached_file (scan);

-- One attachment of one message, in the order in which they stand there, from 0.
CREATE TABLE attachment (
  message_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  sha256 {text} NOT NULL,
  -- fit to be shown, and for nothing else
  name {text},
  declared {text} NOT NULL,
  inline BOOLEAN NOT NULL,
  -- a JSON list: encrypted, signed, macros, executable, misnamed
  notes {text} NOT NULL,
  -- when a person was told that it is infected
  told_at BIGINT,
  PRIMARY KEY (message_id, position)
);
CREATE INDEX attachment_file ON attachment (sha256);
