package config

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
)

// SettingsHash identifies what a provider is configured with: its table in the user
// file, its ZEN_<PROVIDER>__ variables, and the variables envNames (its Field.Env,
// which the caller has kept from an earlier start). It needs no schema and no
// provider process: a cached token is good only while the hash is what it was.
//
// The result is 64 hexadecimal digits. Like anything made from secrets, it belongs
// beside the credentials, not into a log.
func (c *Config) SettingsHash(providerName string, envNames []string) string {
	h := sha256.New()
	write(h, "zen settings 1", providerName)
	table := c.user.settings(providerName)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		write(h, "file", key, string(table[key].kind), table[key].text)
	}
	names := append(c.environ.withPrefix(variablePrefix(providerName)), envNames...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if value, ok := c.environ.lookup(name); ok {
			write(h, "variable", name, value)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// write hashes each part with its length, so that no two lists hash alike.
func write(h hash.Hash, parts ...string) {
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
}
