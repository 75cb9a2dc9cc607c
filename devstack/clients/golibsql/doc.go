// Package golibsql drives the stack with go-libsql, the client with a native library
// inside. It has only tests, and is a separate module: go-libsql is cgo and brings 136
// MiB of libraries.
package golibsql
