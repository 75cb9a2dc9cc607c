package netfault

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

// TestClientSees checks the effect of each fault on a client, and that it ends with the
// fault.
func TestClientSees(t *testing.T) {
	faults := fault.NewSet(fault.Known()...)
	var served atomic.Int64
	server := httptest.NewServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		io.WriteString(w, strings.Repeat("x", 4*slowChunk))
	}), faults, 0))
	defer server.Close()
	type answer struct {
		status int
		header http.Header
		body   string
		err    error // of the request
		cut    error // while the body was read
		took   time.Duration
	}
	get := func() (a answer) {
		start := time.Now()
		resp, err := http.Get(server.URL)
		if err != nil {
			return answer{err: err}
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return answer{resp.StatusCode, resp.Header, string(b), nil, err, time.Since(start)}
	}
	status := func(code int, body string, retry bool) func(answer) bool {
		return func(a answer) bool {
			return a.status == code && strings.Contains(a.body, body) && (a.header.Get("Retry-After") != "") == retry
		}
	}
	for name, tt := range map[string]struct {
		sees   func(answer) bool
		served int64 // requests that took effect
	}{
		fault.Latency:     {func(a answer) bool { return a.status == 200 && a.took >= latency }, 1},
		fault.BadGateway:  {status(502, "upstream forward failed", false), 0},
		fault.Unavailable: {status(503, "service unavailable", true), 0},
		fault.RateLimited: {status(429, "too many requests", true), 0},
		fault.Cut:         {func(a answer) bool { return a.err != nil }, 0},
		fault.CutBody:     {func(a answer) bool { return a.status == 200 && a.cut != nil && len(a.body) < 4*slowChunk }, 1},
		fault.SlowBody:    {func(a answer) bool { return len(a.body) == 4*slowChunk && a.took >= 3*slowPause }, 1},
		fault.Flaky:       {status(502, "upstream forward failed", false), 0},
	} {
		t.Run(name, func(t *testing.T) {
			if err := faults.Switch(name, true); err != nil {
				t.Fatal(err)
			}
			before := served.Load()
			if a := get(); !tt.sees(a) {
				t.Errorf("get = %+v", a)
			}
			// A client may repeat a request whose connection was cut.
			if n := served.Load() - before; n != tt.served {
				t.Errorf("%d requests took effect, want %d", n, tt.served)
			}
			if name == fault.Flaky {
				if a := get(); a.status != 200 {
					t.Errorf("second answer: %+v", a)
				}
			}
			if err := faults.Switch(name, false); err != nil {
				t.Fatal(err)
			}
			if a := get(); a.status != 200 || a.cut != nil {
				t.Errorf("afterwards: %+v", a)
			}
		})
	}
}

// TestAnswersAfterAFault checks responses that are ready only after the fault is off.
func TestAnswersAfterAFault(t *testing.T) {
	for _, name := range []string{fault.CutBody, fault.SlowBody} {
		faults := fault.NewSet(fault.Known()...)
		server := httptest.NewServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if err := faults.Switch(name, false); err != nil {
				t.Error(err)
			}
			_, _ = w.Write(make([]byte, 1000*slowChunk))
		}), faults, 0))
		if err := faults.Switch(name, true); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if len(body) != 1000*slowChunk || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
		server.Close()
	}
}
