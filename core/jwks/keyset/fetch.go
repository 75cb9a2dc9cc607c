package keyset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// maxBody bounds a key set: one of 64 large RSA keys with certificates has less.
const maxBody = 1 << 20

// firstWaits are the pauses between the tries of a first fetch.
var firstWaits = [...]time.Duration{200 * time.Millisecond, 800 * time.Millisecond}

// maxFirstWait limits how long an issuer may ask a first fetch to wait.
const maxFirstWait = 2 * time.Second

// errServer is an answer with a status of 5xx.
var errServer = errors.New("server trouble")

// fetchClient is client, but for redirects: they may not leave the host, which is
// what the keys' authenticity rests on.
func fetchClient(client *http.Client) *http.Client {
	if client == nil {
		client = httpclient.Client()
	}
	c := *client
	// Each fetch has its deadline in its context.
	c.Timeout = 0
	c.Jar = nil
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("more than 5 redirects")
		}
		if from := via[0].URL; req.URL.Host != from.Host || req.URL.Scheme != from.Scheme {
			return errors.New("redirect to another host")
		}
		return nil
	}
	return &c
}

// fetch gets the keys from the issuer. With an error it returns held, marked with
// the time of the attempt (nil where held is nil).
func (s *Set) fetch(ctx context.Context, held *jwks.Set) (*jwks.Set, error) {
	snap, err := s.get(ctx, held)
	// Without any keys, a moment of trouble at the issuer would cost a sign-in: its
	// one-time code is used up by now.
	for i := 0; held == nil && errors.Is(err, errServer) && i < len(firstWaits); i++ {
		wait := max(firstWaits[i], provider.RetryAfter(err))
		if wait > maxFirstWait {
			break // the issuer knows better
		}
		select {
		case <-time.After(wait):
			snap, err = s.get(ctx, held)
		case <-ctx.Done():
			return nil, err
		}
	}
	switch {
	case held == nil && err != nil:
		return nil, err
	case held != nil && err != nil:
		kept := *held
		kept.Refetched = s.now().Round(0)
		snap = &kept
	case held != nil && bytes.Equal(snap.JSON, held.JSON):
		snap.Refetched = snap.Fetched
	}
	// Without the disk, the next process fetches for itself.
	_ = s.store(snap)
	return snap, err
}

func (s *Set) get(ctx context.Context, held *jwks.Set) (*jwks.Set, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, unavailable("fetch key set %s: %v", s.url, err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	if held != nil && held.ETag != "" {
		req.Header.Set("If-None-Match", held.ETag)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, httpclient.Failure("fetch key set "+s.url, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNotModified && held != nil {
		same := *held
		same.Fetched = s.now().Round(0)
		return &same, nil
	}
	if res.StatusCode != http.StatusOK {
		failure := unavailable("fetch key set %s: the server answered %s", s.url, res.Status)
		failure.RetryAfter = httpclient.RetryAfter(res.Header)
		if res.StatusCode >= 500 {
			failure.Err = errServer
		}
		return nil, failure
	}
	body, err := httpclient.ReadAll(res.Body, maxBody)
	if err != nil {
		return nil, httpclient.Failure("fetch key set "+s.url, err)
	}
	keys, err := jwks.Parse(body)
	if err != nil {
		return nil, unavailable("fetch key set %s: %v", s.url, err)
	}
	// As the file has it: a set that was read from there is compared with this one.
	var compact bytes.Buffer
	if err := json.Compact(&compact, bytes.TrimPrefix(body, []byte("\ufeff"))); err != nil {
		return nil, unavailable("fetch key set %s: %v", s.url, err)
	}
	return &jwks.Set{
		URL: s.url, Keys: keys, JSON: compact.Bytes(), ETag: res.Header.Get("ETag"),
		Fetched: s.now().Round(0),
	}, nil
}

func unavailable(format string, args ...any) *provider.Error {
	return &provider.Error{Kind: provider.ErrUnavailable, Message: fmt.Sprintf(format, args...)}
}
