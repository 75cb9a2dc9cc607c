package replace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Without /proc a program finds itself by os.Args[0].
func TestStartedAs(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(self))
	t.Chdir(filepath.Dir(self))
	for _, name := range []string{self, filepath.Base(self), "." + string(os.PathSeparator) + filepath.Base(self)} {
		if got, err := startedAs(name); err != nil || got != self {
			t.Errorf("startedAs(%s) = %s, %v", name, got, err)
		}
	}
	if got, err := startedAs("nosuch"); err == nil {
		t.Errorf("startedAs(nosuch) = %s, want an error", got)
	}
}

// A verified file is started by its file descriptor, which needs /proc.
func TestExplainWithoutProc(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "proc", "self", "fd")
	err = Explain(self, &fs.PathError{Op: "fork/exec", Path: filepath.Join(gone, "3"), Err: fs.ErrNotExist})
	var load *LoadError
	if errors.As(err, &load) || !strings.HasPrefix(err.Error(), gone+" is not there") {
		t.Errorf("Explain without /proc: %v", err)
	}
}
