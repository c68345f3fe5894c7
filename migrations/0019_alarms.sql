-- Messages that may tell of a child at risk, until somebody has opened them.
CREATE TABLE alarm (
    message_id BIGINT PRIMARY KEY REFERENCES message (id),
    called_at  BIGINT NOT NULL,
    -- Whom the first call went to: the second goes to somebody else.
    called     {text} NOT NULL,
    again_at   BIGINT,
    opened_at  BIGINT,
    opened_by  {text}
);
CREATE INDEX alarm_unopened ON alarm (called_at) WHERE opened_at IS NULL AND again_at IS NULL;
