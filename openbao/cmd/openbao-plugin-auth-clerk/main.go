// Openbao-plugin-auth-clerk is an auth method for OpenBao and HashiCorp Vault that
// takes Clerk API keys. The server runs it.
package main

import (
	"github.com/zen-auth/zen/openbao/authclerk"
	"github.com/zen-auth/zen/openbao/internal/serve"
)

func main() { serve.Main(authclerk.Factory) }
