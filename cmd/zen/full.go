//go:build !front && !query

package main

import "github.com/zen-auth/zen/internal/cli"

// program is the whole zen.
var program = cli.Run
