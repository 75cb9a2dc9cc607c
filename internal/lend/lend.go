// Package lend lends a stored credential to a provider, under the lock of its profile, and
// stores what the provider puts in its place.
package lend

import (
	"context"
	"errors"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// Stored calls use with what is stored of a provider's sign-in, or nil, and stores what use
// returns in its place. It holds the profile's lock, since an issuer that rotates
// credentials takes each once, and use goes on for a moment after ctx has ended, as an
// issuer's answer may be on its way.
func Stored(ctx context.Context, s *store.Store, profile, name string, use func(context.Context, *provider.Credential) (*provider.Credential, error)) error {
	stored := func(record store.Record) *provider.Credential {
		account, ok := record.Accounts[name]
		if !ok || account.Credential.Data.IsZero() {
			return nil
		}
		return &account.Credential
	}
	if record, err := s.LoadContext(ctx, profile); err != nil || stored(record) == nil {
		_, err := use(ctx, nil)
		return err
	}
	return s.Lock(ctx, profile, func(l *store.Locked) error {
		credential := stored(l.Record)
		asking, done := Finishing(ctx)
		defer done()
		next, err := use(asking, credential)
		if credential == nil {
			return err
		}
		return errors.Join(Replace(l, name, next), err)
	})
}

// Call lends the credential of the named account to use, which returns the one that
// replaces it, if any. That one is stored before Call returns, also beside an error. After
// a rejection use is called once more, if a process that doesn't share the lock has
// replaced the credential meanwhile.
func Call(ctx context.Context, l *store.Locked, name string, use func(context.Context, provider.Credential) (*provider.Credential, error)) error {
	sent := l.Accounts[name].Credential.Data
	err := once(ctx, l, name, use)
	if errors.Is(err, provider.ErrRejected) && Adopt(ctx, l, name, sent) {
		err = once(ctx, l, name, use)
	}
	return err
}

func once(ctx context.Context, l *store.Locked, name string, use func(context.Context, provider.Credential) (*provider.Credential, error)) error {
	asking, done := Finishing(ctx)
	next, err := use(asking, l.Accounts[name].Credential)
	done()
	return errors.Join(err, Replace(l, name, next))
}

// Replace stores the credential that a call has brought in place of the one of its account,
// which nil, an empty one and the same one leave as it is.
func Replace(l *store.Locked, name string, next *provider.Credential) error {
	account := l.Accounts[name]
	if next == nil || next.Data.IsZero() || next.Data.Equal(account.Credential.Data) {
		return nil
	}
	account.Credential = *next
	l.Accounts[name] = account
	return l.Save()
}

// siblings are the waits before each look for what another process stored, which
// may be about to.
var siblings = []time.Duration{0, 25 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond}

// Adopt reports whether the store has another credential than the one that was
// rejected: a process that doesn't share the lock (an older zen, a network's file
// system without locks) has renewed it then. It changes the record to what it read.
//
// Nothing is ever deleted for a rejection. An outage can look like one (an API that
// answers 401 to everybody for an hour), and a credential that is kept in vain
// costs one request.
func Adopt(ctx context.Context, l *store.Locked, name string, sent provider.Secret) bool {
	if sent.IsZero() {
		return false
	}
	for _, wait := range siblings {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
		record, err := l.Stored(ctx)
		if err != nil {
			return false
		}
		if account, ok := record.Accounts[name]; ok && !account.Credential.Data.Equal(sent) {
			l.Record = record
			return true
		}
	}
	return false
}

// grace limits how long a call goes on after its caller has gone.
const grace = 3 * time.Second

// Finishing is ctx with a grace: an issuer may have replaced the credential already,
// and its answer has to arrive, or the credential is lost. done releases it.
func Finishing(ctx context.Context) (late context.Context, done func()) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return late, func() { stop(); cancel() }
}
