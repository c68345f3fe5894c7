-- A set of rules as it was published: by whom, when, why, and whole, so that it can be published again.
CREATE TABLE rule_set (
  id {id},
  -- twelve hexadecimal digits over the files; the same again after a return to it
  version {text} NOT NULL,
  published_at BIGINT NOT NULL,
  author {text} NOT NULL,
  reason {text} NOT NULL,
  -- JSON: name of the file below the rules folder, and its text
  files {text} NOT NULL,
  -- the publication before this one, 0 for the first: of two at once the second is refused
  previous BIGINT NOT NULL UNIQUE
);
CREATE INDEX rule_set_version ON rule_set (version);

-- What the register knew of a message's sender when it was settled, as JSON: a replay is told the same.
-- Nothing for what was settled before.
ALTER TABLE decision ADD COLUMN known {text};
