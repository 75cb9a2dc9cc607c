package provider_test

import (
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// An error has a kind, which decides how zen reacts and its exit code; a message; and a hint
// about what to do.
func ExampleError() {
	err := fmt.Errorf("sign in: %w", &provider.Error{
		Kind: provider.ErrRejected, Message: "the key was revoked", Hint: "make another in the dashboard",
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, provider.ErrRejected), provider.Hint(err))
	// Output:
	// sign in: the key was revoked
	// true make another in the dashboard
}

// A secret is only readable by Reveal.
func ExampleSecret() {
	s := provider.NewSecret("sk_live_1")
	fmt.Printf("%v %+v %q\n", s, s, s)
	fmt.Println(s.Reveal())
	// Output:
	// [redacted] [redacted] [redacted]
	// sk_live_1
}

// Permissions are written as in turso db tokens create.
func ExampleParsePermission() {
	p, err := provider.ParsePermission("notes:data_read,data_add")
	fmt.Println(p.Tables, p.Actions, err)
	// Output: [notes] [data_read data_add] <nil>
}
