package engine

import (
	"encoding/json"
	"slices"
)

// Action is something that a [Permission] allows, by the name that Turso's tokens use.
type Action string

// The actions of a fine-grained permission.
const (
	DataRead     Action = "data_read"
	DataAdd      Action = "data_add"
	DataUpdate   Action = "data_update"
	DataDelete   Action = "data_delete"
	SchemaAdd    Action = "schema_add"
	SchemaUpdate Action = "schema_update"
	SchemaDelete Action = "schema_delete"
)

// Permission allows some actions on some tables, or on all if Tables is nil.
type Permission struct {
	Tables  []string `json:"t"`
	Actions []Action `json:"a"`
}

// Rights say what a statement may do. They are immutable and may be shared.
type Rights struct {
	readOnly bool
	perms    []Permission
	key      string // equal for equal rights: statements are cached by it

	writeRefusal, readRefusal error

	attach func(name string) (*DB, error) // nil: nothing may be attached
	holder string                         // equal for rights that may attach the same
}

// FullAccess allows everything that the engine runs.
var FullAccess = NewRights(false, nil)

// NewRights returns rights to read only, or to read and write, narrowed to the
// permissions if there are any.
func NewRights(readOnly bool, perms []Permission) *Rights {
	r := &Rights{readOnly: readOnly, perms: slices.Clone(perms), writeRefusal: ErrBlocked}
	if len(perms) > 0 {
		b, err := json.Marshal(perms)
		if err != nil {
			panic(err) // strings only: cannot fail
		}
		r.key = string(b)
	}
	if readOnly {
		r.key = "ro" + r.key
	}
	return r
}

// Refusing returns rights to read only, with the error that a write gets instead
// of [ErrBlocked]. With an error for reads, these are refused as well.
func (r *Rights) Refusing(write, read error) *Rights {
	refusing := *r
	if !r.readOnly {
		refusing.readOnly, refusing.key = true, "ro"+r.key
	}
	refusing.writeRefusal, refusing.readRefusal = write, read
	return &refusing
}

// Attaching returns rights with which databases can be attached, for reading. The
// function finds a database by the name in the statement, or refuses; it is called
// concurrently. What was attached is out of reach of a holder of another name.
func (r *Rights) Attaching(holder string, find func(name string) (*DB, error)) *Rights {
	attaching := *r
	attaching.attach, attaching.holder = find, holder
	attaching.key += "\x00" + holder
	return &attaching
}

// refuse returns the error for a statement, if it is to be refused as a whole.
func (r *Rights) refuse(s *stmt) error {
	switch {
	case s.writes && r.readOnly:
		return r.writeRefusal
	case !s.transaction:
		return r.readRefusal
	}
	return nil
}

// ReadsAll reports whether all tables may be read, and WritesAll whether nothing is
// refused: who copies pages has to be allowed that much.
func (r *Rights) ReadsAll() bool {
	return r.readRefusal == nil && (!r.narrowed() || r.allowAll(DataRead))
}

// WritesAll is described at [Rights.ReadsAll].
func (r *Rights) WritesAll() bool {
	if r.readOnly {
		return false
	}
	for _, a := range []Action{DataRead, DataAdd, DataUpdate, DataDelete, SchemaAdd, SchemaUpdate, SchemaDelete} {
		if r.narrowed() && !r.allowAll(a) {
			return false
		}
	}
	return true
}

// allowAll reports whether the action is allowed on whatever table.
func (r *Rights) allowAll(a Action) bool {
	return slices.ContainsFunc(r.perms, func(p Permission) bool { return p.Tables == nil && slices.Contains(p.Actions, a) })
}

// narrowed reports whether tables and actions have to be looked at one by one.
func (r *Rights) narrowed() bool { return len(r.perms) > 0 }

// allow reports whether the action is allowed on the table. Names are compared
// as SQLite does, without regard to ASCII case.
func (r *Rights) allow(a Action, table string) bool {
	for _, p := range r.perms {
		if slices.Contains(p.Actions, a) &&
			(p.Tables == nil || slices.ContainsFunc(p.Tables, func(t string) bool { return equalFold(t, table) })) {
			return true
		}
	}
	return false
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
