package plugin

// HardenHost keeps the memory of this process, which holds credentials, from core
// files and, on Linux, with its environment from other processes of the same user.
// A program that starts providers calls it first of all; package plugin doesn't by
// itself, because the process is the program's. Programs that it starts can have
// core files again.
func HardenHost() error { return hardenHost() }
