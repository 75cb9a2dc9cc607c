package cli

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/fault"
)

// failCommand runs a command that fails with a fault. If email is set, Alice answers
// the prompts at a terminal.
func (p *doctorCase) failCommand(t *testing.T, email bool, args ...string) {
	t.Helper()
	environ := append(slices.Clone(p.environ), "BROWSER=zen --quiet dev browse --user alice", "CI=", "TERM=xterm")
	if slices.Contains(args, "oidc") {
		environ = append(environ, "ZEN_TOKEN_PROVIDER=platformtoken")
	}
	if !email {
		bin, err := binaries()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(bin, "zen"), args...)
		cmd.Env = environ
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("zen %s succeeded:\n%s", strings.Join(args, " "), out)
		}
		return
	}
	s := onTerminal(t, environ, args...)
	s.await("E-mail address of your account at ")
	before := len(p.stack.Mails("alice@example.test"))
	s.typed("alice@example.test\r")
	ended := make(chan error, 1)
	go func() { ended <- s.wait() }()
	for {
		if strings.Contains(s.shown(), "Code that was sent to ") {
			if mails := p.stack.Mails("alice@example.test"); len(mails) > before {
				s.typed(mails[0].Code + "\r")
			}
			break
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Fatal("the sign-in succeeded")
			}
			return
		case <-t.Context().Done():
			return
		default:
		}
	}
	if err := <-ended; err == nil {
		t.Fatal("the sign-in succeeded")
	}
}

// The doctor reports a command's failure until the command succeeds: after findings of deeper
// layers, and before the others.
func TestDoctorReportsFailedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("runs long; make test-all runs it, and the script doctor_remembers has one of each kind")
	}
	t.Parallel()
	p := newDoctorCase(t)
	p.environ = append(p.environ, "ZEN_DEV_URL="+p.stack.URL())
	for name, m := range commandFaults {
		t.Run(name, func(t *testing.T) {
			args := slices.Clone(m.command)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "$ZEN_DEV_URL", p.stack.URL())
			}
			switchFaults(t, p.stack, true, []string{name})
			p.failCommand(t, m.email, args...)
			switchFaults(t, p.stack, false, []string{name})
			d := p.ask(t, nil)
			if d.first() != m.want || d.code != 0 || !strings.Contains(d.String(), m.says) {
				t.Errorf("exit code %d, the first finding is %q, want %q with %q%s", d.code, d.first(), m.want, m.says, d)
			}
			for other, want := range map[string]string{fault.BadGateway: "network.trouble", fault.WritesBlocked: m.want} {
				switchFaults(t, p.stack, true, []string{other})
				if d := p.ask(t, nil); d.first() != want {
					t.Errorf("with %s: the first finding is %q, want %q%s", other, d.first(), want, d)
				}
				switchFaults(t, p.stack, false, []string{other})
			}
			p.forgetFailures(t)
		})
	}
}
