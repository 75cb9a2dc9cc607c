package main

import "github.com/urfave/cli/v2"

func dbPingCommand() *cli.Command  { return &cli.Command{Name: "ping"} }
func dbShellCommand() *cli.Command { return &cli.Command{Name: "shell"} }
