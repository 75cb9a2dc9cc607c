package query

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"flag"
	"io"
	"testing"

	"github.com/urfave/cli/v2"
)

// counted returns rows that count up until they end or fail.
type counted struct {
	n     int64
	until func(n int64) error
}

func (*counted) Columns() []string { return []string{"n"} }
func (*counted) Close() error      { return nil }

func (c *counted) Next(dest []driver.Value) error {
	if err := c.until(c.n); err != nil {
		return err
	}
	dest[0] = c.n
	c.n++
	return nil
}

// TestRowsEnd checks that reading rows stops with their context, although the driver has
// more, and with their error. The rows read before are printed.
func TestRowsEnd(t *testing.T) {
	failure := errors.New("disk I/O error")
	ctx, cancel := context.WithCancel(t.Context())
	for name, test := range map[string]struct {
		ctx  context.Context
		at   func() error
		want error
	}{
		"the end":   {t.Context(), func() error { return io.EOF }, nil},
		"an error":  {t.Context(), func() error { return failure }, failure},
		"a context": {ctx, func() error { cancel(); return nil }, context.Canceled},
	} {
		var out bytes.Buffer
		app := cli.NewApp()
		app.Writer, app.ErrWriter = &out, io.Discard
		r := NewRunner(cli.NewContext(app, flag.NewFlagSet("", flag.ContinueOnError), nil), nil, "csv")
		rows := &counted{until: func(n int64) error {
			switch {
			case n == 2:
				return test.at()
			case n > 2:
				return errors.New("read past the end")
			}
			return nil
		}}
		n, err := r.print(test.ctx, rows)
		want := "n\n0\n1\n"
		if test.want == context.Canceled {
			want += "2\n" // the row that was being read
		}
		if r.Out.Flush(); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || out.String() != want || n != rows.n {
			t.Errorf("%s: %d rows, %v\n%s", name, n, err, out.String())
		}
	}
}
