package db

import (
	"database/sql"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/zen"
)

func dbSyncCommand() *cli.Command {
	return &cli.Command{
		Name:  "sync",
		Usage: "bring the database's replica up to date",
		Description: `The replica is a file on this machine. zen db query --mode replica and zen db shell
--mode replica read it, and need no network for that. If there is no replica yet, it is
created.

   zen db sync
   zen db sync --path app.db --every 5s   until Ctrl-C`,
		Flags: append(query.DatabaseFlags(),
			&cli.StringFlag{Name: "path", Usage: "keep the replica in `FILE` (default: one for the database in zen's state directory)", TakesFile: true},
			&cli.DurationFlag{Name: "every", Usage: "keep running, and sync again after each `DURATION`"},
		),
		Action: dbSync,
	}
}

type syncDocument struct {
	SchemaVersion int     `json:"schema_version"`
	Database      string  `json:"database"`
	Path          string  `json:"path"`
	Generation    uint32  `json:"generation"`
	Frame         uint32  `json:"frame"`
	Recovered     string  `json:"recovered,omitempty"`
	TookMS        float64 `json:"took_ms"`
}

func dbSync(c *cli.Context) error {
	if c.IsSet("every") && c.Duration("every") <= 0 {
		return app.Usage(c, "--every %s is not a time to wait", c.Duration("every"))
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		path, err := replicaPath(c, client, s)
		if err != nil {
			return err
		}
		how := libsql.Options{Mode: libsql.Replica, Path: path, SyncInterval: c.Duration("every")}
		if how.SyncInterval > 0 {
			how.OnSync = func(synced libsql.Synced) { tellSync(c, synced) }
		}
		return useDatabase(c, database{client: client, session: s, target: s.Target().URL}, how, func(d database) error {
			return syncDatabase(c, d.db, syncDocument{SchemaVersion: app.SchemaVersion, Database: d.target, Path: path})
		})
	})
}

// syncDatabase syncs once and answers, and waits for the end if there are more to
// come.
func syncDatabase(c *cli.Context, db *sql.DB, d syncDocument) error {
	started := time.Now()
	var synced libsql.Synced
	err := app.Slowly(c, "syncing", func() (err error) {
		synced, err = libsql.Sync(c.Context, db)
		return err
	})
	if err != nil {
		return libsql.Explain(err)
	}
	d.Generation, d.Frame, d.Recovered = synced.Progress.Generation, synced.Progress.Frame, synced.Recovered
	d.TookMS = inMilliseconds(time.Since(started))
	if app.GlobalBool(c, "json") {
		err = app.PrintJSON(c, d)
	} else {
		err = writeSync(c, d)
	}
	if err != nil || !c.IsSet("every") {
		return err
	}
	<-c.Context.Done()
	return c.Context.Err()
}

// tellSync says what a later sync brought.
func tellSync(c *cli.Context, synced libsql.Synced) {
	switch {
	case synced.Err != nil:
		fmt.Fprintf(app.Notes(c), "zen: sync: %s (again in %s)\n", app.OneLine(libsql.Explain(synced.Err).Error()), time.Until(synced.Next).Round(100*time.Millisecond))
	case synced.Changed:
		fmt.Fprintf(app.Notes(c), "synced to generation %d, frame %d in %s\n", synced.Progress.Generation, synced.Progress.Frame, query.Took(synced.Took))
	}
}

// writeSync writes the answer for people.
func writeSync(c *cli.Context, d syncDocument) error {
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "database\t%s\n", app.OneLine(d.Database))
	fmt.Fprintf(table, "replica\t%s\n", app.OneLine(d.Path))
	fmt.Fprintf(table, "synced to\tgeneration %d, frame %d\n", d.Generation, d.Frame)
	if d.Recovered != "" {
		fmt.Fprintf(table, "recovered\tfiles that didn't fit together are in %s now\n", app.OneLine(d.Recovered))
	}
	fmt.Fprintf(table, "took\t%s\n", query.Took(time.Duration(d.TookMS*float64(time.Millisecond))))
	return table.Flush()
}
