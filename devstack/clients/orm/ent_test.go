package orm

import (
	"database/sql"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/zen-auth/zen/devstack/clients/orm/ent"
	"github.com/zen-auth/zen/devstack/clients/orm/ent/event"
)

func TestEnt(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		// ent needs the pragma on the connection that it uses.
		_, err := db.ExecContext(t.Context(), "PRAGMA foreign_keys = ON")
		must(t, err)
		client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))
		ctx := t.Context()
		must(t, client.Schema.Create(ctx))
		must(t, client.Schema.Create(ctx)) // finds that there is nothing to do
		one, err := client.Event.Create().SetName("one").SetAt(instant).Save(ctx)
		must(t, err)
		_, err = client.Event.Create().SetName("two").SetAt(instant.Add(time.Hour)).SetEnded(instant).Save(ctx)
		must(t, err)
		got, err := client.Event.Query().Where(event.AtGT(instant.Add(time.Minute))).Only(ctx)
		must(t, err)
		same(t, got.At, instant.Add(time.Hour))
		same(t, *got.Ended, instant)
		one, err = client.Event.Get(ctx, one.ID)
		must(t, err)
		same(t, one.At, instant)
		if one.Ended != nil || time.Since(one.Made) > time.Hour {
			t.Errorf("got %v", one)
		}
		_, err = client.Event.Create().SetName("one").SetAt(instant).Save(ctx)
		if !ent.IsConstraintError(err) {
			t.Errorf("a second event of one name: %v", err)
		}
	})
}
