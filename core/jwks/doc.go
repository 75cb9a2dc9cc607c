// Package jwks verifies the tokens of issuers that publish their keys as a JWK Set
// (RFC 7517), and reads their claims into [provider.Claims]. It uses no network, and
// links none.
//
// A [Verifier] checks one token after the other against the keys of a [Source] and a
// [Policy]: one issuer, exactly; an allow-list of asymmetric algorithms; an exp claim.
// The Source is a [Disk], or, where the network may be used, a Set of package keyset.
//
// # Reading without verifying
//
// [DecodeUnverified] is for explanations ("this token is for another database"), and for
// tokens that something else vouches for: see there. Everything else needs a Verifier.
package jwks
