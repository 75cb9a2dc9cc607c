package libsql_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

// A program that doesn't import package replica gets an error that names the import.
func TestModesThatAreNotLinked(t *testing.T) {
	closed := 0
	for _, target := range []string{":memory:", "file:x.db", "libsql://app.turso.io"} {
		o := libsql.Options{Target: provider.Target{URL: target}, Own: closer(func() error { closed++; return nil })}
		if strings.HasPrefix(target, "libsql") {
			o.Path, o.Source = "x.db", noSource{}
		}
		if _, err := libsql.Open(t.Context(), o); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), `import _ "github.com/zen-auth/zen/core/libsql/replica"`) {
			t.Errorf("Open(%s): %v, want ErrConfig with the import as its hint", target, err)
		}
	}
	if closed != 3 {
		t.Errorf("Own was closed %d times, want 3", closed)
	}
}

type closer func() error

func (c closer) Close() error { return c() }

type noSource struct{}

func (noSource) Token(context.Context) (provider.Token, error) {
	return provider.Token{}, provider.ErrNoCredential
}

func (noSource) Renew(context.Context, provider.Token) (provider.Token, error) {
	return provider.Token{}, provider.ErrNoCredential
}

func TestLocalPath(t *testing.T) {
	for target, want := range map[string]string{
		":memory:": ":memory:", "file::memory:": ":memory:", "file:app.db": "app.db", "file:./a/app.db": "./a/app.db",
		"file:/var/app.db": "/var/app.db", "file:my%20app%25.db": "my app%.db", "file:100%.db": "", "file:a%00b": "", "file:///var/app.db": "/var/app.db",
		"file:": "", "file://host/app.db": "", "file:x?mode=ro": "", "file:x#y": "", "app.db": "", "file:a\x00b": "",
	} {
		got, err := libsql.LocalPath(target)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("LocalPath(%s) = %q, %v", target, got, err)
		}
	}
}
