package engine

import (
	"errors"
	"strings"
	"unsafe"

	lib "modernc.org/sqlite/lib"
)

// Column is a column of a result.
type Column struct {
	Name     string
	DeclType string // as declared, "" for an expression
}

// stmt is a compiled statement with what is known about it.
type stmt struct {
	conn   *Conn
	handle uintptr

	attaches                 string // alias
	alters                   *alteration
	transaction, insert, iud bool
	writes                   bool // needs the right to write
	setsPragma               bool
	readOnly, explain        bool // as sqlite3_stmt_readonly and _isexplain have it

	legacy    bool // compiled by sqlite3_prepare: see compile
	parsed    bool // libsql-server's parser takes it, too
	reprepare int32
	columns   []Column
	params    []string // names with their prefix, "" for a nameless one
	row       []Value  // reused for every row
	counts    counts
}

// stmtKey is the key of a cached statement: the authorizer asked by
// other rights could have refused it.
type stmtKey struct{ sql, rights string }

// maxCached bounds the compiled statements of a connection.
const maxCached = 64

// prepare returns the one statement in sql, compiled with the rights, and not
// running. It is owned by the connection's cache. While a database is attached, it is
// compiled each time: SQLite doesn't look whether a name that was found there is one of
// the main database by now.
func (c *Conn) prepare(sql string, rights *Rights) (*stmt, error) {
	key := stmtKey{sql, rights.key}
	if s := c.stmts[key]; s != nil && len(c.attached) == 0 {
		return s, nil
	}
	s, tail, err := c.compileNow(sql, rights)
	if err != nil {
		return nil, err
	}
	if skipSpace(tail) != "" {
		s.finalize()
		return nil, ErrManyStatements
	}
	if len(c.stmts) >= maxCached {
		c.dropStatements()
	}
	if before := c.stmts[key]; before != nil {
		before.finalize()
	}
	c.stmts[key] = s
	return s, nil
}

// parse is prepare for what libsql-server parses by itself before SQLite does, which
// is all that is run.
func (c *Conn) parse(sql string, rights *Rights) (*stmt, error) {
	s, err := c.prepare(sql, rights)
	if err == nil && s.parsed || err == ErrManyStatements {
		return s, err
	}
	if _, ok := err.(*Error); ok {
		if parts := c.split(c.ctx, sql); len(parts) > 1 {
			err = parseError(sql, 0, parts[0].to, err)
			if _, ok := err.(*Error); ok {
				return nil, ErrManyStatements
			}
			return nil, err
		}
	}
	if refused := parseError(sql, 0, len(sql), err); refused != nil {
		return nil, refused
	}
	s.parsed = true
	return s, nil
}

// refreshSchema makes the connection notice that another one changed the schema.
// SQLite does so when a statement runs, not when one is compiled.
func (c *Conn) refreshSchema() error { return c.exec("SELECT 1 FROM sqlite_schema LIMIT 0") }

// compileNow is compile by the schema of now: what the schema of before refuses is
// compiled again.
func (c *Conn) compileNow(sql string, rights *Rights) (*stmt, string, error) {
	s, tail, err := c.compile(sql, rights)
	if e, ok := err.(*Error); ok && !e.Syntax() && !rights.narrowed() {
		if err := c.refreshSchema(); err != nil {
			return nil, "", err
		}
		return c.compile(sql, rights)
	}
	return s, tail, err
}

// compileAnything compiles a statement that no one may run.
func (c *Conn) compileAnything(u *UnsupportedError) (*stmt, error) {
	csql, err := cstring(c.tls, u.SQL)
	if err != nil {
		return nil, err
	}
	defer freeC(c.tls, csql)
	lib.Xsqlite3_set_authorizer(c.tls, c.handle, 0, 0)
	defer lib.Xsqlite3_set_authorizer(c.tls, c.handle, authorizePointer, c.handle)
	s, _, err := c.compileOnce(csql, nil, "", "")
	return s, err
}

// compile compiles the first statement of sql and returns what follows it.
//
// Under narrowed rights it compiles twice. The first time connects virtual
// tables, which read their own tables while they do and must not be asked about
// it. The second time the authorizer decides, and sqlite3_prepare is used, which
// unlike its successors does not compile again, unasked, when the schema changed
// before the statement ran. What read-only rights forbid anyway is left to run.
func (c *Conn) compile(full string, rights *Rights) (*stmt, string, error) {
	sql := skipSpace(full)
	if sql == "" {
		return nil, "", ErrNoStatement
	}
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return nil, "", &Error{Code: lib.SQLITE_ERROR, Message: `unrecognized token: "\0"`, Offset: i}
	}
	if equalFold(firstWord(sql), "vacuum") { // writes files with INTO; the authorizer is not asked in time
		return nil, "", &UnsupportedError{SQL: sql}
	}
	if equalFold(firstWord(sql), "attach") {
		s, err := c.compileAttach(sql, rights)
		return s, "", err
	}
	if a, ok, err := parseAlteration(sql); ok {
		if err != nil {
			return nil, "", err
		}
		s, err := c.compileAlteration(a, rights)
		return s, "", err
	}
	csql, err := cstring(c.tls, translated(sql))
	if err != nil {
		return nil, "", err
	}
	defer freeC(c.tls, csql)
	if rights.narrowed() {
		// By the time that a statement runs the authorizer has decided.
		if err := c.refreshSchema(); err != nil {
			return nil, "", err
		}
	}
	s, n, err := c.compileOnce(csql, nil, "", rights.holder)
	if err == nil && rights.narrowed() && !(rights.readOnly && s.writes) {
		s.finalize()
		s, n, err = c.compileOnce(csql, rights, "", rights.holder)
	}
	if e, ok := err.(*Error); ok {
		if e.Offset >= 0 {
			e.Offset += len(full) - len(sql)
		}
		err = lacks(sql, e)
	}
	if n, ok := err.(*newerFunction); ok {
		err = newerError(full, n.name)
	}
	if err == errUnsupported {
		err = &UnsupportedError{SQL: sql}
	}
	if err != nil {
		return nil, "", err
	}
	return s, sql[n:], nil
}

// newerFunction stands for the error about a function that 3.47 lacks.
type newerFunction struct{ name string }

func (e *newerFunction) Error() string { return "no such function: " + e.name }

// errUnsupported is an UnsupportedError without its SQL.
var errUnsupported = errors.New("unsupported statement")

// compileOnce compiles one statement and says how long it is. With rights the
// authorizer decides by them, else it only watches. An ATTACH has to be of the
// file attaching; the holder of rights may see what was attached for it.
func (c *Conn) compileOnce(csql uintptr, rights *Rights, attaching, holder string) (*stmt, int, error) {
	c.review = review{rights: rights, attaching: attaching, attached: c.attached, holder: holder}
	defer func() { c.review = review{} }()
	out := c.scratch // two pointers: statement, tail
	var rc int32
	if rights != nil {
		rc = lib.Xsqlite3_prepare(c.tls, c.handle, csql, -1, out, out+ptrSize)
	} else {
		rc = lib.Xsqlite3_prepare_v3(c.tls, c.handle, csql, -1, lib.SQLITE_PREPARE_PERSISTENT, out, out+ptrSize)
	}
	if c.review.newer != "" {
		return nil, 0, &newerFunction{c.review.newer}
	}
	if c.review.unsupported {
		return nil, 0, errUnsupported // the authorizer refused it, so there is no statement
	}
	if err := c.lastError(rc); err != nil {
		return nil, 0, err
	}
	pointers := (*[2]uintptr)(pointer(out))
	if pointers[0] == 0 {
		return nil, 0, ErrNoStatement
	}
	s := &stmt{
		conn: c, handle: pointers[0], legacy: rights != nil,
		transaction: c.review.transaction, setsPragma: c.review.setsPragma,
		readOnly: lib.Xsqlite3_stmt_readonly(c.tls, pointers[0]) != 0,
		explain:  lib.Xsqlite3_stmt_isexplain(c.tls, pointers[0]) != 0,
	}
	s.iud, s.insert = c.review.iud && !s.explain, c.review.insert && !s.explain
	s.writes = !s.transaction && (c.review.writePragma || !s.readOnly && !s.explain)
	s.describe()
	return s, int(pointers[1] - csql), nil
}

const ptrSize = unsafe.Sizeof(uintptr(0))

// describe reads columns and parameters.
func (s *stmt) describe() {
	tls := s.conn.tls
	s.columns = make([]Column, lib.Xsqlite3_column_count(tls, s.handle))
	for i := range s.columns {
		s.columns[i] = Column{
			Name:     str(lib.Xsqlite3_column_name(tls, s.handle, int32(i))),
			DeclType: str(lib.Xsqlite3_column_decltype(tls, s.handle, int32(i))),
		}
	}
	s.row = make([]Value, len(s.columns))
	s.params = make([]string, lib.Xsqlite3_bind_parameter_count(tls, s.handle))
	for i := range s.params {
		s.params[i] = str(lib.Xsqlite3_bind_parameter_name(tls, s.handle, int32(i+1)))
	}
	s.counts = s.count()
	s.reprepare = s.status(lib.SQLITE_STMTSTATUS_REPREPARE, 0)
}

// refresh describes the statement again if SQLite compiled it again since, which
// it does when the schema changed: SELECT * may have got another column.
func (s *stmt) refresh() {
	if s.status(lib.SQLITE_STMTSTATUS_REPREPARE, 0) != s.reprepare {
		s.describe()
	}
}

func (s *stmt) status(op, reset int32) int32 {
	return lib.Xsqlite3_stmt_status(s.conn.tls, s.handle, op, reset)
}

// reset ends a run. What it returns is the error of the last step.
func (s *stmt) reset() int32 {
	rc := lib.Xsqlite3_reset(s.conn.tls, s.handle)
	lib.Xsqlite3_clear_bindings(s.conn.tls, s.handle)
	return rc
}

func (s *stmt) finalize() { lib.Xsqlite3_finalize(s.conn.tls, s.handle) }

func (c *Conn) dropStatements() {
	for _, s := range c.stmts {
		s.finalize()
	}
	clear(c.stmts)
}
