// Package clerk speaks to a Clerk instance, for providers: to its Frontend API as a native
// app does ([Frontend]), and to its Backend API with a secret key ([Backend]). It knows
// what a publishable key says ([ParseKey]) and which of an instance's tokens are good for
// what ([Verify]).
//
// Errors are of the classes of package provider, and have no secret in them; behind one
// that Clerk itself answered is an [AnswerError].
package clerk
