package keyring

import (
	"errors"
	"os/exec"

	"github.com/zalando/go-keyring"

	"github.com/zen-auth/zen/core/provider"
)

// The exit codes of macOS's program security: the last byte of what its Security framework
// answered. go-keyring hands on nothing else, but for absence, which it knows by an
// English word.
const (
	securityLocked   = 36  // errSecInteractionNotAllowed
	securityNoItem   = 44  // errSecItemNotFound
	securityRefused  = 51  // errSecAuthFailed
	securityCanceled = 128 // userCanceledErr
)

// told puts the exit code of security into words. Other keyrings have errors of their own.
func told(err error) error {
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		return err
	}
	locked := func(why string) error {
		return &provider.Error{Kind: provider.ErrUnavailable, Message: why, Err: err, Hint: "security unlock-keychain asks for the password of the login keychain; then run it again"}
	}
	switch exited.ExitCode() {
	case securityNoItem:
		return keyring.ErrNotFound
	case securityLocked:
		return locked("the login keychain is locked, and this session can't ask for its password")
	case securityRefused:
		return locked("the login keychain refused the password")
	case securityCanceled:
		return locked("the question for the password of the login keychain was cancelled")
	}
	return err
}
