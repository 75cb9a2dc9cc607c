//go:build unix

package host

import (
	"os"
	"path/filepath"
	"testing"
)

// Once zen is connected, the socket is removed, so nothing can connect to it or be left
// behind.
func TestPitfall10TheSocketIsGoneOnceConnected(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	err := filepath.WalkDir(ask(t, client, "cwd").ID, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("%s was not removed", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	ask(t, client, "pid")
}
