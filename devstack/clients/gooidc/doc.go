// Package gooidc drives the stack's issuers with go-oidc and golang.org/x/oauth2, as most
// Go programs sign in. It has only tests, and is a separate module so that zen's doesn't
// depend on a second token library.
package gooidc
