// Package host runs providers as processes of their own.
//
// A [Manager] finds the binary zen-provider-NAME in the directories that it was
// given, never on PATH, opens it once, asks Options.Trust about its sum, and starts
// what it opened (see package pin), when it is first needed. Concurrent calls share
// the process; it ends when it wasn't called for a while, and with [Manager.Close].
//
// The provider sees an allow-list of the environment, no standard input, a private
// directory, and a connection that only this host can use (mutual TLS with keys of
// this start). Every call but a login has a deadline. Whatever comes out of the process, be it
// a log line, a stray print, a panic or an error, passes a redacting sink.
//
// A provider that is being written takes the place of an installed one, unchecked, where
// Options.Override says so: a program at a path, or a process in a debugger.
//
// Failures are one line and have a type: [NotFoundError], [ExitError],
// [HandshakeError], [VersionError], [TimeoutError], [CrashError] and so on, each of
// which is also one of the sentinels of package provider.
package host
