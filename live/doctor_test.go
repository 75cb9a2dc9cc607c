package live

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/store"
)

// doctorQuestions run zen doctor in a process with the run's objects in a configuration of
// its own. Its requests are not in the transcript, and of its output only the ids and
// severities are: its texts name other objects of the account.
var doctorQuestions = []question{
	{
		id: "P1", name: "zen_doctor", needs: []string{"turso", "clerk", "programs"},
		asked: "What does zen doctor find, signed in as the user, with a registration and a template that are right?",
		expected: answer{
			"exit": "0", "not ok": "clerk.bridge clerk.oauth clerk.session-token", "storage.file": "ok", "network.reached": "ok", "network.clock": "ok",
			"clerk.native-api": "ok", "clerk.template": "ok", "clerk.session-token": "warn", "clerk.bridge": "skipped", "clerk.oauth": "skipped",
			"token.ok": "ok", "turso.jwks.registered": "ok", "turso.jwks.list": "ok", "database.ok": "ok", "cors.preflight": "ok", "plan.ok": "ok",
		},
		answer: func(r *run) answer {
			r.token(plain) // from here on the template is the database's
			dir := filepath.Join(r.files(), "zen")
			out, code := r.zen(r.end, dir, r.profile(dir), "doctor", "--json")
			var said struct {
				Findings []struct{ ID, Severity string }
			}
			check(json.Unmarshal(out, &said))
			got := answer{"exit": fmt.Sprint(code)}
			var bad []string
			for _, f := range said.Findings {
				if got[f.ID] == "" || got[f.ID] == string(provider.SeverityOK) {
					got[f.ID] = f.Severity
				}
				if f.Severity != string(provider.SeverityOK) {
					bad = append(bad, f.ID)
				}
			}
			slices.Sort(bad)
			got["not ok"] = cmp.Or(strings.Join(slices.Compact(bad), " "), "none")
			return got
		},
	},
}

// profile writes a configuration with the database and the instance, and a sign-in of the
// user, into a directory. It returns the environment that names them.
func (r *run) profile(dir string) []string {
	check(os.MkdirAll(dir, 0o700))
	config, state := filepath.Join(dir, "config.toml"), filepath.Join(dir, "state")
	db := r.theDatabase()
	check(private.Replace(config, fmt.Appendf(nil, `[profiles.default]
database = %q
database_id = %q
provider = "clerk"
storage = "file"

[providers.clerk]
publishable_key = %q
template = %q
`, db.URL(), db.ID, r.publishableKey, r.name), 0o600))
	s := r.signIn(r.user())
	credential, err := json.Marshal(map[string]any{"v": 1, "instance": r.instance.Fingerprint(), "session": s.ID, "client": s.Client.Reveal()})
	check(err)
	file := store.WithStorage(func(string) store.Storage { return store.StorageFile })
	check(store.New(state, file).Lock(r.ctx, "default", func(l *store.Locked) error {
		l.Provider = "clerk"
		l.Accounts["clerk"] = store.Account{Credential: provider.Credential{
			Data: provider.NewSecret(string(credential)), Subject: r.user(), Issued: r.now(), Expires: s.Expires,
		}}
		return l.Save()
	}))
	environ := []string{"ZEN_CONFIG=" + config, "ZEN_STATE_DIR=" + state, "TURSO_API_TOKEN=" + r.tursoToken}
	if r.organization != "" {
		environ = append(environ, "ZEN_PLATFORMTOKEN__ORGANIZATION="+r.organization)
	}
	if r.tursoURL != "" {
		environ = append(environ, "TURSO_API_BASEURL="+r.tursoURL)
	}
	return environ
}

// zenTimeout is the time limit of a zen process.
const zenTimeout = 2 * time.Minute

// buildZen builds zen and runs it with startZen.
func buildZen(ctx context.Context, dir string, environ []string, args ...string) (out []byte, code int) {
	bin := filepath.Join(dir, "bin")
	check(os.MkdirAll(bin, 0o700))
	check(programs.Install(bin, false))
	return startZen(ctx, bin, dir, environ, args...)
}

// startZen runs the zen in bin as a process in a directory, with only those variables of this
// environment that a provider gets. It returns zen's output and exit code.
func startZen(ctx context.Context, bin, dir string, environ []string, args ...string) (out []byte, code int) {
	ctx, cancel := context.WithTimeout(ctx, zenTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "zen"+programs.Exe), args...)
	cmd.Env = append(host.Allowed(os.Environ()), append(environ, "HOME="+dir)...) // so that no project file is read
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil && len(out) == 0 {
		check(fmt.Errorf("zen %s: %w: %s", strings.Join(args, " "), err, &said))
	}
	return out, cmd.ProcessState.ExitCode()
}
