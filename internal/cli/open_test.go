package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/zen"
)

// A program opens databases by URL, by name and by path, with the command line's sign-in and
// provider processes.
func TestOpen(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(devstack.Options{TokenLifetime: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close()
	dir := t.TempDir()
	environ := inStack(t, stack, dir, os.Environ())
	newClient := func(environ []string) *zen.Client {
		client, err := zen.New(zen.Options{Config: config.LoadOptions{Environ: environ, WorkDir: dir}, ProviderDirs: []string{bin}, Bundled: builtSums})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close(context.Background()) })
		return client
	}
	client := newClient(environ)
	if _, err := client.Open(t.Context(), "", libsql.Options{Path: filepath.Join(dir, "early.db")}); replica.Linked && !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("Open before a sign-in: %v", err)
	}
	session, err := client.Session("")
	if err != nil {
		t.Fatal(err)
	}
	ui := &person{}
	defer ui.visits.Wait()
	if _, err := session.Login(t.Context(), "clerk", provider.LoginRequest{Interactive: true}, ui, store.Plan{}); err != nil {
		t.Fatal(err)
	}

	check := func(name string, d libsql.Options) {
		t.Helper()
		db, err := client.Open(t.Context(), "", d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		defer db.Close()
		for i := range 3 {
			var n int
			_, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS t (name TEXT); ")
			if err == nil {
				_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (?)", name)
			}
			if err == nil {
				err = db.QueryRowContext(t.Context(), "SELECT count(*) FROM t WHERE name = ?", name).Scan(&n)
			}
			if err != nil || n != i+1 {
				t.Errorf("%s: %d rows, %v", name, n, err)
			}
		}
	}
	check("profile", libsql.Options{})
	check("URL", libsql.Options{Target: provider.Target{URL: stack.DatabaseURL() + "/"}})
	check("name", libsql.Options{Target: provider.Target{URL: devstack.Database}})
	if replica.Linked {
		check("replica", libsql.Options{Path: filepath.Join(dir, "replica.db"), SyncInterval: time.Second})
		check("replica again", libsql.Options{Mode: libsql.Replica, Target: provider.Target{URL: devstack.Database}, Path: filepath.Join(dir, "replica.db")})
		check("file", libsql.Options{Target: provider.Target{URL: "file:" + filepath.Join(dir, "local.db")}, Encryption: provider.NewSecret("key")})
	}

	// The token of the profile's database is never sent to another URL.
	var asked atomic.Int32
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer foreign.Close()
	for _, d := range []libsql.Options{{Target: provider.Target{URL: foreign.URL}}, {Target: provider.Target{URL: foreign.URL + "/dbs/app"}, ReadOnly: true}} {
		db, err := client.Open(t.Context(), "", d)
		if err == nil {
			_, err = db.ExecContext(t.Context(), "SELECT 1")
			db.Close()
		}
		if !errors.Is(libsql.Explain(err), provider.ErrConfig) || asked.Load() != 0 {
			t.Errorf("%s: %v, after %d requests", d.Target.URL, err, asked.Load())
		}
	}

	for name, test := range map[string]struct {
		profile string
		d       libsql.Options
		text    string
	}{
		"unknown name":    {"", libsql.Options{Target: provider.Target{URL: "nothing"}}, `there is no database "nothing" in the organization acme`},
		"unknown mode":    {"", libsql.Options{Mode: "x"}, `mode "x"`},
		"websocket":       {"", libsql.Options{Target: provider.Target{URL: "wss://db.example"}}, "wss"},
		"file, remote":    {"", libsql.Options{Target: provider.Target{URL: "file:x"}, Mode: libsql.Remote}, "mode remote needs"},
		"no such profile": {"nobody", libsql.Options{}, "nobody"},
	} {
		if _, err := client.Open(t.Context(), test.profile, test.d); !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: Open() = %v, want ErrConfig with %q", name, err, test.text)
		}
	}

	names := ""
	databases, err := client.Databases(t.Context())
	for _, d := range databases {
		names += d.Name + " " + d.Organization + "\n"
	}
	if err != nil || !strings.Contains(names, devstack.Database+" acme\n") {
		t.Errorf("Databases() = %q, %v", names, err)
	}

	// Opening by name without an API token reports that the token is missing.
	bare := newClient(slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.Contains(entry, "API_TOKEN=") }))
	if _, err := bare.Open(t.Context(), "", libsql.Options{Target: provider.Target{URL: devstack.Database}}); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "TURSO_API_TOKEN") {
		t.Errorf("without an API token: %v", err)
	}

	// An API token that was entered at a sign-in works, too.
	token := ""
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "TURSO_API_TOKEN="); ok {
			token = value
		}
	}
	signedIn, err := bare.Session("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signedIn.Login(t.Context(), "platformtoken", provider.LoginRequest{Interactive: true}, &person{answer: token}, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	if target, err := bare.Resolve(t.Context(), devstack.Database); err != nil || target.URL != stack.DatabaseURL() || target.DatabaseID == "" {
		t.Errorf("with the API token of a sign-in: %v, %v", target, err)
	}
	if _, err := signedIn.Use(t.Context(), "clerk"); err != nil {
		t.Fatal(err)
	}

	// A read-only handle is restricted by the token and by the driver.
	db, err := client.Open(t.Context(), "", libsql.Options{Access: provider.AccessReadWrite, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM t"); !errors.Is(err, hrana.ErrReadOnly) {
		t.Errorf("DELETE with a read-only handle: %v, want ErrReadOnly", err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n == 0 {
		t.Errorf("SELECT with a read-only handle: %d rows, %v", n, err)
	}
}
