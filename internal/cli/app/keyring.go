package app

import (
	"fmt"
	"os"
	"time"

	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/keyring/timeout"
)

// EnvKeyringTimeout is the variable that says how long the keyring is waited for.
const EnvKeyringTimeout = timeout.Env

// Keyring gives a person time to unlock the keyring, and a machine none.
func (e *Env) Keyring() (keyring.Options, error) {
	longest, err := timeout.For(e.Interactive(), os.Getenv(EnvKeyringTimeout))
	waiting := func(longest time.Duration) {
		out := e.Notes()
		fmt.Fprintf(out, "%sWaiting for the keyring: it may have to be unlocked (at most %s).\n", clearLine(out), longest)
	}
	return keyring.Options{Timeout: longest, Waiting: waiting}, err
}
