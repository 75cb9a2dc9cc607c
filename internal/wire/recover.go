package wire

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// NewServer returns a server within the limits of the contract, for Register. A panic
// in a call fails that call alone, and is logged.
func NewServer(log *slog.Logger, options ...grpc.ServerOption) *grpc.Server {
	panics := panics{log}
	return grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(handshake.MaxMessage), grpc.MaxSendMsgSize(handshake.MaxMessage),
		grpc.ChainUnaryInterceptor(panics.recoverUnary), grpc.ChainStreamInterceptor(panics.recoverStream),
	)...)
}

// panics are turned into errors, and logged.
type panics struct{ log *slog.Logger }

func (p panics) recoverUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (reply any, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = p.panicked(info.FullMethod, value)
		}
	}()
	return handle(ctx, req)
}

func (p panics) recoverStream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = p.panicked(info.FullMethod, value)
		}
	}()
	return handle(server, stream)
}

// panicked returns the answer of a call that panicked. The value may hold anything, a
// credential too, so only what the runtime made of it is told, and the stack.
func (p panics) panicked(method string, value any) error {
	call := method[strings.LastIndexByte(method, '/')+1:]
	reason := "a value that is not shown"
	if err, ok := value.(runtime.Error); ok {
		reason = err.Error()
	}
	stack := string(debug.Stack())
	p.log.Error("panic", "call", call, "reason", reason, "stack", stack)
	return PanicError(&provider.Error{
		Kind: provider.ErrUnavailable, Message: "the provider panicked in " + call, Hint: handshake.DebugHint,
	}, "panic: "+reason+"\n\n"+stack)
}
