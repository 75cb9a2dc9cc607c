package live

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/private"
)

// TestRefused checks that a production instance and an existing database have to be
// confirmed.
func TestRefused(t *testing.T) {
	key := func(kind, host string) string {
		return "pk_" + kind + "_" + base64.RawStdEncoding.EncodeToString([]byte(host+"$"))
	}
	live, test := key("live", "clerk.app.example"), key("test", "a-b-1.clerk.accounts.dev")
	for name, c := range map[string]struct {
		settings
		want string
	}{
		"development":                {settings{secretKey: "sk_test_x", publishableKey: test}, ""},
		"production":                 {settings{secretKey: "sk_live_x", publishableKey: live}, "production"},
		"production secret key":      {settings{secretKey: "sk_live_x", publishableKey: test}, "production"},
		"secret key only":            {settings{secretKey: "sk_live_x"}, "production"},
		"production publishable key": {settings{secretKey: "sk_test_x", publishableKey: live}, "production"},
		"another host confirmed":     {settings{secretKey: "sk_live_x", publishableKey: live, production: "clerk.other.example"}, "production"},
		"production confirmed":       {settings{secretKey: "sk_live_x", publishableKey: live, production: "clerk.app.example"}, ""},
		"database not confirmed":     {settings{database: "app"}, "ZEN_LIVE_DATABASE_CONFIRM"},
		"another database confirmed": {settings{database: "app", databaseAgain: "other"}, "ZEN_LIVE_DATABASE_CONFIRM"},
		"database confirmed":         {settings{database: "app", databaseAgain: "app"}, ""},
		"publishable key as secret":  {settings{secretKey: test, publishableKey: test}, "no secret key"},
	} {
		switch err := c.check(); {
		case c.want == "" && err != nil:
			t.Errorf("%s: check() = %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "_x")):
			t.Errorf("%s: check() = %v, want an error with %q", name, err, c.want)
		}
	}
}

// TestConfirmedDatabase uses the confirmed database, and doesn't delete it.
func TestConfirmedDatabase(t *testing.T) {
	s := startStack(t)
	b := s.testbed(filepath.Join(t.TempDir(), "journal"))
	b.database, b.databaseAgain = "app", "app"
	done, err := ask(t.Context(), b, options{recorder: newRecorder(), each: func(name string, ask func() result) {
		if strings.HasPrefix(name, "R4_") || strings.HasPrefix(name, "Z1_") {
			ask()
		}
	}})
	if err != nil || done.left != nil {
		t.Fatal(err, done.left)
	}
	if got := done.answers(); got["R4"]["status"] != "200" || !strings.Contains(got["Z1"]["failed"], "not this program's") {
		t.Errorf("the answers are %v", got)
	}
	s.isEmpty(t)
	if databases := s.Turso.Databases("acme"); len(databases) != 1 || databases[0].Name != "app" {
		t.Errorf("the databases are %v, want only app", databases)
	}
}

// TestForeignAccount checks that an object that an earlier run left in an inaccessible account
// is reported, and stays in the journal.
func TestForeignAccount(t *testing.T) {
	s := startStack(t)
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte(`{"kind":"database","name":"zen-live-0","account":"Turso organization other"}`+"\n"+`{"kind":"us`), 0o600); err != nil {
		t.Fatal(err)
	}
	done, err := ask(t.Context(), s.testbed(path), options{recorder: newRecorder(), each: func(string, func() result) {}})
	if err != nil || done.left != nil {
		t.Fatal(err, done.left)
	}
	if done.foreign == nil || !strings.Contains(done.foreign.Error(), "an earlier run left the database zen-live-0 at another account: Turso organization other") {
		t.Errorf("the report of foreign objects is %v", done.foreign)
	}
	j, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(j.entries) != 1 {
		t.Errorf("the journal has the entries %v, want 1", j.entries)
	}
	if _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), "another run has not ended") {
		t.Errorf("opening the journal of another run: %v", err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); runtime.GOOS != "windows" && !errors.Is(err, private.ErrOpen) {
		t.Errorf("opening a journal that others can read: %v", err)
	}
}

// TestQuestionIDsAreUnique checks that each question is complete and has a unique id,
// by which answers are compared.
func TestQuestionIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range questions {
		if seen[q.id] || q.asked == "" || q.expected == nil || q.answer == nil {
			t.Errorf("question %s %s is a duplicate or incomplete", q.id, q.name)
		}
		seen[q.id] = true
	}
}
