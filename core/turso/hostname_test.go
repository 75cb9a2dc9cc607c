package turso_test

import (
	"testing"

	"github.com/zen-auth/zen/core/turso"
)

func TestServes(t *testing.T) {
	for _, test := range []struct {
		hostname, url string
		want          bool
	}{
		{"app-acme.turso.io", "libsql://app-acme.turso.io", true},
		{"APP-acme.turso.io", "https://app-acme.turso.io:443/", true},
		{"127.0.0.1:8080/dbs/app", "http://127.0.0.1:8080/dbs/app", true},
		{"127.0.0.1:8080/dbs/app", "http://127.0.0.1:8080/dbs/other", false},
		{"127.0.0.1:8080", "http://127.0.0.1:8081", false},
		{"app-acme.turso.io", "libsql://app-acme.turso.io.evil.example", false},
		{"", "libsql://", false},
		{"app", "://", false},
	} {
		if got := turso.Serves(test.hostname, test.url); got != test.want {
			t.Errorf("Serves(%q, %q) = %v", test.hostname, test.url, got)
		}
	}
}
