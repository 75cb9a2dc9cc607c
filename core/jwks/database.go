package jwks

import (
	"slices"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// readDatabase reads what Turso looks for in a token. A claim that is there in a
// shape that Turso would not read as zen does makes the token invalid: guessing
// could take an open token for a narrow one.
func readDatabase(m jsonobject.Object) (*provider.DatabaseClaims, error) {
	names := []string{"id", "gid", "a", "perm", "rid", "p"}
	if !slices.ContainsFunc(names, m.Has) {
		return nil, nil
	}
	var d provider.DatabaseClaims
	var err error
	if d.DatabaseID, err = requireText(m, "id"); err != nil {
		return nil, err
	}
	if d.GroupID, err = requireText(m, "gid"); err != nil {
		return nil, err
	}
	if d.RoleID, err = requireText(m, "rid"); err != nil {
		return nil, err
	}
	if d.Permissions, err = readPermissions(m.Value("perm")); err != nil {
		return nil, err
	}
	if d.Namespaces, err = readNamespaces(m.Value("p")); err != nil {
		return nil, err
	}
	d.Access, err = readAccess(m, d.Namespaces)
	return &d, err
}

// readAccess returns the most that a or p allow. Without both, Turso reads rw. What may
// attach other databases (roa, rwa) is more than ro, and so is a kind that zen doesn't
// know.
func readAccess(m jsonobject.Object, namespaces map[string][]string) (provider.Access, error) {
	a, err := requireText(m, "a")
	if err != nil {
		return "", err
	}
	for kind := range namespaces {
		if kind != "ro" {
			a = "rw"
		}
	}
	switch {
	case a == "rw", a == "roa", a == "" && len(namespaces) == 0:
		return provider.AccessReadWrite, nil
	case a == "ro", a == "":
		return provider.AccessReadOnly, nil
	}
	return "", malformed("claim a is %.20q, not ro or rw", a)
}

// readPermissions reads [{"t":["notes"],"a":["data_read"]}], where t is null for
// every table.
func readPermissions(value any) ([]provider.Permission, error) {
	if value == nil {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, malformed("claim perm is not a list")
	}
	var permissions []provider.Permission
	for _, element := range list {
		entry, ok := element.(map[string]any)
		if !ok {
			return nil, malformed("claim perm has an entry that is not an object")
		}
		p := provider.Permission{Tables: texts(entry["t"])}
		if t, present := entry["t"]; present && t != nil && len(p.Tables) == 0 {
			return nil, malformed("claim perm has an entry whose t names no table")
		}
		for _, action := range texts(entry["a"]) {
			p.Actions = append(p.Actions, provider.Action(action))
		}
		permissions = append(permissions, p)
	}
	return permissions, nil
}

// readNamespaces reads p of libsql-server, {"rw":{"ns":["name"]}}. Further members
// beside ns (tags, and the tables of some early templates) widen nothing that zen
// relies on and are left alone.
func readNamespaces(value any) (map[string][]string, error) {
	if value == nil {
		return nil, nil
	}
	kinds, ok := value.(map[string]any)
	if !ok {
		return nil, malformed("claim p is not an object")
	}
	namespaces := make(map[string][]string, len(kinds))
	for kind, scope := range kinds {
		if scope == nil {
			continue
		}
		entry, ok := scope.(map[string]any)
		if !ok {
			return nil, malformed("claim p.%.20q is not an object", kind)
		}
		namespaces[kind] = texts(entry["ns"])
		for _, tag := range texts(entry["tags"]) {
			namespaces[kind] = append(namespaces[kind], provider.TagPrefix+tag)
		}
	}
	return namespaces, nil
}
