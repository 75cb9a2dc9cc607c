//go:build !front

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

// ui draws a login on standard error. Providers ask, zen draws: a provider never
// has the terminal.
type ui struct {
	in          io.Reader
	out         io.Writer
	browser     bool
	interactive bool

	mu sync.Mutex // guards out and the fields below
	// opened are the browsers that were started; done waits for them.
	opened sync.WaitGroup
}

func newUI(c *cli.Context) *ui {
	return &ui{
		in: c.App.Reader, out: c.App.ErrWriter,
		browser: browserAllowed(c), interactive: interactive(c),
	}
}

// done waits a moment for the browser commands, which usually have ended. One that
// is the browser itself goes on without zen.
func (u *ui) done() {
	ended := make(chan struct{})
	go func() { u.opened.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
	}
}

func (u *ui) print(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	fmt.Fprintf(u.out, format+"\n", args...)
}

// OpenURL implements session.UI. The URL is always printed: a browser that opens
// may be on another machine's screen.
func (u *ui) OpenURL(_ context.Context, url, code string) error {
	url, code = oneLine(url), oneLine(code)
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return fmt.Errorf("open browser: %w: %q is not an http URL", provider.ErrConfig, url)
	}
	if u.browser {
		u.print("Opening this page in your browser:\n  %s", url)
	} else {
		u.print("Open this page in a browser on this machine:\n  %s", url)
	}
	if code != "" {
		u.print("It has to show the code %s.", code)
	}
	if !u.browser {
		return nil
	}
	u.opened.Add(1)
	go func() {
		defer u.opened.Done()
		if err := openBrowser(url, u.out); err != nil {
			u.print("The browser command failed (%v). The page can be opened by hand, too.", err)
		}
	}()
	return nil
}

// ShowCode implements session.UI.
func (u *ui) ShowCode(_ context.Context, code, url string, expires time.Time) error {
	u.print("Open %s and type the code %s", oneLine(url), oneLine(code))
	if !expires.IsZero() {
		u.print("The code is good until %s.", expires.Local().Format("15:04:05"))
	}
	return nil
}

// Progress implements session.UI.
func (u *ui) Progress(_ context.Context, text string) error {
	u.print("%s", oneLine(text))
	return nil
}

// Ask implements session.UI.
func (u *ui) Ask(ctx context.Context, question string) (string, error) {
	return u.ask(ctx, question, func() (string, error) {
		line, err := bufio.NewReader(u.in).ReadString('\n')
		return strings.TrimSpace(line), err
	})
}

// AskSecret implements session.UI.
func (u *ui) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	f, ok := u.in.(*os.File)
	if !ok {
		return provider.Secret{}, errNobody
	}
	state, err := term.GetState(int(f.Fd()))
	if err != nil {
		return provider.Secret{}, errNobody
	}
	// An interrupt ends the wait while the echo is off.
	defer term.Restore(int(f.Fd()), state)
	answer, err := u.ask(ctx, question, func() (string, error) {
		line, err := term.ReadPassword(int(f.Fd()))
		u.print("")
		return strings.TrimSpace(string(line)), err
	})
	return provider.NewSecret(answer), err
}

var errNobody = &provider.Error{
	Kind:    provider.ErrNoCredential,
	Message: "the sign-in needs an answer, and nobody can be asked",
	Hint:    "run it in a terminal, without --no-input",
}

// ask reads an answer. A read of the terminal can't be interrupted: when ctx ends
// first, the reader is left behind, and the program is about to end.
func (u *ui) ask(ctx context.Context, question string, read func() (string, error)) (string, error) {
	if !u.interactive {
		return "", errNobody
	}
	u.mu.Lock()
	fmt.Fprintf(u.out, "%s: ", oneLine(question))
	u.mu.Unlock()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("read the answer: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		u.print("")
		return "", ctx.Err()
	}
}

// Interface guards
var _ session.UI = (*ui)(nil)
