//go:build !(cgo && linux && (amd64 || arm64))

package soak_test

import "testing"

func TestSoak(t *testing.T) {
	t.Skip("SKIPPED: the soak needs replicas, which cgo links, and Linux's /proc")
}
