package audit

import (
	"errors"
	"fmt"
	"os"

	"github.com/zen-auth/zen/internal/private"
)

// openPrivate opens or makes the file, which has to be the user's own and closed to
// others. Its errors leave the path to the message.
func openPrivate(path string) (*os.File, error) {
	f, err := private.Secret.Open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	var fault *private.Fault
	var pathError *os.PathError
	switch {
	case errors.As(err, &fault) && fault.Mode.IsRegular() && !fault.Foreign:
		return nil, fmt.Errorf("%w: %s closes it", err, fault.Closing(path))
	case errors.As(err, &pathError):
		return nil, pathError.Err
	}
	return f, err
}
