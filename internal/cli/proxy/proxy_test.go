package proxy

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/cli/app"
)

func TestInvalidOptions(t *testing.T) {
	for name, test := range map[string]struct {
		o    Options
		json bool
		want string
		code int
	}{
		"no path":         {o: Options{Listen: "unix:"}, want: "has no path", code: app.ExitUsage},
		"command, socket": {o: Options{Listen: "unix:/x", Command: []string{"true"}}, want: "Unix socket", code: app.ExitUsage},
		"command, file":   {o: Options{Listen: "127.0.0.1:0", EnvFile: "x", Command: []string{"true"}}, want: "--env-file", code: app.ExitUsage},
		"command, JSON":   {o: Options{Listen: "127.0.0.1:0", Command: []string{"true"}}, json: true, want: "leave --json out", code: app.ExitUsage},
		"no such command": {o: Options{Listen: "127.0.0.1:0", Command: []string{"no-such-command"}}, want: "there is no such command", code: 127},
		"listen on all":   {o: Options{Listen: "0.0.0.0:0"}, want: "--listen 0.0.0.0:0 is not an address of this machine", code: app.ExitUsage},
		"admin on all":    {o: Options{Listen: "127.0.0.1:0", Admin: "[::]:0"}, want: "--admin [::]:0 is not", code: app.ExitUsage},
		"no port":         {o: Options{Listen: "127.0.0.1"}, want: "is not HOST:PORT", code: app.ExitUsage},
		"invalid origin":  {o: Options{Listen: "127.0.0.1:0", AllowOrigins: []string{"localhost"}}, want: "is not an origin", code: app.ExitUsage},
	} {
		e := &app.Env{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, JSON: test.json}
		err := test.o.Run(t.Context(), e)
		if err == nil || !strings.Contains(err.Error(), test.want) || app.ExitCode(t.Context(), err) != test.code {
			t.Errorf("%s: %v (exit code %d)", name, err, app.ExitCode(t.Context(), err))
		}
		if test.code == app.ExitUsage && !errors.Is(err, app.ErrUsage) {
			t.Errorf("%s: %v isn't a usage error", name, err)
		}
	}
}
