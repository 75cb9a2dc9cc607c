package app

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/keyring"
)

// EnvKeyringTimeout is the variable that says how long the keyring is waited for.
const EnvKeyringTimeout = keyring.EnvTimeout

// KeyringOptions give a person time to unlock the keyring, and nobody else.
func KeyringOptions(c *cli.Context) (keyring.Options, error) {
	o, err := keyring.OptionsFor(Interactive(c), os.Getenv(EnvKeyringTimeout))
	if err != nil {
		return o, err
	}
	o.Waiting = func(timeout time.Duration) {
		out := Notes(c)
		fmt.Fprintf(out, "%sWaiting for the keyring: somebody may have to unlock it (at most %s).\n", clearLine(out), timeout)
	}
	return o, nil
}
