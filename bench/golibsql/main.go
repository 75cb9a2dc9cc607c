// Command golibsql times SELECT 1 through go-libsql's remote driver: URL, database
// id and number of runs as arguments, the token on standard input. It is a module
// of its own, because go-libsql is cgo and brings 136 MiB of libraries.
package main

import (
	"database/sql"
	"io"
	"log"
	"net/url"
	"os"
	"strconv"

	_ "github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/bench/measure"
)

func main() {
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	n, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	db, err := sql.Open("libsql", os.Args[1]+"?authToken="+url.QueryEscape(string(token)))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	measure.SelectOne(db, n)
}
