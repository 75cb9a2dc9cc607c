// Zen-provider-platformtoken makes database tokens at the Turso Platform API, with
// an API token: the way in that needs neither an identity provider nor Turso's JWKS.
package main

func main() {}
