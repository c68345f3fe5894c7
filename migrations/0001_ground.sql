-- What this installation knows about itself: one line per fact.
-- `instance` is drawn once, when the store is made: it tells two installations apart in Message-IDs,
-- leases and backups.
CREATE TABLE setting (
    key   {text} PRIMARY KEY,
    value {text} NOT NULL
);

INSERT INTO setting (key, value) VALUES ('instance', {random});
