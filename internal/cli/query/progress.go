package query

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/terminal"
)

// Progress shows on a terminal, once a second, how many rows have gone elsewhere.
type Progress struct {
	out  io.Writer // nil discards it
	next time.Time
	told bool
}

// NewProgress shows the rows that arrive. The program that they go to is told nothing.
func NewProgress(c *cli.Context) *Progress {
	if terminal.Is(c.App.Writer) {
		return &Progress{}
	}
	return NewImportProgress(c)
}

// NewImportProgress shows the rows that are sent.
func NewImportProgress(c *cli.Context) *Progress {
	p := &Progress{next: time.Now().Add(time.Second)}
	if out := app.Notes(c); terminal.Is(out) {
		p.out = out
	}
	return p
}

// Tell is called for each row; only every thousandth looks at the clock.
func (p *Progress) Tell(n int64) {
	if p.out != nil && n%1000 == 0 {
		p.TellNow(n)
	}
}

// TellNow is Tell for what doesn't come row by row.
func (p *Progress) TellNow(n int64) {
	if p.out == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.told = p.next.Add(time.Second), true
	fmt.Fprintf(p.out, "\rzen: %d rows...", n)
}

// Clear takes the line away.
func (p *Progress) Clear() {
	if p.told {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
