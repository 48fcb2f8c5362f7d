-- Where feeds and schedules stand. Instants are microseconds since 1970 in UTC, 0
-- where there is none.

-- +goose Up
CREATE TABLE feeds (
    instance    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    cursor      TEXT NOT NULL DEFAULT '', -- where the next page begins; '' is the beginning
    walking     BIGINT NOT NULL DEFAULT 0,   -- 1: a walk has begun and not ended
    started     BIGINT NOT NULL DEFAULT 0,   -- 1: the first walk has ended
    walk        BIGINT NOT NULL DEFAULT 0,   -- number of the walk
    since       BIGINT NOT NULL DEFAULT 0,   -- where a walk without a cursor begins
    sweep       BIGINT NOT NULL DEFAULT 0,   -- 1: the walk announces all that it meets
    walk_at     BIGINT NOT NULL DEFAULT 0,   -- when the walk began
    covered_to  BIGINT NOT NULL DEFAULT 0,   -- when the last walk that ended well had begun
    last_poll   BIGINT NOT NULL DEFAULT 0,
    succeeded   BIGINT NOT NULL DEFAULT 0,
    failed_at   BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT '', -- '' after a poll that went well
    failures    BIGINT NOT NULL DEFAULT 0,   -- in a row
    retry_at    BIGINT NOT NULL DEFAULT 0,
    events      BIGINT NOT NULL DEFAULT 0,   -- made in all
    known       BIGINT NOT NULL DEFAULT 0,   -- records that were known when the last walk ended
    asked_at    BIGINT NOT NULL DEFAULT 0,   -- when the first poll that was asked for is due
    asked_last  BIGINT NOT NULL DEFAULT 0,   -- when the last one is
    asked_since BIGINT NOT NULL DEFAULT 0,   -- to begin again from there
    accept_gone BIGINT NOT NULL DEFAULT 0,   -- 1: a person says that what is missing is gone
    owner       TEXT NOT NULL DEFAULT '',
    epoch       BIGINT NOT NULL DEFAULT 0,
    expires_at  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (instance, name)
);

-- Records that a feed knows: what they were last, and the walk that met them.
CREATE TABLE feed_records (
    instance    TEXT COLLATE "C" NOT NULL,
    feed        TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL,
    walk        BIGINT NOT NULL,
    PRIMARY KEY (instance, feed, key)
);
CREATE INDEX feed_records_walk ON feed_records (instance, feed, walk, key);

-- The last slot that each schedule has had.
CREATE TABLE schedules (
    instance    TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    slot        BIGINT NOT NULL,
    fired_at    BIGINT NOT NULL DEFAULT 0, -- when it last made an event
    PRIMARY KEY (instance, name)
);

-- +goose Down
DROP TABLE schedules;
DROP TABLE feed_records;
DROP TABLE feeds;
