package query

import "github.com/urfave/cli/v2"

// DatabaseFlags say which database, and with what right.
func DatabaseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "access", Usage: "use a token with `ACCESS`: ro or rw"},
		&cli.StringFlag{Name: "database", Usage: "use the database at `URL`, or with that name"},
	}
}

// ModeFlags say how a database is used.
func ModeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "mode", Usage: "use the database in `MODE`: remote, replica or local (default: local for file:PATH and :memory:, otherwise remote)"},
		&cli.StringFlag{Name: "path", Usage: "keep the replica in `FILE` (default: one for the database in zen's state directory)", TakesFile: true},
	}
}

// CreateFlag lets a database in a file begin.
func CreateFlag() cli.Flag {
	return &cli.BoolFlag{Name: "create", Usage: "create the file of --database file:PATH if it doesn't exist"}
}
