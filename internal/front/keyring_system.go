//go:build !unix || darwin

package front

import (
	"time"

	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/store"
)

// ownKeyring opens the keyring here, since its client is a call or a program of the system.
func ownKeyring(timeout time.Duration) store.Keyring {
	return keyring.New(keyring.Options{Timeout: timeout})
}
