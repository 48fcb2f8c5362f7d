-- The shops that this installation serves. main is there from the beginning, and
-- so is whatever had settings or runs before there was this table.

-- +goose Up
CREATE TABLE instances (
    name       TEXT    PRIMARY KEY,
    title      TEXT    NOT NULL,
    state      TEXT    NOT NULL, -- active, paused, removing
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO instances (name, title, state, created_at)
    SELECT name, name, 'active', CAST(unixepoch('subsec') * 1000000 AS INTEGER)
    FROM (SELECT 'main' AS name UNION SELECT instance FROM settings UNION SELECT instance FROM leases);

-- +goose Down
DROP TABLE instances;
