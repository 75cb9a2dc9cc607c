// Package migrations has the tools for migrations, which bring a driver for SQLite that
// takes the name of GORM's.
package migrations

import (
	"database/sql"
	"embed"
	"io/fs"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/zen-auth/zen/devstack/clients/orm/modes"
)

//go:embed sql steps
var files embed.FS

var (
	inEachMode = modes.Each
	must       = modes.Must
)

func TestGoose(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		dir, err := fs.Sub(files, "sql")
		must(t, err)
		p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
		must(t, err)
		_, err = p.Up(t.Context())
		must(t, err)
		status, err := p.Status(t.Context())
		must(t, err)
		for _, s := range status {
			if s.State != goose.StateApplied || time.Since(s.AppliedAt).Abs() > time.Hour {
				t.Errorf("%+v", s)
			}
		}
		_, err = p.DownTo(t.Context(), 0)
		must(t, err)
		if version, err := p.GetDBVersion(t.Context()); err != nil || version != 0 {
			t.Errorf("version %d, %v", version, err)
		}
	})
}
