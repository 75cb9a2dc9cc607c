// Package engine is one libSQL database: SQLite, in the shape in which Turso
// serves it.
//
// It sits directly on modernc.org/sqlite/lib, SQLite translated to Go, because a
// stand-in for a database server needs what drivers hide: declared column types,
// whether a statement only reads, the offset of an error, duplicate column
// names, and values exactly as they are stored. An INTEGER stays 64 bits, TEXT
// stays text even where it looks like a date or holds NUL bytes, a blob may be
// empty.
//
// A [DB] hands out [Conn]s. A Conn is what a client's stream holds: it has the
// transaction, last_insert_rowid and the statements it prepared. What a statement
// may do is decided by the [Rights] that come with each call, since one stream may
// be used with one token now and another later.
//
// Every database is a file in WAL mode, so that readers see a snapshot while a
// writer works, as they do in production. One that is not meant to stay is a
// temporary file.
//
// What Turso refuses is refused: temporary tables, ATTACH of files, VACUUM, and
// pragmas that would change how the server keeps its files. Another database is
// attached by its name, for reading, where the rights say so.
//
// Replicas follow a database through [DB.Export] and [DB.Frames], which read the
// file and the write-ahead log beside SQLite: see [DB.Checkpoint].
package engine
