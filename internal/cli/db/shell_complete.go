package db

import (
	"context"
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zen-auth/zen/internal/text"
)

// completer knows the names of tables and columns, and the shell's own commands. It is
// asked while the user types, when nothing else uses the connection.
type completer struct {
	conn  *sql.Conn
	names []string
	asked time.Time
}

const (
	// completeTimeout limits how long a Tab waits for the database.
	completeTimeout = 2 * time.Second
	// namesAge limits the age of the names that are used without asking again.
	namesAge = 10 * time.Second
)

// complete is liner's: it completes the word that ends at the rune pos of a line.
func (c *completer) complete(line string, pos int) (head string, found []string, tail string) {
	runes := []rune(line)
	before, tail := string(runes[:pos]), string(runes[pos:])
	begins := strings.LastIndexFunc(before, func(r rune) bool { return strings.ContainsRune(" \t\"'`[(),;=<>.+-*/|", r) }) + 1
	head, word := before[:begins], before[begins:]
	if strings.HasPrefix(before, ".") && begins == 1 {
		head, word = "", before
		for line := range strings.Lines(shellHelp) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(name, word) {
				found = append(found, name+" ")
			}
		}
		return head, found, tail
	}
	if word == "" {
		return head, nil, tail
	}
	for _, name := range c.known() {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			found = append(found, name)
		}
	}
	return head, found, tail
}

// known returns the names, which a failure leaves as they were: the line that is being
// typed will tell.
func (c *completer) known() []string {
	if time.Since(c.asked) < namesAge {
		return c.names
	}
	c.asked = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), completeTimeout)
	defer cancel()
	rows, err := c.conn.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
		UNION SELECT p.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS p WHERE s.type IN ('table', 'view') ORDER BY 1`)
	if err != nil {
		return c.names
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) != nil {
			return c.names
		}
		if utf8.ValidString(name) && !strings.ContainsFunc(name, text.Draws) {
			names = append(names, name)
		}
	}
	if rows.Err() == nil {
		c.names = names
	}
	return c.names
}
