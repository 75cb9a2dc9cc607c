package orm

import (
	"database/sql"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

type letter struct {
	ID     int64 `bun:",pk,autoincrement"`
	Title  string
	Sent   time.Time
	Opened bun.NullTime
}

func TestBun(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		b := bun.NewDB(db, sqlitedialect.New())
		ctx := t.Context()
		_, err := b.NewCreateTable().Model((*letter)(nil)).Exec(ctx)
		must(t, err)
		sent := []letter{{Title: "one", Sent: instant}, {Title: "two", Sent: instant.Add(time.Hour), Opened: bun.NullTime{Time: instant}}}
		_, err = b.NewInsert().Model(&sent).Exec(ctx)
		must(t, err)
		var got []letter
		must(t, b.NewSelect().Model(&got).Where("sent > ?", instant.Add(time.Minute)).Scan(ctx))
		if len(got) != 1 || got[0].Title != "two" {
			t.Fatalf("got %+v", got)
		}
		same(t, got[0].Sent, instant.Add(time.Hour))
		same(t, got[0].Opened.Time, instant)
	})
}
