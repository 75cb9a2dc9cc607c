package keyset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/internal/keytest"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

// clock is a clock that a test sets.
type clock struct {
	mu   sync.Mutex
	time time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

// signAt signs a token that stays valid for 100 days after keytest.Now.
func signAt(t testing.TB, key any, kid string) provider.Secret {
	return keytest.Sign(t, jwt.SigningMethodRS256, key, map[string]any{"kid": kid}, keytest.With(keytest.Good(), map[string]any{"exp": keytest.Now.Add(100 * 24 * time.Hour).Unix()}))
}

func TestHeldKeyNeedsNoNetwork(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	c := &clock{time: keytest.Now}
	dir := filepath.Join(t.TempDir(), "jwks")
	opts := keyset.Options{CacheDir: dir, Now: c.now}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy())
	token := signAt(t, keytest.RSAKey(), keytest.Kid)
	for range 3 {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	issuer.Fetched(t, 1)
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, onlyFile(t, dir): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v, want mode %v", path, info.Mode(), err, want)
			}
		}
	}

	// In another process, a month later, with the issuer down.
	issuer.Close()
	c.advance(30 * 24 * time.Hour)
	for name, keys := range map[string]jwks.Source{
		"online": keytest.NewSet(t, issuer.URL, opts), "offline": jwks.Disk{Dir: dir, URL: issuer.URL},
	} {
		if _, err := keytest.NewVerifier(t, keys, keytest.ClerkPolicy()).Verify(t.Context(), token); err != nil {
			t.Errorf("%s: Verify: %v", name, err)
		}
	}
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v: want one file", entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}

func TestUnknownKidIsFetchedOnce(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK("old", keytest.RSAKey().Public()))
	c := &clock{time: keytest.Now}
	dir := t.TempDir()
	opts := keyset.Options{CacheDir: dir, Now: c.now}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy())
	newToken := signAt(t, keytest.OtherRSAKey(), "new")
	verify := func(v *jwks.Verifier, token provider.Secret, want error) {
		t.Helper()
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	verify(v, signAt(t, keytest.RSAKey(), "old"), nil)
	issuer.Fetched(t, 1)
	// The first fetch doesn't count: an unknown kid right after it causes another.
	verify(v, newToken, provider.ErrTokenInvalid)
	issuer.Fetched(t, 2)
	// After that, an unknown kid causes a fetch only every five minutes, in this process and
	// in others.
	for range 5 {
		verify(v, newToken, provider.ErrTokenInvalid)
	}
	verify(keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy()), newToken, provider.ErrTokenInvalid)
	issuer.Fetched(t, 2)

	issuer.Publish(keytest.JWK("old", keytest.RSAKey().Public()), keytest.JWK("new", keytest.OtherRSAKey().Public()))
	c.advance(keyset.RefetchInterval)
	sibling := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy())
	verify(sibling, newToken, nil)
	issuer.Fetched(t, 3)
	// What another process fetched is found on disk.
	verify(v, newToken, nil)
	verify(v, signAt(t, keytest.RSAKey(), "old"), nil)
	issuer.Fetched(t, 3)
}

// Keys that another process stored may be newer than those in memory and still be outdated.
func TestUnknownKidGoesPastTheDisk(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK("a", keytest.RSAKey().Public()))
	c := &clock{time: keytest.Now}
	opts := keyset.Options{CacheDir: t.TempDir(), Now: c.now}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy())
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), "a")); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	// Another process asks for an unknown kid, and stores the same keys with a later time.
	other := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, opts), keytest.ClerkPolicy())
	if _, err := other.Verify(t.Context(), signAt(t, keytest.RSAKey(), "z")); !errors.Is(err, provider.ErrTokenInvalid) {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	issuer.Publish(keytest.JWK("b", keytest.OtherRSAKey().Public()))
	if _, err := v.Verify(t.Context(), signAt(t, keytest.OtherRSAKey(), "b")); err != nil {
		t.Error(err)
	}
	issuer.Fetched(t, 3)
}

func TestRotationWithEqualKid(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid)); err != nil {
		t.Fatal(err)
	}
	issuer.Publish(keytest.JWK(keytest.Kid, keytest.OtherRSAKey().Public()))
	if _, err := v.Verify(t.Context(), signAt(t, keytest.OtherRSAKey(), keytest.Kid)); err != nil {
		t.Fatal(err)
	}
	// A token of the old key causes one more fetch, in vain, and no further ones.
	for range 3 {
		if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid)); !errors.Is(err, provider.ErrTokenInvalid) {
			t.Errorf("token of the old key: %v", err)
		}
	}
	issuer.Fetched(t, 3)
}

// Rotations may follow each other closely, or happen while the issuer can't be reached. In
// neither case do tokens of the new key have to wait for minutes.
func TestRotationsInARow(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK("0", keytest.RSAKey().Public()))
	c := &clock{time: keytest.Now}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: t.TempDir(), Now: c.now}), keytest.ClerkPolicy())
	for _, kid := range []string{"0", "1", "2", "3"} {
		issuer.Publish(keytest.JWK(kid, keytest.RSAKey().Public()))
		if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), kid)); err != nil {
			t.Errorf("key %s: %v", kid, err)
		}
	}
	c.advance(time.Second)
	issuer.Serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for range 2 {
		if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), "4")); !errors.Is(err, provider.ErrUnavailable) || provider.RetryAfter(err) > keyset.RetryInterval {
			t.Errorf("issuer down: %v", err)
		}
	}
	issuer.Publish(keytest.JWK("4", keytest.RSAKey().Public()))
	c.advance(keyset.RetryInterval)
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), "4")); err != nil {
		t.Errorf("issuer up again: %v", err)
	}
}

func TestIssuerDown(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	c := &clock{time: keytest.Now}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{Now: c.now}), keytest.ClerkPolicy())
	down := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	}
	issuer.Serve(down)
	_, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid))
	var failure *provider.Error
	if !errors.Is(err, provider.ErrUnavailable) || !errors.As(err, &failure) || failure.RetryAfter != 7*time.Second {
		t.Fatalf("got %v, want ErrUnavailable with 7 s", err)
	}
	issuer.Publish(keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid)); err != nil {
		t.Fatal(err)
	}
	issuer.Serve(down)
	c.advance(time.Second)
	// While the issuer is down, an unknown key can't be told from a forged one, whether its
	// kid is known or not.
	for range 3 {
		for _, id := range []string{"new", keytest.Kid} {
			if _, err := v.Verify(t.Context(), signAt(t, keytest.OtherRSAKey(), id)); !errors.Is(err, provider.ErrUnavailable) {
				t.Errorf("kid %s: %v", id, err)
			}
		}
	}
	issuer.Fetched(t, 3)
	if _, err := v.Verify(t.Context(), signAt(t, keytest.RSAKey(), keytest.Kid)); err != nil {
		t.Errorf("held key: %v", err)
	}
}

// answers is an issuer that answers with these statuses in turn, and then repeats the last.
type answers struct {
	statuses []int
	body     []byte
	asked    int
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	status := a.statuses[min(a.asked, len(a.statuses)-1)]
	a.asked++
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(bytes.NewReader(a.body)), Header: http.Header{}}, nil
}

// The first fetch of a key set is retried, because the sign-in that needs it has already used
// up its one-time code.
func TestFirstFetchIsRetried(t *testing.T) {
	for _, test := range []struct {
		statuses []int
		asked    int
		want     error
	}{
		{[]int{503, 200}, 2, nil},
		{[]int{503, 502, 200}, 3, nil},
		{[]int{503}, 3, provider.ErrUnavailable},
		{[]int{404}, 1, provider.ErrUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			issuer := &answers{statuses: test.statuses, body: keytest.KeySet(keytest.JWK("a", keytest.RSAKey().Public()))}
			set, err := keyset.New("https://clerk.example.com/.well-known/jwks.json", keyset.Options{Client: &http.Client{Transport: issuer}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := set.Keys(t.Context()); !errors.Is(err, test.want) || issuer.asked != test.asked {
				t.Errorf("%v: %d requests, %v", test.statuses, issuer.asked, err)
			}
		})
	}
}

func TestOfflineWithoutKeys(t *testing.T) {
	v := keytest.NewVerifier(t, jwks.Disk{Dir: t.TempDir(), URL: "https://clerk.example/jwks"}, keytest.ClerkPolicy())
	if _, err := v.Verify(t.Context(), keytest.SignRS256(t, keytest.Good())); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// A refetch sends the ETag, and 304 Not Modified keeps the set.
func TestUnchangedSet(t *testing.T) {
	issuer := keytest.NewIssuer(t)
	c := &clock{time: keytest.Now}
	var conditions []string
	set := keytest.KeySet(keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	issuer.Serve(func(w http.ResponseWriter, r *http.Request) {
		conditions = append(conditions, r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"v1"`)
		if len(conditions) > 1 {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(set)
	})
	s := keytest.NewSet(t, issuer.URL, keyset.Options{Now: c.now, CacheDir: t.TempDir()})
	held, fresh, err := s.Held(t.Context())
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	for range 2 {
		c.advance(keyset.RefetchInterval)
		again, err := s.Renew(t.Context(), held)
		if err != nil || len(again.Keys) != 1 || !again.Fetched.Equal(c.now()) {
			t.Fatalf("Renew = %+v, %v, want the same key with the present time", again, err)
		}
		held = again
	}
	if got := fmt.Sprint(conditions); got != `[ "v1" "v1"]` {
		t.Errorf("If-None-Match: %s", got)
	}
	issuer.Close()
	c.advance(time.Hour)
	if kept, err := s.Renew(t.Context(), held); !errors.Is(err, provider.ErrUnavailable) || len(kept.Keys) != 1 {
		t.Errorf("issuer down: %v, %v", kept, err)
	}
	if keys, err := s.Keys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("the held keys are gone: %v, %v", keys, err)
	}
}

func TestBadEndpoints(t *testing.T) {
	elsewhere := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	set := keytest.KeySet(keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, handler := range map[string]http.HandlerFunc{
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>sign in to the wifi</html>"))
		},
		"no keys":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"404":         http.NotFound,
		"204":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"304 at once": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(set, strings.Repeat(" ", 10<<20)...))
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write(set)
		},
		"a redirect to another host": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"a redirect to itself":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"never answers": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-never:
			}
		},
		"never ends": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(set[:20])
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-never:
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := keytest.NewIssuer(t)
			issuer.Serve(handler)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			s := keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: t.TempDir()})
			if keys, err := s.Keys(ctx); !errors.Is(err, provider.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, %v, want ErrUnavailable in one line", keys, err)
			}
			// A bad answer leaves nothing behind.
			issuer.Publish(keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
			if _, err := s.Keys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	elsewhere.Fetched(t, 0)
}

func TestFetchIsShared(t *testing.T) {
	issuer := keytest.NewIssuer(t)
	arrived, answer := make(chan struct{}, 2), make(chan struct{})
	set := keytest.KeySet(keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	issuer.Serve(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-answer:
			_, _ = w.Write(set)
		case <-r.Context().Done():
		}
	})
	s := keytest.NewSet(t, issuer.URL, keyset.Options{})

	// The caller that started the fetch may give up; the others still get the keys.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := s.Keys(ctx); first <- err }()
	<-arrived
	const others = 8
	results := make(chan error, others)
	for range others {
		go func() { _, err := s.Keys(t.Context()); results <- err }()
	}
	for keyset.Waiters(s) < others+1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) || !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("the first caller: %v, want context.Canceled", err)
	}
	close(answer)
	for range others {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	issuer.Fetched(t, 1)
}

func TestBadCacheFileIsNoCache(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	fill := func(t *testing.T) (dir, path string) {
		dir = t.TempDir()
		if _, err := keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: dir}).Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
		return dir, onlyFile(t, dir)
	}
	for name, spoil := range map[string]func(path string) error{
		"truncated":             func(path string) error { return os.Truncate(path, 40) },
		"empty":                 func(path string) error { return os.Truncate(path, 0) },
		"rubbish":               func(path string) error { return os.WriteFile(path, []byte("{}"), 0o600) },
		"another issuer's keys": func(path string) error { return os.WriteFile(path, []byte(`{"url":"https://evil.example"}`), 0o600) },
		"writable by others":    func(path string) error { return os.Chmod(path, 0o666) },
		"symlink": func(path string) error {
			return errors.Join(os.Rename(path, path+"x"), os.Symlink(path+"x", path))
		},
		"another user's file": func(path string) error { return os.Chown(path, 12345, 12345) },
		"directory":           func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (name == "writable by others" || name == "symlink") {
				t.Skip("Windows has no such modes")
			}
			dir, path := fill(t)
			if err := spoil(path); errors.Is(err, os.ErrPermission) {
				t.Skip("only root can change a file's owner: ", err)
			} else if err != nil {
				t.Fatal(err)
			}
			before := issuer.Fetches.Load()
			if _, err := keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: dir}).Keys(t.Context()); err != nil {
				t.Fatal(err)
			}
			issuer.Fetched(t, before+1)
			// The file is written again.
			if _, err := (jwks.Disk{Dir: dir, URL: issuer.URL}).Load(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnwritableCacheIsNoError(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keytest.NewSet(t, issuer.URL, keyset.Options{CacheDir: file}).Keys(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClientIsNotChanged(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(keytest.KeySet(keytest.JWK(keytest.Kid, keytest.RSAKey().Public())))
	}))
	t.Cleanup(server.Close)
	client := server.Client()
	client.Timeout = time.Minute
	if _, err := keytest.NewSet(t, server.URL, keyset.Options{Client: client}).Keys(t.Context()); err != nil {
		t.Error(err)
	}
	if client.CheckRedirect != nil || client.Timeout != time.Minute {
		t.Error("the caller's client was changed")
	}
}
