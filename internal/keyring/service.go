//go:build !darwin

package keyring

// service is the name that items are kept under.
func service() string { return "zen" }
