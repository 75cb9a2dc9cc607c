//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"fmt"
	"os"

	"github.com/zen-auth/zen/core/provider"
)

// checkRoots refuses variables that go-libsql would end the program over: it reads the
// certificates that they name before it connects, also to the loopback, and can't be told
// not to.
func checkRoots() error {
	for name, read := range map[string]func(string) error{
		"SSL_CERT_FILE": func(path string) error { _, err := provider.ReadFile(path, 16<<20); return err },
		"SSL_CERT_DIR":  func(path string) error { _, err := os.ReadDir(path); return err },
	} {
		path, ok := os.LookupEnv(name)
		if !ok {
			continue
		}
		if err := read(path); err != nil {
			return &provider.Error{
				Kind: provider.ErrConfig, Err: err,
				Message: fmt.Sprintf("a replica wants the root certificates that %s names: %v", name, err),
				Hint:    "unset " + name + ", or let it name what is there",
			}
		}
	}
	return nil
}
