package turso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

// How the key sets of registered URLs are kept. These go by the machine's clock,
// not by the one that tests move.
const (
	keySetTTL     = 5 * time.Minute
	keySetRefetch = time.Second // shortest time between two fetches of a URL
	keySetMax     = 1 << 20     // bytes of a key set
)

// keySets fetches and caches key sets by URL. It is safe for concurrent use.
type keySets struct {
	client *http.Client
	log    *slog.Logger
	faults *fault.Set

	versions atomic.Int64 // the last one assigned, over all sets

	mu   sync.Mutex // guards sets
	sets map[string]*keySet
}

type keySet struct {
	fetching chan struct{} // holds one token, whose owner may fetch

	mu      sync.Mutex // guards all below
	keys    []publicKey
	version int64     // of keys: no other keys ever had it
	good    time.Time // when keys were fetched
	tried   time.Time // when a fetch was last tried
}

func newKeySets(client *http.Client, log *slog.Logger, faults *fault.Set) *keySets {
	return &keySets{client: client, log: log, faults: faults, sets: make(map[string]*keySet)}
}

func (ks *keySets) set(url string) *keySet {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	set := ks.sets[url]
	if set == nil {
		set = &keySet{fetching: make(chan struct{}, 1)}
		ks.sets[url] = set
	}
	return set
}

// forget drops what is known about a URL: it was registered anew.
func (ks *keySets) forget(url string) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	delete(ks.sets, url)
}

// current returns the keys in use, fetching them if there are none or they are
// old. Keys outlive their age while the URL cannot be fetched.
func (ks *keySets) current(ctx context.Context, url string) (keys []publicKey, version int64) {
	var fresh bool
	set := ks.set(url)
	keys, version, fresh = set.get()
	if fresh || len(keys) > 0 && ks.faults.On(fault.JWKSStale) {
		return keys, version
	}
	ks.refetch(ctx, url, set)
	keys, version, _ = set.get()
	return keys, version
}

// renewed is like current for a token that no key fits: the issuer may have
// rotated its keys. It fetches unless that was done a moment ago.
func (ks *keySets) renewed(ctx context.Context, url string) (keys []publicKey, version int64) {
	set := ks.set(url)
	if !ks.faults.On(fault.JWKSStale) {
		ks.refetch(ctx, url, set)
	}
	keys, version, _ = set.get()
	return keys, version
}

// version returns the version of the keys in use and whether they are fresh.
func (ks *keySets) version(url string) (int64, bool) {
	_, version, fresh := ks.set(url).get()
	return version, fresh
}

func (s *keySet) get() (keys []publicKey, version int64, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.version, time.Since(s.good) < keySetTTL
}

func (ks *keySets) refetch(ctx context.Context, url string, set *keySet) {
	select {
	case set.fetching <- struct{}{}:
		defer func() { <-set.fetching }()
	case <-ctx.Done():
		return
	}
	set.mu.Lock()
	recent := time.Since(set.tried) < keySetRefetch
	set.mu.Unlock()
	if recent {
		return // also after waiting for another fetch
	}
	// A client that disconnects must not abort the fetch for the others.
	keys, err := ks.fetch(context.WithoutCancel(ctx), url)
	now := time.Now()
	set.mu.Lock()
	defer set.mu.Unlock()
	set.tried = now
	if err != nil {
		ks.log.Warn("fetch key set", "url", url, "error", err)
		return
	}
	set.good = now
	if !slices.EqualFunc(keys, set.keys, publicKey.equal) {
		set.keys = keys
		set.version = ks.versions.Add(1)
	}
}

func (ks *keySets) fetch(ctx context.Context, url string) ([]publicKey, error) {
	if ks.faults.On(fault.JWKSFetchDown) {
		return nil, errors.New("fault " + fault.JWKSFetchDown)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := ks.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keySetMax+1))
	if err != nil {
		return nil, err
	}
	if len(body) > keySetMax {
		return nil, fmt.Errorf("more than %d bytes", keySetMax)
	}
	return parseKeySet(body)
}
