-- Addresses that refuse our mail, and letters that wait for a person.

-- A letter that its address refused for good, once however often it is reported.
CREATE TABLE refusal (
  letter_id BIGINT PRIMARY KEY,
  -- to whom the letter went, lower case
  address {text} NOT NULL,
  status {text} NOT NULL,
  refused_at BIGINT NOT NULL,
  -- from when on it no longer counts: an officer says that the address is right
  allowed_at BIGINT
);
CREATE INDEX refusal_address ON refusal (address, refused_at);

-- An address that gets no automatic mail for a while, and the letter that says so.
CREATE TABLE refusing_address (
  address {text} PRIMARY KEY,
  since_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  letter_id BIGINT NOT NULL
);

-- address or breaker; nothing where it could not be put into the form of mail
ALTER TABLE letter ADD COLUMN held_by {text};
ALTER TABLE letter ADD COLUMN released_at BIGINT;
ALTER TABLE letter ADD COLUMN delivered_at BIGINT;
CREATE INDEX letter_held ON letter (held_by, released_at) WHERE held_by IS NOT NULL;

-- What answers a message by itself: counted before each answer.
CREATE INDEX letter_answers ON letter (created_at) WHERE purpose IN ('acknowledgement', 'receipt');
