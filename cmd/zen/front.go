//go:build front

package main

import (
	"os"

	"github.com/zen-auth/zen/internal/front"
)

// run answers from what is stored, and leaves everything else to zen-full.
func run() int { return front.Run(os.Args, os.Stdout, os.Stderr) }
