// Package synced lets tests run the Turso Sync clients @tursodatabase/sync and pyturso,
// each in its own process that executes commands.
package synced

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/clients/pytest"
)

// Languages are the languages with a client.
var Languages = []string{"node", "python"}

// Client is a client with its own database. Its methods are not safe for concurrent use.
type Client struct {
	t       testing.TB
	in      io.WriteCloser
	answers *bufio.Reader
	stderr  strings.Builder
	path    string
}

// Install returns the directory in which programs in JavaScript find their client, or the
// Python that has it. The folder is this package's.
func Install(t *testing.T, language, folder string) string {
	t.Helper()
	if language != "node" {
		return pytest.Install(t, filepath.Join(folder, "requirements.txt"))
	}
	// The registry behind the lock file has no other builds.
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("SKIPPED: @tursodatabase/sync is locked only for Linux on x86-64, so it can't be tested.")
	}
	return npmtest.Install(t, filepath.Join(folder, "node"))
}

// Start starts a client that ends with the test. The folder is this package's.
func Start(t *testing.T, language, folder string) *Client {
	t.Helper()
	c := &Client{t: t, path: filepath.Join(t.TempDir(), "local.db")}
	cmd := exec.Command("node", "client.mjs")
	if installed := Install(t, language, folder); language == "node" {
		cmd.Dir = installed
	} else {
		cmd = exec.Command(installed, filepath.Join(folder, "client.py"))
	}
	cmd.Env = os.Environ()
	cmd.Stderr = &c.stderr
	var err error
	c.in, err = cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	c.answers = bufio.NewReader(out)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = c.in.Close()
		if t.Failed() {
			_ = cmd.Process.Kill() // it may be in the middle of something
		}
		_ = cmd.Wait()
	})
	return c
}

// Do sends the client a command, and returns its error.
func (c *Client) Do(what string, with map[string]any, result any) error {
	request := map[string]any{"do": what}
	for name, value := range with {
		request[name] = value
	}
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return errors.New("the client ended: " + c.stderr.String())
	}
	said, err := c.answers.ReadBytes('\n')
	if err != nil {
		return errors.New("the client ended: " + c.stderr.String())
	}
	var answer struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(said, &answer); err != nil {
		return errors.New("the client says " + string(said))
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// Options shape how a client opens its database.
type Options struct {
	URL, Token string
	// Poll is how long a pull waits for news, in milliseconds.
	Poll int
	// More are options of the client's own.
	More map[string]any
}

// Open opens the client's database, which pulls all of it the first time.
func (c *Client) Open(o Options) error {
	return c.Do("open", map[string]any{"path": c.path, "url": o.URL, "token": o.Token, "poll": o.Poll, "more": o.More}, nil)
}

// Run runs a statement in the client's database alone.
func (c *Client) Run(sql string, args ...any) error {
	return c.Do("run", map[string]any{"sql": sql, "args": args}, nil)
}

// Push sends local changes; Pull fetches changes of others, and reports whether there
// were any.
func (c *Client) Push() error { return c.Do("push", nil, nil) }

// Pull is described at [Client.Push].
func (c *Client) Pull() (news bool, err error) {
	err = c.Do("pull", nil, &news)
	return news, err
}

// Rows returns what a query has in the client's database, as JSON.
func (c *Client) Rows(sql string) (string, error) {
	var rows json.RawMessage
	err := c.Do("rows", map[string]any{"sql": sql}, &rows)
	var compact strings.Builder
	if err == nil {
		err = json.NewEncoder(&compact).Encode(rows)
	}
	return strings.TrimSpace(compact.String()), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
