-- The register: what arrived, what it became, what we wrote. Moments are milliseconds since 1970 in
-- UTC (`_at`), days are text as 2026-03-16 (`_on`), a share is thousandths.

-- A place that mail comes from, how far we have read it, and which gateway reads it now.
CREATE TABLE mailbox (
  name TEXT PRIMARY KEY,
  uid_validity BIGINT NOT NULL DEFAULT 0,
  last_uid BIGINT NOT NULL DEFAULT 0,
  uid_next BIGINT NOT NULL DEFAULT 0,
  looked_at BIGINT,
  trouble TEXT,
  leased_by TEXT NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0
);

-- A message by its content, however often it was delivered.
CREATE TABLE message (
  id {id},
  sha256 TEXT NOT NULL UNIQUE,
  size_bytes BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  stored_at BIGINT NOT NULL,
  -- stored, understood, done, quarantined
  state TEXT NOT NULL,
  -- counted before the parser sees the bytes, so that what kills the process is known at restart
  attempts BIGINT NOT NULL DEFAULT 0,
  retry_at BIGINT NOT NULL DEFAULT 0,
  leased_by TEXT NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0,
  -- why it is in quarantine, or what went wrong last
  trouble TEXT,
  -- understood
  kind TEXT,
  sender TEXT,
  subject TEXT,
  message_id TEXT,
  fingerprint TEXT,
  email TEXT,
  -- decided: opened, attached, answered_request, duplicate, filed, triage
  action TEXT,
  reason TEXT,
  case_id BIGINT,
  duplicate_of BIGINT,
  acknowledge BOOLEAN,
  acknowledge_reason TEXT
);
CREATE INDEX message_waiting ON message (state, retry_at, id);
CREATE INDEX message_fingerprint ON message (fingerprint);
CREATE INDEX message_header ON message (message_id);
CREATE INDEX message_case ON message (case_id);

-- Its bytes exactly as fetched, in pieces, apart from the row so that lists stay small.
CREATE TABLE message_bytes (
  message_id BIGINT NOT NULL,
  piece BIGINT NOT NULL,
  bytes {bytes} NOT NULL,
  PRIMARY KEY (message_id, piece)
);
{external message_bytes.bytes}

-- The ledger: each time a mailbox gave us something. Written with the bytes, before anything
-- touches the server.
CREATE TABLE delivery (
  id {id},
  mailbox TEXT NOT NULL,
  uid_validity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  -- the unique name in a Maildir; empty for IMAP
  file_key TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL,
  header_message_id TEXT,
  message_id BIGINT NOT NULL,
  fetched_at BIGINT NOT NULL,
  moved_at BIGINT,
  move_note TEXT,
  UNIQUE (mailbox, uid_validity, uid, file_key)
);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unmoved ON delivery (mailbox, moved_at);

-- Every step of a message's life, once.
CREATE TABLE step (
  message_id BIGINT NOT NULL,
  step TEXT NOT NULL,
  at BIGINT NOT NULL,
  detail TEXT,
  PRIMARY KEY (message_id, step)
);

-- What the rules made of it, whole, for the explanation and for replay.
CREATE TABLE decision (
  message_id BIGINT PRIMARY KEY,
  rules_version TEXT NOT NULL,
  classification TEXT NOT NULL,
  decided_at BIGINT NOT NULL
);

CREATE TABLE case_number (
  year BIGINT PRIMARY KEY,
  last_number BIGINT NOT NULL
);

CREATE TABLE complaint_case (
  id {id},
  reference TEXT NOT NULL UNIQUE,
  -- one message never opens two cases
  opened_by BIGINT NOT NULL UNIQUE,
  -- open, answered, closed, withdrawn, rejected
  status TEXT NOT NULL,
  record_type TEXT NOT NULL,
  lead_service TEXT NOT NULL,
  customer_type TEXT NOT NULL,
  themes TEXT NOT NULL,
  flags TEXT NOT NULL,
  confidence BIGINT NOT NULL,
  needs_officer BOOLEAN NOT NULL,
  customer_address TEXT,
  customer_name TEXT,
  subject TEXT,
  procedure_id TEXT NOT NULL,
  stage BIGINT NOT NULL,
  start_rule TEXT NOT NULL,
  calendar_version TEXT NOT NULL,
  rules_version TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  received_on TEXT NOT NULL,
  acknowledge_by_on TEXT NOT NULL,
  target_on TEXT,
  standard_due_on TEXT,
  agreed_due_on TEXT,
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
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX case_event_case ON case_event (case_id, id);

-- Who may speak to a case by quoting its bare reference.
CREATE TABLE party (
  case_id BIGINT NOT NULL,
  address TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (case_id, address)
);
CREATE INDEX party_address ON party (address);

-- A service asked for its part of the answer.
CREATE TABLE request (
  id {id},
  case_id BIGINT NOT NULL,
  service TEXT NOT NULL,
  leads BOOLEAN NOT NULL,
  -- asked, accepted, answered, cancelled
  state TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  asked_on TEXT NOT NULL,
  draft_due_on TEXT,
  due_on TEXT NOT NULL,
  short BOOLEAN NOT NULL,
  answered_at BIGINT,
  answer_message BIGINT,
  UNIQUE (case_id, service)
);
CREATE INDEX request_open ON request (state, due_on);

-- A rung of the ladder: recorded before it is sent, and so sent once.
CREATE TABLE rung (
  request_id BIGINT NOT NULL,
  rung TEXT NOT NULL,
  fell_on TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  -- sent, or skipped where a higher rung was due on the same day
  outcome TEXT NOT NULL,
  PRIMARY KEY (request_id, rung)
);

-- One run of reminders a day, and one digest a person a day.
CREATE TABLE reminder_run (
  ran_on TEXT PRIMARY KEY,
  ran_at BIGINT NOT NULL
);
CREATE TABLE digest (
  recipient TEXT NOT NULL,
  sent_on TEXT NOT NULL,
  letter_id BIGINT NOT NULL,
  PRIMARY KEY (recipient, sent_on)
);

-- The outbox. Bytes are written once; a retry sends the same bytes with the same Message-ID.
CREATE TABLE letter (
  id {id},
  purpose TEXT NOT NULL,
  -- says what must happen only once, e.g. `acknowledgement:17`
  once_key TEXT NOT NULL UNIQUE,
  case_id BIGINT,
  request_id BIGINT,
  message_id BIGINT,
  recipient TEXT NOT NULL,
  envelope_from TEXT NOT NULL,
  subject TEXT NOT NULL,
  header_message_id TEXT NOT NULL,
  bytes {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  leased_by TEXT NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  -- queued, sent, failed, unknown, held
  state TEXT NOT NULL,
  last_code BIGINT,
  last_cause TEXT,
  last_attempt_at BIGINT,
  sent_at BIGINT,
  bounced_at BIGINT,
  bounce_status TEXT
);
CREATE INDEX letter_due ON letter (state, due_at, id);
CREATE INDEX letter_case ON letter (case_id);
CREATE INDEX letter_recipient ON letter (recipient, created_at);
CREATE INDEX letter_header ON letter (header_message_id);

-- What a person must do because the gateway must not.
CREATE TABLE task (
  id {id},
  kind TEXT NOT NULL,
  case_id BIGINT,
  message_id BIGINT,
  letter_id BIGINT,
  words TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT
);
CREATE INDEX task_open ON task (done_at, kind);
