//go:build !darwin

package keyring

// service returns the name that items are kept under.
func service() string { return "zen" }
