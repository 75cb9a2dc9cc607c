// Openbao-plugin-secrets-turso is a secrets engine for OpenBao and HashiCorp Vault
// that makes short-lived tokens for Turso's databases. The server runs it.
package main

import (
	"github.com/zen-auth/zen/openbao/internal/serve"
	"github.com/zen-auth/zen/openbao/secretsturso"
)

func main() { serve.Main(secretsturso.Factory) }
