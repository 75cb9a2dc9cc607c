package query

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/terminal"
)

// maxSQL is the most SQL text that is read from a file or standard input. libSQL
// takes 1 MB for one statement; this is for many.
const maxSQL = 64 << 20

// sqlText returns the SQL of the command line, of --file or of standard input.
func sqlText(c *cli.Context) (string, error) {
	file, arg := c.String("file"), c.Args().First()
	switch {
	case c.NArg() > 1:
		return "", app.Usage(c, "give one SQL text, in quotes")
	case c.IsSet("file") && c.NArg() > 0:
		return "", app.Usage(c, "--file and SQL on the line exclude each other")
	case file != "":
		return ReadSQL(c, file, file)
	case c.IsSet("file"):
		return "", app.Usage(c, "--file is empty")
	case c.NArg() == 1 && arg != "-":
		return arg, nil
	case arg != "-" && terminal.Is(c.App.Reader):
		return "", app.Usage(c, "give one SQL text, in quotes, or - for standard input")
	}
	return ReadSQL(c, "standard input", "-")
}

// ReadSQL reads SQL from a file, or for - from standard input; name is what errors call it.
func ReadSQL(c *cli.Context, name, file string) (string, error) {
	from, err := app.Input(c.Context, c.App.Reader, file)
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, maxSQL+1))
	var failed *fs.PathError
	switch {
	case errors.As(err, &failed):
		return "", fmt.Errorf("read SQL: %w", err)
	case err != nil:
		return "", fmt.Errorf("read SQL from %s: %w", name, err)
	case len(text) > maxSQL:
		return "", fmt.Errorf("read SQL from %s: it is larger than %d MiB", name, maxSQL>>20)
	}
	return string(text), nil
}
