// Command many holds many of one thing at once, and prints what they cost as JSON:
//
//	many connections URL ID N <TOKEN   a database handle with so many connections
//	many core.Open N                   so many databases, each with all that zen has
//	many Client.Open N                 so many databases of one core.Client
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

func main() {
	cost, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(cost)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(args []string) (cost measure.Cost, err error) {
	n := 0
	if len(args) > 0 {
		n, err = strconv.Atoi(args[len(args)-1])
	}
	switch {
	case err != nil:
		return cost, err
	case len(args) == 4 && args[0] == "connections":
		return connections(args[1], args[2], n)
	case len(args) == 2 && args[0] == "core.Open":
		return handles(n, core.Open)
	case len(args) == 2 && args[0] == "Client.Open":
		client, err := core.New(core.Options{})
		if err != nil {
			return cost, err
		}
		cost, err = handles(n, client.Open)
		return cost, errors.Join(err, client.Close(context.Background()))
	}
	return cost, errors.New("usage: many connections URL ID N <TOKEN, many core.Open N, or many Client.Open N")
}

type source struct{ token provider.Token }

func (s source) Token(context.Context) (provider.Token, error) { return s.token, nil }
func (s source) Renew(context.Context, provider.Token) (provider.Token, error) {
	return s.token, nil
}

// connections sends requests on all connections concurrently.
func connections(url, id string, n int) (cost measure.Cost, err error) {
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return cost, err
	}
	db, err := libsql.Open(context.Background(), libsql.Options{
		Target: provider.Target{URL: url, DatabaseID: id},
		Source: source{provider.Token{Value: provider.NewSecret(string(token))}},
	})
	if err != nil {
		return cost, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	held := make([]*sql.Conn, n)
	for i := range held {
		if held[i], err = db.Conn(context.Background()); err != nil {
			return cost, err
		}
		defer held[i].Close()
	}
	return measure.AtOnce(n, func(i int) error {
		var one int
		return held[i].QueryRowContext(context.Background(), "SELECT 1").Scan(&one)
	}, measure.Resident)
}

// handles opens n databases, with the existing configuration and sign-in, and runs no
// queries.
func handles(n int, open func(context.Context, core.Database) (*sql.DB, error)) (cost measure.Cost, err error) {
	held := make([]*sql.DB, 0, n)
	began := time.Now()
	for range n {
		db, err := open(context.Background(), core.Database{})
		if err != nil {
			return cost, fmt.Errorf("open database %d: %w", len(held)+1, err)
		}
		held = append(held, db)
	}
	cost.Milliseconds = float64(time.Since(began).Microseconds()) / 1000
	cost.MiB, err = measure.Resident()
	var group sync.WaitGroup
	failed := make([]error, n)
	for i, db := range held {
		group.Go(func() { failed[i] = db.Close() })
	}
	group.Wait()
	return cost, errors.Join(append(failed, err)...)
}
