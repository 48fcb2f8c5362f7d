-- The shops that this installation serves. main is there from the beginning, and
-- so is whatever had settings or runs before there was this table.

-- +goose Up
CREATE TABLE instances (
    name       TEXT COLLATE "C" PRIMARY KEY,
    title      TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- active, paused, removing
    created_at BIGINT NOT NULL
);
INSERT INTO instances (name, title, state, created_at)
    SELECT name, name, 'active', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    FROM (SELECT 'main' COLLATE "C" AS name UNION SELECT instance FROM settings UNION SELECT instance FROM leases) AS known;

-- +goose Down
DROP TABLE instances;
