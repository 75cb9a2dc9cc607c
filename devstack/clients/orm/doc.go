// Package orm tests the driver with the libraries that Go programs use: GORM, sqlx, bun,
// ent, code as sqlc writes it, goose and golang-migrate, in each mode. It has only tests,
// and is a separate module, so that zen doesn't depend on any of it.
package orm

//go:generate go run entgo.io/ent/cmd/ent@v0.14.5 generate --feature sql/upsert ./ent/schema
