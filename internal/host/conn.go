package host

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/wire"
)

// settle limits how long the end of a process is waited for once its connection or its
// output ended, to tell a crash from a provider that closed it.
const settle = 2 * time.Second

// conn is a connection to a provider with what every call needs: a deadline, the
// memory of its secrets, and errors that say what happened.
type conn struct {
	grpc.ClientConnInterface
	name    string
	limits  limits
	redact  *redactor
	process *process // nil if the provider is in this process, or was started by its author
	// lost says that a process that its author started is not there any more.
	lost atomic.Bool
	// again is the connection to a process in place of one that ended; nil if
	// there is none.
	again func(context.Context) (*conn, error)

	// services are the description's, once it is known.
	services atomic.Pointer[[]provider.Service]
}

// Invoke implements grpc.ClientConnInterface.
func (c *conn) Invoke(ctx context.Context, method string, req, reply any, options ...grpc.CallOption) error {
	if err := c.offered(method); err != nil {
		return err
	}
	current, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	err = current.invoke(ctx, method, req, reply, options)
	leave()
	var crash *CrashError
	if !errors.As(err, &crash) || crash.Survived || c.again == nil || !repeatable(method) {
		return err
	}
	if current, leave, err = c.enter(ctx); err != nil {
		return err
	}
	defer leave()
	return current.invoke(ctx, method, req, reply, options)
}

func (c *conn) invoke(ctx context.Context, method string, req, reply any, options []grpc.CallOption) error {
	c.redact.addMarked(req)
	began := time.Now()
	ctx, cancel := c.bounded(ctx, method)
	defer cancel()
	err := c.ClientConnInterface.Invoke(ctx, method, req, reply, options...)
	c.redact.addMarked(reply)
	return c.explain(ctx, method, began, err)
}

// alive reports whether calls have a chance.
func (c *conn) alive() bool {
	if c.process == nil {
		return !c.lost.Load()
	}
	return c.process.alive()
}

// stop ends a process that this host started.
func (c *conn) stop() {
	if c.process != nil {
		c.process.stop()
	}
}

// enter begins a call at a process that lives: this one or, where it ended, the one
// in its place. leave ends it.
func (c *conn) enter(ctx context.Context) (current *conn, leave func(), err error) {
	if leave, ok := c.begin(); ok {
		return c, leave, nil
	}
	current = c
	if c.again != nil {
		if current, err = c.again(ctx); err != nil {
			return nil, nil, err
		}
		if leave, ok := current.begin(); ok {
			return current, leave, nil
		}
	}
	return current, func() {}, nil // it ended, and the call will say how
}

// begin begins a call, if the process lives.
func (c *conn) begin() (leave func(), ok bool) {
	if c.process == nil {
		return func() {}, !c.lost.Load()
	}
	return c.process.use.done, c.process.enter()
}

// repeatable reports whether a call may be made again that a crash cut short,
// because it changes nothing but the provider's memory. What takes a credential isn't
// made again here: package session does that for a token, since it knows what is stored.
func repeatable(method string) bool {
	switch method[strings.LastIndexByte(method, '/')+1:] {
	case "Describe", "Verify", "Setup":
		return true
	}
	return false
}

// NewStream implements grpc.ClientConnInterface.
func (c *conn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	if err := c.offered(method); err != nil {
		return nil, err
	}
	current, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	ctx, cancel := c.bounded(ctx, method)
	context.AfterFunc(ctx, leave)
	s, err := current.ClientConnInterface.NewStream(ctx, desc, method, options...)
	if err != nil {
		defer cancel()
		return nil, current.explain(ctx, method, began, err)
	}
	return &stream{ClientStream: s, conn: current, ctx: ctx, cancel: cancel, method: method, began: began}, nil
}

// offered refuses a method of a service that the provider doesn't have.
func (c *conn) offered(method string) error {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	services := c.services.Load()
	if service == "zen.provider.v1.Provider" || services == nil || slices.Contains(*services, provider.Service(service)) {
		return nil
	}
	return &provider.Error{
		Message: "provider " + c.name + " has no " + service[strings.LastIndexByte(service, '.')+1:],
		Err:     errors.ErrUnsupported,
	}
}

func (c *conn) bounded(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	limit := c.limits.call(method)
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// explain says what an error of the transport means. What the provider itself said
// passes.
func (c *conn) explain(ctx context.Context, method string, began time.Time, err error) error {
	if err == nil {
		return nil
	}
	call := method[strings.LastIndexByte(method, '/')+1:]
	// The provider has the same deadline, and its answer that it is over may come
	// first.
	deadline, ok := ctx.Deadline()
	if ok && status.Code(err) == codes.DeadlineExceeded && time.Until(deadline) < 50*time.Millisecond {
		after := deadline.Sub(began)
		if limit := c.limits.call(method); limit > 0 {
			after = min(after, limit) // this process may have stood still since began
		}
		return &TimeoutError{Name: c.name, Call: call, After: after.Round(time.Millisecond)}
	}
	if trace := wire.Trace(err); trace != "" {
		return c.panicked(call, trace)
	}
	if wire.FromProvider(err) || ctx.Err() != nil {
		return err
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.Internal, codes.Unknown, codes.Canceled:
		return c.broken(call, err)
	case codes.ResourceExhausted: // a message above handshake.MaxMessage, for one
		return &provider.Error{
			Kind: provider.ErrUnavailable, Message: "provider " + c.name + " in " + call + ": " + c.redact.String(status.Convert(err).Message()),
		}
	}
	return err
}

// panicked reports a call that panicked, in a process that goes on.
func (c *conn) panicked(call, trace string) error {
	crash := &CrashError{Name: c.name, Call: call, Status: "panic", Survived: true}
	if c.process != nil {
		crash.Trace = c.process.keep(trace)
	}
	return crash
}

// broken says what a broken connection means.
func (c *conn) broken(call string, err error) error {
	if c.process != nil && c.process.stopping.Load() {
		return &provider.Error{
			Kind: provider.ErrUnavailable, Message: "provider " + c.name + " was stopped during " + call,
		}
	}
	if c.process != nil {
		if how, exited := c.process.exit(settle); exited {
			return &CrashError{Name: c.name, Call: call, Status: how, Trace: c.process.trace()}
		}
	}
	if status.Code(err) == codes.Unavailable {
		return &provider.Error{
			Kind: provider.ErrUnavailable, Message: "the connection to provider " + c.name + " broke in " + call, Hint: handshake.DebugHint,
		}
	}
	return err
}

// stream is a stream of conn.
type stream struct {
	grpc.ClientStream
	conn   *conn
	ctx    context.Context
	cancel context.CancelFunc
	method string
	began  time.Time
}

// SendMsg implements grpc.ClientStream.
func (s *stream) SendMsg(m any) error {
	s.conn.redact.addMarked(m)
	return s.ClientStream.SendMsg(m) // an error is io.EOF, and RecvMsg says why
}

// RecvMsg implements grpc.ClientStream.
func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil {
		s.conn.redact.addMarked(m)
		return nil
	}
	defer s.cancel()
	if _, isStatus := status.FromError(err); !isStatus { // io.EOF: it ended well
		return err
	}
	return s.conn.explain(s.ctx, s.method, s.began, err)
}
