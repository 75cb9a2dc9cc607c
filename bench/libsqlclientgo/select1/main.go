// Command select1 asks a server SELECT 1 over and over, by zen's driver, by
// libsql-client-go and by net/http alone, in rounds whose order is chance's:
//
//	select1 URL ID CALLERS <TOKEN
//
// It prints as JSON how many microseconds of each round one query took, by the name of the
// way: what the round took, divided by its queries.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	clientgo "github.com/tursodatabase/libsql-client-go/libsql"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

const (
	rounds = 20
	// queries are those of a round, of all its callers.
	queries = 1024
	// pause is between rounds: libsql-client-go closes streams after it has answered.
	pause = 50 * time.Millisecond
)

// way is a way to ask.
type way struct {
	name string
	ask  func() error
}

func main() {
	samples, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(samples)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(args []string) (samples map[string][]float64, err error) {
	if len(args) != 3 {
		return nil, errors.New("usage: select1 URL ID CALLERS <TOKEN")
	}
	callers, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, err
	}
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	ours, err := libsql.Open(context.Background(), libsql.Options{
		Target: provider.Target{URL: args[0], DatabaseID: args[1]},
		Source: source{provider.Token{Value: provider.NewSecret(string(token))}},
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ours.Close()) }()
	// It asks by net/http's default transport, which would keep two connections. It gets as many
	// as its callers need, with one for each stream that is closed meanwhile.
	shared := http.DefaultTransport.(*http.Transport)
	shared.MaxIdleConns, shared.MaxIdleConnsPerHost = 0, 2*callers
	connector, err := clientgo.NewConnector(args[0], clientgo.WithAuthToken(string(token)))
	if err != nil {
		return nil, err
	}
	theirs := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, theirs.Close()) }()
	ways := []way{
		{"core/libsql", query(ours, callers)},
		{"libsql-client-go", query(theirs, callers)},
		{"net/http alone", post(args[0]+"/v3/pipeline", string(token), callers)},
	}
	samples = map[string][]float64{}
	for round := range rounds + 2 { // two to warm up
		for _, i := range rand.Perm(len(ways)) {
			took, err := timed(callers, ways[i].ask)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ways[i].name, err)
			}
			if round >= 2 {
				samples[ways[i].name] = append(samples[ways[i].name], took)
			}
		}
	}
	return samples, nil
}

// timed makes a round, and returns how many microseconds a query of it took.
func timed(callers int, ask func() error) (float64, error) {
	time.Sleep(pause)
	runtime.GC()
	failed := make([]error, callers)
	var group sync.WaitGroup
	began := time.Now()
	for i := range callers {
		group.Go(func() {
			for n := 0; n < queries/callers && failed[i] == nil; n++ {
				failed[i] = ask()
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	for _, err := range failed {
		if err != nil {
			return 0, err // the others' say the same
		}
	}
	return float64(took.Nanoseconds()) / 1000 / float64(queries/callers*callers), nil
}

// query asks a database handle, which keeps as many connections as it has callers.
func query(db *sql.DB, callers int) func() error {
	db.SetMaxIdleConns(callers)
	return func() error {
		var one int
		if err := db.QueryRow("SELECT 1").Scan(&one); err != nil {
			return err
		}
		if one != 1 {
			return fmt.Errorf("SELECT 1 is %d", one)
		}
		return nil
	}
}

// post sends what the driver sends, and reads what comes without looking into it.
func post(url, token string, callers int) func() error {
	const body = `{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"SELECT 1","want_rows":true}},{"type":"close"}]}`
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	return func() error {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && (n == 0 || resp.StatusCode != http.StatusOK) {
			err = fmt.Errorf("%d bytes with status %s", n, resp.Status)
		}
		return err
	}
}

// source hands out the one token.
type source struct{ token provider.Token }

func (s source) Token(context.Context) (provider.Token, error) { return s.token, nil }
func (s source) Renew(context.Context, provider.Token) (provider.Token, error) {
	return s.token, nil
}
