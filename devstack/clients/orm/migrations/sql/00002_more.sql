-- +goose Up
ALTER TABLE moved ADD COLUMN note TEXT;
CREATE INDEX moved_at ON moved (at);
-- +goose Down
DROP INDEX moved_at;
ALTER TABLE moved DROP COLUMN note;
