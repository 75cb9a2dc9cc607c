package app

import (
	"fmt"
	"os"
	"time"

	"github.com/zen-auth/zen/internal/keyring"
)

// EnvKeyringTimeout is the variable that says how long the keyring is waited for.
const EnvKeyringTimeout = keyring.EnvTimeout

// Keyring gives a person time to unlock the keyring, and a machine none.
func (e *Env) Keyring() (keyring.Options, error) {
	o, err := keyring.OptionsFor(e.Interactive(), os.Getenv(EnvKeyringTimeout))
	if err != nil {
		return o, err
	}
	o.Waiting = func(timeout time.Duration) {
		out := e.Notes()
		fmt.Fprintf(out, "%sWaiting for the keyring: it may have to be unlocked (at most %s).\n", clearLine(out), timeout)
	}
	return o, nil
}
