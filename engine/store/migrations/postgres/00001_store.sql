-- The store's tables. Instants are microseconds since 1970 in UTC, 0 where
-- there is none. Every row carries its instance (one shop).
-- Names and keys compare bytewise, whatever the locale of the database.

-- +goose Up
CREATE TABLE events (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance TEXT COLLATE "C"    NOT NULL,
    source   TEXT    NOT NULL,
    name     TEXT COLLATE "C"    NOT NULL,
    delivery TEXT    NOT NULL,
    payload  BYTEA,
    note     TEXT    NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX events_instance ON events (instance, id);

CREATE TABLE runs (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance    TEXT COLLATE "C"    NOT NULL,
    flow        TEXT COLLATE "C"    NOT NULL,
    flow_order  BIGINT NOT NULL,
    key         TEXT COLLATE "C"    NOT NULL,
    version     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    first_event BIGINT NOT NULL, -- with flow_order and id: its place in the key
    event_id    BIGINT NOT NULL, -- the newest event folded into it
    input       BYTEA,
    result      BYTEA,
    attempt     BIGINT NOT NULL DEFAULT 0,
    tries       BIGINT NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    code        TEXT    NOT NULL DEFAULT '',
    advice      TEXT    NOT NULL DEFAULT '',
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    started_at  BIGINT NOT NULL DEFAULT 0,
    ended_at    BIGINT NOT NULL DEFAULT 0
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
    instance TEXT COLLATE "C"    NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id),
    run_id   BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, run_id)
);
CREATE INDEX run_events_run ON run_events (run_id);

CREATE TABLE steps (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance TEXT COLLATE "C"    NOT NULL,
    run_id   BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path     TEXT COLLATE "C"    NOT NULL,
    state    TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    input    BYTEA,
    output   BYTEA,
    error    TEXT    NOT NULL,
    started  BIGINT NOT NULL,
    ended    BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    UNIQUE (run_id, path)
);

-- One row for each key that ever had a run: its lease, and which of its runs is
-- first. ready_at is when that run can be claimed: when it is due and the lease
-- has ended. Both are written by every change of the key's runs, so that finding
-- work never looks at the backlog.
CREATE TABLE leases (
    instance   TEXT COLLATE "C"    NOT NULL,
    key        TEXT COLLATE "C"    NOT NULL,
    epoch      BIGINT NOT NULL DEFAULT 0,
    run_id     BIGINT NOT NULL DEFAULT 0, -- 0: not leased
    owner      TEXT    NOT NULL DEFAULT '',
    expires_at BIGINT NOT NULL DEFAULT 0,
    head_id    BIGINT,
    ready_at   BIGINT,
    PRIMARY KEY (instance, key)
);
CREATE INDEX leases_ready ON leases (instance, ready_at, head_id) WHERE head_id IS NOT NULL;

-- tbl, because "table" is a word of SQL. A claimed link has one empty side.
CREATE TABLE links (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance     TEXT COLLATE "C"    NOT NULL,
    tbl          TEXT COLLATE "C"    NOT NULL,
    local        TEXT COLLATE "C"    NOT NULL,
    remote       TEXT COLLATE "C"    NOT NULL,
    state        TEXT    NOT NULL,
    fingerprints BYTEA,
    epoch        BIGINT NOT NULL,
    run_id       BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX links_local ON links (instance, tbl, local) WHERE local <> '';
CREATE UNIQUE INDEX links_remote ON links (instance, tbl, remote) WHERE remote <> '';
CREATE INDEX links_claimed ON links (run_id) WHERE state = 'claimed';

CREATE TABLE cursors (
    instance   TEXT COLLATE "C"    NOT NULL,
    name       TEXT COLLATE "C"    NOT NULL,
    value      TEXT    NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (instance, name)
);

CREATE TABLE settings (
    instance   TEXT COLLATE "C"    NOT NULL,
    name       TEXT COLLATE "C"    NOT NULL,
    value      BYTEA    NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (instance, name)
);

-- Written by Ping, which proves that the store can be written.
CREATE TABLE pings (
    instance TEXT COLLATE "C"    PRIMARY KEY,
    at       BIGINT NOT NULL
);

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
