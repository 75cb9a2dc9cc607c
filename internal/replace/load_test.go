//go:build !windows

package replace_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/internal/replace"
)

// The system reports the same error for a missing program and for a missing interpreter.
func TestMissingInterpreter(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/nowhere/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var load *replace.LoadError
	if err := replace.Process(program, []string{"program"}, nil); !errors.As(err, &load) || load.Path != program || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Process: %v, want LoadError", err)
	}
	if err := replace.Explain(program, exec.Command(program).Start()); !errors.As(err, &load) {
		t.Errorf("Start: %v, want LoadError", err)
	}
	missing := filepath.Join(dir, "missing")
	if err := replace.Process(missing, []string{"missing"}, nil); errors.As(err, &load) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing program: %v, want ErrNotExist", err)
	}
	elsewhere := exec.Command(program)
	elsewhere.Dir = missing
	if err := replace.Explain(program, elsewhere.Start()); errors.As(err, &load) {
		t.Errorf("a missing working directory: %v, want no LoadError", err)
	}
}
