// Command ours runs a workload through zen's connection manager; see [measure.Main].
package main

import (
	"context"
	"database/sql"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

type source struct{ token provider.Token }

func (s source) Token(context.Context) (provider.Token, error) { return s.token, nil }
func (s source) Renew(context.Context, provider.Token) (provider.Token, error) {
	return s.token, nil
}

func main() {
	measure.Main(func(database, id, token string) (*sql.DB, error) {
		return libsql.Open(context.Background(), libsql.Options{
			Target: provider.Target{URL: database, DatabaseID: id},
			Source: source{provider.Token{Value: provider.NewSecret(token)}},
		})
	})
}
