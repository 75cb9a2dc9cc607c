// Package devstacktest runs a local Clerk and Turso in a test.
package devstacktest

import (
	"log/slog"
	"testing"

	"github.com/zen-auth/zen/devstack"
)

// Start starts a stack that ends with the test. Without a Logger in the options
// its log is the test's, which is shown when the test fails.
func Start(t testing.TB, options devstack.Options) *devstack.Stack {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	stack, err := devstack.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Errorf("stop stack: %v", err)
		}
	})
	return stack
}

// Token returns a JWT that Clerk mints for a user from a template. An expired one
// is had by moving the clock afterwards.
func Token(t testing.TB, stack *devstack.Stack, email, template string) string {
	t.Helper()
	session, err := stack.Clerk.CreateSession(stack.Clerk.UserID(email), "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := stack.Clerk.TemplateToken(session, template)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
