-- Who may look at the panel, and their sessions there. Neither belongs to one
-- instance: a person sees all shops of an installation.

-- +goose Up
CREATE TABLE accounts (
    name       TEXT    PRIMARY KEY,
    role       TEXT    NOT NULL,
    password   TEXT    NOT NULL, -- its hash
    token      TEXT    NOT NULL, -- the hash of the one for programs, '' without
    stamp      TEXT    NOT NULL, -- sessions with another one have ended
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_token ON accounts (token) WHERE token <> '';

CREATE TABLE sessions (
    token      TEXT    PRIMARY KEY, -- its hash
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_expired ON sessions (expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE accounts;
