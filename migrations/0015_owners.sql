-- The officer of the complaints team who looks after a case, by the id of officers.toml. What the case's
-- events say is the truth; this is for lists.
ALTER TABLE complaint_case ADD COLUMN owner {text};
CREATE INDEX case_owner ON complaint_case (status, owner);

-- An absence of an officer that was acted upon, once.
CREATE TABLE absence (
  officer {text} NOT NULL,
  from_on {text} NOT NULL,
  begun_at BIGINT NOT NULL,
  ended_at BIGINT,
  -- what lists the cases that fall due meanwhile
  task_id BIGINT,
  PRIMARY KEY (officer, from_on)
);

-- The cases that others got meanwhile, so that they can go back.
CREATE TABLE handed_over (
  officer {text} NOT NULL,
  from_on {text} NOT NULL,
  case_id BIGINT NOT NULL,
  given_to {text} NOT NULL,
  PRIMARY KEY (officer, from_on, case_id)
);
