//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// checkArgs reports arguments that don't fit a statement's parameters, which SQLite
// would bind NULL to, or ignore. Package hrana has the same rules.
func checkArgs(params []string, args []driver.NamedValue) error {
	names, positional := 0, 0
	for _, name := range params {
		if isNamed(name) {
			names++
		} else {
			positional++
		}
	}
	named := 0
	for i := range args {
		if args[i].Name != "" {
			named++
		}
	}
	switch {
	case names == 0 && named == 0:
		if len(args) != len(params) {
			return fmt.Errorf("statement has %d parameters, got %d arguments", len(params), len(args))
		}
		return nil
	case names > 0 && positional > 0:
		return errors.New("statement mixes ? with named parameters")
	case names == 0:
		return fmt.Errorf("statement has ? parameters, got argument named %q", firstName(args))
	case named < len(args):
		return fmt.Errorf("statement has named parameters such as %s: pass sql.Named arguments", params[0])
	}
	return checkNames(params, args)
}

func checkNames(params []string, args []driver.NamedValue) error {
	for _, name := range params {
		if find(name, args) < 0 {
			return fmt.Errorf("no argument for parameter %s", name)
		}
	}
	for i := range args {
		known := false
		for _, name := range params {
			known = known || sameName(name, args[i].Name)
		}
		if !known {
			return fmt.Errorf("statement has no parameter named %q", args[i].Name)
		}
		for _, other := range args[:i] {
			if other.Name == args[i].Name {
				return fmt.Errorf("two arguments named %q", other.Name)
			}
		}
	}
	return nil
}

func firstName(args []driver.NamedValue) string {
	for i := range args {
		if args[i].Name != "" {
			return args[i].Name
		}
	}
	return ""
}

// isNamed tells :name, @name and $name from ? and ?NNN.
func isNamed(param string) bool { return param != "" && !strings.HasPrefix(param, "?") }

// find returns the argument for a named parameter, -1 if there is none.
func find(param string, args []driver.NamedValue) int {
	for i := range args {
		if sameName(param, args[i].Name) {
			return i
		}
	}
	return -1
}

// sameName compares a parameter, which has a prefix, with an argument's name, which
// sql.Named lets have none.
func sameName(param, arg string) bool { return param == arg || param[1:] == arg }
