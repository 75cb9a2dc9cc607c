package dev

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/internal/cli/app"
)

// runInside runs a command in the stack's environment.
func runInside(ctx context.Context, command []string, environment []devstack.Variable, stdin io.Reader, stdout, stderr io.Writer) error {
	// Nothing that a person has set for their own accounts reaches the stack's.
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return slices.ContainsFunc([]string{"ZEN_", "TURSO_", "CLERK_", "AUTH0_", "BAO_", "VAULT_"}, func(prefix string) bool { return strings.HasPrefix(entry, prefix) })
	})
	for _, v := range environment {
		environ = append(environ, v.Name+"="+v.Value)
	}
	return app.RunChild(ctx, command, environ, stdin, stdout, stderr)
}

func visit(ctx context.Context, c *cli.Context) error {
	b := browse.Browser{Person: browse.Person{User: c.String("user"), Password: c.String("password")}}
	if c.Bool("verbose") {
		b.Out = app.Notes(c)
	}
	if _, err := b.Visit(ctx, c.Args().First()); err != nil {
		return err
	}
	fmt.Fprintf(app.Notes(c), "zen dev browse: %s has done what the pages asked for.\n", app.OneLine(b.Person.User))
	return nil
}
