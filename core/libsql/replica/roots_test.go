//go:build cgo && linux && (amd64 || arm64)

package replica_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// TestNoRootCertificates is a replica on a system as small as that of an image: go-libsql
// wants roots, though what it talks to is on the loopback, and ends the program where a
// variable names what isn't there.
func TestNoRootCertificates(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	empty := t.TempDir()
	none := filepath.Join(empty, "none")
	for _, c := range []struct{ file, dir, hint string }{
		{"/dev/null", empty, "ca-certificates"},
		{none, empty, "unset SSL_CERT_FILE"},
		{empty, empty, "unset SSL_CERT_FILE"},
		{"/dev/null", none, "unset SSL_CERT_DIR"},
	} {
		t.Setenv("SSL_CERT_FILE", c.file)
		t.Setenv("SSL_CERT_DIR", c.dir)
		db, err := libsql.Open(t.Context(), options(t, stack, newSource(t, stack)))
		if err == nil {
			db.Close()
		}
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), c.hint) {
			t.Errorf("%+v: %v, hint %q", c, err, provider.Hint(err))
		}
	}
}
