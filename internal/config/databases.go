package config

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// sameDatabase reports whether two URLs in the form of ParseDatabase are one place.
func sameDatabase(a, b string) bool { return a != "" && place(a) == place(b) }

// place returns a URL in the form of ParseDatabase as one text for all that mean the same:
// libsql:// is https:// there.
func place(url string) string {
	return strings.TrimPrefix(strings.TrimPrefix(url, "libsql://"), "https://")
}

// index finds the user's profiles by their databases. To resolve all profiles takes time in
// proportion to their number, and to resolve one of many takes little.
type index struct {
	user *document

	mu sync.Mutex // guards what is below
	// atPlace and withID are the groups that were asked for.
	atPlace, withID map[string]*group
	// lastAt and lastWith have the last profile at a place, or with a database_id; the others
	// are linked to it. Until a few groups were asked for they are nil, and all profiles are
	// looked at.
	lastAt, lastWith map[string]*profile
}

// fewGroups is the number of groups that are found without linking the profiles.
const fewGroups = 8

// group are the profiles at a place, or with a database_id, in the order of their names.
type group struct {
	members []*profile
	// id is the database_id of the first member that has one.
	id Value[string]
	// places are the first place of the members, and one more if there are several.
	places []string
}

func newIndex(user *document) *index {
	return &index{user: user, atPlace: map[string]*group{}, withID: map[string]*group{}}
}

// at returns the group at the place of a URL in the form of ParseDatabase.
func (x *index) at(url string) *group {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := place(url)
	g := x.atPlace[at]
	if g != nil || url == "" {
		return cmp.Or(g, &group{})
	}
	g = &group{}
	if x.linked() {
		for p := x.lastAt[at]; p != nil; p = p.atPlace {
			g.members = append(g.members, p)
		}
	} else {
		for i := range x.user.list {
			if p := &x.user.list[i]; place(p.database) == at {
				g.members = append(g.members, p)
			}
		}
	}
	x.complete(g)
	x.atPlace[at] = g
	return g
}

// with returns the group with a database_id.
func (x *index) with(databaseID string) *group {
	x.mu.Lock()
	defer x.mu.Unlock()
	g := x.withID[databaseID]
	if g != nil || databaseID == "" {
		return cmp.Or(g, &group{})
	}
	g = &group{}
	if x.linked() {
		for p := x.lastWith[databaseID]; p != nil; p = p.withID {
			g.members = append(g.members, p)
		}
	} else {
		for i := range x.user.list {
			if p := &x.user.list[i]; p.databaseID == databaseID {
				g.members = append(g.members, p)
			}
		}
	}
	x.complete(g)
	x.withID[databaseID] = g
	return g
}

// linked reports whether the profiles are linked, and links them where that is worth it.
func (x *index) linked() bool {
	if x.lastAt != nil || len(x.atPlace)+len(x.withID) < fewGroups {
		return x.lastAt != nil
	}
	x.lastAt, x.lastWith = make(map[string]*profile, len(x.user.list)), map[string]*profile{}
	for i := range x.user.list {
		p := &x.user.list[i]
		if at := place(p.database); at != "" {
			p.atPlace, x.lastAt[at] = x.lastAt[at], p
		}
		if p.databaseID != "" {
			p.withID, x.lastWith[p.databaseID] = x.lastWith[p.databaseID], p
		}
	}
	return true
}

// complete sorts the members, and finds what they have in common.
func (x *index) complete(g *group) {
	slices.SortFunc(g.members, func(a, b *profile) int { return strings.Compare(a.name, b.name) })
	for _, p := range g.members {
		if p.databaseID != "" && !g.id.IsSet() {
			g.id = x.user.values(p).databaseID
		}
		if at := place(p.database); len(g.places) == 0 || len(g.places) == 1 && g.places[0] != at {
			g.places = append(g.places, at)
		}
	}
}

func (c *Config) index() *index {
	c.indexOnce.Do(func() { c.indexed = newIndex(c.user) })
	return c.indexed
}

// databases returns the user's profiles with the database at a URL, in the order of their
// names.
func (c *Config) databases(url string) []*profile { return c.index().at(url).members }

// otherDatabases returns the user's profiles with the same database at another URL.
func (c *Config) otherDatabases(v values) []*profile {
	g := c.index().with(v.databaseID.Value)
	if len(g.places) == 0 || len(g.places) == 1 && sameDatabase(g.places[0], v.database.Value) {
		return nil
	}
	var others []*profile
	for _, own := range g.members {
		if !sameDatabase(own.database, v.database.Value) {
			others = append(others, own)
		}
	}
	return others
}

// databaseID returns the id of the resolved database: from the layer that names the
// database, or from the user's profiles of the same database. An id from another
// layer would be another database's.
func (c *Config) databaseID(v values) (id Value[string]) {
	if v.databaseID.Origin.Kind == v.database.Origin.Kind && v.databaseID.Origin.Kind != KindProjectFile {
		id = v.databaseID
	}
	return id.or(c.index().at(v.database.Value).id)
}

// owns reports whether the resolved database is what the user configured as the
// profile's: in the user file, or by the environment where that file has none. What a
// flag names for one run is not.
func (c *Config) owns(v, inUser values) bool {
	own := inUser.database.or(c.env.database)
	if !own.IsSet() && v.database.Origin.Kind == KindProjectFile {
		return true // one of the user's, with the provider that the user gave it
	}
	return sameDatabase(own.Value, v.database.Value)
}

// OtherURL returns the URL that the user's own profiles have for the database of an id, if
// none of them has it at url; otherwise "".
func (c *Config) OtherURL(databaseID, url string) string {
	if databaseID == "" {
		return ""
	}
	other := ""
	for _, own := range c.index().with(databaseID).members {
		if sameDatabase(own.database, url) {
			return ""
		}
		other = own.database
	}
	return other
}
