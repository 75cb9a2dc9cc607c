// Command zen-provider-statictoken hands out a database token that a person was given. It
// reads and guards it like every other one, and announces its end in time.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
