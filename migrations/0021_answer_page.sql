-- The page on which services answer, and what they answered on it or by mail.

-- A link in a letter to a service. Of its token only the hash is kept.
CREATE TABLE answer_link (
  id {id},
  token_sha256 {text} NOT NULL UNIQUE,
  -- the mailbox that it was sent to: codes and another link go there and nowhere else
  recipient {text} NOT NULL,
  made_on {text} NOT NULL,
  made_at BIGINT NOT NULL,
  -- since when another has taken its place
  replaced_at BIGINT
);

-- What it opens, in the order of its list.
CREATE TABLE answer_link_request (
  link_id BIGINT NOT NULL,
  -- from 1
  place BIGINT NOT NULL,
  request_id BIGINT NOT NULL,
  PRIMARY KEY (link_id, place)
);

-- Six digits that were sent to the mailbox of a link.
CREATE TABLE answer_code (
  id {id},
  link_id BIGINT NOT NULL,
  recipient {text} NOT NULL,
  code_sha256 {text} NOT NULL,
  sent_at BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  used_at BIGINT
);
CREATE INDEX answer_code_of ON answer_code (link_id, id);
CREATE INDEX answer_code_to ON answer_code (recipient, sent_at);

-- A browser in which the code of a link was typed.
CREATE TABLE answer_session (
  id {id},
  session_sha256 {text} NOT NULL UNIQUE,
  link_id BIGINT NOT NULL,
  began_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL
);

-- Who saw what a customer wrote: the first time in each session.
CREATE TABLE answer_view (
  session_id BIGINT NOT NULL,
  request_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (session_id, request_id)
);

-- A form of the page that was sent: the same again is the same act.
CREATE TABLE answer_form (
  form_key {text} PRIMARY KEY,
  link_id BIGINT NOT NULL,
  request_id BIGINT NOT NULL,
  act {text} NOT NULL,
  at BIGINT NOT NULL
);

-- What a service answered. A text is never changed: what comes later is another row.
CREATE TABLE service_answer (
  id {id},
  case_id BIGINT NOT NULL,
  request_id BIGINT NOT NULL,
  -- none where it was given on the page
  message_id BIGINT,
  given_at BIGINT NOT NULL,
  -- the name that was typed, and the mailbox of the link or of the mail
  by_name {text},
  by_address {text},
  answer {text} NOT NULL,
  -- waiting, confirmed, sent_back, set_aside
  state {text} NOT NULL,
  decided_at BIGINT,
  decided_by {text},
  -- what it lacks, where it was sent back
  note {text}
);
CREATE INDEX service_answer_of ON service_answer (case_id, id);
