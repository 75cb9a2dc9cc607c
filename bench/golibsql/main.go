// Command golibsql runs a workload through go-libsql's remote driver; see
// [measure.Main]. It is a module of its own, because go-libsql is cgo and brings 136
// MiB of libraries.
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
