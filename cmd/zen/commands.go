//go:build !front

package main

import "github.com/urfave/cli/v2"

func commands() []*cli.Command {
	return []*cli.Command{
		loginCommand(), logoutCommand(), statusCommand(), tokenCommand(),
		dbCommand(), proxyCommand(), providerCommand(), devCommand(), versionCommand(), completionCommand(),
	}
}

// handOver hands nothing over: this is the whole zen.
func handOver([]string) (gone bool, err error) { return false, nil }
