package plugin

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
)

func recoverUnary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (reply any, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(info.FullMethod, value)
		}
	}()
	return handle(ctx, req)
}

func recoverStream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(info.FullMethod, value)
		}
	}()
	return handle(server, stream)
}

// panicked is what a call that panicked returns. The value may hold anything, a
// credential too, so only what the runtime made of it is told, and the stack.
func panicked(method string, value any) error {
	call := method[strings.LastIndexByte(method, '/')+1:]
	reason := "a value that is not shown"
	if err, ok := value.(runtime.Error); ok {
		reason = err.Error()
	}
	stack := string(debug.Stack())
	Logger().Error("panic", "call", call, "reason", reason, "stack", stack)
	return wire.PanicError(&provider.Error{
		Kind: provider.ErrUnavailable, Message: "the provider panicked in " + call, Hint: debugHint,
	}, "panic: "+reason+"\n\n"+stack)
}
