package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/bench/report"
)

// growth measures what grows: the CPU of a command with so many profiles, stored tokens,
// profiles with a sign-in and statements, the memory with so many rows, and the time of
// processes at once. What more of each costs is the slope.
func (b *bench) growth() error {
	return errors.Join(b.profiles(), b.tokens(), b.signIns(), b.statements(), b.rows(), b.processesAtOnce())
}

// with returns a program in the stack's environment, but for some variables.
func (b *bench) with(variables []string, args ...string) program {
	env := append(slices.Clone(b.stack.env), variables...)
	return program{name: strings.Join(args, " "), args: args, env: func() []string { return env }}
}

// variable returns a variable of the stack.
func (b *bench) variable(name string) string {
	for _, v := range slices.Backward(b.stack.env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// profiles measures a configuration of so many profiles, a database each.
func (b *bench) profiles() error {
	own, err := os.ReadFile(b.variable("ZEN_CONFIG"))
	if err != nil {
		return err
	}
	at := func(args ...string) func(int) (program, error) {
		return func(n int) (program, error) {
			var text strings.Builder
			text.Write(own)
			for i := range n {
				fmt.Fprintf(&text, "\n[profiles.p%d]\ndatabase = \"libsql://db%d-acme.turso.io\"\nprovider = \"clerk\"\n", i, i)
			}
			path := filepath.Join(b.dir, fmt.Sprint("profiles-", n, ".toml"))
			return b.with([]string{"ZEN_CONFIG=" + path}, args...), writeFile(path, text.String())
		}
	}
	sizes := []int{1, 1000, 4000, 12000}
	return errors.Join(b.grow("growth: profiles", "zen profiles list", "ms", sizes, at("bin/zen", "profiles", "list")),
		b.grow("growth: profiles", "zen token", "ms", sizes, at("bin/zen", "token")))
}

// state returns a copy of the stack's stored sign-in, with a change to its file.
func (b *bench) state(name string, change func(dir string, file []byte) error) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.CopyFS(dir, os.DirFS(b.variable("ZEN_STATE_DIR"))); err != nil {
		return "", err
	}
	profiles := filepath.Join(dir, "profiles")
	for _, d := range []string{dir, profiles} {
		if err := os.Chmod(d, 0o700); err != nil {
			return "", err
		}
	}
	path := filepath.Join(profiles, "default.json")
	file, err := os.ReadFile(path)
	if err == nil {
		err = errors.Join(os.Chmod(path, 0o600), change(profiles, file))
	}
	return dir, err
}

// tokens measures a profile with so many stored tokens. It keeps 64 at most.
func (b *bench) tokens() error {
	at := func(args ...string) func(int) (program, error) {
		return func(n int) (program, error) {
			dir, err := b.state(fmt.Sprint("tokens-", n, "-", args[1]), func(dir string, file []byte) error {
				var record map[string]json.RawMessage
				var tokens map[string]json.RawMessage
				if err := errors.Join(json.Unmarshal(file, &record), json.Unmarshal(record["tokens"], &tokens)); err != nil {
					return err
				}
				one := slices.Collect(maps.Values(tokens))[0]
				for i := len(tokens); i < n; i++ {
					tokens[fmt.Sprint("clerk/clerk/", i)] = one
				}
				var err error
				if record["tokens"], err = json.Marshal(tokens); err != nil {
					return err
				}
				changed, err := json.Marshal(record)
				if err != nil {
					return err
				}
				return writeFile(filepath.Join(dir, "default.json"), string(changed))
			})
			return b.with([]string{"ZEN_STATE_DIR=" + dir}, args...), err
		}
	}
	sizes := []int{1, 16, 64}
	return errors.Join(b.grow("growth: tokens of a profile", "zen token", "ms", sizes, at("bin/zen", "token")),
		b.grow("growth: tokens of a profile", "zen status", "ms", sizes, at("bin/zen", "status")))
}

// signIns measures a state directory with so many profiles that are signed in.
func (b *bench) signIns() error {
	at := func(args ...string) func(int) (program, error) {
		return func(n int) (program, error) {
			dir, err := b.state(fmt.Sprint("signins-", n, "-", args[1]), func(dir string, file []byte) error {
				for i := range n {
					name := fmt.Sprint("p", i)
					text := strings.Replace(string(file), `"profile":"default"`, `"profile":"`+name+`"`, 1)
					if err := writeFile(filepath.Join(dir, name+".json"), text); err != nil {
						return err
					}
				}
				return nil
			})
			return b.with([]string{"ZEN_STATE_DIR=" + dir}, args...), err
		}
	}
	sizes := []int{1, 500, 2000}
	return errors.Join(b.grow("growth: profiles that are signed in", "zen profiles list", "ms", sizes, at("bin/zen", "profiles", "list")),
		b.grow("growth: profiles that are signed in", "zen token", "ms", sizes, at("bin/zen", "token")))
}

// statements measures a script of so many.
func (b *bench) statements() error {
	if _, err := b.stack.zen("db", "query", "CREATE TABLE IF NOT EXISTS grown (n)"); err != nil {
		return err
	}
	return b.grow("growth: statements", "zen db query --file", "ms", []int{1, 1000, 10000}, func(n int) (program, error) {
		path := filepath.Join(b.dir, fmt.Sprint("statements-", n, ".sql"))
		return b.with(nil, "bin/zen", "db", "query", "--file", path), writeFile(path, strings.Repeat("INSERT INTO grown (n) VALUES (1);\n", n))
	})
}

// rows measures the memory of a query with so many.
func (b *bench) rows() error {
	return b.grow("growth: rows, memory", "zen db query", "MiB", []int{1, 100_000, 500_000}, func(n int) (program, error) {
		sql := fmt.Sprintf("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d) SELECT x, 'row ' || x FROM n", n)
		return b.with(nil, "bin/zen", "db", "query", "--format", "csv", sql), nil
	})
}

// processesAtOnce measures the time until the last of so many zen token has ended.
func (b *bench) processesAtOnce() error {
	var figures []report.Figure
	for _, n := range []int{1, 8, 32, 128} {
		samples := make([]float64, growthRuns)
		for i := range samples {
			began, failed := time.Now(), make(chan error)
			for range n {
				go func() {
					_, err := b.launch(b.with(nil, "bin/zen", "token"))
					failed <- err
				}()
			}
			var err error
			for range n {
				err = errors.Join(err, <-failed)
			}
			if err != nil {
				return err
			}
			samples[i] = float64(time.Since(began).Microseconds()) / 1000
		}
		f := report.Of("growth: processes at once", "zen token", "ms", samples)
		f.X = float64(n)
		figures = append(figures, f)
	}
	b.add(figures...)
	return nil
}
