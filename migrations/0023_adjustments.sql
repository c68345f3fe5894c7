-- How a customer is to be written to, as officers recorded it: it stands with the person, not with a case.
CREATE TABLE adjustment (
  -- the customer's address in small letters
  address {text} PRIMARY KEY,
  -- a folder of templates/letters/ (`cy`, `easy-read`); none for the usual letters
  edition {text},
  format {text} NOT NULL,
  recorded_at BIGINT NOT NULL,
  recorded_by {text} NOT NULL
);
