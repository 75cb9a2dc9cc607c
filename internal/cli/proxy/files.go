package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/text"
)

// listenPrivately listens; a Unix socket is its owner's alone from the first moment.
func listenPrivately(ctx context.Context, network, addr string) (net.Listener, error) {
	if network != "unix" {
		return new(net.ListenConfig).Listen(ctx, network, addr)
	}
	if err := removeStale(addr); err != nil {
		return nil, err
	}
	return listenUnix(ctx, addr)
}

// removeStale removes a socket at which no process answers, which a killed proxy left.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there, and not a socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return errors.New("another program listens there")
	}
	return os.Remove(path)
}

// writtenByProxy begins a file of writeVariables: any other is the user's own.
const writtenByProxy = "# written by zen proxy, and removed when it ends\n"

// writeVariables writes a file of lines NAME=VALUE, for its owner alone. forget removes
// it, if it is still what was written.
func writeVariables(path string, lines []string) (forget func(), err error) {
	if strings.HasPrefix(contentOf(path), writtenByProxy) {
		_ = os.Remove(path) // a killed proxy left it
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Err: err,
			Message: fmt.Sprintf("--env-file %s is there already, and not the proxy's", path),
			Hint:    "name a file of its own: the proxy removes it when it ends",
		}
	}
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("--env-file: %v", err)}
	}
	content := writtenByProxy + strings.Join(lines, "\n") + "\n"
	_, err = file.WriteString(content)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("--env-file: %w", err)
	}
	return func() {
		if contentOf(path) == content {
			_ = os.Remove(path)
		}
	}, nil
}

// keptByProxy begins a file of keepVariables.
const keptByProxy = "# written by zen proxy --keep, which goes on with it\n"

// keepVariables writes a file of lines NAME=VALUE that stays.
func keepVariables(path string, lines []string) error {
	if err := private.Replace(path, []byte(keptByProxy+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("--env-file: %w", err)
	}
	return nil
}

// keptVariables returns the port and the bearer in a file of keepVariables, or none where
// there is no file yet. One that others may have read or written has none to go on with.
func keptVariables(path string) (port string, bearer provider.Secret, err error) {
	refused := func(why string, err error) (string, provider.Secret, error) {
		return "", provider.Secret{}, &provider.Error{
			Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("--env-file %s: %s", path, why),
			Hint: "remove it, or name another file: the proxy begins a new one",
		}
	}
	f, err := private.Secret.Open(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return "", provider.Secret{}, nil
	}
	if err != nil {
		return refused(err.Error(), err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return refused(err.Error(), err)
	}
	lines, ok := strings.CutPrefix(string(data), keptByProxy)
	address, token, whole := strings.Cut(strings.TrimSuffix(lines, "\n"), "\nTURSO_AUTH_TOKEN=")
	at, err := url.Parse(strings.TrimPrefix(address, "TURSO_DATABASE_URL="))
	if !ok || !whole || err != nil || at.Port() == "" || len(token) < minBearer || strings.ContainsAny(token, " \t\r\n") {
		return refused("it is not what zen proxy --keep writes", nil)
	}
	return at.Port(), provider.NewSecret(token), nil
}

// minBearer is the length of a bearer of 256 bits.
const minBearer = 43

// contentOf returns the content of a file of variables, or "" for any other file.
func contentOf(path string) string {
	f, err := private.Rule{Root: true}.Open(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return ""
	}
	return string(data)
}

// printJSONLine writes a document as one line, for a reader of a pipe that stays
// open.
func printJSONLine(w io.Writer, document any) error {
	line, err := text.JSON(document, "")
	if err == nil {
		_, err = w.Write(line)
	}
	return err
}
