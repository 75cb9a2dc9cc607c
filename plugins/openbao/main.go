// Zen-provider-openbao has OpenBao (or Vault) issue the tokens for databases: its
// secrets engine turso holds the organization's API token, its policies say who gets
// which database, and its audit log who did.
//
// For an identity that zen signed in with another provider (Clerk, Auth0, a CI job) it
// logs in with that provider's statement; alone it signs in with OpenBao's own browser
// flow, a token, an AppRole or a Kubernetes service account.
//
// It is started by zen, not by people.
package main

import (
	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(plugin.Version())) }
