-- +goose Up
ALTER TABLE pings ADD COLUMN room BLOB;

-- +goose Down
ALTER TABLE pings DROP COLUMN room;
