//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// roleVariable makes the test binary run as another program that has the replica open.
const roleVariable = "ZEN_TEST_REPLICA_ROLE"

// roles are what that program can do.
var roles = map[string]func(*sql.DB) error{"write for ever": writeForever, "read back": readBack, "lack memory": lackMemory}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		db, err := libsql.Open(context.Background(), libsql.Options{
			Target: provider.Target{URL: os.Getenv("ZEN_TEST_URL")}, Path: os.Getenv("ZEN_TEST_PATH"), Source: fixed(os.Getenv("ZEN_TEST_TOKEN")),
		})
		if err == nil {
			err = errors.Join(role(db), db.Close())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// another returns a command that runs role in another process on the same replica.
func another(ctx context.Context, o libsql.Options, token, role string) *osexec.Cmd {
	cmd := osexec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "ZEN_TEST_PATH="+o.Path, "ZEN_TEST_URL="+o.Target.URL, "ZEN_TEST_TOKEN="+token)
	cmd.Stderr = os.Stderr
	return cmd
}

func writeForever(db *sql.DB) error {
	for {
		if _, err := db.Exec("INSERT INTO t (b) VALUES (randomblob(5000))"); err != nil {
			return err
		}
	}
}

// fixed is a source that always returns the same token.
type fixed string

func (f fixed) Token(context.Context) (provider.Token, error) {
	return provider.Token{Value: provider.NewSecret(string(f))}, nil
}

func (f fixed) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	return f.Token(ctx)
}

// A program is killed repeatedly while it writes and syncs: each successor continues, and the
// file stays intact.
func TestKilledWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: time.Hour}) // the writers have one token
	o := options(t, stack, newSource(t, stack))
	primary := remote(t, o)
	exec(t, primary, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)
	rows := 0
	for range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := another(ctx, o, token, "write for ever")
		must(t, cmd.Start())
		before := rows
		testwait.Until(t, "ten more rows", func() bool {
			must(t, primary.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&rows))
			return rows >= before+10
		})
		testwait.Moment(ctx, time.Millisecond, 30*time.Millisecond)
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() > 0 {
			t.Fatalf("the writer failed: %v", err)
		}
		cancel()
	}
	db := open(t, o)
	// The last statement of the last writer may still have been running.
	must(t, primary.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&rows))
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", rows)
	sees(t, db, "PRAGMA integrity_check", "ok")
}
