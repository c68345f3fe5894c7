-- A set of templates as it was published, as rule_set keeps rules.
CREATE TABLE letter_set (
  id {id},
  -- twelve hexadecimal digits over the files; the same again after a return to it
  version {text} NOT NULL,
  published_at BIGINT NOT NULL,
  author {text} NOT NULL,
  reason {text} NOT NULL,
  -- JSON: name of the file below the templates folder, and its text
  files {text} NOT NULL,
  -- the publication before this one, 0 for the first: of two at once the second is refused
  previous BIGINT NOT NULL UNIQUE
);
CREATE INDEX letter_set_version ON letter_set (version);
