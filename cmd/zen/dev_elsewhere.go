//go:build nodev

package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
)

// devCommand hands zen dev to zen-dev, which is zen with the local stack in it. What
// is linked is paid for at every start, and zen token starts once a shell prompt.
func devCommand() *cli.Command {
	return &cli.Command{
		Name:            "dev",
		Usage:           "run a local Clerk, Turso and app",
		SkipFlagParsing: true,
		Action:          becomeDev,
		BashComplete:    func(c *cli.Context) { _ = becomeDev(c) },
	}
}

// becomeDev runs zen-dev with the line as it was typed.
func becomeDev(*cli.Context) error {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return err
	}
	path := filepath.Join(filepath.Dir(self), "zen-dev"+filepath.Ext(self))
	if _, err := os.Stat(path); err != nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: "zen dev needs the program " + path, Hint: "make build puts it there", Err: err}
	}
	return become(path, os.Args)
}
