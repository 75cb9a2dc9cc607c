package live

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// asChild makes this program run as a separate process, which can be killed.
const asChild = "ZEN_LIVE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// child performs a run that doesn't wait and prints a dot before each request. It returns the
// exit code.
func child() int {
	b := realTestbed(readSettings(os.Getenv))
	b.keyring = &memory{}
	delete(b.lacks, "keyring")
	b.lacks["programs"] = "a run of go test, which builds them"
	b.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	rec := newRecorder()
	rec.sending = func(exchange) { fmt.Print(".") }
	done, err := play(interruptible(), b, options{recorder: rec, each: func(_ string, ask func() result) { ask() }}, os.Stdout)
	switch {
	case err != nil:
		fmt.Println(err)
		return 1
	case done.interrupted:
		return 130
	case done.failed():
		return 1
	}
	return 0
}
