package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/internal/keyring/keyringtest"
)

// TestKeyringScripts runs the scripts that need a real keyring, each with a bus of its own
// that only has the services started by the script.
func TestKeyringScripts(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/keyring/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			bus := keyringtest.NewBus(t, t.TempDir(), false)
			var daemon *keyringtest.Keyring
			p := scripts(bin)
			p.Files = []string{file}
			setup := p.Setup
			p.Setup = func(env *testscript.Env) error {
				env.Setenv("DBUS_SESSION_BUS_ADDRESS", bus.Address)
				env.Setenv("KEYRINGS", bus.Home)
				env.Setenv("ZEN_KEYRING_TIMEOUT", "30s") // enough for a busy machine
				err := setup(env)
				env.Setenv("ZEN_STORAGE", "")
				return err
			}
			// The command keyring: start PASSWORD, stop, lock, freeze, thaw.
			p.Cmds["keyring"] = func(ts *testscript.TestScript, _ bool, args []string) {
				switch args[0] {
				case "start":
					daemon = bus.StartKeyring(args[1])
				case "stop":
					daemon.Stop()
				case "lock":
					daemon.Lock()
				case "freeze":
					daemon.Freeze()
				case "thaw":
					daemon.Thaw()
				default:
					ts.Fatalf("keyring %s", args[0])
				}
			}
			p.Cmds["nowhere"] = wantNowhere
			testscript.Run(t, p)
		})
	}
}
