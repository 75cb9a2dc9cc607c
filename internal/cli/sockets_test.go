//go:build !windows

package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// countingSocketProxy is a proxy for a database's WebSockets. It counts the tokens in their hellos,
// and closes a socket if a request arrives some time after its last token expired: Turso and
// its stand-in check a token only in the hello.
type countingSocketProxy struct {
	*countingProxy
	database string

	mu     sync.Mutex      // guards the fields below
	hellos map[string]bool // by token
	late   []string        // requests after a token's expiry
}

// newCountingSocketProxy starts such a proxy, and returns it and its URL.
func newCountingSocketProxy(t *testing.T, database string) (*countingSocketProxy, string) {
	t.Helper()
	inner, address := newCountingProxy(t, database)
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w := &countingSocketProxy{countingProxy: inner, database: database, hellos: map[string]bool{}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return w, server.URL + to.Path
}

func (w *countingSocketProxy) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.countingProxy.ServeHTTP(out, r)
		return
	}
	ctx := r.Context()
	asked := strings.Split(r.Header.Get("Sec-WebSocket-Protocol"), ", ")
	server, _, err := websocket.Dial(ctx, w.database, &websocket.DialOptions{Subprotocols: asked})
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.CloseNow()
	client, err := websocket.Accept(out, r, &websocket.AcceptOptions{Subprotocols: []string{server.Subprotocol()}})
	if err != nil {
		return
	}
	defer client.CloseNow()
	var answers sync.WaitGroup
	answers.Go(func() { forwardMessages(r, server, client, func([]byte) bool { return true }) })
	var until time.Time
	forwardMessages(r, client, server, func(message []byte) bool {
		if token := tokenOfHello(message); token != "" {
			until = w.recordHello(token)
			return true
		}
		late := time.Since(until)
		if late > expiryLeeway {
			w.mu.Lock()
			w.late = append(w.late, fmt.Sprintf("%s, %s after the token's end", server.Subprotocol(), late))
			w.mu.Unlock()
			_ = client.Close(websocket.StatusPolicyViolation, "the token has ended")
			return false
		}
		return true
	})
	answers.Wait()
}

// forwardMessages forwards messages until good returns false or a side closes, and passes the
// close code on.
func forwardMessages(r *http.Request, from, to *websocket.Conn, good func(message []byte) bool) {
	for {
		kind, message, err := from.Read(r.Context())
		if err != nil {
			if code := websocket.CloseStatus(err); code >= websocket.StatusNormalClosure && code != websocket.StatusNoStatusRcvd {
				_ = to.Close(code, "")
			}
			to.CloseNow()
			return
		}
		if !good(message) || to.Write(r.Context(), kind, message) != nil {
			from.CloseNow()
			to.CloseNow()
			return
		}
	}
}

// tokenOfHello returns the token of a hello in either encoding, or "".
func tokenOfHello(message []byte) string {
	if message[0] == '{' {
		var m struct{ JWT string }
		_ = json.Unmarshal(message, &m)
		return m.JWT
	}
	// ClientMsg has HelloMsg in field 1, which has the token in field 1.
	for range 2 {
		number, _, n := protowire.ConsumeTag(message)
		if n < 0 || number != 1 {
			return ""
		}
		inner, n := protowire.ConsumeBytes(message[n:])
		if n < 0 {
			return ""
		}
		message = inner
	}
	return string(message)
}

// recordHello records a token, and returns its expiry.
func (w *countingSocketProxy) recordHello(token string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hellos[token] = true
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil || claims.ExpiresAt == nil {
		return time.Time{}
	}
	return claims.ExpiresAt.Time
}

func (w *countingSocketProxy) helloCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.hellos)
}

// ledger is what a program reports about its rows.
type ledger struct {
	t     *testing.T
	input io.WriteCloser
	done  chan string

	mu      sync.Mutex        // guards the fields below
	fates   map[string]string // by row
	acked   map[string]int    // by writer
	cuts    []string          // the reason of each
	closed  map[string]string // the reason, by writer
	failure []string
}

func (l *ledger) read(from io.Reader) {
	defer close(l.done)
	for lines := bufio.NewScanner(from); lines.Scan(); {
		var said struct{ What, ID, Writer, Message string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			l.t.Errorf("%v: %s", err, lines.Bytes())
			return
		}
		l.mu.Lock()
		switch said.What {
		case "acked", "refused", "unknown":
			if before := l.fates[said.ID]; before != "" {
				l.failure = append(l.failure, fmt.Sprintf("%s was reported as %s and %s", said.ID, before, said.What))
			}
			l.fates[said.ID] = said.What
			if said.What == "acked" {
				l.acked[said.Writer]++
			}
		case "cut":
			l.cuts = append(l.cuts, said.Writer+": "+said.Message)
		case "closed":
			l.closed[said.Writer] = said.Message
		case "failed":
			l.failure = append(l.failure, said.Writer+": "+said.Message)
		}
		l.mu.Unlock()
		if said.What == "done" {
			l.done <- said.ID
		}
	}
}

// tell sends the program a command, and waits until it is done.
func (l *ledger) tell(command string) {
	l.t.Helper()
	if _, err := io.WriteString(l.input, command+"\n"); err != nil {
		l.t.Fatal(err)
	}
	if got := <-l.done; got != command {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.t.Fatalf("%s: done %q, failures %q", command, got, l.failure)
	}
}

// least returns the smallest number of acknowledged rows of the writers.
func (l *ledger) least(writers ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.acked[writers[0]]
	for _, name := range writers {
		n = min(n, l.acked[name])
	}
	return n
}

func (l *ledger) cutSoFar() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.cuts)
}

// heldForLong is less than the five seconds after which a server rolls back an idle
// transaction that others wait for.
const heldForLong = 4 * time.Second

// Clients over WebSockets in each encoding write through zen proxy while the database's
// tokens expire within seconds, and the proxy is killed in between. Each acknowledged row
// exists once, and no refused row exists. Idle sockets and transactions survive; when the
// sign-in ends they are closed with the reason.
func TestSocketsOutliveTokens(t *testing.T) {
	if testing.Short() {
		t.Skip("needs foreign clients; make test-all runs it")
	}
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	life := 2 * time.Second
	if raceEnabled { // a renewal takes two seconds then
		life = 6 * time.Second
	}
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: life})
	seen, address := newCountingSocketProxy(t, stack.DatabaseURL())
	home := newProxiedHome(t, bin, stack, address)
	proxy := func() (kill func()) {
		cmd := home.command(t.Context(), "proxy", "--database", address, "--keep", "--env-file", "kept.env", "--json")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			_, err = bufio.NewReader(out).ReadString('\n')
		}
		if err != nil {
			t.Fatalf("zen proxy: %v", err)
		}
		return sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	kill := proxy()
	defer func() { kill() }()

	kept, err := os.ReadFile(filepath.Join(home.dir, "kept.env"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(nodeClients(t, "sockets.mjs"), "sockets.mjs"), fmt.Sprint(min(life+life/4, heldForLong).Milliseconds()))
	cmd.Env, cmd.Stderr = os.Environ(), os.Stderr
	for line := range strings.Lines(string(kept)) {
		cmd.Env = append(cmd.Env, strings.Trim(strings.TrimSpace(line), "'"))
	}
	l := &ledger{t: t, done: make(chan string), fates: map[string]string{}, acked: map[string]int{}, closed: map[string]string{}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if l.input, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { l.read(out) })

	writers := []string{"client", "hrana2", "hrana3", "protobuf"}
	for _, last := range []bool{false, true} {
		l.tell("rest")
		tokens, rows, cuts := seen.helloCount(), l.least(writers...), len(l.cutSoFar())
		testwait.Until(t, "two more tokens", func() bool { return seen.helloCount() >= tokens+2 && l.least(writers...) > rows+20 })
		l.tell("wake")
		if more := l.cutSoFar()[cuts:]; len(more) > 0 {
			t.Errorf("sockets were cut while the proxy ran: %q", more)
		}
		if !last {
			kill()
			kill = proxy()
			rows = l.least(writers...)
			testwait.Until(t, "rows after the kill", func() bool { return l.least(writers...) > rows })
		}
	}
	l.tell("stop")
	for _, id := range stack.Clerk.SessionIDs(stack.Clerk.UserID("alice@example.test")) {
		(&stackUser{t: t}).backend(stack, http.MethodPost, "/sessions/"+id+"/revoke")
	}
	l.tell("last")
	_ = l.input.Close()
	reading.Wait()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, name := range writers[1:] {
		if !strings.Contains(l.closed[name], "closed with code 1008: the token of this socket has ended: ") {
			t.Errorf("%s was closed with %q", name, l.closed[name])
		}
	}
	for _, failure := range append(l.failure, seen.late...) {
		t.Error(failure)
	}

	home.zen("login", "--provider", "clerk")
	var answer struct{ Rows [][]any }
	if err := json.Unmarshal([]byte(home.zen("db", "query", "--json", "SELECT id, count(*) FROM ledger GROUP BY id")), &answer); err != nil {
		t.Fatal(err)
	}
	there := map[string]float64{}
	for _, row := range answer.Rows {
		there[row[0].(string)] = row[1].(float64)
	}
	fates := map[string]int{}
	for id, fate := range l.fates {
		fates[fate]++
		n := there[id]
		delete(there, id)
		if fate == "acked" && n != 1 || fate == "refused" && n != 0 || n > 1 {
			t.Errorf("%s was %s, but exists %v times", id, fate, n)
		}
	}
	for id, n := range there {
		t.Errorf("the unreported row %s exists %v times", id, n)
	}
	t.Logf("%d tokens; rows acked: %d (%v), refused: %d, unknown: %d; %d sockets cut by the kill", seen.helloCount(), fates["acked"], l.acked, fates["refused"], fates["unknown"], len(l.cuts))
}
