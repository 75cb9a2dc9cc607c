package keyring

// signed is "true" in releases, which are linked with
// -X github.com/zen-auth/zen/core/store/keyring.signed=true.
var signed string

// service is the name that items are kept under. The keychain ties an item to the
// signature of the program that made it, and asks for the password when another one
// reads it: builds that aren't signed keep theirs apart from those of releases.
func service() string {
	if signed == "true" {
		return "zen"
	}
	return "zen-unsigned"
}

// reachable: the login keychain always is.
func (system) reachable() error { return nil }
