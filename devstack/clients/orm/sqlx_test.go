package orm

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

type visit struct {
	ID   int64        `db:"id"`
	At   time.Time    `db:"at"`
	Left sql.NullTime `db:"left_at"`
}

const visits = "CREATE TABLE visit (id INTEGER PRIMARY KEY, at DATETIME NOT NULL, left_at TIMESTAMP)"

func TestSQLX(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		x := sqlx.NewDb(db, "sqlite3")
		x.MustExec(visits)
		_, err := x.NamedExec("INSERT INTO visit (at, left_at) VALUES (:at, :left_at)", []visit{{At: instant}, {At: instant, Left: sql.NullTime{Time: instant, Valid: true}}})
		must(t, err)
		var got []visit
		must(t, x.Select(&got, "SELECT * FROM visit ORDER BY id"))
		if len(got) != 2 || got[0].Left.Valid || !got[1].Left.Valid {
			t.Fatalf("got %+v", got)
		}
		same(t, got[0].At, instant)
		same(t, got[1].Left.Time, instant)
		query, args, err := sqlx.In("SELECT count(*) FROM visit WHERE id IN (?)", []int{1, 2, 3})
		must(t, err)
		var n int
		must(t, x.Get(&n, x.Rebind(query), args...))
		if n != 2 {
			t.Errorf("%d visits", n)
		}
	})
}

// queries is the form of the code that sqlc generates for SQLite.
type queries struct{ db *sql.DB }

const createVisit = `-- name: CreateVisit :one
INSERT INTO visit (at, left_at) VALUES (?1, ?2) RETURNING id, at, left_at`

func (q *queries) createVisit(ctx context.Context, at time.Time, left sql.NullTime) (visit, error) {
	var v visit
	err := q.db.QueryRowContext(ctx, createVisit, at, left).Scan(&v.ID, &v.At, &v.Left)
	return v, err
}

const visitsSince = `-- name: VisitsSince :many
SELECT id, at, left_at FROM visit WHERE at >= ?1 ORDER BY at`

func (q *queries) visitsSince(ctx context.Context, since time.Time) ([]visit, error) {
	rows, err := q.db.QueryContext(ctx, visitsSince, since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []visit
	for rows.Next() {
		var v visit
		if err := rows.Scan(&v.ID, &v.At, &v.Left); err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, rows.Err()
}

func TestSQLC(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		_, err := db.ExecContext(t.Context(), visits)
		must(t, err)
		q := &queries{db}
		for i := range 3 {
			v, err := q.createVisit(t.Context(), instant.Add(time.Duration(i)*time.Hour), sql.NullTime{})
			must(t, err)
			same(t, v.At, instant.Add(time.Duration(i)*time.Hour))
		}
		got, err := q.visitsSince(t.Context(), instant.Add(time.Hour))
		must(t, err)
		if len(got) != 2 {
			t.Errorf("%d visits, want 2", len(got))
		}
	})
}
