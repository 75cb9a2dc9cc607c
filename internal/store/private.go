package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// openPrivate opens a regular file that belongs to the user and that no one else
// can read or write. Symbolic links are refused.
func openPrivate(path string) (*os.File, error) {
	f, err := private.Secret.Open(path, os.O_RDONLY)
	return f, explain(path, err)
}

// checkPrivateDir refuses a directory of another user, and one that others may
// write to.
func checkPrivateDir(path string, info fs.FileInfo) error {
	return explain(path, private.Rule{Closed: 0o022}.CheckInfo(info))
}

// explain says what to do about a file or directory that others have in hand.
func explain(path string, err error) error {
	var fault *private.Fault
	if !errors.As(err, &fault) {
		return err
	}
	failure := &provider.Error{Kind: provider.ErrConfig}
	switch {
	case !fault.Mode.IsRegular() && !fault.Mode.IsDir():
		failure.Message = fmt.Sprintf("%s is a %s, not a regular file", path, private.Kind(fault.Mode))
		failure.Hint = "put the file itself there, or move it away"
	case fault.Foreign:
		failure.Message = fmt.Sprintf("%s belongs to user %s, not to you", path, fault.Owner)
		failure.Hint = "run zen as that user, or choose another place with ZEN_STATE_DIR"
	case fault.Mode.IsDir() && fault.Writable:
		failure.Message = fmt.Sprintf("others may write to %s (%s)", path, fault.Rights())
		failure.Hint = fault.Closing(path)
	case fault.Mode.IsDir():
		failure.Message = fmt.Sprintf("%s is a directory, not a regular file", path)
		failure.Hint = "put the file itself there, or move it away"
	default:
		failure.Message = fmt.Sprintf("%s is open to others (%s)", path, fault.Rights())
		failure.Hint = fault.Closing(path)
	}
	return failure
}

func writePrivate(path string, data []byte) error { return private.Replace(path, data, 0o600) }
