package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/session/team"
	"github.com/zen-auth/zen/internal/zen"
)

// An action in an organization may replace the credential, as a renewal does, and is
// performed by a process of its own, too: by one for all of a command, so that the provider
// goes on with what it holds.

// actTimeout limits how long an answer is waited for after the caller has gone: as long as a
// call goes on then, and a moment.
const actTimeout = 5 * time.Second

// ActCommand returns the other process. It reads session.ActRequests, and answers each with an
// actReport, until the process that asks has ended: a call that is under way then has its
// grace, and no other follows.
func ActCommand() *cli.Command {
	return &cli.Command{
		Name:   "act",
		Usage:  "act in an organization as another zen requests on standard input",
		Hidden: true,
		Action: func(c *cli.Context) error {
			input := json.NewDecoder(c.App.Reader)
			var first session.ActRequest
			if input.Decode(&first) != nil {
				return app.Usage(c, "this is a command of zen's own: it reads requests on standard input")
			}
			signal.Ignore(syscall.SIGPIPE) // the process that waits may have ended
			answers := json.NewEncoder(c.App.Writer)
			err := with(c.Context, app.EnvOf(c), func(*zen.Options) {}, func(client *zen.Client) error {
				ctx, cancel := context.WithCancel(c.Context)
				defer cancel()
				for request := range requests(ctx, cancel, input, first) {
					s, err := client.Session(request.Profile)
					if err != nil {
						return err
					}
					result, err := team.Perform(ctx, s, request)
					text, encodeErr := json.Marshal(result)
					if answers.Encode(actReport{newReport(errors.Join(err, encodeErr)), text}) != nil {
						return nil // the process that waited has ended
					}
				}
				return nil
			})
			if err != nil {
				_ = answers.Encode(actReport{Report: newReport(err)})
			}
			return nil
		},
	}
}

// requests are first and what is read then. At the end of that it calls ended.
func requests(ctx context.Context, ended func(), input *json.Decoder, first session.ActRequest) <-chan session.ActRequest {
	read := make(chan session.ActRequest)
	go func() {
		defer close(read)
		defer ended()
		for request, err := first, error(nil); err == nil; err = input.Decode(&request) {
			select {
			case read <- request:
			case <-ctx.Done():
				return
			}
			request = session.ActRequest{}
		}
	}()
	return read
}

// actReport is the result of a request.
type actReport struct {
	Report report
	Result json.RawMessage
}

// actor has another process act, which begins with the first action.
type actor struct {
	env *app.Env

	mu      sync.Mutex // guards what follows
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan actReport // closed at the end of the process's output
}

// act is zen.Options.ActInChild.
func (a *actor) act(ctx context.Context, request session.ActRequest) (json.RawMessage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.cmd == nil {
		if err := a.start(); err != nil {
			return nil, err
		}
	}
	if err := json.NewEncoder(a.in).Encode(request); err != nil {
		return nil, noAnswer(err)
	}
	select {
	case r, ok := <-a.answers:
		return r.result(ok)
	case <-ctx.Done():
	}
	_ = a.in.Close() // it ends with what is under way
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	select {
	case r, ok := <-a.answers:
		return r.result(ok)
	case <-late.Done():
		return nil, context.Cause(ctx)
	}
}

func (r actReport) result(ok bool) (json.RawMessage, error) {
	if !ok {
		return nil, noAnswer(io.EOF)
	}
	return r.Result, r.Report.err()
}

func noAnswer(err error) error {
	return &provider.Error{
		Kind: provider.ErrUnavailable, Message: fmt.Sprintf("the process that acts in the organization gave no answer (%v)", err), Err: err,
		Hint: "zen team list shows what was done",
	}
}

func (a *actor) start() error {
	cmd, err := child(a.env, "act")
	if err != nil {
		return err
	}
	if a.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("act in another process: %w: %v", errors.ErrUnsupported, err)
	}
	a.cmd, a.answers = cmd, make(chan actReport, 1)
	go func() {
		defer close(a.answers)
		for output := json.NewDecoder(out); ; {
			var r actReport
			if output.Decode(&r) != nil {
				return
			}
			a.answers <- r
		}
	}()
	return nil
}

// close ends the process, if there is one, and waits for that.
func (a *actor) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd == nil {
		return
	}
	_ = a.in.Close()
	for range a.answers {
		// An answer whose caller has gone.
	}
	_ = a.cmd.Wait() // the answers have said how it went
}
