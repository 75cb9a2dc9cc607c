// Package examples holds the providers that are written without any of zen's code, from
// which zen provider new creates others.
package examples

import "embed"

// Node and Python are complete providers, each in its own directory.
var (
	//go:embed provider-node/*.js provider-node/package*.json provider-node/README.md provider-node/zen-provider-tokenfile-js
	Node embed.FS
	//go:embed provider-python/*.py provider-python/requirements.txt provider-python/README.md provider-python/zen-provider-tokenfile-py
	Python embed.FS
)
