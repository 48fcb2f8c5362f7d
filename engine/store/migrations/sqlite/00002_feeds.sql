-- Where feeds and schedules stand. Instants are microseconds since 1970 in UTC, 0
-- where there is none.

-- +goose Up
CREATE TABLE feeds (
    instance    TEXT NOT NULL,
    name        TEXT NOT NULL,
    cursor      TEXT NOT NULL DEFAULT '', -- where the next page begins; '' is the beginning
    walking     INTEGER NOT NULL DEFAULT 0,   -- 1: a walk has begun and not ended
    started     INTEGER NOT NULL DEFAULT 0,   -- 1: the first walk has ended
    walk        INTEGER NOT NULL DEFAULT 0,   -- number of the walk
    since       INTEGER NOT NULL DEFAULT 0,   -- where a walk without a cursor begins
    sweep       INTEGER NOT NULL DEFAULT 0,   -- 1: the walk announces all that it meets
    walk_at     INTEGER NOT NULL DEFAULT 0,   -- when the walk began
    covered_to  INTEGER NOT NULL DEFAULT 0,   -- when the last walk that ended well had begun
    last_poll   INTEGER NOT NULL DEFAULT 0,
    succeeded   INTEGER NOT NULL DEFAULT 0,
    failed_at   INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT '', -- '' after a poll that went well
    failures    INTEGER NOT NULL DEFAULT 0,   -- in a row
    retry_at    INTEGER NOT NULL DEFAULT 0,
    events      INTEGER NOT NULL DEFAULT 0,   -- made in all
    known       INTEGER NOT NULL DEFAULT 0,   -- records that were known when the last walk ended
    asked_at    INTEGER NOT NULL DEFAULT 0,   -- when the first poll that was asked for is due
    asked_last  INTEGER NOT NULL DEFAULT 0,   -- when the last one is
    asked_since INTEGER NOT NULL DEFAULT 0,   -- to begin again from there
    accept_gone INTEGER NOT NULL DEFAULT 0,   -- 1: a person says that what is missing is gone
    owner       TEXT NOT NULL DEFAULT '',
    epoch       INTEGER NOT NULL DEFAULT 0,
    expires_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance, name)
) WITHOUT ROWID;

-- Records that a feed knows: what they were last, and the walk that met them.
CREATE TABLE feed_records (
    instance    TEXT NOT NULL,
    feed        TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    walk        INTEGER NOT NULL,
    PRIMARY KEY (instance, feed, key)
) WITHOUT ROWID;
CREATE INDEX feed_records_walk ON feed_records (instance, feed, walk, key);

-- The last slot that each schedule has had.
CREATE TABLE schedules (
    instance    TEXT NOT NULL,
    name        TEXT NOT NULL,
    slot        INTEGER NOT NULL,
    fired_at    INTEGER NOT NULL DEFAULT 0, -- when it last made an event
    PRIMARY KEY (instance, name)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE schedules;
DROP TABLE feed_records;
DROP TABLE feeds;
