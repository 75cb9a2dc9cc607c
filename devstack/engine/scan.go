package engine

import "strings"

// skipSpace returns sql from its first token on: without leading white space, byte
// order marks, comments and empty statements. An unterminated comment reaches to the end, as
// it does in SQLite.
func skipSpace(sql string) string {
	for sql != "" {
		switch {
		case strings.IndexByte(" \t\n\f\r;", sql[0]) >= 0:
			sql = sql[1:]
		case strings.HasPrefix(sql, "\uFEFF"):
			sql = sql[len("\uFEFF"):]
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, _ = strings.Cut(sql[2:], "*/")
		default:
			return sql
		}
	}
	return ""
}

// firstWord returns the letters that sql starts with.
func firstWord(sql string) string {
	i := 0
	for i < len(sql) && 'a' <= lower(sql[i]) && lower(sql[i]) <= 'z' {
		i++
	}
	return sql[:i]
}
