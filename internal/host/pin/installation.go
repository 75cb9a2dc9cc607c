package pin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/internal/private"
)

// installationFile is the file that names the directory of the installed zen, in the
// state directory.
const installationFile = "installation.toml"

type installation struct {
	Directory string `toml:"directory"`
}

// RecordInstallation writes down the directory of the zen that was used last, in the
// state directory. Programs look for providers there, too; which of them run, the pins
// say alone.
func RecordInstallation(stateDir, dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("record the installation: %q is not an absolute path", dir)
	}
	if Installation(stateDir) == dir {
		return nil
	}
	text, err := toml.Marshal(installation{dir})
	if err == nil {
		err = os.MkdirAll(stateDir, 0o700)
	}
	if err == nil {
		err = private.Replace(filepath.Join(stateDir, installationFile), append([]byte("# Where zen is, for programs that use its providers. zen writes it.\n"), text...), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record the installation: %w", err)
	}
	return nil
}

// Installation returns the recorded directory, or "": also where another user could have
// written the record, if it can't be read, and where what it names is no directory.
func Installation(stateDir string) string {
	file, err := private.Own.Open(filepath.Join(stateDir, installationFile), os.O_RDONLY)
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	var recorded installation
	if err = errors.Join(err, file.Close()); err == nil {
		err = toml.Unmarshal(text, &recorded)
	}
	if err != nil || !filepath.IsAbs(recorded.Directory) {
		return ""
	}
	if info, err := os.Stat(recorded.Directory); err != nil || !info.IsDir() {
		return ""
	}
	return filepath.Clean(recorded.Directory)
}
