-- A service may answer by area, and what the customer wrote may go with its request.

-- The area of the service that was asked; none where its own contacts were
ALTER TABLE request ADD COLUMN area {text};
-- Whether the customer's message went with the letter that asked
ALTER TABLE request ADD COLUMN message_attached BOOLEAN NOT NULL DEFAULT FALSE;
