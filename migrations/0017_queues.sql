-- What waits is a small part of what was ever kept. An index of its own for each queue: a claim reads what
-- it takes, in the order in which it takes it, and what is done leaves the index instead of moving in it.
-- With the state as the first column SQLite walked through all that waited at every claim.
DROP INDEX message_waiting;
CREATE INDEX message_waiting ON message (id) WHERE state IN ('stored', 'understood');
CREATE INDEX message_arriving ON message (id) WHERE state = 'arriving';

DROP INDEX letter_due;
CREATE INDEX letter_due ON letter (due_at, id) WHERE state = 'queued';
