//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64)))

package cli

const embeddedModes = false
