// Package turso is a local stand-in for Turso: the Platform API that the turso
// CLI talks to, JWKS registrations, and databases that verify every token.
//
// It is as permissive and as strict as the real one was observed to be, in status codes,
// texts and omissions. In particular a token that names no database opens all of the
// organization's, `aud`, `iss` and `nbf` are not checked, and clocks may differ by 60 s.
// A client that is safe here takes care of these itself.
//
// Everything is served at the root, since the turso CLI drops the path of its base
// URL. A database NAME is at /dbs/NAME; see [Match] for the rest.
package turso
