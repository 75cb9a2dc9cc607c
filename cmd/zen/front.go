//go:build front

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
)

// A zen that is built with the tag front answers what a good stored token answers,
// and becomes zen-full for everything else. What is linked is paid for at every
// start, and zen token may run at every prompt of a shell: gRPC alone would double
// its time.

// commands are those that need no provider as long as the stored token is good.
func commands() []*cli.Command { return []*cli.Command{tokenCommand(), statusCommand(), execCommand()} }

// handOver has zen-full do what is not done here. gone is whether it did.
func handOver(args []string) (gone bool, err error) {
	if runHere(args) {
		return false, nil
	}
	return true, becomeFull()
}

// runHere reports whether the line is one that may be answered here.
func runHere(args []string) bool {
	if os.Getenv("ZEN_LOG") != "" || os.Getenv("ZEN_LOG_PROVIDER") != "" {
		return false // providers' logs are zen-full's, and so is what is wrong with these
	}
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	for _, arg := range args[1:end] {
		if arg == "-h" || arg == "--help" || arg == "help" || arg == completing {
			return false
		}
	}
	for i := 1; i < end; i++ {
		switch arg := args[i]; {
		case !strings.HasPrefix(arg, "-"):
			return commandNamed(commands(), arg) != nil
		case takesValue(globalFlags(), arg):
			i++
		}
	}
	return false
}

// withSession runs fn with the session of the selected profile. Where it needs a
// provider, zen-full begins anew: nothing was printed yet, and the locks that are
// held end with the program.
func withSession(c *cli.Context, fn func(*session.Session) error) error {
	if err := emptyFlags(c); err != nil {
		return err
	}
	cfg, err := config.Load(loadOptions(c))
	if err != nil {
		return err
	}
	o, err := keyringOptions(c)
	if err != nil {
		return err
	}
	notify := notifier(c)
	s, err := session.Open(cfg, "", session.Credentials(cfg, o, notify), elsewhere{}, notify)
	if err != nil {
		return err
	}
	// Not under the profile's lock: on Windows this program waits for the other.
	s.Elsewhere = func(context.Context, session.Order) error { return becomeFull() }
	return fn(s)
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
	err = replaceProcess(path, os.Args, os.Environ())
	if errors.Is(err, os.ErrNotExist) {
		err = &provider.Error{Kind: provider.ErrConfig, Message: "zen needs the program " + path, Hint: "make build puts it there; keep the two together", Err: err}
	}
	return err
}

// watch renews, which is zen-full's.
func watch(*cli.Context, string, []string, map[string]string) error { return becomeFull() }

// completeValue is zen-full's, which runHere gives every completion.
func completeValue(*cli.App, []string) (values string, ok bool) { return "", false }
