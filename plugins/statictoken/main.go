// Command zen-provider-statictoken hands out a database token that a person was given. It
// checks and protects it like any other, and warns before it expires.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
