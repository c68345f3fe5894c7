-- What a message may have to do with what came before: offered to an officer, never done in silence.

-- A message's words, as a few numbers by which its like is found (src/likeness.rs).
CREATE TABLE likeness (
  band BIGINT NOT NULL,
  message_id BIGINT NOT NULL,
  PRIMARY KEY (band, message_id)
);

CREATE TABLE suggestion (
  id {id},
  -- the message that it is about, and the case that the message belongs to now
  message_id BIGINT NOT NULL,
  case_id BIGINT,
  -- the case that it may have to do with
  about_case BIGINT NOT NULL,
  -- duplicate, similar, belongs, new_matter
  kind {text} NOT NULL,
  -- thousandths
  score BIGINT NOT NULL,
  because {text} NOT NULL,
  made_at BIGINT NOT NULL,
  -- taken or declined by an officer
  answer {text},
  answered_at BIGINT,
  UNIQUE (message_id, kind, about_case)
);
CREATE INDEX suggestion_case ON suggestion (case_id);
CREATE INDEX suggestion_about ON suggestion (about_case);

-- Whether the council's mail server vouches for the sender's address: unknown, proven, failed.
ALTER TABLE message ADD COLUMN sender_proof {text};
-- An officer said that it is a matter of its own, whatever it answers.
ALTER TABLE message ADD COLUMN alone BOOLEAN NOT NULL DEFAULT FALSE;
-- The case that this one was merged into; what comes in for it goes there.
ALTER TABLE complaint_case ADD COLUMN merged_into BIGINT;
CREATE INDEX case_merged ON complaint_case (merged_into);
