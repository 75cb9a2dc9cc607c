package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/private"
)

const (
	// maxFile bounds a binary and what is downloaded, maxText a checksums file and
	// its signature.
	maxFile = 256 << 20
	maxText = 1 << 20
	// fetchLimit bounds one download.
	fetchLimit = 10 * time.Minute
)

// failed returns an error of installing, which is provider.ErrConfig, but for a disk that is full.
func failed(hint, format string, args ...any) error {
	e := &provider.Error{Kind: provider.ErrConfig, Message: "install provider: " + fmt.Sprintf(format, args...), Hint: hint}
	for _, arg := range args {
		if err, ok := arg.(error); ok && isFull(err) {
			e.Kind, e.Err, e.Hint = nil, err, "make room; nothing was changed"
		}
	}
	return e
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isURL(source string) bool { return strings.Contains(source, "://") }

// baseName returns the file name of a path or URL.
func baseName(source string) string {
	if u, err := url.Parse(source); isURL(source) && err == nil {
		return path.Base(u.Path)
	}
	return filepath.Base(source)
}

// resolve turns a directory into the one provider binary in it.
func resolve(source string) (string, error) {
	info, err := os.Stat(source)
	if isURL(source) || err == nil && !info.IsDir() {
		return source, nil
	}
	if err != nil {
		return "", failed("it takes a file, a directory or an https URL", "%v", err)
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return "", failed("", "%v", err)
	}
	var found []string
	for _, entry := range entries {
		if _, ok := handshake.ProviderName(entry.Name()); ok {
			found = append(found, filepath.Join(source, entry.Name()))
		}
	}
	if len(found) != 1 {
		return "", failed("name the file", "%s has %d provider binaries, not one", source, len(found))
	}
	return found[0], nil
}

// open opens a file or an https URL, which may lead to other https URLs alone.
func open(ctx context.Context, client *http.Client, source string) (io.ReadCloser, error) {
	if !isURL(source) {
		f, err := private.OpenRegular(source)
		if err != nil {
			return nil, failed("", "%v", err)
		}
		return f, nil
	}
	if u, err := url.Parse(source); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, failed("use an https URL without user and password", "the URL is not https://HOST/...")
	}
	secure := *client
	secure.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, failed("", "%v", err)
	}
	response, err := secure.Do(request)
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrUnavailable, Message: "install provider: download failed: " + cause(err).Error(), Err: err}
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, &provider.Error{
			Kind: provider.ErrUnavailable, Message: "install provider: the server of " + baseName(source) + " answered " + response.Status,
		}
	}
	return response.Body, nil
}

// cause returns an error of package http without the URL, whose query may be secret.
func cause(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}

// fetch copies a source to a file that must not exist, at most limit bytes.
func fetch(ctx context.Context, client *http.Client, source, file string, limit int64) error {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	in, err := open(ctx, client, source)
	if err != nil {
		return err
	}
	defer in.Close()
	return save(file, in, limit)
}

// save writes in to a file that must not exist, at most limit bytes.
func save(file string, in io.Reader, limit int64) error {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return failed("", "%v", err)
	}
	n, err := io.Copy(out, io.LimitReader(in, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	if err == nil {
		err = out.Sync()
	}
	err = cmp.Or(err, out.Close())
	if err != nil {
		return failed("", "write %s: %v", filepath.Base(file), cause(err))
	}
	return nil
}
