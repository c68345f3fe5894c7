-- A calendar by which open cases were counted again, newest last.
CREATE TABLE calendar_change (
  id {id},
  -- which list of holidays; the same again after a return to it
  version {text} NOT NULL,
  -- the change before this one, 0 for the first: of two at once the second is refused
  previous BIGINT NOT NULL UNIQUE,
  changed_at BIGINT NOT NULL,
  -- how many moves an officer was told of, and by which task
  told BIGINT NOT NULL DEFAULT 0,
  task_id BIGINT
);

-- A case whose date such a change moved.
CREATE TABLE calendar_move (
  change_id BIGINT NOT NULL,
  case_id BIGINT NOT NULL,
  standard_before {text},
  standard_after {text},
  -- the day that the customer was told, which stays; and where the new calendar would have it
  promised_on {text},
  counted_on {text},
  PRIMARY KEY (change_id, case_id)
);
