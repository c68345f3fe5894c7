-- Holding letters: which day was promised, and which day the letter names instead. Whether one left says its row
-- in the outbox, which has the same key.
CREATE TABLE holding (
    once_key  {text} PRIMARY KEY,
    case_id   BIGINT NOT NULL REFERENCES complaint_case (id),
    was_due   {text} NOT NULL,
    answer_by {text} NOT NULL
);
CREATE INDEX holding_case ON holding (case_id);
