// Package hrana is a [database/sql] driver for a remote libSQL database, such as
// one at Turso or a sqld, over the Hrana protocol on HTTP: version 3, or 2 where
// the server has no more. It is pure Go and needs the standard library alone.
//
//	connector, err := hrana.NewConnector(hrana.Config{URL: base, Transport: transport})
//	db := sql.OpenDB(connector)
//
// It registers no driver name and takes no data source name: what authenticates
// is the transport's business, and no token is ever part of a string here.
//
// # Round trips
//
// A statement outside a transaction is one request, prepared or not. Preparing a
// text for the first time asks the server whether it can be run, outside of a
// transaction; the server keeps nothing of it. A transaction sends BEGIN with its first statement
// and closes its stream with COMMIT or ROLLBACK; with no statement it sends
// nothing. [Immediate] transactions take their lock in a request of their own.
// [ExecBatch] runs many statements in one request.
//
// # Values
//
// NULL, INTEGER, REAL, TEXT and BLOB are scanned as nil, int64, float64, string
// and []byte, exactly as stored. An infinite float can't be read or bound, JSON
// having none: the row, or the call, is an error.
//
// Arguments are bound as these types. A bool becomes 0 or 1, a nil []byte NULL,
// and a [time.Time] text in UTC such as 2006-01-02 15:04:05.123+00:00, which sorts
// by time, also beside CURRENT_TIMESTAMP, and which SQLite's date functions read. A
// string that is not valid UTF-8 is refused; bind it as []byte.
//
// A column that is declared DATE, DATETIME or TIMESTAMP is scanned as a time.Time
// where it holds one of SQLite's date forms, or an integer, which counts
// seconds, or milliseconds beyond 1e12, since 1970 (as mattn/go-sqlite3 reads them). Text that
// looks like a date stays text everywhere else: in columns of other types, and in
// expressions such as max(created), which have no declared type. database/sql makes
// RFC 3339 of a time.Time that is scanned into a string; Config.TimesAsText keeps the
// stored text.
//
// Parameters are ?, ?NNN, :name, @name and $name. Named ones are bound by name,
// with [sql.Named] without the prefix; $1, :1 and @1 are bound by their number.
// Arguments must fit the parameters one to one, and kinds don't mix.
//
// Column types are those of the schema, in [sql.ColumnType.DatabaseTypeName].
// As SQLite types each value, no scan type or nullability is claimed.
//
// # Statements
//
// Exec takes several statements without arguments. They are one request, each
// runs after the success of the one before, and the result is the last one's.
// Query does so, too, and [sql.Rows.NextResultSet] leads from one to the next;
// their rows are kept in memory, within Config.MaxMemory.
//
// Rows are read from the network as they are asked for. When the server refuses
// a result as too large for one answer, a statement that only reads is sent
// again through the cursor endpoint, which has no limit. When another statement
// runs in the same transaction, the rest of rows that are still open moves to
// memory, within Config.MaxMemory.
//
// # Transactions and connections
//
// Outside a transaction, each statement has a SQLite connection of its own on
// the server, so ATTACH, temporary tables, changes() and last_insert_rowid() don't
// outlast it. What a PRAGMA sets for its connection, such as foreign_keys = OFF while a
// table is rebuilt, holds on a [sql.Conn] until that is closed: it is sent again with
// what follows. BEGIN or SAVEPOINT as a statement on a
// [sql.Conn] opens a transaction until COMMIT or ROLLBACK as a statement, or
// until the connection is closed.
//
// SQLite's isolation is serializable; other levels are an error. In a read-only
// transaction the driver sends only what certainly reads (SELECT, VALUES, WITH,
// EXPLAIN, some pragmas), because libSQL reads BEGIN READONLY as BEGIN and
// refuses PRAGMA query_only; a function with side effects is not noticed.
//
// A server may end a transaction, by a time limit (5 s at sqld), by an idle one
// (10 s), or by a conflict. No later statement of it is then run by itself: the
// error is [ErrNoTransaction] or [ErrStreamExpired]. (Hrana 2 can't tell the
// server so, there only the latter is certain.) A transaction that BEGIN as a
// statement began, and that was lost, ends with ROLLBACK as a statement.
//
// # Errors
//
// An [*Error] is the database's, with SQLite's codes in [Error.SQLite];
// [ErrUnique], [ErrForeignKey] and so on tell violated constraints apart, with
// errors.Is. An [*HTTPError] is that of the server or a gateway in front of it, and
// what the transport returns stays in the chain.
//
// A statement that may write is never sent again once the server may have seen
// it, so after an error of the network it is not known whether it ran. One that
// certainly only reads is marked for net/http to repeat when a kept-alive
// connection breaks under it.
//
// Redirects are not followed, and a base_url in an answer is refused when it
// names another host: the token must not go there.
package hrana
