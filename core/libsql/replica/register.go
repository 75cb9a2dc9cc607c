//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import "github.com/zen-auth/zen/internal/link"

// Linked says that this program has the modes: go-libsql is where cgo is, on Linux (amd64,
// arm64) and macOS (arm64).
const Linked = true

func init() {
	link.Register(link.Embedded{Replica: newReplica, Local: newLocal})
}
