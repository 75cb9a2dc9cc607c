package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
)

func dbPingCommand() *cli.Command {
	return &cli.Command{
		Name:  "ping",
		Usage: "check whether the database answers, and how fast",
		Description: `Sends a query and waits for its answer, a few times over one connection; the
first one also has to connect. Prints who issued the token, and how long it is valid.`,
		Flags: append(query.DatabaseFlags(),
			&cli.IntFlag{Name: "count", Usage: "send `N` queries", Value: 5},
			&cli.DurationFlag{Name: "interval", Usage: "wait `DURATION` between two queries", Value: 100 * time.Millisecond},
		),
		Action: dbPing,
	}
}

type pingDocument struct {
	SchemaVersion  int         `json:"schema_version"`
	Database       string      `json:"database"`
	Server         string      `json:"server,omitempty"`
	SQLite         string      `json:"sqlite"`
	Provider       string      `json:"provider"`
	TokenExpiresAt *time.Time  `json:"token_expires_at"`
	Sent           int         `json:"sent"`
	FirstMS        float64     `json:"first_ms"`
	RoundTripMS    *roundTrips `json:"round_trip_ms"`
}

// roundTrips are of all queries but the first, which had to connect.
type roundTrips struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func dbPing(c *cli.Context) error {
	n, interval := c.Int("count"), c.Duration("interval")
	switch {
	case n < 1 || n > 10_000:
		return app.Usage(c, "--count %d is not between 1 and 10000", n)
	case interval < 0:
		return app.Usage(c, "--interval %s is negative", interval)
	}
	return withDatabase(c, func(db database) error {
		if db.session == nil {
			return app.Usage(c, "%s has no server to ask", db.target)
		}
		conn, d := db.conn, pingDocument{SchemaVersion: app.SchemaVersion, Database: db.target, Sent: n}
		started := time.Now()
		err := app.Slowly(c, "waiting for the database", func() error {
			return conn.QueryRowContext(c.Context, "SELECT sqlite_version()").Scan(&d.SQLite)
		})
		d.FirstMS = inMilliseconds(time.Since(started))
		if err == nil {
			d.RoundTripMS, err = ping(c.Context, conn, n-1, interval)
		}
		if err == nil {
			d.Server, err = hrana.Version(c.Context, conn)
		}
		if err != nil {
			return libsql.Explain(err)
		}
		token, err := db.session.Token(c.Context) // the one that was just used
		if err != nil {
			return err
		}
		d.Provider, d.TokenExpiresAt = db.session.Issuer(), app.Instant(token.Expires)
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, d)
		}
		return writePing(c, d)
	})
}

// ping measures n round trips; nil if n is 0.
func ping(ctx context.Context, conn *sql.Conn, n int, interval time.Duration) (*roundTrips, error) {
	if n == 0 {
		return nil, nil
	}
	times := make([]time.Duration, n)
	for i := range times {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(interval):
		}
		started := time.Now()
		if err := conn.PingContext(ctx); err != nil {
			return nil, err
		}
		times[i] = time.Since(started)
	}
	slices.Sort(times)
	return &roundTrips{Min: inMilliseconds(times[0]), Median: inMilliseconds(times[n/2]), Max: inMilliseconds(times[n-1])}, nil
}

func inMilliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}

// writePing writes the answer for people.
func writePing(c *cli.Context, d pingDocument) error {
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value = app.OneLine(value); value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("database", d.Database)
	row("server", d.Server)
	row("sqlite", d.SQLite)
	row("token from", d.Provider)
	row("token expires", app.UntilText(d.TokenExpiresAt, time.Now()))
	row("first answer", fmt.Sprintf("%.2f ms, connecting included", d.FirstMS))
	if r := d.RoundTripMS; r != nil {
		row("round trip", fmt.Sprintf("%.2f ms median of %d (%.2f to %.2f)", r.Median, d.Sent-1, r.Min, r.Max))
	}
	return table.Flush()
}
