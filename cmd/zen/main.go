// Command zen signs people and machines in to libSQL databases.
package main

import (
	"os"

	"github.com/zen-auth/zen/internal/harden"
)

func main() {
	_ = harden.Host() // zen works without it on systems that can't
	os.Exit(run())
}
