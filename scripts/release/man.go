package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
)

// manPages are zen(1) and a page for each command, by their file names. help is what zen
// --help-json says: a page says what the commands say.
func manPages(help []byte, version string, made time.Time) (map[string]string, error) {
	var zen app.HelpDocument
	if err := json.Unmarshal(help, &zen); err != nil {
		return nil, fmt.Errorf("zen --help-json: %w", err)
	}
	head := func(name, usage string) *page {
		p := new(page)
		p.request("TH", strings.ToUpper(name), "1", made.Format(time.DateOnly), "zen "+version, "zen")
		p.request("SH", "NAME")
		p.text(name + ` \- ` + roff(usage))
		p.request("SH", "SYNOPSIS")
		return p
	}
	pages := make(map[string]string)
	all := head("zen", zen.Usage)
	all.text(`\fBzen\fR [options] \fIcommand\fR`)
	all.request("SH", "DESCRIPTION")
	all.prose(zen.Description)
	all.request("SH", "COMMANDS")
	for _, c := range zen.Commands {
		all.entry(`\fBzen\-`+roff(c.Name)+`\fR(1)`, c.Usage)
		p := head("zen-"+c.Name, c.Usage)
		for i, line := range synopsis("zen", c) {
			if i > 0 {
				p.request("br")
			}
			p.text(line)
		}
		p.command("zen "+c.Name, c)
		p.request("SH", "SEE ALSO")
		p.text(`\fBzen\fR(1), whose options stand before or after any command`)
		pages["zen-"+c.Name+".1"] = p.String()
	}
	all.flags("OPTIONS", zen.Flags)
	pages["zen.1"] = all.String()
	return pages, nil
}

// page is a manual page in man(7).
type page struct{ strings.Builder }

// request writes a line that starts with a macro.
func (p *page) request(macro string, args ...string) {
	p.WriteString("." + macro)
	for _, arg := range args {
		p.WriteString(` "` + strings.NewReplacer(`\\`, `\e`, `"`, `""`).Replace(arg) + `"`)
	}
	p.WriteByte('\n')
}

// text writes a line of roff as it is.
func (p *page) text(line string) {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = `\&` + line
	}
	p.WriteString(line + "\n")
}

// prose is text of a command's. Indented lines stay as they are, and so does a paragraph of
// commands.
func (p *page) prose(s string) {
	for i, paragraph := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			p.request("PP")
		}
		lines := strings.Split(paragraph, "\n")
		commands := !slices.ContainsFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "zen ") })
		literal := false
		for _, line := range lines {
			if as := commands || strings.HasPrefix(line, " "); as != literal {
				p.request(map[bool]string{true: "nf", false: "fi"}[as])
				literal = as
			}
			p.text(roff(line))
		}
		if literal {
			p.request("fi")
		}
	}
}

// entry writes a name and its description.
func (p *page) entry(name, says string) {
	p.request("TP")
	p.text(name)
	p.text(roff(says))
}

// synopsis has a line for each command that does something by itself.
func synopsis(path string, c app.HelpCommand) (lines []string) {
	path += " " + c.Name
	if len(c.Commands) == 0 {
		line := `\fB` + roff(path) + `\fR`
		if len(c.Flags) > 0 {
			line += " [options]"
		}
		if c.Arguments != "" {
			line += ` \fI` + roff(c.Arguments) + `\fR`
		}
		return []string{line}
	}
	for _, sub := range c.Commands {
		lines = append(lines, synopsis(path, sub)...)
	}
	return lines
}

// command writes the help of c and of its own commands.
func (p *page) command(path string, c app.HelpCommand) {
	p.request("SH", strings.ToUpper(path))
	p.prose(cmp.Or(c.Description, c.Usage))
	if len(c.Aliases) > 0 {
		p.request("PP")
		p.text("Also: " + roff(strings.Join(c.Aliases, ", ")))
	}
	p.flags("", c.Flags)
	for _, sub := range c.Commands {
		p.command(path+" "+sub.Name, sub)
	}
}

// flags lists flags, below a heading if there is one.
func (p *page) flags(heading string, flags []app.HelpFlag) {
	if heading != "" && len(flags) > 0 {
		p.request("SH", heading)
	}
	for _, f := range flags {
		var names []string
		for _, name := range append([]string{f.Name}, f.Aliases...) {
			dashes := "--"
			if len(name) == 1 {
				dashes = "-"
			}
			names = append(names, `\fB`+roff(dashes+name)+`\fR`)
		}
		name := strings.Join(names, ", ")
		if f.Type != "bool" {
			name += ` \fI` + roff(cmp.Or(f.Value, f.Type)) + `\fR`
		}
		says := f.Usage
		if f.Default != "" {
			says += " (default: " + f.Default + ")"
		}
		p.entry(name, says)
	}
}

// roff is text that roff prints as it is.
func roff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// helpOf returns the help of the zen of the checkout in dir, built for this machine.
func helpOf(ctx context.Context, dir string) ([]byte, error) {
	help, err := run(ctx, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="), "go", "run", "-C", dir, "-tags", tags, "./cmd/zen", "--help-json")
	return []byte(help), err
}
