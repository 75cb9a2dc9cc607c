package provider

import "slices"

// Narrow returns what both lists of permissions grant. An empty list means no limit. ok is
// false if they have nothing in common, for which there is no list.
func Narrow(a, b []Permission) (both []Permission, ok bool) {
	switch {
	case len(a) == 0:
		return b, true
	case len(b) == 0:
		return a, true
	}
	for _, p := range a {
		for _, q := range b {
			tables, some := commonTables(p.Tables, q.Tables)
			var actions []Action
			for _, action := range p.Actions {
				if slices.Contains(q.Actions, action) {
					actions = append(actions, action)
				}
			}
			if some && len(actions) > 0 {
				both = append(both, Permission{Tables: tables, Actions: actions})
			}
		}
	}
	return both, len(both) > 0
}

// commonTables returns the tables of both; nil means every table.
func commonTables(a, b []string) (tables []string, some bool) {
	switch {
	case a == nil:
		return b, b == nil || len(b) > 0
	case b == nil:
		return a, len(a) > 0
	}
	for _, table := range a {
		if slices.Contains(b, table) {
			tables = append(tables, table)
		}
	}
	return tables, len(tables) > 0
}

// NarrowAccess returns the less of two.
func NarrowAccess(a, b Access) Access {
	if a == AccessReadOnly || b == AccessReadOnly {
		return AccessReadOnly
	}
	return AccessReadWrite
}
