package openbao_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/testwait"
)

// TestReload reloads the plugin while tokens are issued: requests in flight succeed, or
// get a status that asks for a retry.
func TestReload(t *testing.T) {
	tm := newTeam(t)
	tm.write("turso/roles/app", object{"database": "app"})
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if err := tm.patiently(func() error { _, err := tm.creds(tm.Client, "app"); return err }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		tm.write("sys/plugins/reload/backend", object{"plugin": secretsPlugin})
	}
	stop()
	callers.Wait()
	if _, err := tm.creds(tm.Client, "app"); err != nil {
		t.Error(err)
	}
	tm.write("sys/plugins/reload/backend", object{"mounts": []string{"auth/clerk"}})
	if data := tm.read("auth/clerk/config/check"); data["ok"] != true {
		t.Errorf("after a reload: %v", data)
	}
}

// patiently retries for a while requests that failed with such a status.
func (tm *team) patiently(try func() error) error {
	tm.t.Helper()
	var err error
	_ = testwait.Done(tm.t.Context(), func() bool { // the result of try counts
		err = try()
		return err == nil || !retryable(err)
	})
	return err
}

func retryable(err error) bool {
	for _, status := range []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusPreconditionFailed, http.StatusTooManyRequests} {
		if refused(err, status, "") {
			return true
		}
	}
	// A standby that doesn't know a mount yet answers that there is none.
	return refused(err, http.StatusNotFound, "no handler for route") || strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "connection reset")
}

// TestUpgrade moves a mount from one version to the next, with its configuration and
// its leases.
func TestUpgrade(t *testing.T) {
	tm := newTeam(t)
	for _, version := range []string{"v1.0.0", "v1.1.0"} {
		dir := t.TempDir()
		if err := buildInto(dir, version); err != nil {
			t.Fatal(err)
		}
		// All versions are in one directory, under different names.
		program := secretsPlugin + "-" + version
		if err := copyFile(filepath.Join(dir, secretsPlugin), filepath.Join(buildDir, program)); err != nil {
			t.Fatal(err)
		}
		if err := tm.Register(t.Context(), "secret", secretsPlugin, filepath.Join(buildDir, program), version); err != nil {
			t.Fatal(err)
		}
	}
	if err := tm.Register(t.Context(), "secret", secretsPlugin, filepath.Join(buildDir, secretsPlugin+"-v1.0.0"), "v1.2.0"); err == nil {
		// The server notices when mounting: the plugin reports another version.
		if err := tm.Write(t.Context(), "sys/mounts/wrong", object{"type": secretsPlugin, "config": object{"plugin_version": "v1.2.0"}}); err == nil {
			t.Error("a plugin runs under another's version")
		}
	}
	tm.write("sys/mounts/versioned", object{"type": secretsPlugin, "config": object{"plugin_version": "v1.0.0"}})
	tm.write("versioned/config", object{"api_token": tm.stack.APIToken(), "organization": "acme", "api_url": tm.stack.URL()})
	tm.write("versioned/roles/own", object{"database": "app", "revoke": "rotate"})
	running := func() any { return tm.read("sys/mounts")["versioned/"].(object)["running_plugin_version"] }
	if got := running(); got != "v1.0.0" {
		t.Errorf("running %v", got)
	}
	var before lease
	if err := tm.Call(t.Context(), http.MethodGet, "versioned/creds/own", nil, &before); err != nil {
		t.Fatal(err)
	}
	tm.write("sys/mounts/versioned/tune", object{"plugin_version": "v1.1.0"})
	tm.write("sys/plugins/reload/backend", object{"plugin": secretsPlugin})
	if got := running(); got != "v1.1.0" {
		t.Errorf("running %v", got)
	}
	if _, err := tm.Read(t.Context(), "versioned/creds/own"); err != nil {
		t.Error(err)
	}
	tm.write("sys/leases/revoke", object{"lease_id": before.ID, "sync": true})
	if err := tm.opens(before.token(), "SELECT 1"); err == nil {
		t.Error("the new version doesn't revoke the leases of the previous one")
	}
}

// TestSealInTheMiddleOfAMint seals the server while a request to Turso is in flight.
func TestSealInTheMiddleOfAMint(t *testing.T) {
	tm := newTeam(t)
	tm.write("turso/roles/app", object{"database": "app"})
	if err := tm.stack.Faults.Switch("net-latency", true); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := tm.creds(tm.Client, "app"); ended <- err }()
	testwait.For(t.Context(), 100*time.Millisecond) // there is no event for the request to Turso
	if err := tm.Write(t.Context(), "sys/seal", object{}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil && !retryable(err) {
		t.Errorf("the mint: %v", err)
	}
	if _, err := tm.creds(tm.Client, "app"); !refused(err, http.StatusServiceUnavailable, "sealed") {
		t.Errorf("sealed: %v", err)
	}
	if err := tm.stack.Faults.Switch("net-latency", false); err != nil {
		t.Fatal(err)
	}
	if err := tm.Unseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := tm.creds(tm.Client, "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := tm.opens(l.token(), "SELECT 1"); err != nil {
		t.Error(err)
	}
}
