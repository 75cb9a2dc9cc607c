package jwks

import (
	"context"
	"time"
)

// Set is a key set as its issuer published it at one time. It is shared, and never
// changed.
type Set struct {
	// URL is the address at which the issuer publishes the set.
	URL string
	// Keys are the keys that can verify a signature; see Parse.
	Keys []Key
	// JSON is the document as it was published.
	JSON []byte
	// ETag is the issuer's, or "".
	ETag string
	// Fetched is when the issuer last confirmed the keys, Refetched when it was last
	// asked for others and had none, or didn't answer.
	Fetched, Refetched time.Time
}

// Source gives a Verifier its keys: a Disk, or a Set of package keyset. It is safe
// for concurrent use.
type Source interface {
	// Held returns the keys that are at hand; fresh says that they came from the issuer
	// for this call. The error is ErrUnavailable.
	Held(ctx context.Context) (set *Set, fresh bool, err error)
	// Renew returns newer keys than held, for a token that those didn't verify, and held
	// itself if there are none. The error, which is ErrUnavailable, says that the
	// issuer couldn't be asked; held counts then.
	Renew(ctx context.Context, held *Set) (*Set, error)
}
