// Package devstacktest runs a local Clerk and Turso in a test.
package devstacktest

import (
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"sync"
	"testing"

	"github.com/zen-auth/zen/devstack"
)

// keys are the same in all stacks of a test binary: making them takes longer than
// most tests.
var keys = sync.OnceValues(func() ([]*rsa.PrivateKey, error) {
	made := make([]*rsa.PrivateKey, 3)
	for i := range made {
		var err error
		if made[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	return made, nil
})

// Start starts a stack that ends with the test. Without a Logger in the options
// its log is the test's, which is shown when the test fails. Without Keys it signs
// with those of the other stacks of the test binary.
func Start(t testing.TB, options devstack.Options) *devstack.Stack {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if options.Keys == nil {
		made, err := keys()
		if err != nil {
			t.Fatal(err)
		}
		options.Keys = made
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

// Token returns a JWT that Clerk mints for a user from a template. To get an expired one,
// move the clock afterwards.
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
