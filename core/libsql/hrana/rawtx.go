package hrana

import (
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/zen-auth/zen/internal/sqlite"
)

// Transaction reports whether BEGIN or SAVEPOINT as a statement has a transaction
// open on a connection. The error is why it can't go on, if that is so: ROLLBACK
// acknowledges that. Of a connection that only contains one of a [Connector], such as
// a replica's, it says what [driver.Validator] does.
func Transaction(connection *sql.Conn) (open bool, err error) {
	broken := connection.Raw(func(driverConn any) error {
		if c, ok := driverConn.(*conn); ok {
			open, err = c.st != nil, c.st.unusable()
		} else if c, ok := driverConn.(driver.Validator); ok {
			open = !c.IsValid()
		}
		return nil
	})
	return open, errors.Join(err, broken)
}

// enter returns the stream to run statements on. BEGIN or SAVEPOINT as a
// statement opens one, so that it works on a sql.Conn.
func (c *conn) enter(stmts []sqlite.Statement) *stream {
	if c.st == nil && inTransactionAfter(stmts, false) {
		c.st = &stream{raw: true, base: c.c.base}
	}
	return c.st
}

// probes reports whether a request is to ask the server if a transaction is open:
// where statements end one, no text shows for certain (RELEASE, a conflict clause).
func (c *conn) probes(st *stream) bool { return st != nil && st.raw && c.c.version.Load() == 3 }

// leave follows the statements of a transaction that BEGIN as a statement began.
// When it has ended, by COMMIT or otherwise, its stream is given up; so it is when
// the very request that held BEGIN failed.
func (c *conn) leave(stmts []sqlite.Statement, r *reply, err error) error {
	if c.st == nil || !c.st.raw || c.st.lost != nil {
		return err
	}
	ended := err != nil && !c.st.begun || err == nil && !inTransactionAfter(stmts, true)
	if r != nil && r.probe {
		ended = r.ended
	}
	if ended {
		_ = c.Close()
		return err
	}
	c.st.begun = true
	return err
}

// forget lets COMMIT and ROLLBACK as statements end a transaction that was lost,
// the first with the error that it was.
func (c *conn) forget(stmts []sqlite.Statement) (gone bool, err error) {
	verb := stmts[0].Verb
	if c.st == nil || !c.st.raw || c.st.lost == nil || verb != sqlite.Commit && verb != sqlite.Rollback {
		return false, nil
	}
	if verb == sqlite.Commit {
		err = c.st.unusable()
	}
	c.st = nil
	return true, err
}

// inTransactionAfter reports whether a transaction is open after the
// statements, given whether one was before.
func inTransactionAfter(stmts []sqlite.Statement, open bool) bool {
	for i := range stmts {
		switch stmts[i].Verb {
		case sqlite.Begin:
			open = true
		case sqlite.Commit, sqlite.Rollback:
			open = false
		}
	}
	return open
}
