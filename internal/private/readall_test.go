package private

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for size := range 5 {
		text := strings.Repeat("x", size)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for most := range int64(6) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			data, err := ReadAll(f, most)
			if want := text[:min(len(text), int(most))]; err != nil || string(data) != want {
				t.Errorf("%d of %d bytes: %q, %v", most, size, data, err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A reader may return more than the file's size: a file grows, or is in /proc, or is a pipe.
func TestReadAllOfMoreThanTheSize(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text := strings.Repeat("0123456789", 1000)
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadAll(r, 1<<20); err != nil || string(data) != text {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestReadAllFails(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if data, err := ReadAll(dir, 10); err == nil {
		t.Errorf("a directory: %q", data)
	}
	closed, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadAll(closed, 10); err == nil {
		t.Errorf("a closed file: %q", data)
	}
}
