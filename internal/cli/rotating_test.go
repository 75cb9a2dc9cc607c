package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/testwait"
)

// issuer replaces the refresh token with every token that it issues, and revokes the whole
// family when a refresh token is reused, as Auth0 does.
type issuer struct {
	// overlap also accepts the previous refresh token, as Auth0 can be configured to.
	overlap bool
	// used issues tokens that are about to expire, so that each zen token renews.
	used bool

	mu                sync.Mutex // guards the fields below
	current, previous string
	exchanges         int
	pipes             []string // inherited by a provider
	reused            int
}

// exchanged returns the number of refresh tokens that were exchanged.
func (i *issuer) exchanged() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.exchanges
}

// inherited returns the pipes that providers reported.
func (i *issuer) inherited() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.pipes)
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	presented := r.FormValue("refresh_token")
	i.pipes = append(i.pipes, r.Form["pipe"]...)
	switch {
	case presented == "" && i.current == "": // the sign-in
	case presented != "" && presented == i.current && i.reused == 0:
		i.exchanges++
	case presented != "" && presented == i.previous && i.overlap && i.reused == 0:
		i.exchanges++
	default:
		i.reused++
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	if presented != i.previous {
		i.previous = i.current // and keeps it when it is used again
	}
	i.current = fmt.Sprintf("refresh-%d-%x", i.exchanges, rand.Uint64())
	now := time.Now().Truncate(time.Second)
	issued, expires := now, now.Add(time.Hour)
	if i.used {
		issued, expires = now.Add(-time.Hour), now.Add(20*time.Second)
	}
	part := func(claims map[string]any) string {
		data, err := json.Marshal(claims)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	token := part(map[string]any{"alg": "EdDSA", "typ": "JWT"}) + "." +
		part(map[string]any{"id": "db", "a": "rw", "iat": issued.Unix(), "exp": expires.Unix(), "jti": i.current}) + ".c2ln"
	_ = json.NewEncoder(w).Encode(map[string]any{"refresh_token": i.current, "token": token, "issued": issued, "expires": expires})
}

// machine is a home with the shipped programs and the provider rotating, signed in.
type machine struct {
	issuer  *issuer
	zen     string
	environ []string
	store   *store.Store
}

var rotatingProvider = sync.OnceValues(func() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	path := filepath.Join(bin, "extra", handshake.BinaryName("rotating"))
	out, err := exec.Command("go", "build", "-o", path, "./testdata/rotating").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build rotating: %w\n%s", err, out)
	}
	return path, nil
})

func newMachine(t *testing.T, i *issuer) *machine {
	t.Helper()
	path, err := rotatingProvider()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	t.Cleanup(func() { removeWhenQuiet(filepath.Join(dir, "state")) })
	config := filepath.Join(dir, "config.toml")
	text := "[profiles.default]\ndatabase = \"libsql://db.example\"\nprovider = \"rotating\"\n\n[providers.rotating]\nissuer = \"" + server.URL + "\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Dir(filepath.Dir(path))
	m := &machine{
		issuer: i, zen: filepath.Join(bin, "zen"+programs.Exe), store: store.New(filepath.Join(dir, "state")),
		environ: append(os.Environ(), "ZEN_CONFIG="+config, "ZEN_STATE_DIR="+filepath.Join(dir, "state"), "ZEN_PROVIDER_DIR="+filepath.Dir(path), "CI=true"),
	}
	for _, args := range [][]string{{"provider", "trust", "rotating"}, {"login", "--provider", "rotating"}} {
		if out, err := m.command(args...).CombinedOutput(); err != nil {
			t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return m
}

// removeWhenQuiet removes a state directory once all renewals have ended: they outlive the
// killed processes that waited for them.
func removeWhenQuiet(state string) {
	_ = testwait.Done(context.Background(), func() bool {
		_ = os.RemoveAll(state)
		testwait.For(context.Background(), 200*time.Millisecond)
		_, err := os.Lstat(state)
		return os.IsNotExist(err)
	})
}

func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(m.zen, args...)
	cmd.Env = m.environ
	return cmd
}

// check checks that the stored credential is the issuer's current one, and the only one.
func (m *machine) check(t *testing.T) {
	t.Helper()
	record, err := m.store.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	m.issuer.mu.Lock()
	defer m.issuer.mu.Unlock()
	if got := record.Accounts["rotating"].Credential.Data.Reveal(); len(record.Accounts) != 1 || got != m.issuer.current || m.issuer.reused > 0 {
		t.Fatalf("%d credentials, current %v, %d reuses, want 1, true, 0", len(record.Accounts), got == m.issuer.current, m.issuer.reused)
	}
}

// Fifty processes request a token at once when the stored one has expired: one sends a
// request to the issuer, and the others take what it stored.
func TestFiftyProcessesRenewOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t, &issuer{})
	const processes = 50
	tokens := make([]string, processes)
	var wait sync.WaitGroup
	for n := range processes {
		wait.Go(func() {
			out, err := m.command("token").Output()
			if err != nil {
				t.Errorf("process %d: %v", n, err)
			}
			tokens[n] = strings.TrimSpace(string(out))
		})
	}
	wait.Wait()
	for n, token := range tokens {
		if token == "" || token != tokens[0] {
			t.Errorf("process %d got no token or a different one", n)
		}
	}
	m.check(t)
	if m.issuer.exchanged() != 1 {
		t.Errorf("%d exchanges, want 1", m.issuer.exchanged())
	}
}

// rounds returns ZEN_TEST_ROUNDS, or the usual number, which is lower with -short and with
// the race detector.
func rounds(t *testing.T, usual int) int {
	text := os.Getenv("ZEN_TEST_ROUNDS")
	switch {
	case text == "" && racePrograms:
		return usual / 4
	case text == "" && testing.Short():
		return max(1, usual/3)
	case text == "":
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("ZEN_TEST_ROUNDS=%q is not a number", text)
	}
	return n
}

// Killing or interrupting zen token at random moments of a renewal never loses, damages or
// duplicates the credential, although the issuer accepts each refresh token only once.
func TestKilledRenewalsLoseNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupts for single processes")
	}
	m := newMachine(t, &issuer{used: true})
	began := time.Now()
	if out, err := m.command("token").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	n, killed := rounds(t, 40), 0
	for round := range n {
		cmd := m.command("token")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testwait.Moment(t.Context(), 0, whole+whole/5) // during the renewal
		if round%5 == 4 {
			_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		} else {
			_ = cmd.Process.Kill()
		}
		failed := cmd.Wait() != nil
		if failed {
			killed++
		}
		whole = next(whole, failed)
		if m.issuer.reuses() > 0 {
			break
		}
	}
	if out, err := m.command("token").CombinedOutput(); err != nil {
		t.Errorf("after %d kills: %v\n%s", killed, err, out)
	}
	m.check(t)
	t.Logf("%d of %d were killed within %s; the issuer exchanged %d times", killed, n, whole, m.issuer.exchanged())
	if killed < n/4 {
		t.Errorf("only %d of %d were killed", killed, n)
	}
}

// next returns the period in which the next command is killed. It adapts to the machine so
// that about two of three commands are killed.
func next(whole time.Duration, killed bool) time.Duration {
	if killed {
		return whole + whole/8
	}
	return whole - whole/4
}

func (i *issuer) reuses() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.reused
}
