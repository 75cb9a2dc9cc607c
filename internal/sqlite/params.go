package sqlite

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
)

// maxParam is SQLite's default SQLITE_LIMIT_VARIABLE_NUMBER.
const maxParam = 32766

// Params are the parameters of a statement, numbered as SQLite numbers them. The zero
// value has none.
type Params struct {
	count      int      // the highest number
	names      []string // distinct names with their prefix, in order
	positional bool     // ? or ?NNN is used
}

// Names returns the distinct names with their prefix, in order.
func (p *Params) Names() []string { return p.names }

// Add adds the next parameter of a statement's text, as it is written there: ?, ?NNN,
// or a name with its prefix.
func (p *Params) Add(name string) error {
	if name[0] != '?' {
		if !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
			p.count++
		}
		return nil
	}
	p.positional = true
	if len(name) == 1 {
		p.count++
		return nil
	}
	n, err := strconv.Atoi(name[1:])
	if err != nil || n < 1 || n > maxParam {
		return fmt.Errorf("parameter ?NNN: number must be between 1 and %d", maxParam)
	}
	p.count = max(p.count, n)
	return nil
}

// number returns NNN of a parameter $NNN, :NNN or @NNN, which SQLite takes for a name
// and other databases for a place. sql.Named allows no such name.
func number(name string) (int, bool) {
	n, err := strconv.Atoi(name[1:])
	return n, err == nil && n >= 1 && n <= maxParam
}

// numbers returns the highest number if all named parameters are numbers, else 0.
func (p *Params) numbers() (highest int) {
	for _, name := range p.names {
		n, ok := number(name)
		if !ok {
			return 0
		}
		highest = max(highest, n)
	}
	return highest
}

// Check reports arguments that don't fit the parameters, with an [*ArgumentError]. A
// server may bind NULL to a parameter without an argument, so this must not be left
// to it.
func (p *Params) Check(args []driver.NamedValue) error {
	named := 0
	for i := range args {
		if args[i].Name != "" {
			named++
		}
	}
	want := p.count
	if len(p.names) > 0 {
		want = p.numbers()
	}
	switch {
	case p.positional && len(p.names) > 0:
		return argumentErrorf("statement mixes ? with %s: use one kind of parameter", p.names[0])
	case named == 0 && (len(p.names) == 0 || want > 0):
		if len(args) != want {
			return argumentErrorf("number of arguments: the statement wants %d, got %d", want, len(args))
		}
		return nil
	case named == 0 && len(args) > 0:
		return p.wantsNames()
	case named < len(args):
		return argumentErrorf("arguments mix named and positional ones")
	case p.positional:
		return argumentErrorf("statement has ? parameters, got argument named %q", args[0].Name)
	}
	return p.checkNames(args)
}

// wantsNames says that arguments without names don't fit, and what would.
func (p *Params) wantsNames() error {
	word, digits := "", ""
	for _, name := range p.names {
		if _, ok := number(name); ok {
			digits = name
		} else {
			word = name
		}
	}
	if digits != "" {
		return argumentErrorf("statement mixes %s with %s: use numbers alone, or names alone", digits, word)
	}
	return argumentErrorf("statement has named parameters such as %s: pass sql.Named arguments", word)
}

func (p *Params) checkNames(args []driver.NamedValue) error {
	for _, name := range p.names {
		if find(name, args) < 0 {
			return argumentErrorf("no argument for parameter %s", name)
		}
	}
	for i := range args {
		given := args[i].Name
		if !slices.ContainsFunc(p.names, func(name string) bool { return sameName(name, given) }) {
			return argumentErrorf("statement has no parameter named %q", given)
		}
		if slices.ContainsFunc(args[:i], func(other driver.NamedValue) bool { return other.Name == given }) {
			return argumentErrorf("two arguments named %q", given)
		}
	}
	return nil
}

// Argument returns the index of the argument for a parameter, or -1 if there is none.
// The parameter is named as in the statement, "" for ? and with the prefix otherwise,
// and position counts the statement's parameters from 1. The arguments are ones that
// [Params.Check] let through.
func Argument(name string, position int, args []driver.NamedValue) int {
	i := position - 1
	if name != "" && name[0] != '?' {
		i = find(name, args)
	}
	if i >= len(args) {
		return -1 // ?NNN leaves out numbers that are no parameters
	}
	return i
}

// find returns the argument for a named parameter, -1 if there is none.
func find(name string, args []driver.NamedValue) int {
	if i := slices.IndexFunc(args, func(arg driver.NamedValue) bool { return sameName(name, arg.Name) }); i >= 0 {
		return i
	}
	if n, ok := number(name); ok && n <= len(args) && args[n-1].Name == "" {
		return n - 1
	}
	return -1
}

// sameName compares a parameter, which has a prefix, with an argument's name,
// which sql.Named lets have none.
func sameName(param, arg string) bool { return param == arg || param[1:] == arg }
