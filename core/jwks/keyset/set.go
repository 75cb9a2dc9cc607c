package keyset

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Times of a key set.
const (
	// RefetchInterval is the time during which nothing is fetched after a key set was
	// fetched again, in vain, for a token that its keys didn't verify: anyone can make
	// such tokens. A fetch that brings other keys was for a rotation, and another may
	// follow. It holds across processes that share a cache directory.
	RefetchInterval = 5 * time.Minute
	// RetryInterval is the same after a fetch that failed. It is short: the tokens of a key
	// that was missed in a moment without a network are no good until the next one.
	RetryInterval = 200 * time.Millisecond
	// fetchTimeout bounds one fetch, body included.
	fetchTimeout = 10 * time.Second
)

// Options are the optional parts of a Set.
type Options struct {
	// CacheDir keeps the key set on disk, for other processes and for times when
	// the issuer is down; it is created with mode 0700. Empty keeps it in memory.
	CacheDir string
	// Client does the fetching; nil means one that goes through the proxy of the
	// environment. Its redirect policy and timeout are replaced.
	Client *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Set is the key set at one URL. It is safe for concurrent use; callers that need
// a fetch at the same time share one.
type Set struct {
	url    string
	client *http.Client
	disk   jwks.Disk // where Dir is "", the set isn't kept
	now    func() time.Time

	mu sync.Mutex
	// mu guards the fields below. A *jwks.Set is never changed once it is shared.
	snap   *jwks.Set
	flight *flight
}

// New makes the set of a URL that is https, or http on loopback, and has neither
// userinfo nor a fragment. It reads nothing yet.
func New(rawURL string, opts Options) (*Set, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.User != nil || u.Fragment != "" || u.Host == "" || !secure(u) {
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("key set URL %.200q is not https (or http on loopback) without userinfo and fragment", provider.ShownURL(rawURL)),
		}
	}
	s := &Set{url: rawURL, client: fetchClient(opts.Client), now: opts.Now}
	if opts.CacheDir != "" {
		s.disk = jwks.Disk{Dir: opts.CacheDir, URL: rawURL}
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

func secure(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && provider.IsLoopback(u.Hostname())
}

// Keys returns the held keys, fetching them where none are held.
func (s *Set) Keys(ctx context.Context) ([]jwks.Key, error) {
	held, _, err := s.Held(ctx)
	if err != nil {
		return nil, err
	}
	return held.Keys, nil
}

// Held implements jwks.Source. It returns the keys in memory, else those on disk, else
// those of the network, and in the last case says that they are fresh.
func (s *Set) Held(ctx context.Context) (snap *jwks.Set, fresh bool, err error) {
	s.mu.Lock()
	if s.snap == nil {
		s.snap = s.load()
	}
	snap = s.snap
	s.mu.Unlock()
	if snap != nil {
		return snap, false, nil
	}
	snap, err = s.fetchShared(ctx, nil)
	return snap, true, err
}

// Renew implements jwks.Source. It returns newer keys than held: those that another caller
// or process got meanwhile, else those of the network. Where it is too early for that, it
// returns held, with an error if the last attempt failed.
func (s *Set) Renew(ctx context.Context, held *jwks.Set) (*jwks.Set, error) {
	s.mu.Lock()
	if s.snap == held {
		if onDisk := s.load(); onDisk != nil && onDisk.Fetched.After(held.Fetched) {
			s.snap = onDisk
		}
	}
	snap := s.snap
	s.mu.Unlock()
	if snap != held {
		return snap, nil
	}
	// A time in the future means a clock that was set back.
	since := s.now().Sub(held.Refetched)
	failed := held.Refetched.After(held.Fetched)
	if since < 0 || since >= RefetchInterval || failed && since >= RetryInterval {
		return s.fetchShared(ctx, held)
	}
	if !failed {
		return held, nil
	}
	failure := unavailable("fetch key set %s: it failed %s ago", s.url, since.Round(10*time.Millisecond))
	failure.RetryAfter = RetryInterval - since
	return held, failure
}

// Interface guards
var _ jwks.Source = (*Set)(nil)
