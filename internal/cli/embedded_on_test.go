//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package cli

// embeddedModes: replicas and local databases are linked.
const embeddedModes = true
