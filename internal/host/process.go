package host

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/zen-auth/zen/internal/handshake"
)

// process is a running provider.
type process struct {
	name   string
	limits limits
	room   *room
	child  *child
	plugin *goplugin.Client

	use      *use
	traceDir string
	stopping atomic.Bool
	stopOnce sync.Once
}

// launch describes a process to start.
type launch struct {
	program *program
	environ []string
	sink    *sink // nil discards
	redact  *redactor
	limits  limits
	room    *room // start leaves it where it fails, and the process at its end
	// traceDir is the directory for the trace of a panic. If empty, traces are discarded.
	traceDir string
}

// start starts a provider and connects to it, until ctx ends. Its errors are those
// of the package, but for those of ctx.
func start(ctx context.Context, l launch) (*process, *grpc.ClientConn, error) {
	name := l.program.name
	dir := l.room.dir
	log := l.sink.logger(name)
	env := append(Allowed(l.environ), "PLUGIN_CLIENT_CERT="+string(l.room.certificate))
	p := &process{name: name, limits: l.limits, room: l.room, traceDir: l.traceDir, use: newUse(l.limits.idle)}
	p.child = newChild(l.program, dir, env, log, l.redact.String)
	output := &printed{log: log, redact: l.redact.String}
	p.plugin = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		VersionedPlugins: map[int]goplugin.PluginSet{handshake.ProtocolVersion: {}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		TLSConfig:        l.room.tls,
		SkipHostEnv:      true,
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			// What go-plugin wants the process to know; the last of two wins.
			p.child.cmd.Env = append(append(p.child.cmd.Env, spec.Env...), goplugin.EnvUnixSocketDir+"="+dir.Path)
			return p.child, nil
		},
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: dir.Path},
		StartTimeout:     l.limits.start + time.Second, // ctx comes first
		Logger:           log,
		SyncStdout:       output,
		SyncStderr:       output,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage)),
			grpc.WithIdleTimeout(0), // there is no second connection: the socket is gone by then
		},
	})
	conn, err := p.connect(ctx)
	if err != nil {
		p.stop()
		return nil, nil, err
	}
	return p, conn, nil
}

// connect starts the process and dials, which go-plugin can't be asked to give up.
// A process that is killed makes it.
func (p *process) connect(ctx context.Context) (*grpc.ClientConn, error) {
	unblock := context.AfterFunc(ctx, func() { _ = p.child.Kill(ctx) })
	defer unblock()
	client, err := p.plugin.Client()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, p.startFailure(err)
	}
	conn, ok := client.(*goplugin.GRPCClient)
	if !ok {
		return nil, &HandshakeError{Name: p.name, Reason: "it does not speak gRPC"}
	}
	return conn.Conn, nil
}

// startFailure passes the errors of the package. What else comes from go-plugin is
// text that may quote anything.
func (p *process) startFailure(err error) error {
	for _, known := range []any{new(*StartError), new(*ExitError), new(*HandshakeError), new(*VersionError)} {
		if errors.As(err, known) {
			return err
		}
	}
	if status, exited := p.exit(settle); exited && !p.child.wasKilled() {
		return &ExitError{Name: p.name, Status: status}
	}
	return &HandshakeError{Name: p.name, Reason: "its handshake or its TLS failed"}
}

// exit says how the process ended, if it did or does so within wait.
func (p *process) exit(wait time.Duration) (status string, exited bool) {
	select {
	case <-p.child.exited:
		return p.child.status, true
	default:
		if wait == 0 {
			return "", false
		}
	}
	select {
	case <-p.child.exited:
		return p.child.status, true
	case <-time.After(wait):
		return "", false
	}
}

// alive reports whether calls have a chance.
func (p *process) alive() bool {
	_, exited := p.exit(0)
	return !exited && !p.stopping.Load() && !p.use.over()
}

// enter begins a call, if the process lives; use.done ends it.
func (p *process) enter() bool { return p.alive() && p.use.begin() }

// trace returns the file with the trace of the panic that ended the process, or "". It
// waits a moment for what the process wrote.
func (p *process) trace() string {
	_ = p.child.Wait(context.Background()) // of an ended process, drain at most
	return p.keep(p.child.errorOutput.trace.String())
}

// keep writes a trace to its file, redacted, and returns that, or "".
func (p *process) keep(trace string) string {
	if p.traceDir == "" || trace == "" {
		return ""
	}
	path, err := writeTrace(p.traceDir, p.name, p.child.redact(trace))
	if err != nil {
		return ""
	}
	return path
}

// stop ends the process, by request and then by force, and removes what is left of
// it. It returns when all of that is done, which a provider can't make longer than
// limits.stop. go-plugin's own Kill has no limit where the process is stopped or
// hangs.
func (p *process) stop() {
	p.stopOnce.Do(func() {
		_, crashed := p.exit(0)
		p.stopping.Store(!crashed)
		p.use.end()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.plugin.Kill()
			_ = p.child.Kill(context.Background())
			_ = p.child.Wait(context.Background())
		}()
		force := time.AfterFunc(p.limits.graceful, func() { _ = p.child.Kill(context.Background()) })
		defer force.Stop()
		select {
		case <-ended:
		case <-time.After(p.limits.stop):
		}
		p.room.leave()
	})
}
