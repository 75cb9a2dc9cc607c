//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// killedVariable makes the test binary a program that writes through a replica until
// it is killed.
const killedVariable = "ZEN_TEST_REPLICA_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(killedVariable); path != "" {
		if err := writeForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func writeForever(path string) error {
	db, err := libsql.Open(context.Background(), libsql.Options{
		Target: provider.Target{URL: os.Getenv("ZEN_TEST_URL")}, Path: path, Source: fixed(os.Getenv("ZEN_TEST_TOKEN")),
	})
	if err != nil {
		return err
	}
	for {
		if _, err := db.Exec("INSERT INTO t (b) VALUES (randomblob(5000))"); err != nil {
			return err
		}
	}
}

// fixed is one token for ever.
type fixed string

func (f fixed) Token(context.Context) (provider.Token, error) {
	return provider.Token{Value: provider.NewSecret(string(f))}, nil
}

func (f fixed) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	return f.Token(ctx)
}

// A program is killed again and again while it writes and syncs: the next one goes on,
// and the file is whole.
func TestKilledWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	primary := remote(t, o)
	exec(t, primary, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)
	rows := 0
	for i := range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := osexec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), killedVariable+"="+o.Path, "ZEN_TEST_URL="+o.Target.URL, "ZEN_TEST_TOKEN="+token)
		cmd.Stderr = os.Stderr
		must(t, cmd.Start())
		for before := rows; rows < before+10; time.Sleep(time.Duration(5+3*i) * time.Millisecond) {
			must(t, primary.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&rows))
		}
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() > 0 {
			t.Fatalf("the writer failed: %v", err)
		}
		cancel()
	}
	must(t, primary.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&rows))
	db := open(t, o)
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", rows)
	sees(t, db, "PRAGMA integrity_check", "ok")
}
