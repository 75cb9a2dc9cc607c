package sqlite

import (
	"slices"
	"strings"
)

// words follows the tokens of one statement and keeps what classifying it
// needs: the leading words, and the first data word outside parentheses after
// WITH.
type words struct {
	lead    [3]string // leading words in upper case, up to the first other token
	leads   int
	closed  bool // a token other than a word was met
	explain bool // EXPLAIN [QUERY PLAN] came before the leading words
	depth   int
	with    string // SELECT, VALUES, INSERT, REPLACE, UPDATE or DELETE after WITH
	to      bool   // the word TO, which makes ROLLBACK stay in the transaction
	written bool   // PRAGMA with a value
	nested  bool   // something in parentheses
	trigger triggerState
	// returning: the word RETURNING outside parentheses.
	returning bool
}

// triggerState finds the end of CREATE TRIGGER: ; END ;
type triggerState uint8

const (
	noTrigger triggerState = iota
	inTrigger
	afterSemi
	afterEnd
)

func (w *words) add(t token, text string) {
	switch {
	case t == tokenOpen:
		w.depth++
		w.nested = true
	case t == tokenClose:
		w.depth--
	case t == tokenOther && text == "=":
		w.written = true
	}
	isEnd := t == tokenWord && strings.EqualFold(text, "END")
	switch {
	case w.trigger == afterSemi && isEnd:
		w.trigger = afterEnd
	case w.trigger != noTrigger:
		w.trigger = inTrigger
	}
	if t != tokenWord {
		w.closed = true
		return
	}
	if !w.closed && w.leads < len(w.lead) {
		w.addLead(strings.ToUpper(text))
	}
	if w.depth == 0 && w.with == "" && w.lead[0] == "WITH" {
		switch word := strings.ToUpper(text); word {
		case "SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE":
			w.with = word
		}
	}
	w.to = w.to || strings.EqualFold(text, "TO")
	w.returning = w.returning || w.depth == 0 && strings.EqualFold(text, "RETURNING")
}

func (w *words) addLead(word string) {
	if w.leads == 0 && (word == "EXPLAIN" || w.explain && (word == "QUERY" || word == "PLAN")) {
		w.explain = true
		return
	}
	w.lead[w.leads] = word
	w.leads++
	if w.isTrigger() {
		w.trigger = inTrigger
	}
}

// isTrigger reports CREATE [TEMP|TEMPORARY] TRIGGER.
func (w *words) isTrigger() bool {
	if w.lead[0] != "CREATE" {
		return false
	}
	return w.leads == 2 && w.lead[1] == "TRIGGER" ||
		w.leads == 3 && w.lead[2] == "TRIGGER" && (w.lead[1] == "TEMP" || w.lead[1] == "TEMPORARY")
}

// ends reports whether a ; here ends the statement; semi reports one that
// does not.
func (w *words) ends() bool { return w.trigger == noTrigger || w.trigger == afterEnd }
func (w *words) semi()      { w.trigger = afterSemi }

func (w *words) verb() Verb {
	if w.explain && w.lead[0] != "PRAGMA" { // some pragmas act even when explained
		return Read
	}
	switch w.lead[0] {
	case "SELECT", "VALUES":
		return Read
	case "WITH":
		if w.with == "SELECT" || w.with == "VALUES" {
			return Read
		}
	case "PRAGMA":
		if !w.written && readPragmas[w.lead[1]] {
			return Read
		}
	case "BEGIN", "SAVEPOINT":
		return Begin
	case "COMMIT", "END":
		return Commit
	case "ROLLBACK":
		if !w.to {
			return Rollback
		}
	}
	return Write
}

// results reports what a statement leaves: rows to read, and a number of rows that it
// changed.
func (w *words) results() (rows, changes bool) {
	first := w.lead[0]
	if first == "WITH" {
		first = w.with
	}
	switch {
	case w.explain:
		return true, false
	case first == "INSERT", first == "REPLACE", first == "UPDATE", first == "DELETE":
		return w.returning, true
	}
	return !rowless[first], false
}

// rowless statements have neither.
var rowless = map[string]bool{
	"ALTER": true, "ANALYZE": true, "ATTACH": true, "BEGIN": true, "COMMIT": true, "CREATE": true,
	"DETACH": true, "DROP": true, "END": true, "REINDEX": true, "RELEASE": true, "ROLLBACK": true,
	"SAVEPOINT": true, "VACUUM": true,
}

// setting returns the name of the PRAGMA that a statement sets for its connection, or "".
func (w *words) setting() string {
	if name := w.lead[1]; w.lead[0] == "PRAGMA" && (w.written || w.nested) && settingPragmas[name] {
		return name
	}
	return ""
}

// settingPragmas hold for a connection, until it ends. The others change the database,
// or hold for a transaction.
var settingPragmas = map[string]bool{
	"ANALYSIS_LIMIT": true, "AUTOMATIC_INDEX": true, "BUSY_TIMEOUT": true, "CACHE_SIZE": true, "CACHE_SPILL": true,
	"CASE_SENSITIVE_LIKE": true, "CELL_SIZE_CHECK": true, "FOREIGN_KEYS": true, "IGNORE_CHECK_CONSTRAINTS": true,
	"LEGACY_ALTER_TABLE": true, "MMAP_SIZE": true, "QUERY_ONLY": true, "READ_UNCOMMITTED": true,
	"RECURSIVE_TRIGGERS": true, "REVERSE_UNORDERED_SELECTS": true, "SECURE_DELETE": true, "SYNCHRONOUS": true,
	"TEMP_STORE": true, "THREADS": true, "TRUSTED_SCHEMA": true,
}

// readPragmas only read, with or without an argument in parentheses.
var readPragmas = map[string]bool{
	"COLLATION_LIST": true, "COMPILE_OPTIONS": true, "DATABASE_LIST": true,
	"FOREIGN_KEY_CHECK": true, "FOREIGN_KEY_LIST": true, "FREELIST_COUNT": true,
	"FUNCTION_LIST": true, "INDEX_INFO": true, "INDEX_LIST": true, "INDEX_XINFO": true,
	"INTEGRITY_CHECK": true, "MODULE_LIST": true, "PAGE_COUNT": true, "PRAGMA_LIST": true,
	"QUICK_CHECK": true, "TABLE_INFO": true, "TABLE_LIST": true, "TABLE_XINFO": true,
}

// OnlyRead reports that all statements certainly change nothing.
func OnlyRead(stmts []Statement) bool {
	return !slices.ContainsFunc(stmts, func(s Statement) bool { return s.Verb != Read })
}
