-- A service may be asked about a case more than once: at a later stage, or when the case is taken up
-- again. Each time is a round with its own dates and rungs; what came before stays.
CREATE TABLE request_anew (
  id {id},
  case_id BIGINT NOT NULL,
  service {text} NOT NULL,
  -- which time it is asked about this case, from 1
  round BIGINT NOT NULL,
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
  -- its number before there were rounds
  was BIGINT UNIQUE,
  UNIQUE (case_id, service, round)
);
INSERT INTO request_anew (case_id, service, round, leads, state, asked_at, asked_on, draft_due_on, due_on,
                          short, answered_at, answer_message, was)
  SELECT case_id, service, 1, leads, state, asked_at, asked_on, draft_due_on, due_on, short, answered_at,
         answer_message, id
  FROM request ORDER BY id;

CREATE TABLE rung_anew (
  request_id BIGINT NOT NULL,
  rung {text} NOT NULL,
  fell_on {text} NOT NULL,
  recorded_at BIGINT NOT NULL,
  -- sent, or skipped where a higher rung was due on the same day
  outcome {text} NOT NULL,
  PRIMARY KEY (request_id, rung)
);
INSERT INTO rung_anew (request_id, rung, fell_on, recorded_at, outcome)
  SELECT request_anew.id, rung.rung, rung.fell_on, rung.recorded_at, rung.outcome
  FROM rung JOIN request_anew ON request_anew.was = rung.request_id;
UPDATE letter SET request_id = (SELECT id FROM request_anew WHERE was = letter.request_id)
  WHERE request_id IS NOT NULL;

DROP TABLE rung;
ALTER TABLE rung_anew RENAME TO rung;
DROP TABLE request;
ALTER TABLE request_anew RENAME TO request;
CREATE INDEX request_open ON request (state, due_on);
