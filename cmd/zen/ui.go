//go:build !front

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
)

// ui draws a login on standard error. Providers ask, zen draws: a provider never
// has the terminal.
type ui struct {
	in          io.Reader
	out         io.Writer
	browser     bool
	interactive bool
	// here says why no browser is opened, or whose is.
	here string

	// asking is held by the one question that is on the terminal.
	asking sync.Mutex

	mu sync.Mutex // guards out and the fields below
	// prompt is the question that waits for an answer; it is drawn again below
	// whatever else is told.
	prompt string
	// opened are the browsers that were started; done waits for them.
	opened sync.WaitGroup
}

func newUI(c *cli.Context) *ui {
	u := &ui{in: c.App.Reader, out: c.App.ErrWriter, interactive: interactive(c)}
	place := around()
	u.browser = browserAllowed(c) && place.browser
	switch {
	case u.browser && place.name == wsl:
		u.here = "This is WSL: the page opens in the browser of Windows.\n"
	case !u.browser && place.name != "":
		u.here = "This is " + place.name + ": zen opens no browser here.\n"
	}
	return u
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
	if u.prompt != "" {
		fmt.Fprintln(u.out)
	}
	fmt.Fprintf(u.out, format+"\n", args...)
	fmt.Fprint(u.out, u.prompt)
}

// OpenURL implements session.UI. The URL is always printed: a browser that opens
// may be on another machine's screen.
func (u *ui) OpenURL(_ context.Context, url, code string) error {
	url, code = oneLine(url), oneLine(code)
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return fmt.Errorf("open browser: %w: %q is not an http URL", provider.ErrConfig, url)
	}
	what := "Open this page in a browser:"
	switch {
	case u.browser:
		what = "Opening this page in your browser:"
	case u.interactive: // who can paste where it ends
		what = "Open this page in a browser, here or on another machine:"
	}
	u.print("%s%s\n  %s", u.here, what, url)
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
	return u.ask(ctx, question, false)
}

// AskSecret implements session.UI.
func (u *ui) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	answer, err := u.ask(ctx, question, true)
	return provider.NewSecret(answer), err
}

var errNobody = &provider.Error{
	Kind:    provider.ErrNoCredential,
	Message: "the sign-in needs an answer, and nobody can be asked",
	Hint:    "run it in a terminal, without --no-input",
}

// ask reads an answer, one question at a time.
func (u *ui) ask(ctx context.Context, question string, hidden bool) (string, error) {
	terminal, ok := u.in.(*os.File)
	if !u.interactive || !ok {
		return "", errNobody
	}
	u.asking.Lock()
	defer u.asking.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	u.setPrompt(oneLine(question) + ": ")
	line, err := readLine(ctx, terminal, hidden)
	u.setPrompt("")
	if hidden || err != nil {
		u.print("") // the line's end was not shown
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errNobody) {
		err = fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line), err
}

func (u *ui) setPrompt(prompt string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.prompt = prompt
	fmt.Fprint(u.out, prompt)
}

// Interface guards
var _ session.UI = (*ui)(nil)
