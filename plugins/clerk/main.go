// Command zen-provider-clerk signs in with Clerk (https://clerk.com) and makes
// tokens for libSQL databases from a JWT template that Turso verifies by JWKS.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
