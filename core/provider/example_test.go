package provider_test

import (
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// Errors have a class, that decides what zen does and its exit code; a text; and a hint of
// what to do.
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

// A secret shows itself to nobody who doesn't ask for it by name.
func ExampleSecret() {
	s := provider.NewSecret("sk_live_1")
	fmt.Printf("%v %+v %q\n", s, s, s)
	fmt.Println(s.Reveal())
	// Output:
	// [redacted] [redacted] [redacted]
	// sk_live_1
}

// Permissions are written as turso db tokens create takes them.
func ExampleParsePermission() {
	p, err := provider.ParsePermission("notes:data_read,data_add")
	fmt.Println(p.Tables, p.Actions, err)
	// Output: [notes] [data_read data_add] <nil>
}
