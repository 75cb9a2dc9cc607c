package cli

import (
	"errors"
	"flag"
	"io"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
)

// A notice during a wait is printed on a line of its own.
func TestNoticeDuringAWait(t *testing.T) {
	t.Parallel()
	person, program := openTerminal(t)
	a := cli.NewApp()
	a.ErrWriter = program
	c := cli.NewContext(a, flag.NewFlagSet("", flag.ContinueOnError), nil)
	c.Command = &cli.Command{Name: "token"}
	await := func(want string) {
		t.Helper()
		shown := make([]byte, len(want))
		if _, err := io.ReadFull(person, shown); err != nil || string(shown) != want {
			t.Fatalf("the terminal has %q, %v; want %q", shown, err, want)
		}
	}
	want := errors.New("of fn")
	err := app.Slowly(c, "waiting for a token", func() error {
		await("zen: waiting for a token...")
		app.EnvOf(c).Notify("something happened")
		await("\r\x1b[Kzen: something happened\r\n")
		return want
	})
	if !errors.Is(err, want) {
		t.Errorf("Slowly() = %v, want the error of the function", err)
	}
	await("\r\x1b[K")
}
