package config

import (
	"maps"
	"slices"
	"strings"
)

// sameDatabase reports whether two URLs in the form of ParseDatabase are one place:
// libsql:// is https:// there.
func sameDatabase(a, b string) bool {
	return a != "" && strings.Replace(a, "libsql://", "https://", 1) == strings.Replace(b, "libsql://", "https://", 1)
}

// databases are the user's profiles with the database at a URL, in the order of their
// names.
func (c *Config) databases(url string) []values {
	return c.userProfiles(func(own values) bool { return sameDatabase(own.database.Value, url) })
}

// otherDatabases are the user's profiles with the same database at another URL.
func (c *Config) otherDatabases(v values) []values {
	return c.userProfiles(func(own values) bool {
		return own.databaseID.IsSet() && own.databaseID.Value == v.databaseID.Value && !sameDatabase(own.database.Value, v.database.Value)
	})
}

func (c *Config) userProfiles(match func(values) bool) []values {
	var profiles []values
	for _, name := range slices.Sorted(maps.Keys(c.user.profiles)) {
		if own := c.user.profiles[name]; match(own) {
			profiles = append(profiles, own)
		}
	}
	return profiles
}

// databaseID is the id of the resolved database: from the layer that names the
// database, or from the user's profiles of the same database. An id from another
// layer would be another database's.
func databaseID(v values, databases []values) (id Value[string]) {
	if v.databaseID.Origin.Kind == v.database.Origin.Kind && v.databaseID.Origin.Kind != KindProjectFile {
		id = v.databaseID
	}
	for _, own := range databases {
		id = id.or(own.databaseID)
	}
	return id
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

// OtherURL is where the user's own profiles have the database of an id, if none of them
// has it at url; otherwise "".
func (c *Config) OtherURL(databaseID, url string) string {
	if databaseID == "" {
		return ""
	}
	other := ""
	for _, own := range c.userProfiles(func(own values) bool { return own.databaseID.Value == databaseID }) {
		if sameDatabase(own.database.Value, url) {
			return ""
		}
		other = own.database.Value
	}
	return other
}
