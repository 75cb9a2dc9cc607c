package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/host"
)

// trustProvider asks at the first use of a provider's binary.
func trustProvider(ctx context.Context, u *app.UI, b host.Binary) (bool, error) {
	u.Print("Provider %s has not run here before:\n  %s\n  sha256 %s\nIt would run with your rights, and see the credentials that you get with it.\nWhich variables of this environment it wants is known once it runs: you are asked about those that are not its own.",
		b.Name, app.OneLine(b.Path), b.SHA256)
	if b.Interpreter != "" {
		u.Print("It is a script for %s: the sum covers neither that nor what it loads.", app.OneLine(b.Interpreter))
	}
	return u.Agrees(ctx, fmt.Sprintf("Run %s from now on?", b.Name))
}

// allowVariables asks whether a provider may have variables of others: the credentials of
// other tools, maybe.
func allowVariables(ctx context.Context, u *app.UI, b host.Binary, names []string) (bool, error) {
	u.Print("Provider %s asks for variables of this environment that are not its own:\n  %s", b.Name, app.OneLine(strings.Join(names, " ")))
	return u.Agrees(ctx, fmt.Sprintf("Give %s their values from now on?", b.Name))
}
