package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/keyring"
)

// realTestbed returns the environment of a run against the real services.
func realTestbed(s settings) testbed {
	var patience keyring.Options
	if s.person != "" {
		patience.Timeout = time.Minute // the user may have to unlock it
	}
	b := testbed{
		settings: s, lacks: s.lacks(), base: httpclient.New(), now: time.Now, keyring: keyring.New(patience), zen: buildZen,
		person: terminal{app.NewUI(&app.Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})},
		wait: func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	withoutReplica(&b)
	if _, err := b.keyring.Get(context.Background(), item); errors.Is(err, provider.ErrUnavailable) {
		b.lacks["keyring"] = "a keyring that is there and unlocked: " + err.Error()
	}
	return b
}

// terminal is zen's own UI, which shows the sign-in pages.
type terminal struct{ *app.UI }

// OpenURL implements oauth.Host.
func (t terminal) OpenURL(ctx context.Context, url, code string) error {
	return t.UI.OpenURL(ctx, "make live", url, code)
}

// ShowCode implements oauth.Host.
func (t terminal) ShowCode(ctx context.Context, code, url string, expires time.Time) error {
	return t.UI.ShowCode(ctx, "make live", code, url, expires)
}

// interruptible returns a context that ends at Ctrl-C. A second one ends the process.
func interruptible() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// play performs a run, writes the transcript, and prints the differences and what is missing.
func play(ctx context.Context, b testbed, o options, out io.Writer) (report, error) {
	done, err := ask(ctx, b, o)
	if err != nil {
		return done, err
	}
	if skips := done.skips(); skips != "" {
		fmt.Fprintf(out, "\nNot asked, and what each needs:\n%s", skips)
	}
	for _, r := range done.results {
		for _, difference := range r.differences {
			fmt.Fprintf(out, "DIFFERENT %s %s: %s\n", r.id, r.name, o.recorder.text(difference))
		}
	}
	for _, left := range []error{done.left, done.foreign} {
		if left != nil {
			fmt.Fprintf(out, "LEFT: %s\n", o.recorder.text(left.Error()))
		}
	}
	if err := done.write(b.transcript, o.reference); err != nil {
		return done, err
	}
	fmt.Fprintf(out, "The transcript is %s.\n", b.transcript)
	return done, nil
}

// dryRun prints all requests of a run that uses a local stack in place of the services. If
// credentials are set, it asks only the questions that they allow, else all.
func dryRun(t *testing.T, s settings, out io.Writer) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	local := startStack(t)
	b := local.testbed(filepath.Join(t.TempDir(), "journal"))
	if s.tursoToken+s.secretKey+s.auth0 != "" {
		b.lacks = s.lacks()
	}
	bases := map[string]string{
		"Turso API": turso.DefaultBaseURL, "Clerk Backend": "https://api.clerk.com", "Clerk": "https://<Clerk host>",
		"Auth0": "https://<Auth0 domain>", "Database": "https://<database host>",
	}
	rec := newRecorder()
	rec.sending = func(x exchange) { fmt.Fprintf(out, "%s\n", x.request(bases[x.service])) }
	b.person = pagePrinter{b.person, rec.redactor, out}
	b.zen = func(_ context.Context, _ string, _ []string, args ...string) ([]byte, int) {
		fmt.Fprintf(out, "(a process, which sends its own) zen %s\n\n", strings.Join(args, " "))
		return []byte("{}"), 0
	}
	done, err := ask(t.Context(), b, options{recorder: rec, each: func(name string, ask func() result) {
		fmt.Fprintf(out, "# %s\n\n", name)
		ask()
	}})
	if err != nil || done.left != nil {
		t.Fatal(err, done.left)
	}
}

// pagePrinter prints the pages that the user is shown.
type pagePrinter struct {
	oauth.Host
	redactor *redactor
	out      io.Writer
}

// OpenURL implements oauth.Host.
func (p pagePrinter) OpenURL(ctx context.Context, url, code string) error {
	before, query, _ := strings.Cut(url, "?")
	if query != "" {
		query = "?..."
	}
	fmt.Fprintf(p.out, "(in the browser) %s%s\n\n", p.redactor.text(before), query)
	return p.Host.OpenURL(ctx, url, code)
}
