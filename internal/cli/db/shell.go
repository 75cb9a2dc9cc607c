package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/sqlite"
	"github.com/zen-auth/zen/internal/terminal"
)

func dbShellCommand() *cli.Command {
	return &cli.Command{
		Name:  "shell",
		Usage: "run SQL interactively",
		Description: `A statement may have several lines, and ends with a semicolon; .help lists the shell's
own commands. Ctrl-C cancels the running statement, or the input, and Ctrl-D quits. The
shell keeps one connection, so BEGIN works across statements: * in the prompt means
that a transaction is open.

The arrow keys and Ctrl-R find earlier statements, which are stored in a private file.
Statements that begin with a space, or that may contain a secret, are not stored.

If standard input is not a terminal, its statements are run until one fails.`,
		Flags: append(append(query.DatabaseFlags(), query.ModeFlags()...),
			&cli.StringFlag{Name: "format", Usage: "print rows as `FORMAT`: table, csv, line or json", Value: "table"},
			query.CreateFlag(),
			&cli.BoolFlag{Name: "timing", Usage: "print how long each statement took"},
		),
		Action: dbShell,
	}
}

func dbShell(c *cli.Context) error {
	format, err := query.Format(c)
	if err != nil {
		return err
	}
	return withDatabase(c, func(d database) error {
		sh := &shell{Runner: query.NewRunner(c, d.conn, format), c: c, conn: d.conn, name: databaseName(d.target)}
		sh.Timing = c.Bool("timing")
		if c.App.Reader != os.Stdin || !terminal.Is(c.App.Reader) || !terminal.Is(c.App.Writer) {
			in, err := app.Input(c.Context, c.App.Reader, "-")
			if err != nil {
				return err
			}
			defer in.Close()
			return sh.Ended(sh.run(c.Context, plainLines(in)))
		}
		err := app.Slowly(c, "waiting for the database", func() error { return d.conn.PingContext(c.Context) })
		if err != nil {
			return libsql.Explain(err)
		}
		fmt.Fprintf(app.Notes(c), "%s (.help for help, Ctrl-D to leave)\n", app.OneLine(d.target))
		var h *history
		if d.client != nil {
			h = newHistory(d.client.Config.Paths.StateDir)
		}
		return sh.interact(h)
	})
}

// shell reads statements and runs them.
type shell struct {
	*query.Runner
	c    *cli.Context
	conn *sql.Conn
	name string

	terminal bool
	history  *history
	pending  string // what has been typed of a statement
	line     int    // of the input, where pending begins; from 1, always 1 on a terminal
	quit     bool
}

// lines is the input of a shell.
type lines interface {
	// next returns a line without its end, io.EOF after the last one, and
	// errInterrupted for a line that Ctrl-C took back.
	next(prompt string) (string, error)
	// waits reports that next may wait for input.
	waits() bool
}

var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// run runs what it reads, until the end, .quit, or a failure that no person sees.
func (sh *shell) run(ctx context.Context, in lines) error {
	for number := 1; !sh.quit; number++ {
		if in.waits() { // the writer may wait for the answer to what was written so far
			if err := sh.Flush(ctx); err != nil {
				return err
			}
		}
		line, err := in.next(sh.prompt())
		switch {
		case errors.Is(err, errInterrupted):
			sh.pending = ""
			continue
		case err == io.EOF && !sh.terminal:
			if err := sh.complete(ctx, true); err != nil {
				return err
			}
			return sh.Flush(ctx)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if sh.pending == "" && !sh.terminal {
			sh.line = number
		}
		if err := sh.take(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

// words are the words that people type to leave, or for help, without the dot. None means SQL.
var words = map[string]string{"exit": ".quit", "quit": ".quit", "help": ".help"}

// take adds a line, and runs what is complete by it. On a terminal a failure is told.
func (sh *shell) take(ctx context.Context, line string) error {
	var err error
	command := strings.TrimSpace(line)
	if dotted := words[strings.ToLower(strings.TrimRight(command, "; "))]; sh.pending == "" && dotted != "" {
		command = dotted
	}
	if sh.pending == "" && strings.HasPrefix(command, ".") {
		if err = sh.Flush(ctx); err == nil {
			err = sh.dot(ctx, command)
		}
	} else {
		sh.pending += line + "\n"
		if strings.Contains(line, ";") || len(sh.pending) < 4<<10 { // not over and over for a long one
			err = sh.complete(ctx, false)
		}
	}
	if err == nil || !sh.terminal {
		return err
	}
	sh.pending = ""
	sh.tell(err)
	return nil
}

// complete runs the statements that a semicolon ends, and at the end of the input the
// last one without.
func (sh *shell) complete(ctx context.Context, end bool) error {
	text, at := sh.pending, 0
	for {
		from, to, next, complete := sqlite.Cut(text[at:])
		statement := text[at+from : at+to]
		if !complete && (!end || statement == "") {
			break
		}
		if statement != "" {
			sh.history.keep(strings.HasPrefix(text, " "), statement)
			begins, line := at+from, sh.line
			place := func(err error) error {
				if err == nil {
					return nil
				}
				return sh.placed(err, line, text, begins, statement)
			}
			var err error
			if sh.terminal {
				err = place(sh.execute(ctx, statement))
			} else {
				err = sh.Runner.Take(ctx, statement, place)
			}
			if err != nil {
				return err
			}
		}
		at += next
	}
	rest := text[at:]
	if from, to, _, _ := sqlite.Cut(rest); from == to && !strings.Contains(rest, "/*") {
		rest = ""
	}
	if !sh.terminal {
		sh.line += strings.Count(text[:len(text)-len(rest)], "\n")
	}
	sh.pending = rest
	return nil
}

// placed shows where an error is, or at least in which line of the input its statement
// begins.
func (sh *shell) placed(err error, line int, text string, from int, statement string) error {
	err = query.Placed(err, strings.Repeat("\n", line-1)+text, line-1+from, statement)
	if shown := (*query.PlacedError)(nil); sh.terminal || errors.As(err, &shown) {
		return err
	}
	return fmt.Errorf("line %d: %w", line+strings.Count(text[:from], "\n"), err)
}

// execute runs a statement that was typed, and that Ctrl-C cancels.
func (sh *shell) execute(ctx context.Context, statement string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return sh.Statement(ctx, statement, nil)
}

// tell reports a failure and goes on. A transaction that was lost is over then.
func (sh *shell) tell(err error) {
	stderr := sh.c.App.ErrWriter
	code := app.ExitOther
	if errors.Is(err, context.Canceled) {
		code = app.ExitInterrupted
	}
	app.ReportError(stderr, err, code)
	if open, lost := hrana.Transaction(sh.conn); open && lost != nil {
		_, _ = sh.conn.ExecContext(context.Background(), "ROLLBACK") // sends nothing: it is lost already
		fmt.Fprintln(stderr, "zen: the transaction is lost, and rolled back")
	}
}

// prompt shows a transaction, and whether a statement is going on.
func (sh *shell) prompt() string {
	prompt := sh.name + "> "
	if open, _ := hrana.Transaction(sh.conn); open {
		prompt = sh.name + "*> "
	}
	if sh.pending != "" {
		return strings.Repeat(" ", max(0, len(prompt)-len("...> "))) + "...> "
	}
	return prompt
}

// interact is run for a person. An interrupt is one statement's, so that the
// program's own context, which the first one ends, doesn't count; SIGTERM ends the
// shell.
func (sh *shell) interact(h *history) error {
	sh.terminal, sh.history, sh.line = true, h, 1
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	defer signal.Stop(terminated)
	in := newEditor(h, terminated, (&completer{conn: sh.conn}).complete)
	defer in.close()
	err := sh.run(context.WithoutCancel(sh.c.Context), in)
	if errors.Is(err, errTerminated) {
		<-sh.c.Context.Done() // the same signal's
	}
	return errors.Join(sh.Ended(err), h.close())
}
