package migrations

import (
	"database/sql"
	"testing"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/sqlite"
	"github.com/golang-migrate/migrate/v4/source/iofs"
)

func TestMigrate(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		source, err := iofs.New(files, "steps")
		must(t, err)
		driver, err := sqlite.WithInstance(db, &sqlite.Config{})
		must(t, err)
		m, err := migrate.NewWithInstance("iofs", source, "sqlite", driver)
		must(t, err)
		must(t, m.Up())
		if version, dirty, err := m.Version(); err != nil || dirty || version != 2 {
			t.Errorf("version %d, dirty %v, %v", version, dirty, err)
		}
		var at time.Time
		must(t, db.QueryRowContext(t.Context(), "SELECT at FROM steps").Scan(&at))
		if time.Since(at).Abs() > time.Hour {
			t.Errorf("made at %v", at)
		}
		must(t, m.Down())
	})
}
