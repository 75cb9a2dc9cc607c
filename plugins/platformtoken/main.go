// Zen-provider-platformtoken makes database tokens at the Turso Platform API, with an API
// token; it needs neither an identity provider nor one of Turso's JWKS registrations.
//
// The API token comes from ZEN_PLATFORMTOKEN__API_TOKEN or TURSO_API_TOKEN, and then
// stays there, or is typed in at zen login and stored with the credential. Every database
// token is for one database, expires, and is discarded if it allows more than requested.
package main

import "github.com/zen-auth/zen/core/plugin"

func main() { plugin.Serve(&platform{}) }
