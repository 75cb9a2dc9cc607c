package dev

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/team"
	"github.com/zen-auth/zen/internal/replace"
)

// startTeam starts an OpenBao beside the stack, with the plugins that make plugins puts
// beside zen.
func startTeam(ctx context.Context, stack *devstack.Stack, dir string) (*team.Team, error) {
	program, err := bao.Find()
	if err != nil {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Err: err, Message: "--team: " + err.Error(),
			Hint: "install it from openbao.org/downloads, so that bao is on the PATH; scripts/install-test-tools.sh gets it, too",
		}
	}
	self, err := replace.Self()
	if err != nil {
		return nil, err
	}
	kept := filepath.Join(dir, "openbao")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return nil, err
	}
	t, err := team.Start(ctx, stack, team.Options{
		Program: program, Plugins: filepath.Join(filepath.Dir(self), "openbao"), Dir: kept,
	})
	if errors.Is(err, team.ErrPlugins) {
		return nil, &provider.Error{Kind: provider.ErrConfig, Err: err, Message: "--team: " + err.Error(), Hint: "make plugins builds them"}
	}
	return t, err
}

// teamEnvironment adds what a team has to the stack's environment; t may be nil.
func teamEnvironment(t *team.Team, dir string, environment []devstack.Variable) ([]devstack.Variable, error) {
	if t == nil {
		return environment, nil
	}
	more, err := t.Environment(filepath.Join(dir, "zen", "config.toml"))
	if err != nil {
		return nil, err
	}
	if program, err := bao.Find(); err == nil {
		more = append(more, devstack.Variable{Name: "ZEN_DEV_BAO", Value: program})
	}
	return append(environment, more...), nil
}
