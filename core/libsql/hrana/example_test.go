package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

func Example() {
	base, err := url.Parse("https://app-acme.turso.io")
	if err != nil {
		panic(err)
	}
	// In zen, the transport adds a session's token to each request.
	connector, err := hrana.NewConnector(hrana.Config{URL: base, Transport: http.DefaultTransport})
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()

	_, err = db.Exec("INSERT INTO users (email) VALUES (:email)", sql.Named("email", "alice@example.com"))
	if errors.Is(err, &hrana.Error{Code: "SQLITE_CONSTRAINT"}) {
		fmt.Println("alice exists already")
	}
}

func ExampleExecBatch() {
	var db *sql.DB // as above
	connection, err := db.Conn(context.Background())
	if err != nil {
		panic(err)
	}
	defer connection.Close() // also ends a transaction that is still open
	results, err := hrana.ExecBatch(context.Background(), connection, []hrana.Statement{
		{SQL: "BEGIN IMMEDIATE"},
		{SQL: "UPDATE accounts SET balance = balance - ? WHERE id = ?", Args: []any{10, "alice"}},
		{SQL: "UPDATE accounts SET balance = balance + ? WHERE id = ?", Args: []any{10, "bob"}},
		{SQL: "COMMIT"},
	})
	if err != nil {
		return // neither update was made
	}
	fmt.Println(results[1].RowsAffected, results[2].RowsAffected)
}
