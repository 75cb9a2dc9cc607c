// Package provider is the contract between zen and the processes that know an
// identity system: what they can do, what goes in, what comes out and which
// errors mean what.
//
// # Roles
//
// A provider implements [Provider] and, beside it, the services it can serve:
//
//   - [Identity] signs a person or a machine in and keeps the resulting credential alive;
//   - [TokenSource] turns a credential (or none) into a token for one database;
//   - [AssertionSource] states who a credential belongs to, for another provider;
//   - [Lookup] knows databases by name;
//   - [SetupGuide] says what has to be there for the provider to work;
//   - [Team] manages the members of an organization, and [Organizations] knows which
//     there are.
//
// A provider that implements [Fixer] can repair what its Check found.
//
// Identity and token may come from two providers: sign in with one, mint at the
// other. The host then passes the verified [Claims] of the first to the second and,
// where Description.Needs of the second says so, an [Assertion] of the first, made for
// the audience that the second names.
//
// # Credentials change
//
// Any call that takes a credential may return another in its place: refresh tokens
// rotate, Clerk's client JWT changes in response headers. The host stores it before it
// uses what came with it, and a provider returns it beside an error too.
//
// # Words
//
// A [Credential] is stored by zen and can be refreshed; only the provider
// that made it can read it. A [Token] is what a database takes. [Claims] are what
// a verified token says. An [Access] and [Permission] values say what a token may
// do at a [Target], which is one database.
//
// # Errors
//
// Every error that a provider returns should be, or wrap, one of the sentinels of
// this package ([ErrNoCredential] and so on): the host decides by them whether to
// refresh, to fall back, to ask for a sign-in, or to keep what it has. They cross
// the process boundary, so that errors.Is holds on the host's side.
//
// The package imports the standard library alone.
package provider
