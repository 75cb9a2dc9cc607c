package hrana

import (
	"slices"

	"github.com/zen-auth/zen/internal/sqlite"
)

// A PRAGMA such as foreign_keys = OFF holds for a connection, and outside a transaction
// every request has another one on the server. So what was set travels in front of the
// statements, in the same request: no stream has to be kept for it, which a server would
// end when it is idle. It holds as long as the connection, in the pool, too, as with any
// driver of SQLite: migrators such as GORM's set it on the pool, and would otherwise drop
// a table whose rows others refer to, and those rows with it.

// set notes what statements have set, outside a transaction: inside, the stream is one.
// After an error it is not known which of several ran.
func (c *conn) set(stmts []sqlite.Statement, err error) {
	if c.st != nil || err != nil {
		return
	}
	for i := range stmts {
		s := &stmts[i]
		if s.Setting == "" {
			continue
		}
		c.settings = slices.DeleteFunc(c.settings, func(made step) bool { return made.setting == s.Setting })
		c.settings = append(c.settings, step{sql: s.SQL, setting: s.Setting})
	}
}
