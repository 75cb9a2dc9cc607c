// Package db has the commands that use the database.
package db

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/zen"
)

func Command() *cli.Command {
	return &cli.Command{
		Name:  "db",
		Usage: "use the database",
		Subcommands: []*cli.Command{query.Command(func(c *cli.Context, fn func(*sql.Conn) error) error {
			return withDatabase(c, func(d database) error { return fn(d.conn) })
		}), dbShellCommand(), dbImportCommand(), dbDumpCommand(), dbPingCommand(), dbSyncCommand(), dbListCommand(), dbShowCommand()},
	}
}

// database is the database that a command works with.
type database struct {
	client  *zen.Client      // nil for a local file
	session *session.Session // nil for a local file
	target  string
	db      *sql.DB
	// conn is kept, so that BEGIN holds from one statement to the next.
	conn *sql.Conn
}

// withDatabase opens the database that the line names, or the profile's, for fn.
func withDatabase(c *cli.Context, fn func(database) error) error {
	mode := libsql.Mode(c.String("mode"))
	switch target := c.String("database"); {
	case c.IsSet("mode") && !slices.Contains(libsql.Modes(), mode):
		return app.Usage(c, "--mode %q is not remote, replica or local", mode)
	case c.IsSet("path") && mode != libsql.Replica:
		return app.Usage(c, "--path is for --mode replica")
	case libsql.IsLocal(target):
		return useLocal(c, libsql.Options{Target: provider.Target{URL: target}, Mode: mode, TimesAsText: true}, fn)
	case mode == libsql.Local:
		return app.Usage(c, "--mode local wants --database file:PATH or :memory:")
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		how := libsql.Options{Mode: mode, TimesAsText: true}
		if mode == libsql.Replica {
			if how.Path, err = replicaPath(c, client, s); err != nil {
				return err
			}
		}
		return useDatabase(c, database{client: client, session: s, target: s.Target().URL}, how, fn)
	})
}

// useLocal opens a file, or memory, for fn: there is no token, so access says how.
func useLocal(c *cli.Context, how libsql.Options, fn func(database) error) error {
	if c.IsSet("access") {
		access, err := provider.ParseAccess(c.String("access"))
		if err != nil {
			return app.Usage(c, "--access: %v", err)
		}
		how.Access = access
	}
	path, err := libsql.LocalPath(how.Target.URL)
	if err != nil {
		return err
	}
	wrongMode := how.Mode != "" && how.Mode != libsql.Local // for Open to say
	if _, err := os.Stat(path); !wrongMode && path != ":memory:" && errors.Is(err, fs.ErrNotExist) && !c.Bool("create") {
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("there is no file %s", app.OneLine(path)), Hint: createHint(c), Err: err}
	}
	return useDatabase(c, database{target: how.Target.URL}, how, fn)
}

// createHint says how a command makes a new file, which not all do.
func createHint(c *cli.Context) string {
	if slices.ContainsFunc(c.Command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "create") }) {
		return "--create makes an empty database"
	}
	return "zen db shell --create makes an empty database"
}

// useDatabase opens a database for fn, and closes it.
func useDatabase(c *cli.Context, d database, how libsql.Options, fn func(database) error) error {
	err := app.Slowly(c, "opening the database", func() (err error) {
		if d.client == nil {
			d.db, err = libsql.Open(c.Context, how)
		} else {
			d.db, err = d.client.OpenSession(c.Context, d.session, how)
		}
		return err
	})
	if err != nil {
		return libsql.Explain(err)
	}
	return query.On(c.Context, d.db, func(conn *sql.Conn) error {
		d.conn = conn
		return fn(d)
	})
}

// replicaPath returns the path of the replica of a session's database.
func replicaPath(c *cli.Context, client *zen.Client, s *session.Session) (string, error) {
	if err := s.NeedsDatabase(); err != nil {
		return "", err
	}
	if c.IsSet("path") {
		return c.String("path"), nil
	}
	dir := filepath.Join(client.Config.Paths.StateDir, "replicas")
	sum := sha256.Sum256([]byte(s.Target().URL))
	return filepath.Join(dir, databaseName(s.Target().URL)+"-"+hex.EncodeToString(sum[:4])+".db"), os.MkdirAll(dir, 0o700)
}

// databaseName returns a database's name for people: the last part of its path, or the first
// of its host.
func databaseName(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "zen"
	}
	name := path.Base(u.Path + u.Opaque)
	if name == "." || name == "/" {
		name, _, _ = strings.Cut(u.Hostname(), ".")
	}
	if name = app.OneLine(name); len(name) > 24 || name == "" {
		return "zen"
	}
	return name
}
