//go:build unix

package keyring

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// exits is a backend whose program only returns an exit code.
type exits int

func (e exits) run() error {
	return told(exec.Command("sh", "-c", "exit "+strconv.Itoa(int(e))).Run())
}

func (exits) reachable() error             { return nil }
func (e exits) get(string) (string, error) { return "", e.run() }
func (e exits) set(string, string) error   { return e.run() }
func (e exits) delete(string) error        { return e.run() }

// The exit code is all that macOS's security program reports.
func TestExitCodesOfSecurity(t *testing.T) {
	for code, want := range map[exits]string{
		securityLocked: "is locked, and this session", securityRefused: "refused the password", securityCanceled: "was cancelled", 1: "exit status 1",
	} {
		_, err := newKeyring(Options{}, code).Get(context.Background(), "item")
		if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), want) || provider.Hint(err) == "" {
			t.Errorf("exit code %d: %v", code, err)
		}
		if code != 1 && !strings.Contains(provider.Hint(err), "security unlock-keychain") {
			t.Errorf("%d: hint %q", code, provider.Hint(err))
		}
	}
	if _, err := newKeyring(Options{}, exits(securityNoItem)).Get(context.Background(), "item"); !errors.Is(err, store.ErrNoItem) {
		t.Errorf("a missing item: %v, want ErrNoItem", err)
	}
}
