package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/peer"
	"github.com/zen-auth/zen/internal/session"
)

// UI draws a login on standard error. Providers ask, zen draws: a provider never
// has the terminal.
type UI struct {
	in          io.Reader
	out         io.Writer
	browser     bool
	interactive bool
	// here says why no browser is opened, or whose is.
	here string

	// secret is the source of the secrets that a provider asks for; nil means the terminal.
	secret *os.File

	// asking is held by the one question that is on the terminal.
	asking sync.Mutex

	mu sync.Mutex // guards out and the fields below
	// prompt is the question that waits for an answer; it is drawn again below
	// whatever else is told.
	prompt string
	// last is the provider's last question or message.
	last string
	// opened are the browsers that were started; Done waits for them.
	opened sync.WaitGroup
	// closed ends the waits for browsers that never came.
	closed    chan struct{}
	closeOnce sync.Once
}

func NewUI(e *Env) *UI {
	u := &UI{closed: make(chan struct{}), in: e.In, out: e.Err, interactive: e.Interactive()}
	place := around()
	u.browser = e.Answerable() && !e.NoBrowser && place.browser
	switch {
	case u.browser && place.name == wsl:
		u.here = "This is WSL: the page opens in the browser of Windows.\n"
	case !u.browser && place.name != "":
		u.here = "This is " + place.name + ": zen opens no browser here.\n"
	}
	return u
}

// SecretFrom reads the secrets that a provider asks for from a file descriptor, a line each,
// and not from the terminal.
func (u *UI) SecretFrom(fd int) error {
	file := os.NewFile(uintptr(fd), "secret")
	if file != nil {
		if _, err := file.Stat(); err == nil {
			u.secret = file
			return nil
		}
	}
	return &provider.Error{
		Kind: ErrUsage, Message: fmt.Sprintf("--secret-fd %d: no such file descriptor is open", fd),
		Hint: "for example zen login --secret-fd 3 3<FILE",
	}
}

// Done waits a moment for the browser commands, which usually have ended. One that
// is the browser itself goes on without zen.
func (u *UI) Done() {
	u.closeOnce.Do(func() { close(u.closed) })
	ended := make(chan struct{})
	go func() { u.opened.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
	}
}

func (u *UI) Print(format string, args ...any) {
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
func (u *UI) OpenURL(ctx context.Context, from, url, code string) error {
	url, code = OneLine(url), OneLine(code)
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return fmt.Errorf("open browser: %w: %q is not an http URL", provider.ErrConfig, url)
	}
	what := "open this page in a browser:"
	switch {
	case u.browser:
		what = "opening this page in your browser:"
	case u.interactive: // who can paste where it ends
		what = "open this page in a browser, here or on another machine:"
	}
	if code != "" {
		code = "\nIt has to show the code " + code + "."
	}
	u.Print("%s%s: %s\n  %s%s", u.here, from, what, url, code)
	if !u.browser {
		return nil
	}
	if !peer.Known {
		u.Print("This system doesn't show whose browser answers: sign in only where no one else uses the machine.")
	}
	o, err := newOpener(ctx, url)
	if err != nil {
		return fmt.Errorf("open browser: %w", err)
	}
	u.opened.Go(func() {
		defer o.close()
		if err := openBrowser(o.url(), u.out); err != nil {
			u.Print("The browser command failed (%v). The page can be opened by hand, too.", err)
			return
		}
		// The command may end before the browser that it asked has come.
		timer := time.NewTimer(openerTimeout)
		defer timer.Stop()
		select {
		case <-o.asked:
		case <-timer.C:
		case <-u.closed:
		}
	})
	return nil
}

// ShowCode implements session.UI.
func (u *UI) ShowCode(_ context.Context, from, code, url string, expires time.Time) error {
	until := ""
	if !expires.IsZero() {
		until = "\nThe code is good until " + expires.Local().Format("15:04:05") + "."
	}
	u.Print("%s: open %s and type the code %s%s", from, OneLine(url), OneLine(code), until)
	return nil
}

// Progress implements session.UI.
func (u *UI) Progress(_ context.Context, text string) error {
	u.remember(text)
	u.Print("%s", OneLine(text))
	return nil
}

func (u *UI) remember(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = OneLine(text)
}

// Last returns the last question or message: what a sign-in that isn't finished waits for.
func (u *UI) Last() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// Ask implements session.UI.
func (u *UI) Ask(ctx context.Context, question string) (string, error) {
	return u.ask(ctx, question, false)
}

// Agrees asks for a yes. Only a whole one is one.
func (u *UI) Agrees(ctx context.Context, question string) (bool, error) {
	answer, err := u.Ask(ctx, question+" Type yes or no")
	return strings.EqualFold(answer, "yes"), err
}

// AskSecret implements session.UI.
func (u *UI) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	if u.secret != nil {
		u.asking.Lock()
		defer u.asking.Unlock()
		line, err := readLine(ctx, u.secret, false, func() {})
		if err != nil && ctx.Err() == nil {
			return provider.Secret{}, fmt.Errorf("read the secret from the file descriptor: %w", errors.Join(provider.ErrNoCredential, err))
		}
		return provider.NewSecret(strings.TrimSpace(line)), err
	}
	answer, err := u.ask(ctx, question, true)
	return provider.NewSecret(answer), err
}

// Confirm asks for a yes, and takes everything else for a no.
func (u *UI) Confirm(ctx context.Context, question string) (bool, error) {
	answer, err := u.ask(ctx, question+" [y/N]", false)
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), err
}

// ConfirmAccount implements session.AccountConfirmer.
func (u *UI) ConfirmAccount(ctx context.Context, provider, before, now string) (bool, error) {
	u.Print("%s this sign-in with %s is as %s; the one before was as %s.",
		Paint(u.out, Yellow, "warning:"), provider, OneLine(now), OneLine(before))
	if !u.interactive {
		u.Print("There is no one to ask, so it is kept. If it isn't you: zen logout.")
		return true, nil
	}
	return u.Confirm(ctx, "Is that you? Keep this sign-in")
}

var errNobody = &provider.Error{
	Kind:    provider.ErrNoCredential,
	Message: "the sign-in asks a question, and there is no one to answer it",
	Hint:    "run it in a terminal, without --no-input",
}

// ask reads an answer, one question at a time.
func (u *UI) ask(ctx context.Context, question string, hidden bool) (string, error) {
	terminal, ok := u.in.(*os.File)
	if !u.interactive || !ok {
		return "", errNobody
	}
	u.asking.Lock()
	defer u.asking.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	u.remember(question)
	line, err := readLine(ctx, terminal, hidden, func() { u.setPrompt(OneLine(question) + ": ") })
	u.setPrompt("")
	if hidden || err != nil {
		u.Print("") // the line's end was not shown
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errNobody) {
		err = fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line), err
}

func (u *UI) setPrompt(prompt string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.prompt = prompt
	fmt.Fprint(u.out, prompt)
}

// Interface guards
var (
	_ session.UI               = (*UI)(nil)
	_ session.AccountConfirmer = (*UI)(nil)
)
