-- What a service adds to its answer page: files, what it has typed and not sent yet, and words that call somebody.

-- A file may come by the answer page: no message holds its bytes then.
CREATE TABLE attached_file_anew (
  sha256 {text} PRIMARY KEY,
  size_bytes BIGINT NOT NULL,
  -- by its content where that tells
  media_type {text} NOT NULL,
  -- the first message that brought it: where its bytes are read; none where they are in `uploaded_bytes`
  message_id BIGINT,
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
INSERT INTO attached_file_anew (sha256, size_bytes, media_type, message_id, scan, scan_answer, scanned_at,
                                scan_attempts, scan_due_at, leased_by, leased_until)
  SELECT sha256, size_bytes, media_type, message_id, scan, scan_answer, scanned_at, scan_attempts,
         scan_due_at, leased_by, leased_until
  FROM attached_file;
DROP TABLE attached_file;
ALTER TABLE attached_file_anew RENAME TO attached_file;
CREATE INDEX attached_file_due ON attached_file (scan_due_at);
CREATE INDEX attached_file_scan ON attached_file (scan);

-- The bytes of a file that came by the answer page, once however often it comes.
CREATE TABLE uploaded_bytes (
  sha256 {text} NOT NULL,
  piece BIGINT NOT NULL,
  bytes {big_bytes} NOT NULL,
  PRIMARY KEY (sha256, piece)
);

-- One file of one answer, in the order in which they were chosen, from 0.
CREATE TABLE answer_file (
  answer_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  sha256 {text} NOT NULL,
  -- fit to be shown, and for nothing else
  name {text},
  declared {text} NOT NULL,
  -- a JSON list, as of an attachment
  notes {text} NOT NULL,
  -- when a person was told that it is infected
  told_at BIGINT,
  PRIMARY KEY (answer_id, position)
);
CREATE INDEX answer_file_of ON answer_file (sha256);

-- What a mailbox has typed of an answer and not sent. It goes with the request.
CREATE TABLE answer_draft (
  request_id BIGINT NOT NULL,
  recipient {text} NOT NULL,
  -- the fields of the form, as JSON
  typed {text} NOT NULL,
  saved_at BIGINT NOT NULL,
  PRIMARY KEY (request_id, recipient)
);

-- A child may be at risk by what was typed on the page: no message tells it, so the call names the case.
CREATE TABLE alarm_anew (
  id {id},
  message_id BIGINT UNIQUE REFERENCES message (id),
  case_id BIGINT REFERENCES complaint_case (id),
  called_at BIGINT NOT NULL,
  -- Whom the first call went to: the second goes to somebody else.
  called {text} NOT NULL,
  again_at BIGINT,
  opened_at BIGINT,
  opened_by {text}
);
INSERT INTO alarm_anew (message_id, called_at, called, again_at, opened_at, opened_by)
  SELECT message_id, called_at, called, again_at, opened_at, opened_by FROM alarm ORDER BY called_at, message_id;
DROP TABLE alarm;
ALTER TABLE alarm_anew RENAME TO alarm;
CREATE INDEX alarm_unopened ON alarm (called_at) WHERE opened_at IS NULL AND again_at IS NULL;
CREATE INDEX alarm_of_case ON alarm (case_id) WHERE case_id IS NOT NULL;
