package store

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
)

// keys are the keys that this process has read or made: the keyring may ask a person
// each time, and is read once.
type keys struct {
	// busy is held while held is used or the keyring is waited for.
	busy chan struct{}
	held map[string]provider.Secret
}

func newKeys() keys { return keys{make(chan struct{}, 1), map[string]provider.Secret{}} }

func (k keys) get(ctx context.Context, from Keyring, item string) (provider.Secret, error) {
	select {
	case k.busy <- struct{}{}:
		defer func() { <-k.busy }()
	case <-ctx.Done():
		return provider.Secret{}, ctx.Err()
	}
	if key, ok := k.held[item]; ok {
		return key, nil
	}
	if from == nil {
		return provider.Secret{}, errNoKeyring()
	}
	key, err := from.Get(ctx, item)
	if err == nil {
		k.held[item] = key
	}
	return key, err
}

// put keeps a new key, in the keyring first, and reads it back.
func (k keys) put(ctx context.Context, to Keyring, item string, key provider.Secret) error {
	if to == nil {
		return errNoKeyring()
	}
	k.busy <- struct{}{}
	defer func() { <-k.busy }()
	if err := to.Set(ctx, item, key); err != nil {
		return err
	}
	// What was sealed with a key that isn't there is lost.
	kept, err := to.Get(ctx, item)
	switch {
	case errors.Is(err, ErrNoItem) || err == nil && !kept.Equal(key):
		return errNotKept
	case err != nil:
		return err
	}
	k.held[item] = key
	return nil
}

// errNotKept is a keyring whose yes means nothing: some say it where the prompt was
// dismissed.
var errNotKept = &provider.Error{
	Kind: provider.ErrUnavailable, Message: "the keyring said that it kept the key, and doesn't have it",
	Hint: "unlock the keyring, and answer its prompt with yes",
}

func errNoKeyring() error {
	return &provider.Error{Kind: provider.ErrUnavailable, Message: "this program uses no keyring"}
}
