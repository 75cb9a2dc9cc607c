package authclerk

import (
	"context"
	"crypto/sha256"
	"time"
)

const (
	// cacheTime is how long Clerk's answer is cached: a revoked key can sign in for at
	// most that long.
	cacheTime = 30 * time.Second
	// maxVerified is the largest number of cached keys.
	maxVerified = 10_000
)

// fingerprint identifies a secret in memory.
type fingerprint [sha256.Size]byte

// answer is Clerk's answer about a key.
type answer struct {
	key           apiKey
	organizations []organization // nil: not asked
	until         time.Time
}

// verify asks Clerk about a key's secret, or uses a cached answer. Refusals are not
// cached.
func (b *backend) verify(ctx context.Context, c clerk, secret string) (apiKey, error) {
	print := fingerprint(sha256.Sum256([]byte(secret)))
	b.mu.Lock()
	known, ok := b.verified[print]
	b.mu.Unlock()
	if ok && b.now().Before(known.until) && known.key.good(b.now()) {
		return known.key, nil
	}
	key, err := c.verify(ctx, secret)
	if err != nil {
		return apiKey{}, err
	}
	if !key.good(b.now()) {
		return apiKey{}, errUnknownKey
	}
	b.remember(print, answer{key: key, until: b.now().Add(cacheTime)})
	return key, nil
}

// organizations returns the organizations of a key's subject, from Clerk or the cache.
func (b *backend) organizations(ctx context.Context, c clerk, subject string) ([]organization, error) {
	print := fingerprint(sha256.Sum256([]byte("organizations of " + subject)))
	b.mu.Lock()
	known, ok := b.verified[print]
	b.mu.Unlock()
	if ok && b.now().Before(known.until) {
		return known.organizations, nil
	}
	var list []organization
	var err error
	if isOrganization(subject) {
		var o organization
		if o, err = c.organization(ctx, subject); err == nil && o.ID == subject {
			list = []organization{o}
		}
	} else if isUser(subject) {
		list, err = c.memberships(ctx, subject)
	}
	if err != nil {
		return nil, err
	}
	b.remember(print, answer{organizations: list, until: b.now().Add(cacheTime)})
	return list, nil
}

func (b *backend) remember(print fingerprint, a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.verified) >= maxVerified {
		clear(b.verified)
	}
	b.verified[print] = a
}

func (b *backend) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.verified)
}
