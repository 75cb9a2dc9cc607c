// Command writer writes through libsql-client-go for as many seconds as it is told,
// with one handle and four writers, and prints how many rows they wrote. The first
// statement that fails ends it.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/tursodatabase/libsql-client-go/libsql"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

func run() error {
	seconds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	connector, err := libsql.NewConnector(os.Getenv("TURSO_DATABASE_URL"), libsql.WithAuthToken(os.Getenv("TURSO_AUTH_TOKEN")))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (w INTEGER, i INTEGER, UNIQUE (w, i))"); err != nil {
		return err
	}
	var (
		writers sync.WaitGroup
		rows    [4]int
		errs    [4]error
	)
	for w := range rows {
		writers.Go(func() {
			for time.Now().Before(end) && errs[w] == nil {
				if errs[w] = write(db, w, rows[w]); errs[w] == nil {
					rows[w]++
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	writers.Wait()
	written := 0
	for w, n := range rows {
		if errs[w] != nil {
			return fmt.Errorf("writer %d, row %d: %w", w, n, errs[w])
		}
		written += n
	}
	fmt.Println(written)
	return nil
}

// write writes every other row in a transaction.
func write(db *sql.DB, w, i int) error {
	const insert = "INSERT INTO t VALUES (?, ?)"
	if i%2 == 0 {
		_, err := db.Exec(insert, w, i)
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(insert, w, i); err != nil {
		return err
	}
	return tx.Commit()
}
