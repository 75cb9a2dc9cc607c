// Command zen-provider-auth0 signs in with Auth0 (https://auth0.com): people in a
// browser or on another device, machines by client credentials. The access token for
// the tenant's API is the token of the database, with the claims that an Action puts in.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
