//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

// cause makes an error of a text of go-libsql, which has nothing but texts. What it
// says of the network and of tokens is not asked for: the gateway knows better, and
// seen is what it knows.
//
// The texts begin with what was attempted, path and URL included, and end with the
// reason; they come from opening and syncing, so no SQL is in them.
func cause(err, seen error, path, url string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, name := range []string{path, url} {
		text = strings.ReplaceAll(text, name, "")
	}
	if _, after, ok := strings.Cut(text, "error code = "); ok {
		text = after
	}
	for _, prefix := range []string{"sync error: ", "replication error: ", "Error syncing database: "} {
		if _, after, ok := strings.Cut(text, prefix); ok {
			text = after
		}
	}
	for _, known := range causes {
		if strings.Contains(text, known.text) {
			return known.make(text)
		}
	}
	if seen != nil {
		return libsql.Explain(seen)
	}
	return fmt.Errorf("sync the replica: %s", text)
}

// causes are the reasons that lie in the files and not at the server.
var causes = []struct {
	text string
	make func(text string) error
}{
	{"invalid local state", damagedBecause},
	{"failed to verify metadata", damagedBecause},
	{"database disk image is malformed", damagedBecause},
	{"file is not a database", damagedBecause},
	{"lower generation", func(string) error {
		return &provider.Error{
			Kind: provider.ErrConfig, Err: errDamaged,
			Message: "the replica is ahead of the database, which must have been made anew",
			Hint:    "close the program and move the replica's files away: it is fetched again",
		}
	}},
	// It wants some before it opens anything, also for the loopback.
	{"no valid native root CA certificates", func(string) error {
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "a replica wants the root certificates of this system, and there are none",
			Hint:    "install ca-certificates, or name a file of certificates in SSL_CERT_FILE",
		}
	}},
	{"database is locked", func(string) error {
		return &provider.Error{
			Err:     errBusy,
			Kind:    provider.ErrUnavailable,
			Message: "the replica can't sync while a long read goes on",
			Hint:    "it does as soon as the read's rows are closed",
		}
	}},
}

// errBusy: a reader on this machine has the file, or another program syncs it.
var errBusy = errors.New("the replica is in use")

func damagedBecause(text string) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Err: errDamaged,
		Message: fmt.Sprintf("%v: %s", errDamaged, text),
		Hint:    "open it again: the files are moved aside and fetched anew",
	}
}

// isOffline reports an error that leaves a replica readable: the network, the sign-in,
// the server.
func isOffline(err error) bool {
	kind := provider.Kind(err)
	return !errors.Is(err, errDamaged) && kind != provider.ErrConfig && kind != provider.ErrNoProvider
}
