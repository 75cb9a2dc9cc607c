package db

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
)

// maxSQL is the most SQL text that is read from a file or standard input. libSQL
// takes 1 MB for one statement; this is for many.
const maxSQL = 64 << 20

// sqlText is the SQL of the command line, of --file or of standard input.
func sqlText(c *cli.Context) (string, error) {
	file, arg := c.String("file"), c.Args().First()
	switch {
	case c.NArg() > 1:
		return "", app.Usage(c, "give one SQL text, in quotes")
	case c.IsSet("file") && c.NArg() > 0:
		return "", app.Usage(c, "--file and SQL on the line exclude each other")
	case file != "":
		return readSQLFile(file)
	case c.IsSet("file"):
		return "", app.Usage(c, "--file is empty")
	case c.NArg() == 1 && arg != "-":
		return arg, nil
	case arg != "-" && app.IsTerminal(c.App.Reader):
		return "", app.Usage(c, "give one SQL text, in quotes, or - for standard input")
	}
	return readSQL("standard input", c.App.Reader)
}

func readSQLFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	defer f.Close()
	return readSQL(name, f)
}

func readSQL(name string, from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxSQL+1))
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return "", fmt.Errorf("read SQL: %w", err)
	case err != nil:
		return "", fmt.Errorf("read SQL from %s: %w", name, err)
	case len(text) > maxSQL:
		return "", fmt.Errorf("read SQL from %s: it is larger than %d MiB", name, maxSQL>>20)
	}
	return string(text), nil
}
