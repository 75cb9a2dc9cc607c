//go:build !front

package main

import "github.com/zen-auth/zen/internal/cli"

// run is the whole zen.
var run = cli.Run
