package audit

import "os"

// openPrivate opens or makes the file. It is below the user's profile, whose access
// list keeps others out.
func openPrivate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}
