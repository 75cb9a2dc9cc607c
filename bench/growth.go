package main

import (
	"bytes"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/bench/report"
)

// growth measures growing inputs: the CPU time of a command by the number of profiles,
// stored tokens, keys in a set, signed-in profiles and statements, the memory by the
// number of rows, and the time by the number of concurrent processes. The slope is the
// cost of one more.
func (b *bench) growth() error {
	return errors.Join(b.profiles(), b.tokens(), b.keys(), b.signIns(), b.statements(), b.rows(), b.processesAtOnce())
}

// with returns a program in the stack's environment, with some variables changed.
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

// profiles measures configurations by their number of profiles, with a database each.
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
	sizes := []int{1, 100, 1000, 2000, 12000}
	return errors.Join(b.grow("growth: profiles", "zen profiles list", "ms", growthRuns, sizes, at("bin/zen", "profiles", "list")),
		b.grow("growth: profiles", "zen token", "ms", growthRuns, sizes, at("bin/zen", "token")))
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

// tokens measures a profile by its number of stored tokens, of which it keeps at most 64.
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
	return errors.Join(b.grow("growth: tokens of a profile", "zen token", "ms", growthRuns, sizes, at("bin/zen", "token")),
		b.grow("growth: tokens of a profile", "zen status", "ms", growthRuns, sizes, at("bin/zen", "status")))
}

// signIns measures a state directory by its number of signed-in profiles.
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
	return errors.Join(b.grow("growth: profiles that are signed in", "zen profiles list", "ms", growthRuns, sizes, at("bin/zen", "profiles", "list")),
		b.grow("growth: profiles that are signed in", "zen token", "ms", growthRuns, sizes, at("bin/zen", "token")))
}

// keys measures a key set on disk by its size. The token's own key is the last one.
func (b *bench) keys() error {
	return b.grow("growth: keys of an issuer", "zen token", "ms", growthRuns, []int{1, 16, 128, 512}, func(n int) (program, error) {
		dir, err := b.state(fmt.Sprint("keys-", n), func(profiles string, _ []byte) error {
			sets, err := filepath.Glob(filepath.Join(filepath.Dir(profiles), "cache", "keys", "*.json"))
			if err != nil || len(sets) != 1 {
				return fmt.Errorf("%d key sets are on disk, %w", len(sets), err)
			}
			return errors.Join(os.Chmod(sets[0], 0o600), moreKeys(sets[0], n))
		})
		return b.with([]string{"ZEN_STATE_DIR=" + dir}, "bin/zen", "token"), err
	})
}

// moreKeys puts other keys before the key of a set, until there are n. They have random
// moduli.
func moreKeys(path string, n int) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var entry map[string]json.RawMessage
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := errors.Join(json.Unmarshal(file, &entry), json.Unmarshal(entry["set"], &set)); err != nil {
		return err
	}
	for i := len(set.Keys); i < n; i++ {
		modulus := make([]byte, 256)
		_, _ = crand.Read(modulus) // never an error
		modulus[0], modulus[255] = modulus[0]|0x80, modulus[255]|1
		key, err := json.Marshal(map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "kid": fmt.Sprint("another-", i), "n": base64.RawURLEncoding.EncodeToString(modulus),
		})
		if err != nil {
			return err
		}
		set.Keys = slices.Insert(set.Keys, 0, json.RawMessage(key))
	}
	if entry["set"], err = json.Marshal(set); err != nil {
		return err
	}
	changed, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	return writeFile(path, string(changed))
}

// statements measures a script by its number of statements.
func (b *bench) statements() error {
	if _, err := b.stack.zen("db", "query", "CREATE TABLE IF NOT EXISTS grown (n)"); err != nil {
		return err
	}
	return b.grow("growth: statements", "zen db query --file", "ms", growthRuns, []int{1, 1000, 10000}, func(n int) (program, error) {
		path := filepath.Join(b.dir, fmt.Sprint("statements-", n, ".sql"))
		return b.with(nil, "bin/zen", "db", "query", "--file", path), writeFile(path, strings.Repeat("INSERT INTO grown (n) VALUES (1);\n", n))
	})
}

// rows measures the memory of a query by its number of rows.
func (b *bench) rows() error {
	return b.grow("growth: rows, memory", "zen db query", "MiB", longGrowthRuns, []int{1, 100_000, 500_000}, func(n int) (program, error) {
		sql := fmt.Sprintf("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d) SELECT x, 'row ' || x FROM n", n)
		return b.with(nil, "bin/zen", "db", "query", "--format", "csv", sql), nil
	})
}

// manyRuns is the number of measurements of many connections or handles, each in a
// separate process.
const manyRuns = 3

// connections measures concurrent connections to the stack, each with one request at a
// time: through zen proxy, whose memory is reported, and with core/libsql.
func (b *bench) connections() error {
	url, token, err := b.database()
	if err != nil {
		return err
	}
	id, err := databaseID(b.stack)
	if err != nil {
		return err
	}
	own := driver{"bench/many", []string{filepath.Join(b.dir, "many"), "connections"}, nil}
	return b.many("connections", []int{1, 16, 128, 1024}, []manyOf{
		{"core/libsql", func(n int) (cost measure.Cost, err error) {
			err = own.answer(&cost, token, url, id, fmt.Sprint(n))
			return cost, err
		}},
		{"zen proxy", b.throughProxy},
	}, true)
}

// handles measures many database handles, of core.Open and of one client.
func (b *bench) handles() error {
	of := func(how string, most int) manyOf {
		d := driver{"bench/many", []string{filepath.Join(b.dir, "many"), how}, b.stack.env}
		return manyOf{how, func(n int) (cost measure.Cost, err error) {
			if n > most {
				return cost, errTooMany
			}
			err = d.answer(&cost, "", fmt.Sprint(n))
			return cost, err
		}}
	}
	return b.many("handles", []int{10, 100, 1000, 10_000}, []manyOf{of("Client.Open", 10_000), of("core.Open", 1000)}, false)
}

// manyOf is a way to hold many of something.
type manyOf struct {
	name string
	cost func(n int) (measure.Cost, error)
}

var errTooMany = errors.New("more than is measured")

// many adds the growth of the memory, and of the rate or the time, of something held many
// times.
func (b *bench) many(things string, xs []int, ways []manyOf, rate bool) error {
	type point struct {
		way, x int
	}
	costs := map[point][]measure.Cost{}
	for range manyRuns {
		for _, i := range rand.Perm(len(ways) * len(xs)) {
			p := point{i % len(ways), i / len(ways)}
			cost, err := ways[p.way].cost(xs[p.x])
			if errors.Is(err, errTooMany) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%d %s, %s: %w", xs[p.x], things, ways[p.way].name, err)
			}
			costs[p] = append(costs[p], cost)
		}
	}
	sides := []struct {
		group, unit string
		of          func(measure.Cost) float64
	}{
		{"growth: " + things, "ms", func(c measure.Cost) float64 { return c.Milliseconds }},
		{"growth: " + things + ", memory", "MiB", func(c measure.Cost) float64 { return c.MiB }},
	}
	if rate {
		sides[0].unit, sides[0].of = "/s", func(c measure.Cost) float64 { return c.Rate }
	}
	for _, side := range sides {
		var figures []report.Figure
		for way, w := range ways {
			for x := range xs {
				of := costs[point{way, x}]
				if len(of) == 0 {
					continue
				}
				samples := make([]float64, len(of))
				for k, c := range of {
					samples[k] = side.of(c)
				}
				f := report.Of(side.group, w.name, side.unit, samples)
				f.X = float64(xs[x])
				figures = append(figures, f)
			}
		}
		b.add(figures...)
	}
	return nil
}

// throughProxy makes n connections to a separate zen proxy.
func (b *bench) throughProxy(n int) (cost measure.Cost, err error) {
	cmd := exec.Command("bin/zen", "proxy", "--json", "--quiet")
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = b.stack.env, &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return cost, err
	}
	if err := cmd.Start(); err != nil {
		return cost, err
	}
	defer time.AfterFunc(commandTimeout, func() { _ = cmd.Process.Kill() }).Stop()
	defer func() {
		// It is ended by an interrupt, which its exit code shows.
		if stopped := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			err = fmt.Errorf("zen proxy: %w: %.500s", errors.Join(err, stopped), stderr.String())
		}
	}()
	var ready struct {
		URL   string `json:"url"`
		Token string `json:"auth_token"`
	}
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		return cost, err
	}
	clients := make([]*http.Client, n) // with a connection each
	for i := range clients {
		clients[i] = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: 1}}
		defer clients[i].CloseIdleConnections()
	}
	ask := func(i int) error {
		const select1 = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`
		req, err := http.NewRequest(http.MethodPost, ready.URL+"/v2/pipeline", strings.NewReader(select1))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+ready.Token)
		resp, err := clients[i].Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			return errors.Join(err, errors.New(resp.Status))
		}
		return nil
	}
	return measure.AtOnce(n, ask, func() (float64, error) { return measure.ResidentOf(cmd.Process.Pid) })
}

// processesAtOnce measures the time until the last of several concurrent zen token has
// ended.
func (b *bench) processesAtOnce() error {
	var figures []report.Figure
	for _, n := range []int{1, 8, 32, 128} {
		samples := make([]float64, longGrowthRuns)
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
