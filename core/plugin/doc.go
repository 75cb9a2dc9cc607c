// Package plugin is for authors of providers: it serves a Go value to zen as a process
// of its own.
//
// An author writes a type that implements provider.Provider and, of the other
// interfaces of package provider, what it can do, and
//
//	func main() { plugin.Serve(&example{}) }
//
// Package plugintest tests such a value without a process.
package plugin
