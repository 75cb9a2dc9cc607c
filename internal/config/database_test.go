package config_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

func TestParseDatabase(t *testing.T) {
	for in, want := range map[string]string{
		"libsql://app-acme.turso.io":                      "libsql://app-acme.turso.io",
		"LibSQL://App-Acme.aws-us-east-1.TURSO.io///":     "libsql://app-acme.aws-us-east-1.turso.io",
		"https://app-acme.turso.io:443/":                  "https://app-acme.turso.io",
		"https://db.example:8443/dbs/My_db":               "https://db.example:8443/dbs/My_db",
		"http://127.0.0.1:8080/dbs/app/":                  "http://127.0.0.1:8080/dbs/app",
		"http://localhost:80":                             "http://localhost",
		"http://[::1]:8080":                               "http://[::1]:8080",
		"libsql://10.0.0.1:08080":                         "libsql://10.0.0.1:8080",
		"http://127.0.0.1:443/x":                          "http://127.0.0.1:443/x",
		"libsql://a" + strings.Repeat(".b", 20) + "/v1.2": "libsql://a" + strings.Repeat(".b", 20) + "/v1.2",
	} {
		got, err := config.ParseDatabase(in)
		if err != nil || got != want {
			t.Errorf("ParseDatabase(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string][2]string{
		"":                                 {"is empty", "libsql://"},
		"app":                              {"has no scheme", "turso db show"},
		"app-acme.turso.io":                {"has no scheme", ""},
		"eyJhbGciOiJSUzI1NiJ9.planted.x":   {"is a token", ""},
		"file:app.db":                      {"names a local file", "file:PATH"},
		"file:///tmp/app.db":               {"names a local file", "file:PATH"},
		"./app.db":                         {"names a local file", "file:PATH"},
		"app.db":                           {"names a local file", "file:PATH"},
		`C:\app.db`:                        {"names a local file", "file:PATH"},
		":memory:":                         {"names a local file", ""},
		"ws://x.io":                        {"has the scheme ws", "libsql://"},
		"WSS://x.io":                       {"has the scheme wss", "libsql://"},
		"postgres://x.io":                  {"has an unknown scheme", ""},
		"http://app-acme.turso.io":         {"is http:// on a host that is not this machine", "in clear"},
		"http://127.0.0.1.evil.example":    {"is http:// on a host that is not this machine", ""},
		"http://localhost.evil.example":    {"is http:// on a host that is not this machine", ""},
		"libsql://x.io?authToken=planted":  {"carries a token", "never put a token into the URL"},
		"libsql://x.io/?AUTHTOKEN=planted": {"carries a token", ""},
		"libsql://x.io?tls=0":              {"has a query", ""},
		"libsql://x.io?":                   {"has a query", ""},
		"libsql://x.io#planted":            {"has a query or a fragment", ""},
		"libsql://u:planted@x.io":          {"has a user name", "never put a secret"},
		"libsql://planted@x.io":            {"has a user name", ""},
		"libsql://u:plan%zzted@x.io":       {"is malformed", ""},
		"libsql://x.io:planted":            {"is malformed", ""},
		"libsql://x.io:0":                  {"has a port", ""},
		"libsql://x.io:65536":              {"has a port", ""},
		"libsql://x.io:":                   {"has a colon without a port", ""},
		"libsql://":                        {"has no valid host", ""},
		"libsql:///path":                   {"has no valid host", ""},
		"libsql://-x.io":                   {"has no valid host", ""},
		"libsql://x..io":                   {"has no valid host", ""},
		"libsql://x.io.":                   {"has no valid host", ""},
		"libsql://x%2eio":                  {"", ""},
		"libsql://x.io\n":                  {"has a space, a control character", ""},
		" libsql://x.io":                   {"has a space, a control character", ""},
		"libsql://bücher.example":          {"has a space, a control character or a letter outside ASCII", ""},
		"libsql://x.io/a//b":               {"has a path", ""},
		"libsql://x.io/a/../b":             {"has a path", ""},
		"libsql://x.io/%2e%2e/b":           {"has a path", ""},
		"libsql://x.io/" + strings.Repeat("a", 2048): {"is longer", ""},
	} {
		_, err := config.ParseDatabase(in)
		if err == nil {
			t.Errorf("ParseDatabase(%q) is accepted", in)
			continue
		}
		wantConfigError(t, err, "database URL "+want[0], want[1])
		if strings.Contains(err.Error(), "planted") {
			t.Errorf("error repeats the input: %s", err)
		}
	}
}

func FuzzParseDatabase(f *testing.F) {
	for _, seed := range []string{
		"libsql://app-acme.turso.io", "http://[::1]:80/dbs/x/", "https://a:b@c", "libsql://x?authToken=y",
		"file:x", "libsql://x:99999", "HTTP://127.1/", "libsql://[fe80::1%25eth0]/", "libsql:////", "https://x/.%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := config.ParseDatabase(in)
		if err != nil {
			if !errors.Is(err, provider.ErrConfig) {
				t.Fatalf("error %v", err)
			}
			return
		}
		u, err := url.Parse(out)
		if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(out, "?#@ ") || strings.HasSuffix(out, "/") {
			t.Fatalf("ParseDatabase(%q) = %q", in, out)
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127.") && !strings.Contains(u.Hostname(), ":") {
			t.Fatalf("http to %q", u.Hostname())
		}
		// What is only a host is returned as it is, and is what its parts would be put together to.
		if parsed, err := config.ParseDatabase(out + "/"); parsed != out || err != nil {
			t.Fatalf("of %q with a slash: %q, %v", out, parsed, err)
		}
		if again, err := config.ParseDatabase(out); again != out || err != nil {
			t.Fatalf("not stable: %q, then %q, %v", out, again, err)
		}
	})
}
