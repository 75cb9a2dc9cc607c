package loopback

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// maxPastes bounds how often a person is asked, should a host answer without one.
const maxPastes = 20

// WaitOrPaste is Wait for a person whose browser may be on another machine, where it
// can't open the callback: ask reads one line, the address at which that browser ended,
// which carries what the issuer gave and is not for the screen. It is asked beside the
// listener, and the first of both wins: the context of ask ends when the browser came,
// and WaitOrPaste returns after ask has. What is no answer to this sign-in is said in the
// next question. When ask fails, because no one can be asked, the listener waits on
// alone.
func (l *Listener) WaitOrPaste(ctx context.Context, ask func(ctx context.Context, question string) (provider.Secret, error)) (*Callback, error) {
	asking, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.askForPaste(asking, ask)
	}()
	c, err := l.Wait(ctx)
	stop()
	<-ended
	return c, err
}

func (l *Listener) askForPaste(ctx context.Context, ask func(context.Context, string) (provider.Secret, error)) {
	const first = "Does the browser end at a page on 127.0.0.1 that it can't open? Paste that page's whole address here"
	question := first
	for range maxPastes {
		address, err := ask(ctx, question)
		if err != nil {
			return
		}
		if err = l.Paste(address.Reveal()); err == nil || errors.Is(err, errUsed) {
			return
		}
		question = first
		if strings.TrimSpace(address.Reveal()) != "" {
			question = fmt.Sprintf("That was not it: %v. Paste the whole address, which starts with %s?", errors.Unwrap(err), l.RedirectURL())
		}
	}
}

// Paste takes the address that a browser on another machine could not open, as
// copied from its address bar, in place of its request. Browsers leave the scheme
// away, or show https:// where they would rather have had that; people add quotes.
func (l *Listener) Paste(address string) error {
	address = strings.Trim(strings.TrimSpace(address), `"'<>`)
	for _, scheme := range []string{"http://", "https://"} {
		if n := len(scheme); len(address) >= n && strings.EqualFold(address[:n], scheme) {
			address = address[n:]
			break
		}
	}
	u, err := url.Parse("http://" + address)
	if err != nil || !l.isHost(u.Host) || u.Path != l.path {
		return fmt.Errorf("read the pasted address: %w", errors.New("it does not start with "+l.RedirectURL()))
	}
	c, err := l.accept(u.RawQuery)
	if err != nil {
		return fmt.Errorf("read the pasted address: %w", err)
	}
	c.end()
	return nil
}
