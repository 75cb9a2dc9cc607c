package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/early"
	"github.com/zen-auth/zen/internal/keyring/timeout"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/session"
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

// RenewCommand returns the other process. It reads a session.RenewalRequest and answers with a
// report.
func RenewCommand() *cli.Command {
	return &cli.Command{
		Name:   "renew",
		Usage:  "make the renewal that another zen requests on standard input",
		Hidden: true,
		Action: func(c *cli.Context) error {
			var request session.RenewalRequest
			err := json.NewDecoder(c.App.Reader).Decode(&request)
			if errors.Is(err, io.EOF) {
				return nil // it was started early, and the one that would have asked has ended
			}
			if err != nil {
				return app.Usage(c, "this is a command of zen's own: it reads a request on standard input")
			}
			// The process that waits may have ended: its end of the pipe is nothing to
			// die by.
			signal.Ignore(syscall.SIGPIPE)
			err = json.NewEncoder(c.App.Writer).Encode(newReport(makeRenewal(c.Context, app.EnvOf(c), request)))
			if errors.Is(err, syscall.EPIPE) {
				return nil
			}
			return err
		},
	}
}

// makeRenewal makes the renewal. The database is said again: the other process may have been
// given it by a flag, over a project file that names one that isn't the user's.
func makeRenewal(ctx context.Context, e *app.Env, request session.RenewalRequest) error {
	if request.Target.URL != "" {
		e.Config.Flags.Database = request.Target.URL
	}
	return With(ctx, e, func(client *zen.Client) error {
		s, err := client.Session(request.Profile)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, renewTimeout)
		defer cancel()
		return s.MakeRenewal(ctx, request)
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

// renewer is zen.Options.RenewInChild.
func renewer(e *app.Env) func(context.Context, session.RenewalRequest) error {
	return func(ctx context.Context, request session.RenewalRequest) error {
		cmd, err := child(e, "renew")
		if err != nil {
			return err
		}
		return renewBy(ctx, cmd, request)
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
	cmd.Env = append(os.Environ(), timeout.Entry(keyring.Timeout))
	if f, ok := e.Err.(*os.File); ok {
		cmd.Stderr = f // the providers' log, where it was asked for
	}
	cmd.SysProcAttr = ownSession()
	return cmd, nil
}

// renewBy runs the command, or asks the same one that was started early, and leaves it to
// itself when ctx ends.
func renewBy(ctx context.Context, cmd *exec.Cmd, request session.RenewalRequest) error {
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	answer, ok := early.Ask(cmd.Env[len(cmd.Env)-1], cmd.Args[1:], text)
	if !ok {
		var said bytes.Buffer
		cmd.Stdin, cmd.Stdout = bytes.NewReader(text), &said
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("renew in another process: %w: %v", errors.ErrUnsupported, err)
		}
		answer = func() ([]byte, error) { err := cmd.Wait(); return said.Bytes(), err }
	}
	var said []byte
	ended := make(chan error, 1)
	go func() {
		var err error
		said, err = answer()
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		return ctx.Err() // it ends by itself, and this program is about to
	}
	var r report
	if json.Unmarshal(said, &r) != nil {
		return &provider.Error{
			Kind: provider.ErrUnavailable, Err: err,
			Message: fmt.Sprintf("the process that renews the token ended without an answer (%v)", err),
			Hint:    "try again",
		}
	}
	return r.err()
}
