//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import "github.com/zen-auth/zen/core/libsql"

func init() {
	libsql.RegisterEmbedded(libsql.Embedded{Replica: newReplica, Local: newLocal})
}
