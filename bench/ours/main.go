// Command ours times SELECT 1 through zen's connection manager: URL, database id
// and number of runs as arguments, the token on standard input.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"strconv"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

type source struct{ token provider.Token }

func (s source) Token(context.Context) (provider.Token, error) { return s.token, nil }
func (s source) Renew(context.Context, provider.Token) (provider.Token, error) {
	return s.token, nil
}

func main() {
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	n, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	db, err := libsql.Open(libsql.Options{
		Target: provider.Target{URL: os.Args[1], DatabaseID: os.Args[2]},
		Source: source{provider.Token{Value: provider.NewSecret(string(token))}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	measure.SelectOne(db, n)
}
