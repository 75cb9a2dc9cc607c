//go:build !front

package main

import (
	"database/sql"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/session"
)

func dbCommand() *cli.Command {
	return &cli.Command{
		Name:        "db",
		Usage:       "use the database",
		Subcommands: []*cli.Command{dbQueryCommand(), dbShellCommand(), dbPingCommand()},
	}
}

// databaseFlags say which database, and with what right.
func databaseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "access", Usage: "use a token with `ACCESS`: ro or rw"},
		&cli.StringFlag{Name: "database", Usage: "use the database at `URL`"},
	}
}

// withDatabase opens the profile's database for fn, which gets one connection, so
// that BEGIN holds from one statement to the next.
func withDatabase(c *cli.Context, fn func(*core.Client, *session.Session, *sql.Conn) error) error {
	return withClient(c, func(client *core.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		db, err := client.OpenDB(s)
		if err != nil {
			return err
		}
		conn, err := db.Conn(c.Context)
		if err == nil {
			err = fn(client, s, conn)
			conn.Close() // gives up a transaction that was left open
		}
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
		return err
	})
}
