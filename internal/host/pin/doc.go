// Package pin decides which provider binaries may run: those whose sum was known
// when the program was built, and those in a lock file, which the commands that
// install a provider write, and a person who is asked at its first use. Anything
// else doesn't start.
//
// The lock file is zen.lock in the state directory, not beside the binaries: who
// may put a program there has not thereby made it trusted.
//
//	version = 1
//
//	[providers.acme]
//	version = "1.2.0"
//	source = "https://acme.example/zen-provider-acme"
//	known = "ed25519:5d41402abc4b2a76"
//
//	[providers.acme.platforms.linux_amd64]
//	sha256 = "..."
//	size = 15728905
//
// A home directory may be shared by machines: each platform has a sum of its own.
package pin
