package query

import (
	"errors"
	"strings"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// sqlError is an error of the database with its code as its name in JSON.
type sqlError struct {
	error
	code string
}

func (e *sqlError) ErrorID() string {
	return "sql_" + strings.ToLower(strings.TrimPrefix(e.code, "SQL_"))
}

func (e *sqlError) Unwrap() error { return e.error }

// identified gives an error of the database its name.
func identified(err error) error {
	if e, ok := errors.AsType[*hrana.Error](err); ok && e.Code != "" {
		return &sqlError{err, e.Code}
	}
	return err
}
