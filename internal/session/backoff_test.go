package session_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/transport"
)

// database rejects every token while refuses is true.
type database struct {
	refuses bool
	asked   int
}

func (d *database) RoundTrip(req *http.Request) (*http.Response, error) {
	d.asked++
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}
	if d.refuses {
		resp.StatusCode = http.StatusUnauthorized
		resp.Body = io.NopCloser(strings.NewReader(`{"error":"no"}`))
	}
	return resp, nil
}

// newRefused returns a session whose tokens live for an hour, a database, and send, which
// sends a request to it as a program would.
func newRefused(t *testing.T, fallback ...string) (h *fakes, db *database, send func() error) {
	h, db, _, open := newProcesses(t, fallback...)
	return h, db, open()
}

// newProcesses is newRefused for programs that share a store: open returns a new one, with a
// session of its own that renews tokens in a child process.
func newProcesses(t *testing.T, fallback ...string) (h *fakes, db *database, s *session.Session, open func() (send func() error)) {
	s, h = newFakes(t, func(c *session.Config, h *fakes) {
		c.Now, c.Fallback = time.Now, fallback
		for _, m := range h.providers {
			m.life = time.Hour
		}
		h.now = time.Now()
	})
	db = &database{refuses: true}
	config := s.Config()
	config.RenewInChild = func(ctx context.Context, r cache.Renewal) error {
		return session.New(s.Config()).MakeRenewal(ctx, r, nil)
	}
	return h, db, s, func() func() error {
		address := &url.URL{Scheme: "https", Host: "db.example"}
		rt := transport.New(db, session.New(config), provider.Target{URL: "libsql://db.example", DatabaseID: databaseID}, address, "")
		return func() error {
			h.mu.Lock()
			h.now = time.Now()
			h.mu.Unlock()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://db.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := rt.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
	}
}

func TestRefusedRequestsAreNotARenewalEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, db, send := newRefused(t)
		clerk := h.providers["clerk"]
		for i := range 60 {
			err := send()
			if !errors.Is(err, provider.ErrRejected) || provider.Kind(err) != provider.ErrRejected {
				t.Fatalf("request %d: %v", i, err)
			}
			if i > 0 && !strings.Contains(err.Error(), "a new token of clerk was refused, too; the next one is asked for in 30s") {
				t.Fatalf("request %d doesn't say when the next token is asked for: %v", i, err)
			}
		}
		if n := clerk.minted.Load(); n != 1 || db.asked != 61 {
			t.Errorf("%d renewals, %d requests at the database", n, db.asked)
		}
		// In an hour with a request a second, the waits are 30 s, 1, 2 and 4 minutes, then 5
		// minutes each.
		began := clerk.minted.Load()
		for range 3600 - 600 { // the token itself is renewed after that
			time.Sleep(time.Second)
			if err := send(); err == nil {
				t.Fatal("a refused request succeeded")
			}
		}
		if n := clerk.minted.Load() - began; n < 10 || n > 13 {
			t.Errorf("%d renewals in 50 minutes", n)
		}
	})
}

// Once the database accepts a token, the wait is over: the next refusal has a token issued at
// once.
func TestBackoffEndsWhenTheDatabaseTakesAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, db, send := newRefused(t)
		clerk := h.providers["clerk"]
		for range 3 {
			_ = send()
		}
		db.refuses = false
		if err := send(); err != nil || clerk.minted.Load() != 1 {
			t.Fatalf("%v, %d renewals", err, clerk.minted.Load())
		}
		db.refuses = true // a rotation
		_ = send()
		if n := clerk.minted.Load(); n != 2 {
			t.Errorf("%d renewals, want 2: a later refusal is a new one", n)
		}
	})
}

// Each provider has its own wait: a fallback whose tokens are refused, too, is asked for one
// token and one replacement, not for one per request.
func TestEachProviderBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, send := newRefused(t, "turso")
		for range 60 {
			if err := send(); !errors.Is(err, provider.ErrRejected) {
				t.Fatal(err)
			}
		}
		clerk, turso := h.providers["clerk"].minted.Load(), h.providers["turso"].minted.Load()
		if clerk != 1 || turso != 2 {
			t.Errorf("%d renewals of clerk, %d tokens of turso", clerk, turso)
		}
	})
}

// A new process doesn't replace the refused token at once: what the database did with the
// last token is stored.
func TestProcessesShareTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, db, _, open := newProcesses(t)
		clerk := h.providers["clerk"]
		for i := range 60 {
			err := open()()
			if provider.Kind(err) != provider.ErrRejected {
				t.Fatalf("process %d: %v", i, err)
			}
			if i > 0 && !strings.Contains(err.Error(), "a new token of clerk was refused, too; the next one is asked for in 30s") {
				t.Fatalf("process %d doesn't say when the next token is asked for: %v", i, err)
			}
		}
		if n := clerk.minted.Load(); n != 1 {
			t.Errorf("60 processes, %d renewals", n)
		}
		time.Sleep(31 * time.Second)
		for range 60 {
			_ = open()()
		}
		if n := clerk.minted.Load(); n != 2 {
			t.Errorf("%d renewals, want 2: the second is due after 30 s, the third after another minute", n)
		}
		// When the database accepts one process's token, the wait ends for all of them.
		db.refuses = false
		if err := open()(); err != nil || clerk.minted.Load() != 2 {
			t.Fatalf("%v, %d renewals", err, clerk.minted.Load())
		}
		db.refuses = true // a rotation
		_ = open()()
		if n := clerk.minted.Load(); n != 3 {
			t.Errorf("%d renewals, want 3: a later refusal is a new one", n)
		}
	})
}

// A renewal that wasn't caused by a refusal doesn't count as one.
func TestNewTokenIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, s, open := newProcesses(t)
		if _, err := s.NewToken(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		_ = open()()
		if n := h.providers["clerk"].minted.Load(); n != 2 {
			t.Errorf("%d tokens, want one by NewToken and one after the refusal", n)
		}
	})
}
