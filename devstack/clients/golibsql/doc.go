// Package golibsql drives the stack with go-libsql, the client with a native
// library inside. It has tests only, and is a module of its own: go-libsql is cgo
// and brings 136 MiB of libraries.
package golibsql
