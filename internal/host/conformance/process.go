package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/private"
)

const (
	// startLimit limits the wait for the greeting, and for the first answer.
	startLimit = 10 * time.Second
	// stopLimit is how long a host waits after Shutdown before it kills the provider.
	stopLimit = time.Second
)

// callLimit limits calls that can't reach the network. Tests shorten it.
var callLimit = 10 * time.Second

// process is a started provider.
type process struct {
	suite    *suite
	cmd      *exec.Cmd
	dir      *private.Dir
	identity tls.Certificate
	greeted  chan string   // gets the first line, or is closed without one
	exited   chan struct{} // closed when the process and its output have ended
	abandon  chan struct{} // closing it ends the thread that started the process
	began    time.Time

	stop        sync.Once
	connections []*grpc.ClientConn
}

// start starts the provider as a host does. variables change its environment: of those
// with the same name the last one counts, and a name without "=" is removed.
func (s *suite) start(ctx context.Context, variables ...string) (*process, error) {
	identity, certificate, err := hostIdentity()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	// If this test is killed, a host removes the directory later.
	dir, err := host.MakeSocketDir()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	p := &process{
		suite: s, dir: dir, identity: identity, began: time.Now(),
		greeted: make(chan string, 1), exited: make(chan struct{}), abandon: make(chan struct{}),
	}
	environ := append(s.environ(),
		handshake.CookieKey+"="+handshake.CookieValue,
		"PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000",
		"PLUGIN_UNIX_SOCKET_DIR="+dir.Path, "PLUGIN_CLIENT_CERT="+string(certificate))
	p.cmd = &exec.Cmd{
		Path: s.options.Path, Args: []string{filepath.Base(s.options.Path)},
		Env: with(environ, variables), Dir: dir.Path, SysProcAttr: isolation(),
	}
	if s.secluded {
		seclude(p.cmd.SysProcAttr)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	started := make(chan error)
	go p.run(started, stdout, stderr)
	if err := <-started; err != nil {
		dir.Remove()
		return nil, &provider.Error{
			Kind: provider.ErrNoProvider, Message: fmt.Sprintf("start provider %s: %v", s.name, err), Err: err,
		}
	}
	s.running = append(s.running, p)
	return p, ctx.Err()
}

// run starts the process on a thread of its own, which ends after the process or when
// abandon is closed. Linux treats the end of that thread as the death of the process's
// parent (golang/go#27505).
func (p *process) run(started chan<- error, stdout, stderr io.ReadCloser) {
	runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
	if onMainThread() {
		// The main thread never ends. It is occupied here, so that another one is used.
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.run(started, stdout, stderr)
		}()
		<-done
		runtime.UnlockOSThread()
		return
	}
	err := p.cmd.Start()
	if err == nil {
		leftover.Mark(p.cmd.Process.Pid, p.dir.Path)
	}
	started <- err
	if err != nil {
		return
	}
	go func() {
		defer close(p.exited)
		var readers sync.WaitGroup
		readers.Go(func() { p.readOutput(stdout) })
		readers.Go(func() { p.record("standard error", stderr) })
		state, _ := p.cmd.Process.Wait()
		p.cmd.ProcessState = state
		// A process that it left behind may hold the pipes open. Don't wait for that one.
		done := make(chan struct{})
		go func() { defer close(done); readers.Wait() }()
		select {
		case <-done:
		case <-time.After(300 * time.Millisecond):
			_, _ = stdout.Close(), stderr.Close()
			<-done
		}
	}()
	select {
	case <-p.abandon:
	case <-p.exited:
	}
}

// maxGreeting limits the length of the first line, which is about 1 KiB.
const maxGreeting = 16 << 10

func (p *process) readOutput(stdout io.Reader) {
	defer close(p.greeted)
	lines := bufio.NewReaderSize(stdout, maxGreeting)
	line, err := lines.ReadSlice('\n')
	p.suite.transcript.add("standard output", string(line))
	if err == nil {
		p.greeted <- strings.TrimRight(string(line), "\r\n")
	}
	p.record("standard output", lines)
}

func (p *process) record(where string, r io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		p.suite.transcript.add(where, string(buffer[:n]))
		if err != nil {
			return
		}
	}
}

var errNoGreeting = errors.New("it exited without printing its line")

// greeting waits for the first line.
func (p *process) greeting(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case line, ok := <-p.greeted:
		if !ok {
			return "", errNoGreeting
		}
		return line, nil
	case <-ctx.Done():
		return "", fmt.Errorf("no line on standard output within %v", startLimit)
	}
}

// endsWithin reports whether the process ends by itself within limit.
func (p *process) endsWithin(limit time.Duration) bool {
	select {
	case <-p.exited:
		return true
	case <-time.After(limit):
		return false
	}
}

// groupEndsWithin reports whether the processes that the provider started end within limit.
// It polls, since Unix has no event for the end of the last process in a group.
func (p *process) groupEndsWithin(limit time.Duration) bool {
	for end := time.Now().Add(limit); p.groupAlive(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// kill kills the process and everything that it started, and removes its directory.
func (p *process) kill() {
	p.stop.Do(func() {
		for _, c := range p.connections {
			_ = c.Close()
		}
		killGroup(p.cmd.Process)
		leftover.End(p.dir.Path)
		<-p.exited
		p.dir.Remove()
	})
}

func (s *suite) stopAll() {
	for _, p := range s.running {
		p.kill()
	}
	s.running, s.secluded = nil, false
	s.trap.hang(false)
}

// environ returns the part of the environment that every provider gets.
func (s *suite) environ() []string {
	// A Go program built with -race would otherwise sleep for a second before it exits.
	environ := []string{"GORACE=atexit_sleep_ms=10"}
	for _, entry := range host.Allowed(os.Environ()) {
		name, _, _ := strings.Cut(strings.ToUpper(entry), "=")
		if s.options.Network || !strings.HasSuffix(name, "_PROXY") && !strings.HasPrefix(name, "SSL_CERT_") {
			environ = append(environ, entry)
		}
	}
	if !s.options.Network {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
			environ = append(environ, name+"="+s.trap.url())
		}
	}
	return environ
}

// with returns an environment with changes applied: NAME=VALUE sets a variable, and NAME
// removes it.
func with(environ, changes []string) []string {
	for _, change := range changes {
		name, _, set := strings.Cut(change, "=")
		environ = slices.DeleteFunc(environ, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
		if set {
			environ = append(environ, change)
		}
	}
	return environ
}
