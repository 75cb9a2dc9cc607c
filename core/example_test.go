package core_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	_ "github.com/zen-auth/zen/core/libsql/replica" // for the modes replica and local
	"github.com/zen-auth/zen/core/provider"
)

// A program opens the database of the selected profile, and keeps the handle.
func ExampleOpen() {
	ctx := context.Background()
	db, err := core.Open(ctx, core.Database{})
	if err != nil {
		log.Fatalf("%v: %s", err, provider.Hint(err)) // "not signed in: zen login"
	}
	defer db.Close()

	var name string
	err = db.QueryRowContext(ctx, "SELECT name FROM users WHERE id = :id", sql.Named("id", 7)).Scan(&name)
	switch {
	case errors.Is(err, provider.ErrNoCredential):
		log.Fatal("run zen login first")
	case errors.Is(err, provider.ErrUnavailable):
		log.Fatal("try again later: ", err)
	case err != nil:
		log.Fatal(libsql.Explain(err)) // a message for people
	}
}

// A replica reads from a file, even without a network, and writes to the database.
func ExampleOpen_replica() {
	ctx := context.Background()
	db, err := core.Open(ctx, core.Database{
		Path:         "/var/lib/app/replica.db",
		SyncInterval: 10 * time.Second,
		OnSync: func(s libsql.Synced) {
			if s.Err != nil {
				log.Printf("sync %d failed, the next is at %s: %v", s.Failures, s.Next.Format(time.TimeOnly), s.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	_, err = db.ExecContext(ctx, "INSERT INTO visits (at) VALUES (?)", time.Now())
	var applied *libsql.AppliedError
	switch {
	case errors.As(err, &applied):
		log.Printf("visit %d is in the database; the replica has it after the next sync", applied.LastInsertID)
	case errors.Is(err, hrana.ErrReadOnly):
		log.Fatal("the database was opened with ReadOnly")
	case err != nil:
		log.Fatal(err)
	}
	if _, err := libsql.Sync(ctx, db); err != nil {
		log.Print("sync failed, reads continue:  ", err)
	}
}

// A program that opens many databases shares a client, which also hands out tokens.
func ExampleClient() {
	ctx := context.Background()
	client, err := core.New(core.Options{Notify: func(line string) { log.Print(line) }})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close(ctx) }()
	token, err := client.Token(ctx, "staging", time.Minute)
	if err != nil {
		log.Fatalf("%v: %s", err, provider.Hint(err))
	}
	log.Print("it expires at ", token.Expires)
}

// A file needs no sign-in.
func ExampleOpen_local() {
	ctx := context.Background()
	db, err := core.Open(ctx, core.Database{Target: ":memory:"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	var day string
	if err := db.QueryRowContext(ctx, "SELECT ?", "2026-01-03").Scan(&day); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(day) // text that looks like a date stays text
	// Output: 2026-01-03
}
