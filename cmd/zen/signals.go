//go:build !front

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/zen-auth/zen/internal/http2quiet" // GODEBUG makes net/http log no bearer
)

// run does what the line says, until it is interrupted.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal doesn't wait for what the first one ends
	return program(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
}
