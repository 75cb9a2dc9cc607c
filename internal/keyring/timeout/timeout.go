// Package timeout says how long a call of the keyring may take. The front needs no more of
// the keyring than that, and links no client of one.
package timeout

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Env is the variable that sets the timeout.
const Env = "ZEN_KEYRING_TIMEOUT"

// Default is the timeout where no person can unlock the keyring. An unlocked keyring answers
// in six milliseconds.
const Default = time.Second

// unlock is how long a person may take to type the keyring's password.
const unlock = time.Minute

// For returns the timeout: what Env says, which is passed as asked, or else time for a person
// to unlock the keyring, and the default for a machine. The error is [provider.ErrConfig].
func For(interactive bool, asked string) (time.Duration, error) {
	if asked != "" {
		timeout, err := time.ParseDuration(asked)
		if err != nil || timeout <= 0 {
			return 0, &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is %.20q", Env, asked),
				Hint: "it takes a duration like 500ms, 10s or 1m",
			}
		}
		return timeout, nil
	}
	if interactive {
		return unlock, nil
	}
	return Default, nil
}

// Entry returns the entry of another process's environment that gives it the same timeout.
func Entry(timeout time.Duration) string { return Env + "=" + timeout.String() }
