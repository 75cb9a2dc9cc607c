package app

import (
	"fmt"
	"os"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/keyring"
)

// unlockTimeout is how long a person has to type the keyring's password.
const unlockTimeout = time.Minute

// EnvKeyringTimeout is the variable that says how long the keyring is waited for.
const EnvKeyringTimeout = "ZEN_KEYRING_TIMEOUT"

// Keyring gives a person time to unlock the keyring, and nobody else.
func (e *Env) Keyring() (keyring.Options, error) {
	o := keyring.Options{Timeout: keyring.DefaultTimeout}
	if e.Interactive() {
		o.Timeout = unlockTimeout
	}
	if text := os.Getenv(EnvKeyringTimeout); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return o, &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is %.20q", EnvKeyringTimeout, text),
				Hint: "it takes a duration like 500ms, 10s or 1m",
			}
		}
		o.Timeout = timeout
	}
	o.Waiting = func(timeout time.Duration) {
		out := e.Notes()
		fmt.Fprintf(out, "%sWaiting for the keyring: somebody may have to unlock it (at most %s).\n", clearLine(out), timeout)
	}
	return o, nil
}
