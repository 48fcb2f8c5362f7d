-- Who may look at the panel, and their sessions there. Neither belongs to one
-- instance: a person sees all shops of an installation.

-- +goose Up
CREATE TABLE accounts (
    name       TEXT COLLATE "C" PRIMARY KEY,
    role       TEXT   NOT NULL,
    password   TEXT   NOT NULL, -- its hash
    token      TEXT COLLATE "C" NOT NULL, -- the hash of the one for programs, '' without
    stamp      TEXT   NOT NULL, -- sessions with another one have ended
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_token ON accounts (token) WHERE token <> '';

CREATE TABLE sessions (
    token      TEXT COLLATE "C" PRIMARY KEY, -- its hash
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expired ON sessions (expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE accounts;
