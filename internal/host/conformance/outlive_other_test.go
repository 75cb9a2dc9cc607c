//go:build !linux

package conformance

func outlive() {}
