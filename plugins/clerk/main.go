// Command zen-provider-clerk signs in with Clerk (https://clerk.com) and makes
// tokens for libSQL databases from a JWT template that Turso verifies by JWKS.
//
// It is started by zen, not by people.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "zen-provider-clerk: started by zen, not by hand")
	os.Exit(2)
}
