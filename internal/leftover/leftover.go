// Package leftover ends processes that a provider started and that left its process group. If
// zen itself is killed, a watcher process does it. The front is such a watcher, so this
// package must not link anything that is slow to start.
package leftover

// Prefix is the start of the name of every provider's socket directory.
const Prefix = "zen-socket-"

// variable names that directory to the provider (goplugin.EnvUnixSocketDir).
const variable = "PLUGIN_UNIX_SOCKET_DIR"

// verb is the first argument of a watcher; the directory is the second.
const verb = "end-left"
