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
type index struct{ byPlace, byID finder }

// finder finds the profiles with a key.
type finder struct {
	user *document
	key  func(*profile) string

	mu sync.Mutex // guards what is below
	// groups are those that were asked for.
	groups map[string]*group
	// members are the profiles by their keys. Until a few groups were asked for it is nil, and
	// all profiles are looked at.
	members map[string][]*profile
}

// fewGroups is the number of groups that are found without a map of all.
const fewGroups = 4

// group are the profiles at a place, or with a database_id, in the order of their names.
type group struct {
	members []*profile
	// id is the database_id of the first member that has one.
	id Value[string]
	// places are the first place of the members, and one more if there are several.
	places []string
}

func newIndex(user *document) *index {
	return &index{
		finder{user: user, key: func(p *profile) string { return place(p.database) }, groups: map[string]*group{}},
		finder{user: user, key: func(p *profile) string { return p.databaseID }, groups: map[string]*group{}},
	}
}

// group returns the profiles with a key. None has the key "".
func (f *finder) group(key string) *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.groups[key]
	if g != nil || key == "" {
		return cmp.Or(g, &group{})
	}
	if f.members == nil && len(f.groups) >= fewGroups {
		f.members = make(map[string][]*profile, len(f.user.list))
		for i := range f.user.list {
			p := &f.user.list[i]
			f.members[f.key(p)] = append(f.members[f.key(p)], p)
		}
	}
	g = &group{members: f.members[key]}
	if f.members == nil {
		for i := range f.user.list {
			if p := &f.user.list[i]; f.key(p) == key {
				g.members = append(g.members, p)
			}
		}
	}
	g.complete(f.user)
	f.groups[key] = g
	return g
}

// complete sorts the members, and finds what they have in common.
func (g *group) complete(user *document) {
	slices.SortFunc(g.members, func(a, b *profile) int { return strings.Compare(a.name, b.name) })
	for _, p := range g.members {
		if p.databaseID != "" && !g.id.IsSet() {
			g.id = user.values(p).databaseID
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
func (c *Config) databases(url string) []*profile { return c.index().byPlace.group(place(url)).members }

// otherDatabases returns the user's profiles with the same database at another URL.
func (c *Config) otherDatabases(v values) []*profile {
	g := c.index().byID.group(v.databaseID.Value)
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
	return id.or(c.index().byPlace.group(place(v.database.Value)).id)
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
	for _, own := range c.index().byID.group(databaseID).members {
		if sameDatabase(own.database, url) {
			return ""
		}
		other = own.database
	}
	return other
}
