-- +goose Up
ALTER TABLE pings ADD COLUMN room BYTEA;

-- +goose Down
ALTER TABLE pings DROP COLUMN room;
