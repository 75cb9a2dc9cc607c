package measure

import (
	"bufio"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
)

// Workloads are the workloads by which the drivers are compared, in the order of the report.
var Workloads = []string{"SELECT 1", "read 100 rows", "insert", "batch of 1000", "transaction of 10"}

// Main is a driver's program: database URL, database id, number of runs and workload
// are its arguments, the token is on standard input. It prints a list of
// how many milliseconds each took.
//
// The workload csv only prints the table big once.
func Main(open func(url, id, token string) (*sql.DB, error)) {
	samples, err := measured(open)
	if err == nil && samples != nil {
		err = json.NewEncoder(os.Stdout).Encode(samples)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func measured(open func(url, id, token string) (*sql.DB, error)) ([]float64, error) {
	if len(os.Args) != 5 {
		return nil, fmt.Errorf("usage: %s URL ID RUNS WORKLOAD <TOKEN", os.Args[0])
	}
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(os.Args[3])
	if err != nil {
		return nil, err
	}
	db, err := open(os.Args[1], os.Args[2], string(token))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if os.Args[4] == "csv" {
		return nil, printed(db)
	}
	run, err := prepare(db, os.Args[4])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", os.Args[4], err)
	}
	return Of(n, run)
}

// prepare creates what the workload needs, and returns one run of it.
func prepare(db *sql.DB, workload string) (run func() error, err error) {
	for _, statement := range []string{
		"DROP TABLE IF EXISTS bench",
		"CREATE TABLE bench (id INTEGER PRIMARY KEY, name TEXT, price REAL)",
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO bench (name, price) SELECT 'thing ' || n, n / 2.0 FROM c",
	} {
		if _, err := db.Exec(statement); err != nil {
			return nil, err
		}
	}
	switch workload {
	case "SELECT 1":
		return func() error {
			var one int
			return db.QueryRow("SELECT 1").Scan(&one)
		}, nil
	case "read 100 rows":
		return func() error { return read(db) }, nil
	case "insert":
		return func() error {
			_, err := db.Exec("INSERT INTO bench (name, price) VALUES (?, ?)", "thing", 1.5)
			return err
		}, nil
	case "batch of 1000":
		// It is one statement, because go-libsql accepts no script that contains BEGIN.
		query := "INSERT INTO bench (name, price) VALUES " + strings.Repeat("(?, ?), ", 999) + "(?, ?)"
		args := make([]any, 2000)
		for i := range 1000 {
			args[2*i], args[2*i+1] = fmt.Sprint("thing ", i), float64(i)/2
		}
		return func() error {
			_, err := db.Exec(query, args...)
			return err
		}, nil
	case "transaction of 10":
		return func() error { return transaction(db) }, nil
	}
	return nil, fmt.Errorf("no such workload: %q", workload)
}

func read(db *sql.DB) error {
	rows, err := db.Query("SELECT id, name, price FROM bench WHERE id <= ?", 100)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var id int64
		var name string
		var price float64
		if err := rows.Scan(&id, &name, &price); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil || n != 100 {
		return fmt.Errorf("%d rows, %w", n, err)
	}
	return nil
}

func transaction(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i := range 10 {
		if _, err := tx.Exec("UPDATE bench SET price = ? WHERE id = ?", 2.5, i+1); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func printed(db *sql.DB) error {
	rows, err := db.Query("SELECT i, s FROM big")
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	w := csv.NewWriter(out)
	for rows.Next() {
		var i int64
		var s string
		if err := rows.Scan(&i, &s); err != nil {
			return err
		}
		if err := w.Write([]string{strconv.FormatInt(i, 10), s}); err != nil {
			return err
		}
	}
	w.Flush()
	return errors.Join(rows.Err(), w.Error(), out.Flush())
}
