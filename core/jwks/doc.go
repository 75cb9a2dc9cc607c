// Package jwks verifies the tokens of issuers that publish their keys as a JWK Set
// (RFC 7517), and reads their claims into [provider.Claims].
//
// A [Set] holds the keys of one URL: in memory, on disk where it is given a
// directory, and from the network only when it has to. A [Verifier] checks one
// token after the other against a Set and a [Policy]: one issuer, exactly; an
// allow-list of asymmetric algorithms; an exp claim.
//
// # Network
//
// A verification whose key is held makes no network call, however old the key set
// is. An unknown kid, or a signature that fails under a held key (Clerk's kid names
// the instance, so that it may survive a rotation), has the set fetched again; where
// that brings no other keys, at most once in [RefetchInterval]. While the issuer is
// down, the held keys go on working, and what they don't verify is unavailable rather
// than invalid. Whoever is on the network anyway calls [Set.Refresh], which honours
// max-age and ETag.
//
// # Reading without verifying
//
// [DecodeUnverified] is for explanations alone ("this token is for another
// database"). Nothing that it returns may decide anything.
package jwks
