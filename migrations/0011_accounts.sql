-- Who may use the API, and as whom an officer's acts are recorded.
CREATE TABLE account (
  id {id},
  name {text} NOT NULL UNIQUE,
  -- officer, reader
  role {text} NOT NULL,
  -- the token itself is shown once and kept nowhere
  token_sha256 {text} NOT NULL,
  created_at BIGINT NOT NULL,
  disabled_at BIGINT
);
