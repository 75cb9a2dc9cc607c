package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/store/keyring"
)

// unlockTimeout is how long a person has to type the keyring's password.
const unlockTimeout = time.Minute

// keyringOptions give a person time to unlock the keyring, and nobody else.
func keyringOptions(c *cli.Context) (keyring.Options, error) {
	o := keyring.Options{Timeout: keyring.DefaultTimeout}
	if interactive(c) {
		o.Timeout = unlockTimeout
	}
	if text := os.Getenv("ZEN_KEYRING_TIMEOUT"); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return o, &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("ZEN_KEYRING_TIMEOUT is %.20q", text),
				Hint: "it takes a duration like 500ms, 10s or 1m",
			}
		}
		o.Timeout = timeout
	}
	o.Waiting = func(timeout time.Duration) {
		fmt.Fprintf(notes(c), "Waiting for the keyring: somebody may have to unlock it (at most %s).\n", timeout)
	}
	return o, nil
}
