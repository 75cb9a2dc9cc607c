//go:build unix && !darwin

package keyring

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// reachable wants a session bus that is there already. Without one, godbus would run
// dbus-launch, which leaves a bus and a keyring daemon behind at every call, and
// hangs if there is no home directory.
func (system) reachable() error {
	address := os.Getenv(busVariable)
	if address == "" {
		path := fmt.Sprintf("/run/user/%d/bus", os.Getuid())
		if !isSocket(path) {
			return fmt.Errorf("no session bus (%s is not set, and there is no %s)", busVariable, path)
		}
		// As godbus would set it, if it knew the user's name.
		return os.Setenv(busVariable, "unix:path="+path)
	}
	if strings.Contains(address, "autolaunch:") {
		return errors.New("no session bus (" + busVariable + " asks to start one)")
	}
	for one := range strings.SplitSeq(address, ";") {
		path, isPath := strings.CutPrefix(one, "unix:path=")
		path, _, _ = strings.Cut(path, ",")
		if !isPath || strings.Contains(path, "%") || isSocket(path) {
			return nil
		}
	}
	return fmt.Errorf("no session bus (there is no socket where %s points)", busVariable)
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeSocket != 0
}
