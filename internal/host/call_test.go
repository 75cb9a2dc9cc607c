package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/status"

	"github.com/zen-auth/zen/core/provider"
)

func verify(t *testing.T, c *Client, command string) error {
	t.Helper()
	_, err := c.Verify(t.Context(), provider.NewSecret(command))
	return err
}

func TestPitfall13CrashIsToldAndTheNextCallStartsAnew(t *testing.T) {
	m := manage(t, Options{}, "good")
	for command, status := range map[string]string{"exit": "exit status 7", "crash x": "exit status 2"} {
		client := open(t, m, "good")
		err := verify(t, client, command)
		var crash *CrashError
		if !errors.As(err, &crash) || !errors.Is(err, provider.ErrUnavailable) || crash.Call != "Verify" || crash.Status != status {
			t.Errorf("%s: %T %v, want CrashError", command, err, err)
		}
		if err := verify(t, client, "pid"); err != nil {
			t.Errorf("the next call: %v", err)
		}
		if pid := ask(t, open(t, m, "good"), "pid").Subject; pid == "" {
			t.Error("no new process")
		}
	}
}

func TestPanicFailsOneCall(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	before := ask(t, client, "pid").Subject
	err := verify(t, client, "panic "+planted)
	var crash *CrashError
	if !errors.As(err, &crash) || !crash.Survived || !errors.Is(err, provider.ErrUnavailable) ||
		err.Error() != "provider good crashed in Verify (panic)" {
		t.Errorf("Verify = %v, want a CrashError of a process that survived", err)
	}
	if after := ask(t, client, "pid").Subject; after != before {
		t.Errorf("process %s became %s", before, after)
	}
}

func TestEveryCallHasADeadline(t *testing.T) {
	m := manage(t, Options{}, "good")
	m.limits.remote = 100 * time.Millisecond
	client := open(t, m, "good")
	var late *TimeoutError
	for _, command := range []string{"hang", "wait"} {
		err := verify(t, client, command)
		if !errors.As(err, &late) || !errors.Is(err, provider.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%s: %T %v, want TimeoutError", command, err, err)
		}
		if err.Error() != "provider good did not answer Verify within 100ms" {
			t.Errorf("text %q", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Verify(ctx, provider.NewSecret("hang")); !errors.As(err, &late) || late.After >= 100*time.Millisecond {
		t.Errorf("with the caller's deadline: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.Verify(ctx, provider.NewSecret("hang")); !errors.Is(err, context.Canceled) || provider.Kind(err) != nil {
		t.Errorf("canceled by the caller: %v", err)
	}
}

// The time that a message names is the limit, also if the process stood still between the
// start of the call and that of its limit.
func TestDeadlineOfASlowMachineIsTheLimit(t *testing.T) {
	c := &conn{name: "good", limits: limits{remote: 100 * time.Millisecond}}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	var late *TimeoutError
	for began, want := range map[time.Duration]time.Duration{3 * time.Second: 100 * time.Millisecond, 20 * time.Millisecond: 20 * time.Millisecond} {
		deadline, _ := ctx.Deadline()
		err := c.explain(ctx, "/zen.provider.v1.Identity/Verify", deadline.Add(-began), status.FromContextError(context.DeadlineExceeded).Err())
		if !errors.As(err, &late) || late.After != want {
			t.Errorf("a call that began %s before its deadline: %v, want %s", began, err, want)
		}
	}
}

// patient is a person who takes longer than the deadline of a call.
type patient struct {
	provider.Host
	pin    string
	stored bool
}

func (p *patient) AskSecret(ctx context.Context, _ string) (provider.Secret, error) {
	select {
	case <-time.After(300 * time.Millisecond):
	case <-ctx.Done():
	}
	return provider.NewSecret(p.pin), ctx.Err()
}

func (p *patient) Store(_ context.Context, result provider.SignIn) error {
	p.stored = result.Credential.Data.Reveal() == planted
	return nil
}

func TestLoginHasNoDeadlineButItsContext(t *testing.T) {
	m := manage(t, Options{}, "good")
	m.limits.remote = 50 * time.Millisecond
	client := open(t, m, "good")
	host := &patient{}
	if err := client.Login(t.Context(), provider.LoginRequest{}, host); err != nil || !host.stored {
		t.Errorf("login: %v, stored %v", err, host.stored)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := client.Login(ctx, provider.LoginRequest{}, host); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled login: %v", err)
	}
}

// However a login crashes, the next one gets a new process.
func TestCrashInLogin(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	for pin, status := range map[string]string{"crash": "exit status 9", "panic": "panic", "goroutine": "exit status 2"} {
		err := client.Login(t.Context(), provider.LoginRequest{}, &patient{pin: pin})
		var crash *CrashError
		if !errors.As(err, &crash) || crash.Call != "Login" || crash.Status != status {
			t.Errorf("%s: %T %v, want CrashError", pin, err, err)
		}
		if err := client.Login(t.Context(), provider.LoginRequest{}, &patient{}); err != nil {
			t.Errorf("after %s: %v", pin, err)
		}
	}
}

func TestCheckStreams(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	var found []provider.Finding
	_, err := client.Check(t.Context(), provider.CheckRequest{}, func(f provider.Finding) error { found = append(found, f); return nil })
	if err != nil || len(found) != 1 || found[0].ID != "mood" {
		t.Errorf("Check = %v, %v, want one finding", found, err)
	}
}

// go-plugin's own limit is 2 GiB.
func TestMessagesAreBounded(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	if err := verify(t, client, "giant"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a reply of 2 MiB: %v, want ErrUnavailable", err)
	}
	if err := verify(t, client, strings.Repeat("x", 2<<20)); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a request of 2 MiB: %v, want ErrUnavailable", err)
	}
	ask(t, client, "pid")
}
