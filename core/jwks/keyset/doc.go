// Package keyset gets the key sets of issuers: in memory, on disk where a [Set] is given
// a directory, and from the network only when it has to.
//
// A verification whose key is held makes no network call, however old the key set
// is. An unknown kid, or a signature that fails under a held key (Clerk's kid names
// the instance, so that it may survive a rotation), has the set fetched again; where
// that brings no other keys, at most once in [RefetchInterval]. While the issuer is
// down, the held keys go on working, and what they don't verify is unavailable rather
// than invalid.
package keyset
