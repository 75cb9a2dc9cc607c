package token

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/terminal"
	"github.com/zen-auth/zen/internal/tokenform"
)

const (
	// stopGrace limits how long a command may take to end by itself before it is killed.
	stopGrace = 10 * time.Second
	// wallClock is the longest that zen waits without a look at the wall clock: a
	// timer stands still while a machine sleeps, and a token's life goes on.
	wallClock = 30 * time.Second
	// renewalRetry is the first wait after a renewal that failed; it doubles up to
	// wallClock.
	renewalRetry = time.Second
	// A command that ends within startGrace of a restart of zen's failed to start,
	// because a port is still taken, say. It has startRetries more chances.
	startGrace   = 2 * time.Second
	startRetries = 3
)

// watch runs the command until it ends by itself, for longer than its token lives, and
// returns its exit code.
func (o ExecOptions) watch(ctx context.Context, e *app.Env, path string, extra map[string]string) error {
	w, err := o.watcher(e)
	if err != nil {
		return err
	}
	w.path, w.extra = path, extra
	if w.session, w.token, err = goodToken(ctx, e, o.MinTTL, true); err != nil {
		return err
	}
	w.next = w.renewalTime()
	return w.run(ctx)
}

// watcher is a command and its present token.
type watcher struct {
	env     *app.Env
	path    string
	command []string
	minTTL  time.Duration
	extra   map[string]string
	// signal announces a token in file to the command; nil restarts it.
	signal  os.Signal
	file    string
	written bool

	session *session.Session
	token   provider.Token
	child   *app.Child
	// restarts counts those of a command that doesn't stay.
	restarts int
	// next is the time of the next renewal; zero means never. retry is the wait after the
	// last failure.
	next  time.Time
	retry time.Duration
}

// watcher reads Watch and TokenFile.
func (o ExecOptions) watcher(e *app.Env) (*watcher, error) {
	w, file := &watcher{env: e, command: o.Command, minTTL: o.MinTTL}, o.TokenFile
	switch {
	case o.Watch == "":
		return nil, e.Usage("--token-file needs --watch: without it zen does not stay to keep the file")
	case o.Watch != "restart":
		var err error
		if w.signal, err = app.SignalNamed(o.Watch); err != nil {
			return nil, e.Usage("--watch %q is neither restart nor a signal to send: %v", o.Watch, err)
		}
		if file == "" {
			return nil, e.Usage("--watch %s needs --token-file: a signal carries no token", o.Watch)
		}
	}
	if file == "" {
		return w, nil
	}
	var err error
	if w.file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	info, err := os.Lstat(w.file)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, e.Usage("--token-file %s is there, and is no regular file", file)
	case err == nil && !isTokenFile(w.file):
		return nil, e.Usage("--token-file %s is there, and holds something else than a token: it would be replaced, and removed at the end", file)
	}
	return w, nil
}

func (w *watcher) run(before context.Context) error {
	atTerminal := terminal.Is(w.env.In)
	ctx, cancel := w.detach(before)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer cancel()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, app.Forwarded(atTerminal)...)
	defer signal.Stop(signals)
	if before.Err() != nil { // an interrupt of the last moment
		return before.Err()
	}
	defer w.removeFile()
	if err := w.start(); err != nil {
		return err
	}
	// renewed takes one result at a time: alarm is off until it is there.
	renewed := make(chan renewal, 1)
	alarm := time.NewTimer(w.wait())
	defer alarm.Stop()
	for {
		select {
		case <-w.child.Ended:
			if err := w.startAgain(signals); err != nil {
				return err
			}
		case s := <-signals:
			w.child.Forward(s)
			w.restarts = 0 // if it ends now, that is why
		case <-alarm.C:
			if w.wait() > 0 {
				alarm.Reset(w.wait())
				break
			}
			renewing.Go(func() {
				_, t, err := goodToken(ctx, w.env, w.minTTL, false)
				renewed <- renewal{t, err}
			})
		case r := <-renewed:
			if err := w.take(r, signals); err != nil {
				return err
			}
			alarm.Reset(w.wait())
		}
	}
}

// detach has the renewals go on after an interrupt, which is the command's to act on,
// and ask nothing: the terminal is the command's, too.
func (w *watcher) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	own := *w.env
	own.In = strings.NewReader("")
	w.env = &own
	return context.WithCancel(context.WithoutCancel(ctx))
}

type renewal struct {
	token provider.Token
	err   error
}

// wait returns the time for which nothing has to be done, and no more than wallClock.
func (w *watcher) wait() time.Duration {
	if w.next.IsZero() {
		return wallClock
	}
	return min(wallClock, max(0, w.next.Round(0).Sub(time.Now().Round(0))))
}

// take goes on with the next token, or with the present one if there is none.
func (w *watcher) take(r renewal, signals <-chan os.Signal) error {
	if r.err != nil || r.token.Value.Equal(w.token.Value) {
		if r.err != nil && w.retry == 0 {
			w.note("no other token yet: %s; %s goes on with the one it has", app.OneLine(r.err.Error()), w.command[0])
		}
		w.retry = min(wallClock, max(renewalRetry, 2*w.retry))
		w.next = time.Now().Add(w.retry)
		return nil
	}
	w.token, w.retry = r.token, 0
	w.next = w.renewalTime()
	select {
	case <-w.child.Ended: // just now: run sees to it
		return nil
	default:
	}
	if w.signal == nil {
		w.child.Stop(stopGrace)
		if w.endAsked(signals) {
			return app.ChildExit{Code: app.ExitStatus(w.child.Cmd.ProcessState)}
		}
		w.restarts = 1
		return w.start()
	}
	if err := w.writeFile(); err != nil {
		return err
	}
	w.child.Signal(w.signal)
	return nil
}

// endAsked reports whether a signal that waits is one to end by.
func (w *watcher) endAsked(signals <-chan os.Signal) bool {
	for {
		select {
		case s := <-signals:
			switch s {
			case os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT:
				return true
			case syscall.SIGHUP: // else it is the command's, to read its configuration by
				if !w.child.Group {
					return true
				}
			}
		default:
			return false
		}
	}
}

// start runs the command with the token.
func (w *watcher) start() (err error) {
	if err := w.writeFile(); err != nil {
		return err
	}
	environ := answer(w.env, w.session, w.token).Environment(os.Environ(), w.extra)
	if w.file != "" {
		environ = append(environ, tokenform.EnvTokenFile+"="+w.file)
	}
	w.child, err = app.StartChild(w.path, w.command, environ)
	return app.CommandError(w.command[0], err)
}

// startAgain ends zen as the command has ended, unless that was the start of a
// restart of zen's own: the port that it listens on may still be taken.
func (w *watcher) startAgain(signals <-chan os.Signal) error {
	exit := app.ChildExit{Code: app.ExitStatus(w.child.Cmd.ProcessState)}
	if w.restarts == 0 || w.restarts > startRetries || exit.Code == 0 || time.Since(w.child.Started) > startGrace {
		return exit
	}
	pause := time.Second << (w.restarts - 1)
	w.note("%s ended with %d right after its restart; starting it again in %s", w.command[0], exit.Code, pause)
	select {
	case <-signals:
		return exit
	case <-time.After(pause):
	}
	w.restarts++
	return w.start()
}

// writeFile replaces the file, so that a reader has one token or the other.
func (w *watcher) writeFile() error {
	if w.file == "" {
		return nil
	}
	err := private.Replace(w.file, []byte(w.token.Value.Reveal()+"\n"), 0o600)
	if err != nil {
		return fmt.Errorf("write --token-file: %w", err)
	}
	w.written = true
	return nil
}

// removeFile removes no file but its own.
func (w *watcher) removeFile() {
	if w.written {
		_ = os.Remove(w.file)
	}
}

func (w *watcher) note(format string, args ...any) {
	fmt.Fprintf(w.env.Notes(), "zen: "+format+"\n", args...)
}

// renewalTime returns the time at which a session renews the token: when a minute is left,
// or a fifth of its life, or what --min-ttl wants. It is zero for a token without an end.
func (w *watcher) renewalTime() time.Time {
	if w.token.Expires.IsZero() {
		return time.Time{}
	}
	left := min(time.Minute, w.token.Expires.Sub(w.token.Issued)/5)
	return w.token.Expires.Add(-max(left, w.minTTL))
}
