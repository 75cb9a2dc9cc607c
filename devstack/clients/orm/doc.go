// Package orm drives the driver with what Go programs use it through: GORM, sqlx, bun,
// ent, code as sqlc writes it, goose and golang-migrate, in each mode. It has tests
// only, and is a module of its own, so that none of it is zen's dependency.
package orm

//go:generate go run entgo.io/ent/cmd/ent@v0.14.5 generate --feature sql/upsert ./ent/schema
