package engine

import (
	"strings"
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// review holds what SQLite's authorizer sees and decides while a statement is
// compiled.
type review struct {
	rights *Rights // nil: only what Turso refuses to everyone is refused

	attaching   string            // file that may be attached
	attached    map[string]string // as of the connection
	holder      string            // of the rights
	unsupported bool              // refused whatever the rights
	transaction bool              // BEGIN, COMMIT, SAVEPOINT and the like
	insert, iud bool              // writes rows by itself, not only through a trigger
	writePragma bool
	setsPragma  bool     // changes the state of the connection
	newer       string   // function that libSQL's SQLite lacks
	loading     bool     // a dump: all is allowed but other files
	ddl         []string // tables that the statement creates, alters or drops
}

// connections finds the Conn of a database handle in a callback from C.
var connections sync.Map // uintptr -> *Conn

func authorize(_ *libc.TLS, handle uintptr, action int32, p1, p2, database, accessor uintptr) int32 {
	v, ok := connections.Load(handle)
	if !ok {
		return lib.SQLITE_DENY
	}
	r := &v.(*Conn).review
	if r.loading {
		if action == lib.SQLITE_ATTACH || action == lib.SQLITE_DETACH {
			return lib.SQLITE_DENY
		}
		return lib.SQLITE_OK
	}
	if action == lib.SQLITE_ALTER_TABLE {
		database = p1
	}
	allowed := false
	if name := str(database); name != "" && !equalFold(name, "main") && !equalFold(name, "temp") {
		allowed = r.allowAttached(action, p1, strings.ToLower(name))
	} else {
		allowed = r.allow(action, p1, p2, accessor)
	}
	if !allowed {
		return lib.SQLITE_DENY
	}
	return lib.SQLITE_OK
}

var authorizePointer = funcPointer(authorize)

// allowAttached decides about an action in an attached database: reading, by whom
// it was attached for.
func (r *review) allowAttached(action int32, p1 uintptr, alias string) bool {
	holder, ok := r.attached[alias]
	if !ok || holder != r.holder {
		return false
	}
	switch action {
	case lib.SQLITE_READ:
		return !equalFold(str(p1), rawPages)
	case lib.SQLITE_PRAGMA:
		return classifyPragma(str(p1), false) == pragmaRead
	}
	return action == lib.SQLITE_SELECT
}

// allow decides about one action in the database itself. It also runs, with the same
// refusals, while a statement runs: virtual tables and table-valued pragmas compile
// statements of their own then.
func (r *review) allow(action int32, p1, p2, accessor uintptr) bool {
	switch action {
	case lib.SQLITE_READ:
		if equalFold(str(p1), rawPages) {
			r.unsupported = true
			return false
		}
		return r.rows(DataRead, p1)
	case lib.SQLITE_FUNCTION:
		if name := strings.ToLower(str(p2)); newer[name] {
			r.newer = name
			return false
		}
		return true
	case lib.SQLITE_SELECT, lib.SQLITE_RECURSIVE:
		return true
	case lib.SQLITE_INSERT:
		return r.writes(DataAdd, p1, accessor)
	case lib.SQLITE_UPDATE:
		return r.writes(DataUpdate, p1, accessor)
	case lib.SQLITE_DELETE:
		return r.writes(DataDelete, p1, accessor)
	case lib.SQLITE_TRANSACTION, lib.SQLITE_SAVEPOINT:
		r.transaction = true
		return true
	case lib.SQLITE_PRAGMA:
		return r.pragma(str(p1), p2 != 0)
	case lib.SQLITE_CREATE_TABLE, lib.SQLITE_CREATE_VIEW:
		return r.schema(SchemaAdd, p1)
	case lib.SQLITE_CREATE_VTABLE:
		return r.virtualTable(p1, str(p2))
	case lib.SQLITE_CREATE_INDEX, lib.SQLITE_CREATE_TRIGGER:
		return r.schema(SchemaAdd, p2)
	case lib.SQLITE_DROP_TABLE, lib.SQLITE_DROP_VTABLE, lib.SQLITE_DROP_VIEW:
		return r.schema(SchemaDelete, p1)
	case lib.SQLITE_DROP_INDEX, lib.SQLITE_DROP_TRIGGER:
		return r.schema(SchemaDelete, p2)
	case lib.SQLITE_ALTER_TABLE:
		return r.schema(SchemaUpdate, p2)
	case lib.SQLITE_REINDEX:
		return len(r.ddl) > 0 || r.schema(SchemaUpdate, 0)
	}
	if action == lib.SQLITE_ATTACH && r.attaching != "" && str(p1) == r.attaching || action == lib.SQLITE_DETACH {
		r.transaction = true // neither reads nor writes
		return true
	}
	// Temporary objects, ANALYZE, ATTACH by who may not: Turso has none of them.
	r.unsupported = true
	return false
}

// rows decides about an action on the rows of a table. The schema table may be
// read by everyone; SQLite itself keeps it from being written.
func (r *review) rows(a Action, table uintptr) bool {
	if r.rights == nil || !r.rights.narrowed() {
		return true
	}
	name := str(table)
	if isSchemaTable(name) || a == DataRead && hasSQLitePrefix(name) {
		return true
	}
	for _, t := range r.ddl {
		if equalFold(t, name) || hasSQLitePrefix(name) {
			return true
		}
	}
	return r.rights.allow(a, name)
}

func (r *review) writes(a Action, table, accessor uintptr) bool {
	if accessor == 0 && len(r.ddl) == 0 && !isSchemaTable(str(table)) {
		r.iud = true
		r.insert = r.insert || a == DataAdd
	}
	return r.rows(a, table)
}

func (r *review) schema(a Action, table uintptr) bool {
	name := str(table)
	r.ddl = append(r.ddl, name)
	return r.rights == nil || !r.rights.narrowed() || r.rights.allow(a, name)
}

// rawPages is the virtual table through which SQLite shows the pages of the file,
// and with them everything.
const rawPages = "sqlite_dbpage"

// virtualTable decides about a new virtual table. It may show what is in others,
// as one of fts5 with the option content does, without asking when it is read.
func (r *review) virtualTable(table uintptr, module string) bool {
	if equalFold(module, rawPages) {
		r.unsupported = true
		return false
	}
	return r.schema(SchemaAdd, table) && (r.rights == nil || r.rights.ReadsAll())
}

func (r *review) pragma(name string, hasArg bool) bool {
	kind := classifyPragma(name, hasArg)
	switch {
	case kind == pragmaRefused:
		r.unsupported = true
		return false
	case kind == pragmaWrite:
		r.writePragma = true
		r.setsPragma = r.setsPragma || hasArg
	}
	if hasArg && equalFold(name, "user_version") {
		return r.rights == nil || !r.rights.narrowed() || r.rights.allow(SchemaUpdate, "")
	}
	return true
}

func hasSQLitePrefix(name string) bool {
	return len(name) >= 7 && equalFold(name[:7], "sqlite_")
}

func isSchemaTable(name string) bool {
	return strings.EqualFold(name, "sqlite_master") || strings.EqualFold(name, "sqlite_schema")
}
