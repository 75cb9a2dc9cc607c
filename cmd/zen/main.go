// Command zen signs people and machines in to libSQL databases.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/zen-auth/zen/internal/harden"
	_ "github.com/zen-auth/zen/internal/http2quiet" // GODEBUG makes net/http log no bearer
)

func main() {
	_ = harden.Host() // where the system can't, zen works all the same
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
