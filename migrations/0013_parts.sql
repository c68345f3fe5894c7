-- What a service answers of a case, by when and who there, where an officer said.
ALTER TABLE request ADD COLUMN points BIGINT NOT NULL DEFAULT 0;
-- working days before the customer's date; none where the checking margin of the ladder counts
ALTER TABLE request ADD COLUMN days_before BIGINT;
ALTER TABLE request ADD COLUMN responder_name {text};
ALTER TABLE request ADD COLUMN responder_address {text};
