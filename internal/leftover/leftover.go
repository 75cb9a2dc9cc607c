// Package leftover ends what a provider started and left its group, also when zen itself
// is killed and can't: then a watcher does, which is another process. The front is one,
// so that nothing is linked here that takes time to start.
package leftover

// Prefix begins the name of the socket directory of every provider.
const Prefix = "zen-socket-"

// variable names that directory to the provider (goplugin.EnvUnixSocketDir).
const variable = "PLUGIN_UNIX_SOCKET_DIR"

// verb is the first argument of a watcher; the directory is the second.
const verb = "end-left"
