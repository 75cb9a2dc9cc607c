// Package harden keeps the memory of processes that hold credentials to themselves.
// It is a package of its own so that a program can begin with it that links nothing
// else of package plugin.
package harden

// Host keeps the memory of this process, which holds credentials, from core files
// and, on Linux, with its environment from other processes of the same user. A
// program that starts providers calls it first of all; package plugin doesn't by
// itself, because the process is the program's. Programs that it starts can have
// core files again.
func Host() error { return host() }

// Provider is Host for a provider, which starts nothing that may have core files.
func Provider() error { return itself() }
