package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/query"
)

// record is one statement of an import: a row of a file, or a statement of a script.
type record struct {
	hrana.Statement
	line int // of the file, from 1
}

// records are the input of an import. After the last one comes io.EOF.
type records interface {
	next() (record, error)
}

// importer writes records to a database, many in a request.
type importer struct {
	conn *sql.Conn
	// chunk is the number of records in a transaction; 0 begins and ends none.
	chunk int
	// skip is the number of records that are passed over first.
	skip int64
	// told is called with the number of records that were written.
	told func(int64)

	done    int64 // committed, with those that were skipped
	sent    int64 // of the transaction that is open
	pending []record
	size    int
	open    bool
}

// run imports all that is left, and returns how many records are in. An error says in
// which line of the file it is, and what is in already.
func (im *importer) run(ctx context.Context, in records) (int64, error) {
	for ; im.done < im.skip; im.done++ {
		if _, err := in.next(); err != nil {
			if err == io.EOF {
				err = &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("--skip %d passes over all of the file, which has %d", im.skip, im.done)}
			}
			return 0, err
		}
	}
	for {
		r, err := in.next()
		if err == io.EOF {
			if err = im.send(ctx, true); err == nil {
				err = query.LeftOpen(im.conn)
			}
			if err != nil {
				err = im.failed(ctx, err)
			}
			return im.done - im.skip, err
		}
		if err == nil {
			im.pending = append(im.pending, r)
			im.size += len(r.SQL)
			for _, arg := range r.Args {
				if text, ok := arg.(string); ok {
					im.size += len(text)
				}
			}
			if im.chunk > 0 && im.sent+int64(len(im.pending)) >= int64(im.chunk) {
				err = im.send(ctx, true)
			} else if len(im.pending) >= query.MaxBatch || im.size >= query.MaxBatchBytes {
				err = im.send(ctx, false)
			}
		}
		if err != nil {
			return im.done - im.skip, im.failed(ctx, err)
		}
	}
}

// send writes the records that are held, and ends the transaction with them if end.
func (im *importer) send(ctx context.Context, end bool) error {
	if len(im.pending) == 0 && !im.open {
		return nil
	}
	stmts := make([]hrana.Statement, 0, len(im.pending)+2)
	first := 0
	if im.chunk > 0 && !im.open {
		stmts, first = append(stmts, hrana.Statement{SQL: "BEGIN IMMEDIATE"}), 1
	}
	for _, r := range im.pending {
		stmts = append(stmts, r.Statement)
	}
	if im.chunk > 0 && end {
		stmts = append(stmts, hrana.Statement{SQL: "COMMIT"})
	}
	results, err := hrana.ExecBatch(ctx, im.conn, stmts)
	if err != nil {
		if im.chunk == 0 {
			im.done += int64(len(results))
		}
		if failed := (*hrana.Error)(nil); errors.As(err, &failed) {
			if at := failed.Statement - 1 - first; at >= 0 && at < len(im.pending) {
				failed.Statement = 0
				err = fmt.Errorf("line %d: %w", im.pending[at].line, err)
			}
		}
		return err
	}
	im.sent += int64(len(im.pending))
	im.open = im.chunk > 0 && !end
	if !im.open {
		im.done += im.sent
		im.sent = 0
	}
	im.pending, im.size = im.pending[:0], 0
	im.told(im.done + im.sent)
	return nil
}

// failed says what is in already, after rolling back what isn't.
func (im *importer) failed(ctx context.Context, err error) error {
	if open, _ := hrana.Transaction(im.conn); open {
		_, _ = im.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // closing the connection does it, too
	}
	explained := libsql.Explain(err)
	out := &provider.Error{Kind: provider.Kind(explained), Message: err.Error(), Hint: provider.Hint(explained), Err: err}
	if im.chunk > 0 && im.done > 0 {
		out.Message += fmt.Sprintf(" (%s before it are in)", query.Count(im.done, "row"))
		out.Hint = fmt.Sprintf("mend that line, and go on with --skip %d", im.done)
	}
	return out
}

// quoteName returns a name in SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// insert returns the statement that puts a row into the columns of a table.
func insert(table string, columns []string) string {
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = quoteName(name)
	}
	return "INSERT INTO " + quoteName(table) + " (" + strings.Join(quoted, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

// columnsOf returns the columns of a table that can be inserted into; none means no table.
func columnsOf(ctx context.Context, conn *sql.Conn, table string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, libsql.Explain(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, libsql.Explain(rows.Err())
}
