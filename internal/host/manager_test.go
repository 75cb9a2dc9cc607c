package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/testwait"
)

func TestOpenConfiguresAndDescribes(t *testing.T) {
	m := manage(t, Options{}, "good")
	description, err := m.Describe(t.Context(), "good")
	if err != nil || description.Version != "1.0.0" || len(description.Services) != 1 {
		t.Fatalf("Describe = %+v, %v", description, err)
	}
	client, err := m.Open(t.Context(), "good", provider.Settings{"color": provider.NewSecret("blue")})
	if err != nil {
		t.Fatal(err)
	}
	if notes := client.Notes(); len(notes) != 1 || notes[0].Text != "color is blue" {
		t.Errorf("notes %v", notes)
	}
	if got := ask(t, client, "settings color").Subject; got != "blue" {
		t.Errorf("color is %q", got)
	}
	if _, err := client.Token(t.Context(), provider.TokenRequest{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a missing service: %v, want ErrUnsupported", err)
	}
	if _, err := client.Configure(t.Context(), nil); err == nil {
		t.Error("the second Configure returned no error")
	}
}

func TestConcurrentOpensShareOneProcess(t *testing.T) {
	m := manage(t, Options{}, "good")
	const callers = 16
	pids := make([]string, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			if i%4 == 0 {
				if _, err := m.Describe(t.Context(), "good"); err != nil {
					t.Error(err)
				}
			}
			client, err := m.Open(t.Context(), "good", nil)
			if err != nil {
				t.Error(err)
				return
			}
			claims, err := client.Verify(t.Context(), provider.NewSecret("pid"))
			if err != nil {
				t.Error(err)
			}
			pids[i] = claims.Subject
		})
	}
	group.Wait()
	for _, pid := range pids {
		if pid != pids[0] || pid == "" {
			t.Errorf("processes %v", pids)
			break
		}
	}
	other, err := m.Open(t.Context(), "good", provider.Settings{"color": provider.NewSecret("red")})
	if err != nil {
		t.Fatal(err)
	}
	if pid := ask(t, other, "pid").Subject; pid == pids[0] {
		t.Error("two settings share one process")
	}
}

func TestWrongSettingsAreAnErrorOfTheProvider(t *testing.T) {
	m := manage(t, Options{}, "good")
	_, err := m.Open(t.Context(), "good", provider.Settings{"color": provider.NewSecret("wrong")})
	if !errors.Is(err, provider.ErrConfig) || provider.Hint(err) != "take another" {
		t.Errorf("Open: %v, want the provider's ErrConfig with its hint", err)
	}
	if _, err := m.Open(t.Context(), "good", nil); err != nil {
		t.Errorf("Open after the refused settings: %v", err)
	}
}

func TestCallerMayGiveUp(t *testing.T) {
	m := manage(t, Options{}, "mute")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Open(ctx, "mute", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a canceled context: %v, want context.Canceled", err)
	}
}

func TestCloseEndsStarts(t *testing.T) {
	m := manage(t, Options{}, "mute", "good")
	opened := make(chan error, 1)
	go func() {
		_, err := m.Open(context.Background(), "mute", nil)
		opened <- err
	}()
	client := open(t, m, "good")
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err == nil {
		t.Error("a start outlived Close")
	}
	if _, err := client.Verify(t.Context(), provider.NewSecret("pid")); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a call after Close: %v, want ErrUnavailable", err)
	}
	if _, err := m.Open(t.Context(), "good", nil); err == nil {
		t.Error("Open after Close returned no error")
	}
}

func TestPitfall23NoGoroutineIsLeft(t *testing.T) {
	dir := installed(t, "good", "rubbish")
	cycle := func(end string) {
		m := NewManager(Options{Dirs: []string{dir}})
		client := open(t, m, "good")
		_, _ = m.Open(t.Context(), "rubbish", nil)
		_ = verify(t, client, end)
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle("pid")
	before := runtime.NumGoroutine()
	for range 3 {
		cycle("pid")
		cycle("exit")
	}
	if err := testwait.Done(t.Context(), func() bool { return runtime.NumGoroutine() <= before }); err != nil {
		stacks := make([]byte, 1<<20)
		t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestFingerprint(t *testing.T) {
	seen := make(map[string]string)
	for _, settings := range []provider.Settings{
		nil, {"a": provider.NewSecret("b")}, {"ab": provider.NewSecret("")}, {"a": provider.NewSecret(`b""c"`)},
		{"a": provider.NewSecret("b"), "c": provider.NewSecret("")},
	} {
		text := fmt.Sprintf("%q", settingsText(settings))
		print := fingerprint("x", settings)
		if other, ok := seen[print]; ok {
			t.Errorf("%s and %s have the same fingerprint", text, other)
		}
		seen[print] = text
	}
}

func settingsText(settings provider.Settings) map[string]string {
	text := make(map[string]string)
	for key, value := range settings {
		text[key] = value.Reveal()
	}
	return text
}
