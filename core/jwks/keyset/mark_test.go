package keyset_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/internal/keytest"
	"github.com/zen-auth/zen/core/jwks/keyset"
)

// A key set with a byte-order mark, indentation and characters that encoding/json escapes for
// HTML is cached on disk, and counts as unchanged when it is fetched again.
func TestSetAsAnIssuerWritesIt(t *testing.T) {
	var set bytes.Buffer
	if err := json.Indent(&set, keytest.KeySet(keytest.JWK(keytest.Kid, keytest.RSAKey().Public())), "", "  "); err != nil {
		t.Fatal(err)
	}
	text := "\ufeff" + strings.Replace(set.String(), "{", `{ "x-note": "<a & b>",`, 1)
	var fetches atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		_, _ = w.Write([]byte(text))
	}))
	defer issuer.Close()
	c := &clock{time: keytest.Now}
	dir := filepath.Join(t.TempDir(), "jwks")
	if _, err := keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: dir, Now: c.now}).Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	disk := jwks.Disk{Dir: dir, URL: issuer.URL}
	if _, err := os.Stat(disk.Path()); err != nil {
		t.Fatalf("the set is not on disk: %v", err)
	}
	c.advance(time.Hour)
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: dir, Now: c.now}), keytest.ClerkPolicy())
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid)); err != nil || fetches.Load() != 1 {
		t.Errorf("from disk: %v, %d fetches", err, fetches.Load())
	}
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), "unknown")); err == nil || fetches.Load() != 2 {
		t.Errorf("an unknown key: %v, %d fetches, want an error and 2", err, fetches.Load())
	}
}
