// Package libsql is the connection manager. It takes a target and a source of tokens,
// and returns a *sql.DB, which lives as long as the application while the tokens
// underneath it are renewed.
//
// A database is used in one of three modes. Remote is pure Go and needs nothing else.
// Replica keeps a copy in a file, reads from there, and writes to the database; local
// is a file, or memory, alone. These two need go-libsql, which is native code for some
// systems, so a program has to ask for them:
//
//	import _ "github.com/zen-auth/zen/core/libsql/replica"
package libsql
