-- The store's tables. Instants are microseconds since 1970 in UTC, 0 where
-- there is none. Every row carries its instance (one shop).

-- +goose Up
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    delivery TEXT    NOT NULL,
    payload  BLOB,
    note     TEXT    NOT NULL,
    at       INTEGER NOT NULL
);
CREATE INDEX events_instance ON events (instance, id);

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    instance    TEXT    NOT NULL,
    flow        TEXT    NOT NULL,
    flow_order  INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    first_event INTEGER NOT NULL, -- with flow_order and id: its place in the key
    event_id    INTEGER NOT NULL, -- the newest event folded into it
    input       BLOB,
    result      BLOB,
    attempt     INTEGER NOT NULL DEFAULT 0,
    tries       INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    code        TEXT    NOT NULL DEFAULT '',
    advice      TEXT    NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    started_at  INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_state ON runs (instance, state, id);
CREATE INDEX runs_key ON runs (instance, key, id);
-- The head of a key is found here, whatever the number of ended runs.
CREATE INDEX runs_open ON runs (instance, key, first_event, flow_order, id)
    WHERE state IN ('waiting', 'running', 'retrying');
CREATE INDEX runs_fold ON runs (instance, flow, key)
    WHERE state IN ('waiting', 'held');
CREATE INDEX runs_retrying ON runs (due_at) WHERE state = 'retrying';
CREATE INDEX runs_ended ON runs (ended_at, id)
    WHERE state IN ('succeeded', 'skipped', 'failed', 'cancelled');

-- Which events a run was made of: the first, and those folded into it.
CREATE TABLE run_events (
    instance TEXT    NOT NULL,
    event_id INTEGER NOT NULL REFERENCES events (id),
    run_id   INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, run_id)
) WITHOUT ROWID;
CREATE INDEX run_events_run ON run_events (run_id);

CREATE TABLE steps (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT    NOT NULL,
    run_id   INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path     TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    input    BLOB,
    output   BLOB,
    error    TEXT    NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    UNIQUE (run_id, path)
);

-- One row for each key that ever had a run: its lease, and which of its runs is
-- first. ready_at is when that run can be claimed: when it is due and the lease
-- has ended. Both are written by every change of the key's runs, so that finding
-- work never looks at the backlog.
CREATE TABLE leases (
    instance   TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    epoch      INTEGER NOT NULL DEFAULT 0,
    run_id     INTEGER NOT NULL DEFAULT 0, -- 0: not leased
    owner      TEXT    NOT NULL DEFAULT '',
    expires_at INTEGER NOT NULL DEFAULT 0,
    head_id    INTEGER,
    ready_at   INTEGER,
    PRIMARY KEY (instance, key)
) WITHOUT ROWID;
CREATE INDEX leases_ready ON leases (instance, ready_at, head_id) WHERE head_id IS NOT NULL;

-- tbl, because "table" is a word of SQL. A claimed link has one empty side.
CREATE TABLE links (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    instance     TEXT    NOT NULL,
    tbl          TEXT    NOT NULL,
    local        TEXT    NOT NULL,
    remote       TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    fingerprints BLOB,
    epoch        INTEGER NOT NULL,
    run_id       INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX links_local ON links (instance, tbl, local) WHERE local <> '';
CREATE UNIQUE INDEX links_remote ON links (instance, tbl, remote) WHERE remote <> '';
CREATE INDEX links_claimed ON links (run_id) WHERE state = 'claimed';

CREATE TABLE cursors (
    instance   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (instance, name)
) WITHOUT ROWID;

CREATE TABLE settings (
    instance   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (instance, name)
) WITHOUT ROWID;

-- Written by Ping, which proves that the store can be written.
CREATE TABLE pings (
    instance TEXT    PRIMARY KEY,
    at       INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE pings;
DROP TABLE settings;
DROP TABLE cursors;
DROP TABLE links;
DROP TABLE leases;
DROP TABLE steps;
DROP TABLE run_events;
DROP TABLE runs;
DROP TABLE events;
