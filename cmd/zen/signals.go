//go:build !front

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/zen-auth/zen/internal/http2quiet" // GODEBUG makes net/http log no bearer
)

// run executes the command line until it is interrupted.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that a second signal ends the process at once
	return program(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
}
