// Package gooidc drives the stack's issuers with go-oidc and golang.org/x/oauth2, as most
// Go programs sign in. It has tests alone, and is a module of its own so that zen's has
// no second library for tokens.
package gooidc
