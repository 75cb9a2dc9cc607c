// Command zen signs people and machines in to libSQL databases.
package main

import (
	"os"

	"github.com/zen-auth/zen/internal/harden"
)

func main() {
	_ = harden.Host() // where the system can't, zen works all the same
	os.Exit(run())
}
