// Command libsqlclientgo runs a workload through libsql-client-go; see [measure.Main]. It
// is a separate module, because its driver registers the name libsql, as go-libsql's
// does.
package main

import (
	"database/sql"

	"github.com/tursodatabase/libsql-client-go/libsql"

	"github.com/zen-auth/zen/bench/measure"
)

func main() {
	measure.Main(func(database, _, token string) (*sql.DB, error) {
		connector, err := libsql.NewConnector(database, libsql.WithAuthToken(token))
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	})
}
