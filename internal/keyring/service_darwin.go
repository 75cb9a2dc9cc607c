package keyring

// signed is "true" in releases, which are linked with
// -X github.com/zen-auth/zen/internal/keyring.signed=true.
var signed string

// service returns the name that items are kept under. Builds that aren't signed have one of
// their own, so that trying one out never reads, replaces or deletes what a release
// has stored.
func service() string {
	if signed == "true" {
		return "zen"
	}
	return "zen-unsigned"
}

// reachable: the login keychain always is.
func (system) reachable() error { return nil }
