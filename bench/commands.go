package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/bench/report"
)

// turso returns the turso CLI, which no registry carries; "" means none.
func turso() string {
	if named := os.Getenv("ZEN_TEST_TURSO_CLI"); named != "" {
		return named
	}
	path, _ := exec.LookPath("turso")
	return path
}

// The number of runs of slow commands.
const (
	farScriptRuns = 30 // most of a second each
	csvRuns       = 20
)

// commands compares whole commands with a good stored token: a query beside sqlite3, which has
// no network, the shell of the turso CLI and other languages' clients where there are such;
// what starts zen-full; a script of 1,000 statements, near and far; two million rows as CSV.
func (b *bench) commands() error {
	sqlite, err := exec.LookPath("sqlite3")
	if err != nil {
		return errors.New("there is no sqlite3: install it (apt-get install sqlite3)")
	}
	local := filepath.Join(b.dir, "local.db")
	const fill = "CREATE TABLE big (i INTEGER, s TEXT); WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000) INSERT INTO big SELECT x, 'the text of row ' || x FROM n"
	if err := tool(".", nil, sqlite, local, fill); err != nil {
		return err
	}
	if _, err := b.stack.zen("db", "query", fill); err != nil {
		return err
	}
	near, token, err := b.database()
	if err != nil {
		return err
	}
	id, err := databaseID(b.stack)
	if err != nil {
		return err
	}
	far, err := newFar(near)
	if err != nil {
		return err
	}
	defer far.server.Close()
	of := func(name string, args ...string) program {
		return program{name: name, args: args, env: b.stack.environment}
	}
	if turso() == "" {
		fmt.Fprintln(os.Stderr, "bench: WARNING: there is no turso CLI, so that zen db query isn't compared with it: name one with ZEN_TEST_TURSO_CLI")
	}
	script := strings.Repeat("INSERT INTO many (n) VALUES (1);\n", 1000)
	file := filepath.Join(b.dir, "script.sql")
	if err := writeFile(file, script); err != nil {
		return err
	}
	if _, err := b.stack.zen("db", "query", "CREATE TABLE many (n)"); err != nil {
		return err
	}
	goals := map[string]float64{}
	// beside puts the turso CLI, which is the goal, before zen, and other clients after
	// it.
	beside := func(url, how, what string, zen ...program) []program {
		all := zen
		if turso() != "" {
			p := of("turso db shell", turso(), "db", "shell", url+"?authToken="+token)
			if how == "script" {
				p.input = script
			} else {
				p.args = append(p.args, what)
			}
			all = append([]program{p}, zen...)
			goals[zen[0].name] = 1
		}
		if b.peers[nodeClient] {
			p := of(nodeClient, b.inNode(url, how, what)...)
			p.input = token
			all = append(all, p)
		}
		if b.peers[pythonClient] {
			p := b.with([]string{b.pythonPath()}, b.inPython(url, how, what)...)
			p.name, p.input = pythonClient, token
			all = append(all, p)
		}
		return all
	}
	queries := beside(near, "query", "SELECT 1", of("zen db query", "bin/zen", "db", "query", "SELECT 1"),
		of("zen-full db query", "bin/zen-full", "db", "query", "SELECT 1"), of("sqlite3", sqlite, local, "SELECT 1"))
	scripts := beside(near, "script", file, of("zen db query --file", "bin/zen", "db", "query", "--file", file))
	farther := b.with([]string{"ZEN_DATABASE=" + far.url, "ZEN_DATABASE_ID=" + id}, "bin/zen", "db", "query", "--file", file)
	farther.name = "zen db query --file"
	farScripts := beside(far.url, "script", file, farther)
	const select2M = "SELECT i, s FROM big"
	return errors.Join(
		b.processes("query", processRuns, goals, queries...),
		b.processes("command", processRuns, nil, of("zen-full version", "bin/zen-full", "version"), of("zen version", "bin/zen", "version"),
			of("zen status", "bin/zen", "status"), of("zen profiles list", "bin/zen", "profiles", "list"), of("zen exec", "bin/zen", "exec", "--", "true")),
		b.processes("script of 1,000 statements", processRuns, goals, scripts...),
		b.processes("script of 1,000 statements, 20 ms away", farScriptRuns, goals, farScripts...),
		b.processes("two million rows as CSV", csvRuns, map[string]float64{"zen db query, remote": 1.3, "zen db query, a file": 1.3}, of("sqlite3", sqlite, "-csv", local, select2M),
			of("zen db query, remote", "bin/zen", "db", "query", "--format", "csv", select2M), of("zen db query, a file", "bin/zen", "db", "query", "--format", "csv", "--database", "file:"+local, select2M),
			of("modernc.org/sqlite", filepath.Join(b.dir, "modernc"), "file:"+local, "", "1", "csv"), of("mattn/go-sqlite3", filepath.Join(b.dir, "mattn"), "file:"+local, "", "1", "csv")),
	)
}

// database returns the URL of the stack's database, and a token for it.
func (b *bench) database() (url, token string, err error) {
	out, err := b.stack.zen("status", "--json")
	if err != nil {
		return "", "", err
	}
	var status struct{ Database string }
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return "", "", err
	}
	token, err = b.stack.zen("token", "--min-ttl", "10m")
	return status.Database, token, err
}

// growthRuns is the number of measurements at each point of a growth: a line has several, and
// a hundred of each would take ten minutes. longGrowthRuns is for a point that takes a second,
// or many processes.
const (
	growthRuns     = 40
	longGrowthRuns = 20
)

// grow adds a line of whole processes, with a point for each x, in turns.
func (b *bench) grow(group, name, unit string, runs int, xs []int, at func(x int) (program, error)) error {
	var programs []program
	for _, x := range xs {
		p, err := at(x)
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	costs, err := b.turns(runs, programs)
	if err != nil {
		return err
	}
	var figures []report.Figure
	for i, x := range xs {
		samples := make([]float64, len(costs[i]))
		for k, c := range costs[i] {
			samples[k] = map[string]float64{"ms": c.cpu, "MiB": c.mib}[unit]
		}
		f := report.Of(group, name, unit, samples)
		f.X = float64(x)
		figures = append(figures, f)
	}
	b.add(figures...)
	return nil
}
