// Package libsqlclientgo drives the stack with libsql-client-go, the client in pure Go.
// It has tests, and a program that the tests of zen proxy run. It is a separate module:
// the client registers the same driver name as go-libsql.
package libsqlclientgo
