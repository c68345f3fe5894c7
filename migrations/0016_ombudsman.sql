-- What comes from the Ombudsman: a case of theirs, about a case of the council or about none yet.
CREATE TABLE ombudsman_case (
  id {id},
  -- the Ombudsman's reference, as they print it; none until a letter gives it
  reference {text} UNIQUE,
  case_id BIGINT,
  opened_at BIGINT NOT NULL,
  -- upheld, not_upheld, closed, premature
  outcome {text},
  -- out_of_jurisdiction, no_further_action, withdrawn
  closed_because {text},
  decided_on {text}
);
CREATE INDEX ombudsman_case_of ON ombudsman_case (case_id);
CREATE INDEX ombudsman_case_decided ON ombudsman_case (decided_on);

CREATE TABLE ombudsman_contact (
  id {id},
  ombudsman_id BIGINT NOT NULL,
  -- none where it came by post or telephone
  message_id BIGINT UNIQUE,
  -- premature, enquiry, documents, provisional_decision, decision, remedy
  kind {text} NOT NULL,
  received_at BIGINT NOT NULL,
  received_on {text} NOT NULL,
  -- what the gateway read in the letter: nothing counts by it
  suggested_on {text},
  -- the day that the letter gives, entered by an officer; never computed
  due_on {text},
  asks {text},
  confirmed_at BIGINT,
  answered_on {text}
);
CREATE INDEX ombudsman_contact_of ON ombudsman_contact (ombudsman_id);
CREATE INDEX ombudsman_contact_open ON ombudsman_contact (answered_on, due_on);

CREATE TABLE ombudsman_remedy (
  id {id},
  ombudsman_id BIGINT NOT NULL,
  what {text} NOT NULL,
  -- as the decision says
  due_on {text},
  done_on {text},
  evidence {text}
);
CREATE INDEX ombudsman_remedy_of ON ombudsman_remedy (ombudsman_id);
CREATE INDEX ombudsman_remedy_open ON ombudsman_remedy (done_on, due_on);

-- What happened to it, whole also where no case of the council is linked yet.
CREATE TABLE ombudsman_event (
  id {id},
  ombudsman_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor {text} NOT NULL,
  detail {text} NOT NULL
);
CREATE INDEX ombudsman_event_of ON ombudsman_event (ombudsman_id);

-- By which rungs somebody was reminded: for each date anew, each rung once.
CREATE TABLE ombudsman_rung (
  -- unread, contact, remedy
  item {text} NOT NULL,
  item_id BIGINT NOT NULL,
  due_on {text} NOT NULL,
  rung {text} NOT NULL,
  recorded_at BIGINT NOT NULL,
  -- sent, skipped
  outcome {text} NOT NULL,
  PRIMARY KEY (item, item_id, due_on, rung)
);
