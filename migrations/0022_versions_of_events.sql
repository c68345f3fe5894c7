-- The version of the case on which an officer's act was decided, so that whoever decided on an older one is told what
-- changed since; none where nobody's act it was.
ALTER TABLE case_event ADD COLUMN version BIGINT;
