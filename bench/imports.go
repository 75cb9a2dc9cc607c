package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/bench/report"
)

const (
	importedRows = 50_000
	// singleRows is the number of rows imported one by one: all of them would take half
	// an hour.
	singleRows = 500
)

// imports compares ways to import rows into a database: zen db import, the turso CLI's
// shell if there is one, and one statement for each round trip.
func (b *bench) imports() error {
	s := b.stack
	out, err := s.zen("status", "--json")
	if err != nil {
		return err
	}
	var status struct{ Database string }
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return err
	}
	id, err := databaseID(s)
	if err != nil {
		return err
	}
	far, err := newFar(status.Database)
	if err != nil {
		return err
	}
	defer far.server.Close()
	whole, few := filepath.Join(b.dir, "rows.sql"), filepath.Join(b.dir, "few.sql")
	if err := errors.Join(writeFile(whole, inserts(importedRows)), writeFile(few, inserts(singleRows))); err != nil {
		return err
	}
	turso := turso()
	for _, target := range []string{status.Database, far.url} {
		group := "import of 50,000 rows"
		if target == far.url {
			group += ", 20 ms away"
		}
		at := *s
		at.env = append(at.env[:len(at.env):len(at.env)], "ZEN_DATABASE="+target, "ZEN_DATABASE_ID="+id)
		token, err := at.zen("token", "--min-ttl", "10m")
		if err != nil {
			return err
		}
		ways := []importer{
			{"zen db import", importedRows, func() error { _, err := at.zen("db", "import", whole); return err }},
			{"a statement a request", singleRows, func() error { _, err := at.zen("db", "query", "--timing", "--file", few); return err }},
		}
		if turso != "" {
			ways = append(ways, importer{"turso db shell", importedRows, func() error { return shell(turso, target, token, whole) }})
		}
		var figures, requests []report.Figure
		for _, w := range ways {
			if _, err := at.zen("db", "query", "DROP TABLE IF EXISTS imported; CREATE TABLE imported (id INTEGER PRIMARY KEY, body TEXT)"); err != nil {
				return err
			}
			far.requests.Store(0)
			began := time.Now()
			if err := w.run(); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			// What would take half an hour is extrapolated from its first rows.
			all := importedRows / float64(w.rows)
			figures = append(figures, report.Of(group, w.name, "s", []float64{time.Since(began).Seconds() * all}))
			requests = append(requests, report.Of(group+": requests", w.name, "", []float64{float64(far.requests.Load()) * all}))
		}
		for i := range figures[1:] {
			figures[i+1] = figures[i+1].Beside(figures[0])
		}
		b.add(figures...)
		if target == far.url {
			b.add(requests...)
		}
	}
	return nil
}

// databaseID returns the database that the stack's tokens are for.
func databaseID(s *stack) (string, error) {
	token, err := s.zen("token")
	if err != nil {
		return "", err
	}
	var claims struct{ ID string }
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	return claims.ID, err
}

// importer is a way to import rows.
type importer struct {
	name string
	rows int
	run  func() error
}

func inserts(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "INSERT INTO imported (id, body) VALUES (%d, 'the text of row %d');\n", i, i)
	}
	return b.String()
}

// shell imports the file with the turso CLI.
func shell(turso, target, token, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, turso, "db", "shell", target+"?authToken="+token)
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.300s", err, out)
	}
	return nil
}
