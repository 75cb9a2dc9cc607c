package host

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/replace"
)

// drain limits how long the rest in a dead process's pipes is waited for; a process
// that it started itself may hold them open.
const drain = 200 * time.Millisecond

// maxAgain bounds what is read of such a process.
const maxAgain = 10

// child is a provider's process, as go-plugin wants to see it. go-plugin's own
// runner gives the host's standard input to the provider, and reads its output in
// ways that the provider can break.
type child struct {
	name   string
	cmd    *exec.Cmd
	path   string
	log    hclog.Logger
	redact func(string) string
	// dir is of its socket.
	dir *private.Dir

	greeting string
	readers  sync.WaitGroup
	// errorOutput is complete once readers are done.
	errorOutput errorOutput
	// exited is closed when the process has ended; status is set before.
	exited chan struct{}
	status string

	// mu guards what is below.
	mu      sync.Mutex
	begun   bool
	process *os.Process // nil before the start, and after the end: the id may be another's
	killed  bool
}

// newChild prepares the process of a program, without standard input, in dir.
func newChild(p *program, dir *private.Dir, env []string, log hclog.Logger, redact func(string) string) *child {
	cmd := &exec.Cmd{Args: []string{filepath.Base(p.path)}, Env: env, Dir: dir.Path, SysProcAttr: isolation()}
	p.from(cmd)
	return &child{
		name: p.name, path: p.path, cmd: cmd, log: log, redact: redact, dir: dir,
		errorOutput: errorOutput{log: log}, exited: make(chan struct{}),
	}
}

// Start starts the process and checks its greeting, within ctx. Its errors are
// those of the package.
func (c *child) Start(ctx context.Context) error {
	c.mu.Lock()
	c.begun = true
	c.mu.Unlock()
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return c.notStarted(err)
	}
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		_ = stdout.Close()
		_ = stdoutWriter.Close()
		return c.notStarted(err)
	}
	c.cmd.Stdout, c.cmd.Stderr = stdoutWriter, stderrWriter
	started := make(chan error)
	go c.run(started, stdout, stderr)
	err = <-started
	_ = stdoutWriter.Close()
	_ = stderrWriter.Close()
	if err != nil {
		_ = stdout.Close()
		_ = stderr.Close()
		return c.notStarted(err)
	}

	greeting := make(chan string, 1)
	c.readers.Go(func() {
		defer stdout.Close()
		defer close(greeting)
		first := true
		eachLine(&pipe{File: stdout}, c.redact, func(line string) {
			if first {
				first = false
				greeting <- line
				return
			}
			c.log.Warn("wrote to standard output", "line", line)
		})
	})
	c.readers.Go(func() {
		defer stderr.Close()
		eachLine(&pipe{File: stderr}, c.redact, c.errorOutput.line)
	})
	return c.greet(ctx, greeting)
}

func (c *child) notStarted(err error) error {
	c.status = "not started"
	close(c.exited)
	return &StartError{Name: c.name, Err: replace.Explain(c.path, err)}
}

// run starts the process and waits for its end, on a thread of its own: the kernel
// sends the signal that tells of the parent's death when the thread that started
// the process ends (golang/go#27505).
func (c *child) run(started chan<- error, stdout, stderr *os.File) {
	runtime.LockOSThread()
	err := c.cmd.Start()
	if err == nil {
		c.mu.Lock()
		c.process = c.cmd.Process
		leftover.Mark(c.process.Pid, c.dir.Path)
		if c.killed {
			killGroup(c.process)
		}
		c.mu.Unlock()
	}
	started <- err
	if err != nil {
		return
	}
	_ = c.cmd.Wait() // the state says how it ended
	c.mu.Lock()
	killGroup(c.process) // what it left behind
	c.process = nil
	c.mu.Unlock()
	c.status = c.cmd.ProcessState.String()
	close(c.exited)
	deadline := time.Now().Add(drain)
	_ = stdout.SetReadDeadline(deadline)
	_ = stderr.SetReadDeadline(deadline)
}

// greet waits for the first line. A process that prints none is killed by the caller that
// called Start.
func (c *child) greet(ctx context.Context, greeting <-chan string) error {
	select {
	case line, ok := <-greeting:
		if ok {
			c.greeting = line
			return checkGreeting(c.name, line, c.redact)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	// Standard output is at its end: so is the process, or it can't greet any more.
	select {
	case <-c.exited:
		return &ExitError{Name: c.name, Status: c.status}
	case <-time.After(settle):
		return &HandshakeError{Name: c.name, Reason: "it closed its standard output"}
	}
}

// pipe is an output of the process, whose read deadline is set when the process has ended.
type pipe struct {
	*os.File
	again int  // how often the deadline was put off
	empty bool // whether nothing was read since
}

// Read implements io.Reader. It also reads what the pipe holds at the deadline, which may
// have passed while this process stood still: a pipe fails then, whatever it holds.
func (p *pipe) Read(b []byte) (int, error) {
	for {
		n, err := p.File.Read(b)
		if n > 0 {
			p.empty = false
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || p.empty || p.again == maxAgain {
			return n, err
		}
		p.empty = true
		p.again++
		_ = p.SetReadDeadline(time.Now().Add(drain / 2))
	}
}

// Kill ends the process and every process that it started, at once.
func (c *child) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	if c.process != nil {
		killGroup(c.process)
	}
	return nil
}

// wasKilled distinguishes an end that this host caused from one of the process's own.
func (c *child) wasKilled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killed
}

// Wait waits for the end of the process and of what reads its output, where there
// ever was one.
func (c *child) Wait(context.Context) error {
	c.mu.Lock()
	begun := c.begun
	c.mu.Unlock()
	if !begun {
		return nil
	}
	<-c.exited
	c.readers.Wait()
	return nil
}

// Stdout returns the greeting and then nothing, for as long as the process lives.
func (c *child) Stdout() io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader(c.greeting+"\n"), silence(c.exited)))
}

// Stderr is nothing: it is logged already.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(silence(c.exited)) }

// silence is a reader that has nothing to say until it is closed.
type silence <-chan struct{}

func (s silence) Read([]byte) (int, error) {
	<-s
	return 0, io.EOF
}

func (c *child) Name() string { return c.path }

// ID is called by go-plugin to see whether there is something to kill.
func (c *child) ID() string { return c.name }

// Diagnose has nothing to add: Start has its own errors.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin are about containers.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.Runner.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// Interface guards
var _ runner.Runner = (*child)(nil)
