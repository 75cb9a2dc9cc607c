package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/early"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/wire"
	"github.com/zen-auth/zen/internal/zen"
)

// A renewal is made by a process of its own, in a session of its own, and the one
// that wants the token waits for it. Whatever becomes of that one (Ctrl-C, a closed
// terminal, kill -9), the answer of an issuer that has replaced the credential is
// stored.

// renewTimeout bounds a renewal: the wait for the profile's lock and a provider's
// two calls.
const renewTimeout = 2 * time.Minute

// RenewCommand returns the other process. It reads a cache.Renewal and answers with a
// report.
func RenewCommand() *cli.Command {
	return &cli.Command{
		Name:   "renew",
		Usage:  "make the renewal that another zen requests on standard input",
		Hidden: true,
		Action: func(c *cli.Context) error {
			debug.SetGCPercent(400) // it ends before a collection would pay: from 16 MiB on in place of 4
			var request cache.Renewal
			err := json.NewDecoder(c.App.Reader).Decode(&request)
			if err != nil {
				return app.Usage(c, "this is a command of zen's own: it reads a request on standard input")
			}
			// The process that waits may have ended: its end of the pipe is nothing to
			// die by.
			signal.Ignore(syscall.SIGPIPE)
			tell := sync.OnceValue(func() error { return json.NewEncoder(c.App.Writer).Encode(newReport(err)) })
			err = makeRenewal(c.Context, app.EnvOf(c), request, func() { _ = tell() })
			if err = tell(); errors.Is(err, syscall.EPIPE) {
				return nil
			}
			return err
		},
	}
}

// makeRenewal makes the renewal, and calls made once the token is stored: its provider may
// not have ended yet. The database is said again: the other process may have been given it by
// a flag, over a project file that names one that isn't the user's.
func makeRenewal(ctx context.Context, e *app.Env, request cache.Renewal, made func()) error {
	e.Config.Flags.Database = cmp.Or(request.Target.URL, e.Config.Flags.Database)
	expect := func(o *zen.Options) { o.Expect = []string{request.By.Provider, request.By.Identity} }
	return with(ctx, e, expect, func(client *zen.Client) error {
		s, err := client.Session(request.Profile)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, renewTimeout)
		defer cancel()
		if err := s.MakeRenewal(ctx, request, client.Providers.End); err != nil {
			return err
		}
		made()
		return nil
	})
}

// report is the result of a request: an error of the contract's, with the reason code
// that it has on the wire.
type report struct {
	Failed     bool          `json:"failed"`
	Reason     string        `json:"reason,omitempty"`
	Message    string        `json:"message,omitempty"`
	Hint       string        `json:"hint,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
}

func newReport(err error) report {
	if err == nil {
		return report{}
	}
	return report{
		Failed: true, Reason: wire.Reason(err), Message: err.Error(), Hint: provider.Hint(err), RetryAfter: provider.RetryAfter(err),
	}
}

func (r report) err() error {
	if !r.Failed {
		return nil
	}
	kind, also := wire.KindOf(r.Reason)
	return &provider.Error{Kind: kind, Message: r.Message, Hint: r.Hint, RetryAfter: r.RetryAfter, Err: also}
}

// renewals are those that a client has had made by other processes.
type renewals struct {
	// ending counts the processes that have answered, and not ended.
	ending sync.WaitGroup
}

// by is zen.Options.RenewInChild.
func (r *renewals) by(e *app.Env) func(context.Context, cache.Renewal) error {
	return func(ctx context.Context, request cache.Renewal) error {
		cmd, err := child(e, "renew")
		if err != nil {
			return err
		}
		return r.renewBy(ctx, cmd, request)
	}
}

// wait waits for the end of the processes that have answered, until ctx ends: what follows
// has no child that it doesn't know, and no provider that still runs.
func (r *renewals) wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.ending.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // they end by themselves
	}
}

// child is this very program in a session of its own, with what was said of the
// configuration. The error is errors.ErrUnsupported where there can be none.
func child(e *app.Env, command string) (*exec.Cmd, error) {
	self, err := replace.Self()
	if err != nil {
		return nil, fmt.Errorf("%s in another process: %w: %v", command, errors.ErrUnsupported, err)
	}
	keyring, err := e.Keyring()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, early.Arguments(command, e.Config.Path, e.Debug, e.Quiet)...)
	// Some keyrings ask for each program that wants something, and this one knows
	// whether a person is there to answer.
	cmd.Env = append(os.Environ(), keyring.Entry())
	if f, ok := e.Err.(*os.File); ok {
		cmd.Stderr = f // the providers' log, where it was asked for
	}
	cmd.SysProcAttr = ownSession()
	return cmd, nil
}

// renewBy runs the command, or takes the answer of the same one that was started early, and
// leaves it to itself when ctx ends. It returns with the answer: the process may still have its
// provider to end.
func (r *renewals) renewBy(ctx context.Context, cmd *exec.Cmd, request cache.Renewal) error {
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	said, end, ok := early.Answer(cmd.Env[len(cmd.Env)-1], cmd.Args[1:], text)
	if !ok {
		cmd.Stdin = bytes.NewReader(text)
		if said, err = cmd.StdoutPipe(); err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return fmt.Errorf("renew in another process: %w: %v", errors.ErrUnsupported, err)
		}
		end = cmd.Wait
	}
	var answer report
	answered, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		err := json.NewDecoder(said).Decode(&answer)
		if err == nil {
			answered <- nil
		}
		if endErr := end(); err != nil {
			answered <- cmp.Or(endErr, err)
		}
	}()
	select {
	case err = <-answered:
	case <-ctx.Done():
		return ctx.Err() // it ends by itself, and this program is about to
	}
	if err != nil {
		return &provider.Error{
			Kind: provider.ErrUnavailable, Err: err,
			Message: fmt.Sprintf("the process that renews the token ended without an answer (%v)", err),
			Hint:    "try again",
		}
	}
	r.ending.Go(func() { <-ended })
	return answer.err()
}
