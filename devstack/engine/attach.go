package engine

import (
	"context"
	"strings"
)

// attachment is an ATTACH statement in Turso's form: of a database by its name, not of a
// file.
type attachment struct{ name, alias string }

// parseAttach takes ATTACH [DATABASE] name AS alias apart. Both may be quoted.
func parseAttach(sql string) (a attachment, ok bool) {
	word := firstWord(sql)
	if !equalFold(word, "attach") {
		return a, false
	}
	rest := skipSpace(sql[len(word):])
	if word = firstWord(rest); equalFold(word, "database") {
		rest = skipSpace(rest[len(word):])
	}
	if a.name, rest, ok = cutName(rest); !ok {
		return a, false
	}
	rest = skipSpace(rest)
	if word = firstWord(rest); !equalFold(word, "as") {
		return a, false
	}
	if a.alias, rest, ok = cutName(skipSpace(rest[len(word):])); !ok {
		return a, false
	}
	return a, skipSpace(rest) == ""
}

// cutName cuts a name off: in quotes of any kind, or of letters, digits, hyphens
// and underscores.
func cutName(sql string) (name, rest string, ok bool) {
	if sql == "" {
		return "", "", false
	}
	if i := strings.IndexByte("\"'`", sql[0]); i >= 0 {
		name, rest, ok = strings.Cut(sql[1:], sql[:1])
		return name, rest, ok && name != ""
	}
	i := 0
	for i < len(sql) && (sql[i] == '_' || sql[i] == '-' || '0' <= sql[i] && sql[i] <= '9' || 'a' <= lower(sql[i]) && lower(sql[i]) <= 'z') {
		i++
	}
	return sql[:i], sql[i:], i > 0
}

// compileAttach compiles an ATTACH of the file of the database that is named.
func (c *Conn) compileAttach(sql string, rights *Rights) (*stmt, error) {
	a, ok := parseAttach(sql)
	if !ok || rights.attach == nil || equalFold(a.alias, "main") || equalFold(a.alias, "temp") {
		return nil, &UnsupportedError{SQL: sql}
	}
	db, err := rights.attach(a.name)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(context.Background()) // so that there is a file
	if err != nil {
		return nil, err
	}
	conn.Close()
	text, err := cstring(c.tls, "ATTACH "+literal(Value{Kind: Text, Bytes: []byte(db.path)})+" AS "+quote(a.alias))
	if err != nil {
		return nil, err
	}
	defer freeC(c.tls, text)
	s, _, err := c.compileOnce(text, nil, db.path, rights.holder)
	if err != nil {
		return nil, err
	}
	s.attaches = strings.ToLower(a.alias)
	return s, nil
}
