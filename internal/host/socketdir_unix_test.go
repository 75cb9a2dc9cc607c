//go:build unix

package host

import (
	"os"
	"path/filepath"
	"testing"
)

// Nothing is there to connect to, or to be left behind, once zen is connected.
func TestPitfall10TheSocketIsGoneOnceConnected(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	err := filepath.WalkDir(ask(t, client, "cwd").ID, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("there is %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	ask(t, client, "pid")
}
