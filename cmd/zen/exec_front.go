//go:build front

package main

import "github.com/urfave/cli/v2"

// watch is zen-full's: it renews.
func watch(*cli.Context, string, []string, map[string]string) error { return becomeFull() }
