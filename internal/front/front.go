// Package front answers what a good stored token answers, and becomes zen-full for
// everything else. What is linked is paid for at every start, and zen token may run
// at every prompt of a shell: gRPC alone would double its time.
package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/token"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
)

// Run answers the line here, or has zen-full do it.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := frontProgram()
	if !runHere(p.Commands, args) {
		return app.Finish(ctx, args, stderr, becomeFull())
	}
	return p.Run(ctx, args, stdin, stdout, stderr)
}

// frontProgram has the commands that need no provider as long as the stored token is good.
func frontProgram() app.Program {
	return app.Program{Commands: []*cli.Command{token.Command(), token.StatusCommand(), token.ExecCommand()}, WithSession: withSession}
}

// runHere reports whether the line is one that may be answered here.
func runHere(commands []*cli.Command, args []string) bool {
	if os.Getenv("ZEN_LOG") != "" || os.Getenv("ZEN_LOG_PROVIDER") != "" {
		return false // providers' logs are zen-full's, and so is what is wrong with these
	}
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	for _, arg := range args[1:end] {
		if strings.HasPrefix(arg, "--watch") || strings.HasPrefix(arg, "--token-file") {
			return false // zen exec stays, and renews
		}
		if arg == "-h" || arg == "--help" || arg == "help" || arg == app.Completing {
			return false
		}
	}
	for i := 1; i < end; i++ {
		switch arg := args[i]; {
		case !strings.HasPrefix(arg, "-"):
			return app.CommandNamed(commands, arg) != nil
		case app.TakesValue(app.GlobalFlags(), arg):
			i++
		}
	}
	return false
}

// withSession runs fn with the session of the selected profile. Where it needs a
// provider, zen-full begins anew: nothing was printed yet, and the locks that are
// held end with the program.
func withSession(_ context.Context, e *app.Env, fn func(*session.Session) error) error {
	cfg, err := config.Load(e.Config)
	if err != nil {
		return err
	}
	o, err := e.Keyring()
	if err != nil {
		return err
	}
	profile, err := cfg.Profile("")
	if err != nil {
		return err
	}
	config := session.FromProfile(cfg, profile, session.Credentials(cfg, o, e.Notify), elsewhere{}, e.Notify)
	// Not under the profile's lock: on Windows this program waits for the other.
	config.RenewInChild = func(context.Context, session.RenewalRequest) error { return becomeFull() }
	return fn(session.New(config))
}

// elsewhere is session.Providers where there are none.
type elsewhere struct{}

func (elsewhere) Describe(context.Context, string) (provider.Description, error) {
	return provider.Description{}, becomeFull()
}

func (elsewhere) Identity(context.Context, string) (provider.Identity, error) {
	return nil, becomeFull()
}

func (elsewhere) TokenSource(context.Context, string) (provider.TokenSource, error) {
	return nil, becomeFull()
}

func (elsewhere) AssertionSource(context.Context, string) (provider.AssertionSource, error) {
	return nil, becomeFull()
}

func (elsewhere) Need(context.Context, string) (*provider.AssertionNeed, error) {
	return nil, becomeFull()
}

// becomeFull runs the line as it was typed in zen-full, which lies beside zen. It
// only returns where that failed.
func becomeFull() error {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return fmt.Errorf("find zen-full: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), "zen-full"+filepath.Ext(self))
	err = app.ReplaceProcess(path, os.Args, os.Environ())
	if errors.Is(err, os.ErrNotExist) {
		err = &provider.Error{Kind: provider.ErrConfig, Message: "zen needs the program " + path, Hint: "make build puts it there; keep the two together", Err: err}
	}
	return err
}
