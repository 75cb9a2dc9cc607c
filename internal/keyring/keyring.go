// Package keyring keeps short secrets in the keyring of the system: the Secret
// Service on Linux and the BSDs (gnome-keyring, KWallet, KeePassXC), the login
// keychain on macOS, the credential manager on Windows.
//
// A keyring may be locked, absent, or hang for ever, and says so in errors that have
// nothing in common but that they are not "no such item". So it is looked for before
// it is touched, every call has a deadline, and every error but absence of the item
// is [provider.ErrUnavailable].
package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// DefaultTimeout bounds a call where no person can unlock the keyring. An unlocked
// keyring answers in six milliseconds.
const DefaultTimeout = time.Second

// waitingAfter is the delay after which Options.Waiting is called.
const waitingAfter = time.Second

// Options change what New makes.
type Options struct {
	// Timeout bounds each call; zero means DefaultTimeout. Where a person can type a
	// password it should be a minute.
	Timeout time.Duration
	// Waiting is told when a call takes more than a second: a person may have to
	// unlock the keyring. If nil, the wait is silent.
	Waiting func(timeout time.Duration)
}

// unlockTimeout limits how long a person may take to type the keyring's password.
const unlockTimeout = time.Minute

// EnvTimeout is the variable that says how long the keyring is waited for.
const EnvTimeout = "ZEN_KEYRING_TIMEOUT"

// OptionsFor give a person time to unlock the keyring, and a machine none. asked is the
// value of EnvTimeout, which is stronger.
func OptionsFor(interactive bool, asked string) (Options, error) {
	o := Options{Timeout: DefaultTimeout}
	if interactive {
		o.Timeout = unlockTimeout
	}
	if asked != "" {
		timeout, err := time.ParseDuration(asked)
		if err != nil || timeout <= 0 {
			return o, &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is %.20q", EnvTimeout, asked),
				Hint: "it takes a duration like 500ms, 10s or 1m",
			}
		}
		o.Timeout = timeout
	}
	return o, nil
}

// Entry is what has another process of zen's wait as long, in its environment.
func (o Options) Entry() string { return EnvTimeout + "=" + o.Timeout.String() }

// Keyring is the keyring of the system. It is safe for concurrent use; one call is
// made at a time, because a keyring that hangs for one call hangs for all.
type Keyring struct {
	options Options
	backend backend
	// busy is held by the call under way, also after its caller gave it up.
	busy chan struct{}
}

// backend is package keyring of zalando/go-keyring, whose calls take no context.
type backend interface {
	// reachable says why the keyring can't be there, before anything is started
	// that would look for it.
	reachable() error
	get(item string) (string, error)
	set(item, secret string) error
	delete(item string) error
}

// New returns the system's keyring. It doesn't touch it.
func New(o Options) *Keyring { return newKeyring(o, system{}) }

func newKeyring(o Options, b backend) *Keyring {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	return &Keyring{options: o, backend: b, busy: make(chan struct{}, 1)}
}

// Get returns the secret of an item, or store.ErrNoItem.
func (k *Keyring) Get(ctx context.Context, item string) (provider.Secret, error) {
	return k.call(ctx, func() (string, error) { return k.backend.get(item) })
}

// Set makes or replaces an item.
func (k *Keyring) Set(ctx context.Context, item string, secret provider.Secret) error {
	_, err := k.call(ctx, func() (string, error) { return "", k.backend.set(item, secret.Reveal()) })
	return err
}

// Delete removes an item. The error is store.ErrNoItem if there is none.
func (k *Keyring) Delete(ctx context.Context, item string) error {
	_, err := k.call(ctx, func() (string, error) { return "", k.backend.delete(item) })
	return err
}

// Probe reports whether an item that is written can be read, and deletes it. A keyring
// that is locked, and stays so, is given nothing to keep.
func (k *Keyring) Probe(ctx context.Context) error {
	_, err := k.call(ctx, func() (string, error) { return "", probe(k.backend) })
	return err
}

func probe(b backend) error {
	const item = "probe"
	// Reading asks for the password, too, and leaves nothing behind.
	if _, err := b.get(item); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	// Another process that probes may have deleted the item: one in a row might.
	for range 5 {
		if err := b.set(item, item); err != nil {
			return err
		}
		got, err := b.get(item)
		deleted := b.delete(item)
		switch {
		case errors.Is(err, keyring.ErrNotFound):
			continue
		case err != nil:
			return err
		case got != item:
			return errors.New("it gave back something else than was put into it")
		case errors.Is(deleted, keyring.ErrNotFound):
			return nil
		}
		return deleted
	}
	return errors.New("it said that it kept an item, and has none")
}

type answer struct {
	secret string
	err    error
}

// call runs fn, which can't be stopped, until it returns, the deadline passes or the
// context ends. In the last two cases its goroutine is given up, at most one at a
// time: it ends when the keyring answers, or with the process.
func (k *Keyring) call(ctx context.Context, fn func() (string, error)) (provider.Secret, error) {
	if err := k.backend.reachable(); err != nil {
		return provider.Secret{}, &provider.Error{
			Kind: provider.ErrUnavailable, Message: "there is no keyring: " + err.Error(), Err: err,
			Hint: "run zen in the session of a desktop, which has one",
		}
	}
	deadline := time.NewTimer(k.options.Timeout)
	defer deadline.Stop()
	waiting := time.NewTimer(waitingAfter)
	defer waiting.Stop()
	done := make(chan answer, 1)
	start := k.busy
	for {
		select {
		case start <- struct{}{}:
			start = nil
			go func() {
				secret, err := fn()
				<-k.busy
				done <- answer{secret, err}
			}()
		case a := <-done:
			return provider.NewSecret(a.secret), failure(a.err)
		case <-waiting.C:
			if k.options.Waiting != nil && k.options.Timeout > waitingAfter {
				k.options.Waiting(k.options.Timeout)
			}
		case <-deadline.C:
			select {
			case a := <-done: // this process stood still, and not the keyring
				return provider.NewSecret(a.secret), failure(a.err)
			default:
			}
			return provider.Secret{}, unavailable(fmt.Errorf("it did not answer within %s", k.options.Timeout))
		case <-ctx.Done():
			return provider.Secret{}, ctx.Err()
		}
	}
}

func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return store.ErrNoItem
	}
	return unavailable(err)
}

func unavailable(err error) error {
	if provider.Hint(err) != "" {
		return err
	}
	return &provider.Error{
		Kind: provider.ErrUnavailable, Message: fmt.Sprintf("the keyring can't be used: %v", err), Err: err,
		Hint: "unlock the keyring, and run it again; ZEN_KEYRING_TIMEOUT=60s waits longer for you to",
	}
}

// Interface guards
var _ store.Keyring = (*Keyring)(nil)
