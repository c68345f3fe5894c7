-- By which template a letter was written: what a neutral acknowledgement left open is told once somebody
-- has decided. Letters from before have none.
ALTER TABLE letter ADD COLUMN template {text};
