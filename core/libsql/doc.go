// Package libsql is the connection manager: a target and a source of tokens in, a
// *sql.DB out, which lives as long as the application while tokens come and go
// underneath it.
//
// A database is used in one of three modes. Remote is pure Go and needs nothing else.
// Replica keeps a copy in a file, reads from there, and writes to the database; local
// is a file, or memory, alone. These two are on go-libsql, which is native code for
// some systems, so a program has them when it asks for them:
//
//	import _ "github.com/zen-auth/zen/core/libsql/replica"
package libsql
