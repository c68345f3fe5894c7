-- What the council agreed to do because of a complaint: what the actions of its events come to.
CREATE TABLE action (
  id {id},
  case_id BIGINT NOT NULL,
  -- within its case, from 1
  number BIGINT NOT NULL,
  what {text} NOT NULL,
  -- which issue of the case it is for, where an officer said
  theme {text},
  part {text},
  service {text},
  -- the owner: a service, whose responding manager it is, or a person
  owner_service {text},
  owner_name {text},
  owner_address {text},
  -- open, done, dropped
  state {text} NOT NULL,
  agreed_on {text} NOT NULL,
  due_on {text} NOT NULL,
  -- counts up whenever its date is moved or it is taken up again: its reminders start anew
  round BIGINT NOT NULL,
  ended_on {text},
  -- how it is known that it was done, and by which message or attachment of the case
  evidence {text},
  message {text},
  UNIQUE (case_id, number)
);
CREATE INDEX action_state ON action (state, due_on, id);

-- Its reminders, each recorded before a word is sent.
CREATE TABLE action_rung (
  action_id BIGINT NOT NULL,
  round BIGINT NOT NULL,
  rung {text} NOT NULL,
  fell_on {text} NOT NULL,
  recorded_at BIGINT NOT NULL,
  -- sent, skipped
  outcome {text} NOT NULL,
  PRIMARY KEY (action_id, round, rung)
);
