// Package replica implements embedded replicas and local databases on go-libsql.
// Importing it makes these modes of package libsql work:
//
//	import _ "github.com/zen-auth/zen/core/libsql/replica"
//
// It is the one package with native code, which exists for Linux on amd64 and arm64
// and for macOS on arm64, and which cgo links (12 MB). Elsewhere, and without cgo, the
// modes answer that this program was built without them. go-libsql takes the driver
// name "libsql", so that a program can't link libsql-client-go, too.
//
// # A replica
//
// Writes, and transactions that may write, go to the database by package hrana; reads
// are of the file. The file is brought up to date here, too: frames of the database's
// log come over the transport that puts the session's token on each request, and
// go-libsql's library only puts them into the file's log, so that native code never sees
// a token. The files are those of libSQL's other clients.
//
// After every write the file is brought up to date before the write returns, unless
// AllowStale says otherwise. Where that fails, the write is an error nevertheless, of
// the type libsql.AppliedError: it was applied and is not to be repeated. Where only a
// read on this machine is in the way, the write succeeds, and reads go to the database
// until the file has it.
//
// Reads need no network and no token. A replica that was in sync once opens without
// them, too, and catches up when they are there.
//
// Several programs may have a file open: they read it at once and sync it in turn, for
// which PATH-zen is locked. A sync that has to wait for another's for long is an error,
// which keeps no one from reading or writing. A file belongs to one database for ever,
// which PATH-zen says. Files that don't fit together, as libSQL's other clients leave them
// when they are refused at a bad moment, are moved aside and fetched anew, never deleted; a
// file that no replica has made is left alone.
//
// # Local databases
//
// file:PATH and :memory: are the SQLite that is inside of go-libsql. All connections
// of a handle on :memory: see the same database.
//
// A file that is made here keeps a write-ahead log, so that reads and writes don't wait
// for each other. A file of another program stays in the mode that it has. In memory, and
// in a file with a rollback journal, rows that have not been read yet would keep every other
// connection from writing: there up to 16 MiB of a result are read ahead.
//
// # Values, parameters, errors
//
// They are those of package hrana in all modes: columns that are declared as dates are
// read as times, other text stays text, also with a NUL byte in it; named parameters are
// bound by name, $1 by its number; a missing argument is an error; and the database's own
// errors are *hrana.Error with SQLite's code. Contexts interrupt a statement. Text in
// double quotes that names no column is a text, as in libsql-server, although go-libsql's
// library was built without.
//
// A connection keeps some of the statements that read or write rows, 32 at most, so that a
// text which comes again isn't compiled again: to prepare it spares little. Rows come in
// batches, of as many as are there within moments.
//
// The rows are read with SQLite's own interface, which go-libsql's library has, and
// not with go-libsql's, where a text ends at its first NUL byte, turns into a
// time.Time if it looks like one, and a context ends nothing.
package replica
