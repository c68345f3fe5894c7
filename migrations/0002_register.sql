-- The register: what arrived, what it became, what we wrote. Moments are milliseconds since 1970 in
-- UTC (`_at`), days are text as 2026-03-16 (`_on`), a share is thousandths.

-- A place that mail comes from, how far we have read it, and which gateway reads it now.
CREATE TABLE mailbox (
  name {text} PRIMARY KEY,
  uid_validity BIGINT NOT NULL DEFAULT 0,
  last_uid BIGINT NOT NULL DEFAULT 0,
  uid_next BIGINT NOT NULL DEFAULT 0,
  looked_at BIGINT,
  trouble {text},
  leased_by {text} NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0
);

-- A message by its content, however often it was delivered.
CREATE TABLE message (
  id {id},
  sha256 {text} NOT NULL UNIQUE,
  size_bytes BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  stored_at BIGINT NOT NULL,
  -- stored, understood, done, quarantined
  state {text} NOT NULL,
  -- counted before the parser sees the bytes, so that what kills the process is known at restart
  attempts BIGINT NOT NULL DEFAULT 0,
  retry_at BIGINT NOT NULL DEFAULT 0,
  -- registered without a letter to anybody: imported, not received
  silent BOOLEAN NOT NULL DEFAULT FALSE,
  leased_by {text} NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0,
  -- why it is in quarantine, or what went wrong last
  trouble {text},
  -- understood
  kind {text},
  sender {text},
  subject {text},
  message_id {text},
  fingerprint {text},
  email {text},
  -- decided: opened, attached, answered_request, duplicate, filed, triage
  action {text},
  reason {text},
  case_id BIGINT,
  duplicate_of BIGINT,
  acknowledge BOOLEAN,
  acknowledge_reason {text}
);
CREATE INDEX message_waiting ON message (state, retry_at, id);
CREATE INDEX message_fingerprint ON message (fingerprint);
CREATE INDEX message_header ON message (message_id);
CREATE INDEX message_case ON message (case_id);

-- Its bytes exactly as fetched, in pieces, apart from the row so that lists stay small.
CREATE TABLE message_bytes (
  message_id BIGINT NOT NULL,
  piece BIGINT NOT NULL,
  bytes {big_bytes} NOT NULL,
  PRIMARY KEY (message_id, piece)
);

-- The ledger: each time a mailbox gave us something. Written with the bytes, before anything
-- touches the server.
CREATE TABLE delivery (
  id {id},
  mailbox {text} NOT NULL,
  uid_validity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  -- the unique name in a Maildir; empty for IMAP
  file_key {text} NOT NULL DEFAULT '',
  sha256 {text} NOT NULL,
  header_message_id {text},
  message_id BIGINT NOT NULL,
  fetched_at BIGINT NOT NULL,
  moved_at BIGINT,
  move_note {text},
  UNIQUE (mailbox, uid_validity, uid, file_key)
);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unmoved ON delivery (mailbox, moved_at);

-- Every step of a message's life, once.
CREATE TABLE step (
  message_id BIGINT NOT NULL,
  step {text} NOT NULL,
  at BIGINT NOT NULL,
  detail {text},
  PRIMARY KEY (message_id, step)
);

-- What the rules made of it, whole, for the explanation and for replay.
CREATE TABLE decision (
  message_id BIGINT PRIMARY KEY,
  rules_version {text} NOT NULL,
  classification {text} NOT NULL,
  decided_at BIGINT NOT NULL
);

CREATE TABLE case_number (
  year BIGINT PRIMARY KEY,
  last_number BIGINT NOT NULL
);

CREATE TABLE complaint_case (
  id {id},
  reference {text} NOT NULL UNIQUE,
  -- one message never opens two cases
  opened_by BIGINT NOT NULL UNIQUE,
  -- open, answered, closed, withdrawn, rejected
  status {text} NOT NULL,
  record_type {text} NOT NULL,
  lead_service {text} NOT NULL,
  customer_type {text} NOT NULL,
  themes {text} NOT NULL,
  flags {text} NOT NULL,
  confidence BIGINT NOT NULL,
  needs_officer BOOLEAN NOT NULL,
  customer_address {text},
  customer_name {text},
  subject {text},
  procedure_id {text} NOT NULL,
  stage BIGINT NOT NULL,
  start_rule {text} NOT NULL,
  calendar_version {text} NOT NULL,
  rules_version {text} NOT NULL,
  received_at BIGINT NOT NULL,
  received_on {text} NOT NULL,
  acknowledge_by_on {text} NOT NULL,
  target_on {text},
  standard_due_on {text},
  agreed_due_on {text},
  acknowledged_at BIGINT,
  answered_at BIGINT,
  closed_at BIGINT,
  -- counts up with every change; a change against an older version is refused
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX case_open ON complaint_case (status, agreed_due_on);
CREATE INDEX case_customer ON complaint_case (customer_address);

CREATE TABLE case_event (
  id {id},
  case_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind {text} NOT NULL,
  actor {text} NOT NULL,
  detail {text} NOT NULL
);
CREATE INDEX case_event_case ON case_event (case_id, id);

-- Who may speak to a case by quoting its bare reference.
CREATE TABLE party (
  case_id BIGINT NOT NULL,
  address {text} NOT NULL,
  role {text} NOT NULL,
  PRIMARY KEY (case_id, address)
);
CREATE INDEX party_address ON party (address);

-- A service asked for its part of the answer.
CREATE TABLE request (
  id {id},
  case_id BIGINT NOT NULL,
  service {text} NOT NULL,
  leads BOOLEAN NOT NULL,
  -- asked, accepted, answered, cancelled
  state {text} NOT NULL,
  asked_at BIGINT NOT NULL,
  asked_on {text} NOT NULL,
  draft_due_on {text},
  due_on {text} NOT NULL,
  short BOOLEAN NOT NULL,
  answered_at BIGINT,
  answer_message BIGINT,
  UNIQUE (case_id, service)
);
CREATE INDEX request_open ON request (state, due_on);

-- A rung of the ladder: recorded before it is sent, and so sent once.
CREATE TABLE rung (
  request_id BIGINT NOT NULL,
  rung {text} NOT NULL,
  fell_on {text} NOT NULL,
  recorded_at BIGINT NOT NULL,
  -- sent, or skipped where a higher rung was due on the same day
  outcome {text} NOT NULL,
  PRIMARY KEY (request_id, rung)
);

-- One run of reminders a day, and one digest a person a day.
CREATE TABLE reminder_run (
  ran_on {text} PRIMARY KEY,
  ran_at BIGINT NOT NULL
);
CREATE TABLE digest (
  recipient {text} NOT NULL,
  sent_on {text} NOT NULL,
  letter_id BIGINT NOT NULL,
  PRIMARY KEY (recipient, sent_on)
);

-- The outbox. Bytes are written once; a retry sends the same bytes with the same Message-ID.
CREATE TABLE letter (
  id {id},
  purpose {text} NOT NULL,
  -- says what must happen only once, e.g. `acknowledgement:17`
  once_key {text} NOT NULL UNIQUE,
  case_id BIGINT,
  request_id BIGINT,
  message_id BIGINT,
  recipient {text} NOT NULL,
  envelope_from {text} NOT NULL,
  subject {text} NOT NULL,
  header_message_id {text} NOT NULL,
  bytes {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  leased_by {text} NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  -- queued, sent, failed, unknown, held
  state {text} NOT NULL,
  last_code BIGINT,
  last_cause {text},
  last_attempt_at BIGINT,
  sent_at BIGINT,
  bounced_at BIGINT,
  bounce_status {text}
);
CREATE INDEX letter_due ON letter (state, due_at, id);
CREATE INDEX letter_case ON letter (case_id);
CREATE INDEX letter_recipient ON letter (recipient, created_at);
CREATE INDEX letter_header ON letter (header_message_id);

-- What a person must do because the gateway must not.
CREATE TABLE task (
  id {id},
  kind {text} NOT NULL,
  case_id BIGINT,
  message_id BIGINT,
  letter_id BIGINT,
  words {text} NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT
);
CREATE INDEX task_open ON task (done_at, kind);

-- One content, one message that counts: copies that reach two gateways at once meet here.
CREATE TABLE content (
  content_key {text} PRIMARY KEY,
  message_id BIGINT NOT NULL
);

-- What our tokens are keyed with: 32 bytes as hexadecimal digits.
INSERT INTO setting (key, value) VALUES ('token_key', {random} || {random});
