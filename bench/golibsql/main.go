// Command golibsql runs a workload through go-libsql's remote driver; see [measure.Main].
// It is a separate module, because go-libsql uses cgo and has 136 MiB of libraries.
package main

import (
	"database/sql"
	"net/url"

	_ "github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/bench/measure"
)

func main() {
	measure.Main(func(database, _, token string) (*sql.DB, error) {
		return sql.Open("libsql", database+"?authToken="+url.QueryEscape(token))
	})
}
