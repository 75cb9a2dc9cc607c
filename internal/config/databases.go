package config

import (
	"maps"
	"slices"
	"strings"
)

// sameDatabase reports whether two URLs in the form of ParseDatabase are one place.
func sameDatabase(a, b string) bool { return a != "" && place(a) == place(b) }

// place returns a URL in the form of ParseDatabase as one text for all that mean the same:
// libsql:// is https:// there.
func place(url string) string { return strings.Replace(url, "libsql://", "https://", 1) }

// index finds the user's profiles by their databases. It is made once, so that to
// resolve all profiles takes time in proportion to their number.
type index struct {
	// byPlace and byID have the profiles in the order of their names.
	byPlace, byID map[string][]values
	// id is the database_id of the first profile at a place that has one.
	id map[string]Value[string]
	// places are the first place of each id, and one more of them if there are several.
	places map[string][]string
}

func newIndex(profiles map[string]values) *index {
	x := &index{map[string][]values{}, map[string][]values{}, map[string]Value[string]{}, map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		own := profiles[name]
		at, id := place(own.database.Value), own.databaseID
		if at != "" {
			x.byPlace[at] = append(x.byPlace[at], own)
			x.id[at] = x.id[at].or(id)
		}
		if !id.IsSet() {
			continue
		}
		x.byID[id.Value] = append(x.byID[id.Value], own)
		if places := x.places[id.Value]; len(places) == 0 || len(places) == 1 && places[0] != at {
			x.places[id.Value] = append(places, at)
		}
	}
	return x
}

func (c *Config) index() *index {
	c.indexOnce.Do(func() { c.indexed = newIndex(c.user.profiles) })
	return c.indexed
}

// databases returns the user's profiles with the database at a URL, in the order of their
// names.
func (c *Config) databases(url string) []values { return c.index().byPlace[place(url)] }

// otherDatabases returns the user's profiles with the same database at another URL.
func (c *Config) otherDatabases(v values) []values {
	x := c.index()
	if places := x.places[v.databaseID.Value]; len(places) == 0 || len(places) == 1 && sameDatabase(places[0], v.database.Value) {
		return nil
	}
	var others []values
	for _, own := range x.byID[v.databaseID.Value] {
		if !sameDatabase(own.database.Value, v.database.Value) {
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
	return id.or(c.index().id[place(v.database.Value)])
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
	for _, own := range c.index().byID[databaseID] {
		if sameDatabase(own.database.Value, url) {
			return ""
		}
		other = own.database.Value
	}
	return other
}
