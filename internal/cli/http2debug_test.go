package cli

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// TestHTTP2DebugPrintsNoBearer checks that zen doesn't let net/http log the headers of
// HTTP/2, which it does with GODEBUG=http2debug=2.
func TestHTTP2DebugPrintsNoBearer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SSL_CERT_FILE is only read on Linux")
	}
	zen, stack := signedIn(t)
	var sent atomic.Pointer[http.Request]
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Store(r)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := zen("db", "query", "--ca-file", roots, "SELECT 1")
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)],
		"ZEN_DATABASE="+server.URL, "ZEN_DATABASE_ID="+stack.DatabaseID(), "GODEBUG=http2debug=2")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 4 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	r := sent.Load()
	if r == nil || r.ProtoMajor != 2 || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer eyJ") {
		t.Fatalf("the server received %+v, want HTTP/2 with a bearer", r)
	}
	if strings.Contains(string(out), "eyJ") || strings.Contains(string(out), "http2: ") {
		t.Errorf("zen printed\n%.2000s", out)
	}
}
