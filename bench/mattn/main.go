// Command mattn runs a workload through mattn/go-sqlite3; see [measure.Main].
package main

import (
	"database/sql"

	_ "github.com/mattn/go-sqlite3"

	"github.com/zen-auth/zen/bench/measure"
)

func main() {
	measure.Main(func(file, _, _ string) (*sql.DB, error) { return sql.Open("sqlite3", file) })
}
