package app

import (
	"context"
	"io"
	"os"

	"github.com/zen-auth/zen/core/provider"
)

// Input opens a command's input: the file of that name, or standard input for "-".
// The wait for a pipe, and for what comes out of it, ends with ctx.
func Input(ctx context.Context, stdin io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" {
		return interruptible(ctx, io.NopCloser(stdin)), nil
	}
	return Open(ctx, name)
}

// Open is provider.OpenFile, with Input's waiting.
func Open(ctx context.Context, name string) (io.ReadCloser, error) {
	var f *os.File
	var err error
	opened := make(chan struct{})
	go func() {
		f, err = provider.OpenFile(name)
		close(opened)
	}()
	select {
	case <-opened:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return f, nil
	}
	return interruptible(ctx, f), nil
}

// interruptible ends reading with ctx. The system's own read can't be ended: it is left
// to a goroutine.
func interruptible(ctx context.Context, in io.ReadCloser) io.ReadCloser {
	out, to := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = to.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(to, in)
		stop()
		_ = to.CloseWithError(err) // of nil it is the end
		_ = in.Close()
	}()
	return out
}
