package keyring

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// fake is a backend in memory.
type fake struct {
	mu    sync.Mutex
	items map[string]string
	calls int
	// absent is why it can't be reached, fails is the error of every call, and every call
	// waits for stuck.
	absent, fails error
	// forgets is a keyring that reports success and keeps nothing. locked is one that can't
	// be read but accepts items, for later.
	forgets, locked bool
	stuck           chan struct{}
	// stolen counts the items that another program deletes as soon as they are set.
	stolen int
}

func (f *fake) reachable() error { return f.absent }

func (f *fake) begin() error {
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
	if f.stuck != nil {
		<-f.stuck
	}
	return f.fails
}

func (f *fake) get(item string) (string, error) {
	if err := f.begin(); err != nil {
		return "", err
	}
	if f.locked {
		return "", errors.New("failed to unlock correct collection")
	}
	secret, ok := f.items[item]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return secret, nil
}

func (f *fake) set(item, secret string) error {
	if err := f.begin(); err != nil {
		return err
	}
	if f.stolen > 0 {
		f.stolen--
		return nil
	}
	if !f.forgets {
		f.items[item] = secret
	}
	return nil
}

func (f *fake) delete(item string) error {
	if err := f.begin(); err != nil {
		return err
	}
	if _, ok := f.items[item]; !ok {
		return keyring.ErrNotFound
	}
	delete(f.items, item)
	return nil
}

func TestLifeOfAnItem(t *testing.T) {
	f := &fake{items: map[string]string{}}
	k := newKeyring(Options{}, f)
	if _, err := k.Get(t.Context(), "a"); !errors.Is(err, store.ErrNoItem) || errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Get of no item = %v", err)
	}
	if err := k.Set(t.Context(), "a", provider.NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get(t.Context(), "a"); err != nil || got.Reveal() != "x" {
		t.Errorf("Get = %q, %v", got.Reveal(), err)
	}
	if err := k.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := k.Delete(t.Context(), "a"); !errors.Is(err, store.ErrNoItem) {
		t.Errorf("second Delete = %v", err)
	}
	if err := k.Probe(t.Context()); err != nil || len(f.items) != 0 {
		t.Errorf("Probe = %v, and left %v", err, f.items)
	}
}

// A keyring whose prompt was dismissed still reports success.
func TestProbeOfAKeyringThatKeepsNothing(t *testing.T) {
	k := newKeyring(Options{}, &fake{items: map[string]string{}, forgets: true})
	if err := k.Probe(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Probe = %v", err)
	}
}

func TestProbeLeavesNothingInALockedKeyring(t *testing.T) {
	f := &fake{items: map[string]string{}, locked: true}
	if err := newKeyring(Options{}, f).Probe(t.Context()); !errors.Is(err, provider.ErrUnavailable) || len(f.items) > 0 {
		t.Errorf("Probe = %v, and left %v", err, f.items)
	}
}

// Programs that probe at the same time delete each other's item.
func TestProbesAtOnce(t *testing.T) {
	f := &fake{items: map[string]string{}}
	for range 3 {
		f.stolen++
		if err := newKeyring(Options{}, f).Probe(t.Context()); err != nil {
			t.Errorf("Probe = %v", err)
		}
	}
}

func TestEveryOtherErrorIsUnavailable(t *testing.T) {
	for name, f := range map[string]*fake{
		"absent":      {absent: errors.New("no bus")},
		"failing":     {fails: errors.New("failed to unlock correct collection")},
		"unsupported": {fails: keyring.ErrUnsupportedPlatform},
		"too big":     {fails: keyring.ErrSetDataTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeyring(Options{}, f)
			_, get := k.Get(t.Context(), "a")
			for call, err := range map[string]error{
				"get": get, "set": k.Set(t.Context(), "a", provider.NewSecret("secret")),
				"delete": k.Delete(t.Context(), "a"), "probe": k.Probe(t.Context()),
			} {
				if !errors.Is(err, provider.ErrUnavailable) || provider.Hint(err) == "" {
					t.Errorf("%s = %v", call, err)
				}
			}
			if f.absent != nil && f.calls > 0 {
				t.Error("an unreachable keyring was called")
			}
		})
	}
}

func TestHangIsGivenUpOnceAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{items: map[string]string{"a": "x"}, stuck: make(chan struct{})}
		var told []time.Duration
		k := newKeyring(Options{Timeout: time.Minute, Waiting: func(d time.Duration) { told = append(told, d) }}, f)
		start := time.Now()
		_, err := k.Get(t.Context(), "a")
		if !errors.Is(err, provider.ErrUnavailable) || time.Since(start) != time.Minute || len(told) != 1 {
			t.Errorf("Get = %v after %s, notices %v", err, time.Since(start), told)
		}
		// While that call hangs, others wait for it instead of starting more.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := k.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second Get = %v", err)
		}
		f.mu.Lock()
		if f.calls != 1 {
			t.Errorf("%d calls hang", f.calls)
		}
		f.mu.Unlock()
		close(f.stuck) // the keyring is unlocked
		if got, err := k.Get(t.Context(), "a"); err != nil || got.Reveal() != "x" {
			t.Errorf("Get = %v", err)
		}
		if len(told) != 2 {
			t.Errorf("notices %v, want two", told)
		}
	})
}

// An answer that came in time counts, though this process looks for it only later.
func TestAnswerOfALateCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 { // of two events that are there, either may be taken
			f := &fake{items: map[string]string{"a": "x"}, stuck: make(chan struct{})}
			k := newKeyring(Options{Timeout: time.Minute, Waiting: func(time.Duration) {
				close(f.stuck) // the keyring is unlocked
				time.Sleep(time.Hour)
			}}, f)
			if got, err := k.Get(t.Context(), "a"); err != nil || got.Reveal() != "x" {
				t.Fatalf("Get = %v", err)
			}
		}
	})
}

func TestShortWaitIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{items: map[string]string{}, stuck: make(chan struct{})}
		defer close(f.stuck)
		k := newKeyring(Options{Waiting: func(time.Duration) { t.Error("Waiting was called") }}, f)
		start := time.Now()
		if err := k.Probe(t.Context()); !errors.Is(err, provider.ErrUnavailable) || time.Since(start) != DefaultTimeout {
			t.Errorf("Probe = %v after %s", err, time.Since(start))
		}
	})
}
