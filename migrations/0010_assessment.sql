-- What may stand in the way of a case, as the gates of the decision table found it: an officer decides.
CREATE TABLE proposal (
  id {id},
  case_id BIGINT NOT NULL,
  gate {text} NOT NULL,
  -- JSON list: rule, where, words
  evidence {text} NOT NULL,
  made_at BIGINT NOT NULL,
  -- taken: the case was rejected for it; dismissed: it does not stand in the way
  answer {text},
  answered_at BIGINT,
  UNIQUE (case_id, gate)
);
CREATE INDEX proposal_open ON proposal (answer, case_id);

-- What a customer was asked before their case could be decided: once, with one reminder.
CREATE TABLE awaited (
  id {id},
  case_id BIGINT NOT NULL,
  -- authority, details, name
  needed {text} NOT NULL,
  asked_on {text} NOT NULL,
  remind_on {text} NOT NULL,
  until_on {text} NOT NULL,
  reminded_at BIGINT,
  -- the customer wrote, or an officer went on without
  ended_at BIGINT,
  -- a person was told that nothing came
  told_at BIGINT,
  UNIQUE (case_id, needed)
);
CREATE INDEX awaited_open ON awaited (ended_at, remind_on);
