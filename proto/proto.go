// Package proto holds the .proto files of zen.provider.v1.
package proto

import "embed"

// Files are below zen/provider/v1, as an import of them names them.
//
//go:embed zen/provider/v1/*.proto
var Files embed.FS
