// Command zen-provider-oidc signs in at any OpenID issuer: people in a browser or on
// another device, machines by what their CI system or cloud states about them. It says
// who a person or a workload is, to a provider that makes tokens, and makes none for databases itself.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
