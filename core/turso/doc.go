// Package turso is a client of the Turso Platform API: databases, tokens for them,
// the key sets (JWKS) that an organization has registered, and its plan.
//
// The wire is what turso-cli speaks, which says more than the published OpenAPI
// document: JWKS registrations and fine-grained permissions are not in it, and two
// JWKS calls carry a body on GET and DELETE.
//
// # Organizations
//
// Where a method takes an organization, it is the slug; "" means the personal one.
//
// # Errors
//
// Every error of a call is an [*Error]. The API token and anything that looks like
// a JWT are cut out of its text.
package turso
