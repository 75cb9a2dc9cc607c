//go:build !front

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/internal/host"
)

// trustProvider asks at the first use of a provider's binary. Only a whole yes is
// one.
func (u *ui) trustProvider(ctx context.Context, b host.Binary) (bool, error) {
	u.print("Provider %s has not run here before:\n  %s\n  sha256 %s\nIt would run with your rights, and see the credentials that you get with it.",
		b.Name, oneLine(b.Path), b.SHA256)
	if b.Interpreter != "" {
		u.print("It is a script for %s: the sum covers neither that nor what it loads.", oneLine(b.Interpreter))
	}
	answer, err := u.Ask(ctx, fmt.Sprintf("Run %s from now on? Type yes or no", b.Name))
	return strings.EqualFold(answer, "yes"), err
}
