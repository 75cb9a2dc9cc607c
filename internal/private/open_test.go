package private_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/internal/private"
)

// A log is rotated, and a lock file removed, while other processes have it open.
func TestWhatIsOpenCanBeRenamedAndRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := private.Secret.Open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := private.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path + ".1"); err != nil || string(data) != "kept" {
		t.Errorf("the renamed file has %q, %v", data, err)
	}
	if err := os.Remove(path + ".1"); err != nil {
		t.Error(err)
	}
}

func TestOpenAddsMakesAndReplacesAsTheFlagsSay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(flag int, text string) {
		t.Helper()
		f, err := private.Secret.Open(path, flag)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := private.Secret.Open(path, os.O_WRONLY); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening a missing file: %v, want ErrNotExist", err)
	}
	write(os.O_WRONLY|os.O_CREATE, "abc")
	write(os.O_WRONLY|os.O_APPEND|os.O_CREATE, "de")
	write(os.O_RDWR, "A")
	if data, err := os.ReadFile(path); err != nil || string(data) != "Abcde" {
		t.Errorf("the file has %q, %v", data, err)
	}
	if _, err := private.Secret.Open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL); !errors.Is(err, os.ErrExist) {
		t.Errorf("creating it again with O_EXCL: %v, want ErrExist", err)
	}
	if _, err := private.Secret.Open(filepath.Dir(path), os.O_RDONLY); !errors.Is(err, private.ErrIrregular) {
		t.Errorf("opening a directory: %v, want ErrIrregular", err)
	}
}
