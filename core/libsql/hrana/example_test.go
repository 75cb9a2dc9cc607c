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
	// In zen, the transport is one that puts a session's token on each request.
	connector, err := hrana.NewConnector(hrana.Config{URL: base, Transport: http.DefaultTransport})
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()

	_, err = db.Exec("INSERT INTO users (email) VALUES (:email)", sql.Named("email", "alice@example.com"))
	if errors.Is(err, &hrana.Error{Code: "SQLITE_CONSTRAINT"}) {
		fmt.Println("alice is there already")
	}
}

func ExampleConnector_Batch() {
	var connector *hrana.Connector // as above
	results, err := connector.Batch(context.Background(), hrana.Immediate, []hrana.Statement{
		{SQL: "UPDATE accounts SET balance = balance - ? WHERE id = ?", Args: []any{10, "alice"}},
		{SQL: "UPDATE accounts SET balance = balance + ? WHERE id = ?", Args: []any{10, "bob"}},
	})
	if err != nil {
		return // neither was done
	}
	fmt.Println(results[0].RowsAffected, results[1].RowsAffected)
}
