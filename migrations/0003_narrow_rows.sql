-- What is large and written once lives apart from rows that change often: an engine rewrites the
-- whole row with every change.

-- What was understood of a message, whole.
CREATE TABLE reading (
  message_id BIGINT PRIMARY KEY,
  email {text} NOT NULL
);
INSERT INTO reading (message_id, email) SELECT id, email FROM message WHERE email IS NOT NULL;
ALTER TABLE message DROP COLUMN email;

-- A letter's finished bytes.
CREATE TABLE letter_bytes (
  letter_id BIGINT PRIMARY KEY,
  bytes {bytes} NOT NULL
);
INSERT INTO letter_bytes (letter_id, bytes) SELECT id, bytes FROM letter;
ALTER TABLE letter DROP COLUMN bytes;
