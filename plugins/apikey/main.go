// Command zen-provider-apikey signs in with a Clerk API key, for servers and CI: either
// by showing the key to a provider that makes tokens in its name, or, on a server that
// holds the Clerk secret key anyway, by a session of the key's user.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
