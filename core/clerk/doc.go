// Package clerk is a client of a Clerk instance, for providers and servers: to its Frontend API as a native
// app does ([Frontend]), and to its Backend API with a secret key ([Backend]). It knows
// what a publishable key says ([ParseKey]) and which of an instance's tokens are good for
// what ([Verify]). It is public because the providers clerk and apikey and the auth method
// for OpenBao share it, and import nothing that another author could not.
//
// Errors are of the classes of package provider, and have no secret in them; behind one
// that Clerk itself answered is an [AnswerError].
package clerk
