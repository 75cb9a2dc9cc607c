// Package query is zen db query with a good stored token: one statement, one request. It
// links no gRPC and no local stack, and becomes zen-full for all else: if there is no
// good stored token, or the database refuses it, in which case nothing was run yet.
package query

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/front"
	"github.com/zen-auth/zen/internal/sqlite"
)

// Run does what the line says, and returns the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	q, ok := front.StoredQuery(args)
	if statements, err := sqlite.Statements(q.SQL); !ok || err != nil || len(statements) != 1 {
		return front.BecomeFull(args, stderr)
	}
	source := &source{token: q.Token}
	open := func(c *cli.Context, fn func(*sql.Conn) error) error {
		db, err := libsql.Open(c.Context, libsql.Options{Target: q.Target, Access: q.Access, Source: source, TimesAsText: true})
		if err != nil {
			return libsql.Explain(err)
		}
		return query.On(c.Context, db, fn)
	}
	program := app.Program{Commands: []*cli.Command{{Name: "db", Usage: "use the database", Subcommands: []*cli.Command{query.Command(open)}}}}
	line, err := program.Perform(ctx, args, stdin, stdout, stderr)
	if source.refused {
		return front.BecomeFull(args, stderr)
	}
	return app.Finish(ctx, line, stderr, err)
}

// source has one token.
type source struct {
	token provider.Token
	// asked counts the calls, one for each request.
	asked int
	// refused says that the first request was, so that nothing was run or printed.
	refused bool
}

// Token implements transport.Source.
func (s *source) Token(context.Context) (provider.Token, error) {
	s.asked++
	return s.token, nil
}

// Renew implements transport.Source. There is no other token here.
func (s *source) Renew(context.Context, provider.Token) (provider.Token, error) {
	s.refused = s.asked == 1
	return provider.Token{}, errors.New("it was refused in the middle of a query")
}
