// Command modernc runs a workload through modernc.org/sqlite; see [measure.Main].
package main

import (
	"database/sql"

	_ "modernc.org/sqlite"

	"github.com/zen-auth/zen/bench/measure"
)

func main() {
	measure.Main(func(file, _, _ string) (*sql.DB, error) { return sql.Open("sqlite", file) })
}
