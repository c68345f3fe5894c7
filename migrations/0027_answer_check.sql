-- What is chosen for an answer and not sent, and who saw a case without a code.

-- A file that a mailbox has chosen for an answer, until the answer is sent. It goes with the draft.
CREATE TABLE draft_file (
  id {id},
  request_id BIGINT NOT NULL,
  recipient {text} NOT NULL,
  -- what is known of it by its content, as JSON
  file {text} NOT NULL
);
CREATE INDEX draft_file_of ON draft_file (request_id, recipient);
CREATE TABLE draft_bytes (
  file_id BIGINT NOT NULL,
  piece BIGINT NOT NULL,
  bytes {big_bytes} NOT NULL,
  PRIMARY KEY (file_id, piece)
);

-- Who saw what a customer wrote where the settings ask for no code: the first time on each day.
CREATE TABLE answer_view_open (
  link_id BIGINT NOT NULL,
  request_id BIGINT NOT NULL,
  day {text} NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (link_id, request_id, day)
);
