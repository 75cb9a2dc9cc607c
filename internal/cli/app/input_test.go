//go:build unix

package app

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestInputHonoursItsContext(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	silent, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	in, err := Input(ctx, silent, "-")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(in); !errors.Is(err, context.Canceled) {
		t.Errorf("reading silent standard input after cancel: %v", err)
	}
	if _, err := Input(ctx, nil, pipe); !errors.Is(err, context.Canceled) {
		t.Errorf("opening a pipe without a writer after cancel: %v", err)
	}
	end, err := os.OpenFile(pipe, os.O_WRONLY, 0) // unblocks the goroutine that opens the pipe
	if err == nil {
		err = end.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestInputReadsAllAndReturnsErrors(t *testing.T) {
	in, err := Input(t.Context(), strings.NewReader("SELECT 1"), "-")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(in); err != nil || string(text) != "SELECT 1" {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := Input(t.Context(), nil, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	var path *os.PathError
	if _, err := Input(t.Context(), nil, t.TempDir()); !errors.As(err, &path) || !strings.HasSuffix(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}
