package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Bounds of the tokens that are cached for one profile: one for each provider, target,
// access and set of permissions in use, of at most 16 KiB each.
const (
	maxTokens     = 64
	maxTokenBytes = 1 << 20
)

// bound drops cached tokens until the rest is within the bounds: those that ended
// first, then those that were issued longest ago. What this Lock added stays the
// longest.
func (l *Locked) bound(now time.Time) {
	size := 0
	for key, token := range l.Tokens {
		size += len(key) + len(token.Value.Reveal())
	}
	if len(l.Tokens) <= maxTokens && size <= maxTokenBytes {
		return
	}
	// rank is higher for what is worth more.
	rank := func(key string) int {
		token := l.Tokens[key]
		switch old, had := l.had[key]; {
		case !had || !old.Value.Equal(token.Value):
			return 2
		case token.Expires.IsZero() || now.Before(token.Expires):
			return 1
		}
		return 0
	}
	oldest := slices.SortedFunc(maps.Keys(l.Tokens), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), l.Tokens[a].Issued.Compare(l.Tokens[b].Issued),
			l.Tokens[a].Expires.Compare(l.Tokens[b].Expires), cmp.Compare(a, b))
	})
	for _, key := range oldest {
		if len(l.Tokens) <= maxTokens && size <= maxTokenBytes {
			return
		}
		size -= len(key) + len(l.Tokens[key].Value.Reveal())
		delete(l.Tokens, key)
	}
}

// readBack refuses what could not be read again: it would cost the sign-in that is
// there. What rests now stays.
func (l *Locked) readBack(data []byte, key provider.Secret) error {
	if len(data) > maxFileSize {
		return fmt.Errorf("there is too much to keep (%d KiB, and %d are read); nothing was changed", len(data)>>10, maxFileSize>>10)
	}
	f, err := parse(data, false)
	if err != nil {
		return fmt.Errorf("what would be written can't be read again: %w; nothing was changed", err)
	}
	if f.storage() == StorageKeyring {
		if f, err = f.unseal(l.profile, key, false); err != nil {
			return fmt.Errorf("what would be written can't be read again: %w; nothing was changed", err)
		}
	}
	read := f.record()
	same := len(read.Accounts) == len(l.Accounts) && len(read.Tokens) == len(l.Tokens)
	for name, account := range l.Accounts {
		same = same && read.Accounts[name].Credential.Data.Equal(account.Credential.Data)
	}
	for name, token := range l.Tokens {
		same = same && read.Tokens[name].Value.Equal(token.Value)
	}
	if !same {
		return fmt.Errorf("a credential or token has bytes that are no text (UTF-8), and would come back changed; nothing was changed")
	}
	return nil
}
