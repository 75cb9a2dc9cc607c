//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
)

// cause tells what the files are good for by an error of SQLite.
func cause(err error) error {
	var failed *hrana.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case strings.HasPrefix(failed.Code, "SQLITE_BUSY"), strings.HasPrefix(failed.Code, "SQLITE_LOCKED"):
		return &provider.Error{
			Err:     errBusy,
			Kind:    provider.ErrUnavailable,
			Message: "the replica can't sync while a long read goes on",
			Hint:    "it does as soon as the read's rows are closed",
		}
	case strings.HasPrefix(failed.Code, "SQLITE_CORRUPT"), failed.Code == "SQLITE_NOTADB":
		return damagedBecause(failed.Message)
	}
	return fmt.Errorf("sync the replica: %w", err)
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
