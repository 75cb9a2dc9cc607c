package openbao_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
)

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// TestSecretsStayWhereTheyBelong searches all files and output of the server and its
// plugins for secrets, after successes and failures.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	tm := newTeam(t)
	alice := tm.stack.Clerk.UserID("alice@example.test")
	tm.write("turso/roles/app", object{"database": "app"})
	tm.policy("app", "turso/creds/app")
	tm.write("auth/jwt/role/app", object{"role_type": "jwt", "user_claim": "sub", "bound_claims": object{"sub": alice}, "token_policies": "app"})
	tm.write("auth/clerk/role/app", object{"bound_subjects": alice, "token_policies": "app"})
	assertion := devstacktest.Token(t, tm.stack, "alice@example.test", "turso")
	key := clerkPost(t, tm.stack, "/api_keys", object{"name": "key", "subject": alice})["secret"].(string)
	c, err := tm.Login(t.Context(), "jwt", object{"role": "app", "jwt": assertion})
	if err != nil {
		t.Fatal(err)
	}
	byKey, err := tm.Login(t.Context(), "clerk", object{"role": "app", "api_key": key})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tm.creds(c, "app")
	if err != nil {
		t.Fatal(err)
	}
	var errs []string
	wrong := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("the request succeeded, want a failure")
			return
		}
		errs = append(errs, err.Error())
	}
	_, err = tm.Login(t.Context(), "jwt", object{"role": "none", "jwt": assertion})
	wrong(err)
	_, err = tm.Login(t.Context(), "clerk", object{"role": "none", "api_key": key})
	wrong(err)
	wrong(tm.Write(t.Context(), "turso/config", object{"api_token": tm.stack.APIToken(), "api_url": "http://planted.example"}))
	wrong(tm.Write(t.Context(), "auth/clerk/config", object{"secret_key": tm.stack.Clerk.SecretKey(), "api_url": "nowhere"}))
	for _, fault := range []string{"api-unauthorized", "api-down", "net-cut", "net-502"} {
		if err := tm.stack.Faults.Switch(fault, true); err != nil {
			t.Fatal(err)
		}
		_, err := tm.creds(c, "app")
		wrong(err)
		wrong(tm.Write(t.Context(), "turso/config/rotate-root", object{"api_token": tm.stack.APIToken()}))
		if err := tm.stack.Faults.Switch(fault, false); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := tm.stack.Turso.CreateAPIToken("alice", turso.APIToken{Name: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	tm.write("turso/config/rotate-root", object{"api_token": admin})
	tm.write("sys/leases/revoke", object{"lease_id": l.ID, "sync": true})

	secrets := map[string]string{
		"API token": tm.stack.APIToken(), "administrator's API token": admin, "Clerk's secret key": tm.stack.Clerk.SecretKey(), "assertion": assertion, "Clerk API key": key,
		"OpenBao's token": c.Token, "another OpenBao token": byKey.Token, "root token": tm.Token, "database token": l.token(), "unseal key": tm.UnsealKey,
	}
	search := func(where string, data []byte) {
		t.Helper()
		for name, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("the %s is in %s", name, where)
			}
		}
	}
	search("errors", []byte(strings.Join(errs, "\n")))
	dir := filepath.Dir(tm.Log())
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			search(path, []byte(readFile(t, path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range processes(t, tm.PID()) {
		search(name, data)
	}
	audit := readFile(t, tm.AuditLog())
	if !strings.Contains(audit, alice) || !strings.Contains(audit, `"path":"turso/creds/app"`) {
		t.Error("the audit log doesn't say who requested a token")
	}
}

// processes returns the arguments and environments of a process group, if the system
// shows them.
func processes(t *testing.T, group int) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Log("there is no /proc: arguments and environments are not checked")
		return nil
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		for _, name := range []string{"cmdline", "environ"} {
			file := filepath.Join(filepath.Dir(path), name)
			if data, err := os.ReadFile(file); err == nil {
				found[file] = data
			}
		}
	}
	if len(found) < 4 { // the server and one plugin
		t.Errorf("%d files of the server's processes", len(found))
	}
	return found
}
