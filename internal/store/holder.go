package store

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/internal/private"
)

// maxHolder bounds what is read of a lock file.
const maxHolder = 200

// sign writes into a lock file who holds it, for the messages of those that wait.
// What is there from a holder that died is overwritten; the lock itself is the
// system's, so that a file alone means nothing. If it can't be written (on
// Windows a lock keeps even its holder's other handles out), no one is named.
func sign(path string) {
	program := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	text := fmt.Sprintf("%d %s", os.Getpid(), program)
	// Of zen's own programs it is a command's name; of others it could be anything.
	if len(os.Args) > 1 && (program == "zen" || program == "zen-full") && !strings.HasPrefix(os.Args[1], "-") {
		text += " " + os.Args[1]
	}
	_ = private.Overwrite(path, []byte(text[:min(len(text), maxHolder)]+"\n"))
}

// holder reads from a lock file who holds it: "zen token, process 123", or
// "another zen".
func holder(path string) string {
	const unknown = "another zen"
	f, err := private.Rule{Root: true}.Open(path, os.O_RDONLY)
	if err != nil {
		return unknown
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHolder))
	pid, command, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if err != nil || !ok || strings.Trim(pid, "0123456789") != "" || strings.ContainsFunc(command, func(r rune) bool { return r < ' ' || r > '~' }) {
		return unknown
	}
	return fmt.Sprintf("%s (process %s)", command, pid)
}
