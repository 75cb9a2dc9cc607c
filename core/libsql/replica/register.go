//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import "github.com/zen-auth/zen/internal/link"

// Linked reports whether this program has the modes: go-libsql needs cgo, and Linux
// (amd64, arm64) or macOS (arm64).
const Linked = true

func init() {
	link.Register(link.Embedded{Replica: newReplica, Local: newLocal})
}
