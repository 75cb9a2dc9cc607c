package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestForeignDatabaseSeesNoToken checks that the profile's token, whose id is that of the
// profile's database, is sent to no other URL, however zen gets that URL.
func TestForeignDatabaseSeesNoToken(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	var mu sync.Mutex
	var seen []string
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(foreign.Close)
	// The profile has a stored, good token.
	own, err := zen("token").Output()
	if err != nil {
		t.Fatal(err)
	}
	ask := []string{"sh", "-c", `curl -s -H "Authorization: Bearer $TURSO_AUTH_TOKEN" "$TURSO_DATABASE_URL"`}
	if _, err := os.Stat("/bin/sh"); err != nil {
		ask = []string{os.Args[0]}
	}
	for name, line := range map[string][]string{
		"query":  {"db", "query", "SELECT 1"},
		"ping":   {"db", "ping", "--count", "1"},
		"shell":  {"db", "shell"},
		"sync":   {"db", "sync", "--path", filepath.Join(t.TempDir(), "a.db")},
		"token":  {"token"},
		"ttl":    {"token", "--min-ttl", "1s"},
		"header": {"token", "--format", "header"},
		"exec":   append([]string{"exec", "--"}, ask...),
		"proxy":  append([]string{"proxy", "--"}, ask...),
	} {
		for _, how := range []string{"flag", "variable", "variable and access"} {
			args := line
			cmd := zen(args...)
			if how == "flag" {
				at := 1
				if line[0] == "db" {
					at = 2
				}
				args = append(append(append([]string{}, line[:at]...), "--database", foreign.URL), line[at:]...)
				cmd = zen(args...)
			} else {
				cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], "ZEN_DATABASE="+foreign.URL)
			}
			if how == "variable and access" {
				cmd.Env = append(cmd.Env, "ZEN_ACCESS=ro")
			}
			var stderr strings.Builder
			cmd.Stdin, cmd.Stderr = strings.NewReader("SELECT 1;\n"), &stderr
			out, err := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); err == nil || code != 2 && code != 5 {
				t.Errorf("%s by %s: exit code %d, %q", name, how, code, stderr.String())
			}
			if !strings.Contains(stderr.String(), "hint: ") {
				t.Errorf("%s by %s: no hint in %q", name, how, stderr.String())
			}
			if strings.Contains(string(out), "eyJ") {
				t.Errorf("%s by %s prints a token", name, how)
			}
		}
	}
	mu.Lock()
	if len(seen) > 0 {
		t.Errorf("the foreign server received %d requests, with %.20q", len(seen), seen)
	}
	mu.Unlock()

	// platformtoken can mint for every database of the account, but only for those that the
	// API lists.
	if out, err := zen("login", "--provider", "platformtoken").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := zen("token", "--database", foreign.URL)
	if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	// For those it works without a profile, since the API returns the id with the URL.
	if _, err := stack.Turso.CreateDatabase("acme", "second"); err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(stack.DatabaseURL(), "/dbs/app", "/dbs/second", 1)
	out, err := zen("token", "--database", second).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "eyJ") || string(out) == string(own) {
		t.Errorf("%v\n%s", err, out)
	}
}
