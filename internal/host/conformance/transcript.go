package conformance

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// transcript records everything that the provider says, for the checks at the end. It is
// safe for concurrent use.
type transcript struct {
	// mu guards what is below.
	mu     sync.Mutex
	pieces []piece
	errors []failure
	// planted are secrets that must not be in pieces.
	planted []string
}

// piece is text and where it was seen. Text from one place is in the order in which it
// was written.
type piece struct{ where, text string }

// failure is an error that a provider returned from a call.
type failure struct {
	method string
	status *status.Status
}

// maxPiece is the length from which on a piece is not extended.
const maxPiece = 1 << 20

// add records text. It is appended to earlier text from the same place, so that a secret
// that was written in two parts is found.
func (t *transcript) add(where, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.pieces) - 1; i >= 0; i-- {
		if t.pieces[i].where == where && len(t.pieces[i].text) < maxPiece {
			t.pieces[i].text += text
			return
		}
	}
	t.pieces = append(t.pieces, piece{where, text})
}

// minSecret is the least length of a secret that can be distinguished from a word.
const minSecret = 8

// plant declares value to be a secret.
func (t *transcript) plant(value string) {
	if len(value) < minSecret {
		return
	}
	quoted, _ := json.Marshal(value)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.planted = append(t.planted, value, strings.Trim(string(quoted), `"`), url.QueryEscape(value))
}

// redact replaces planted secrets in the suite's own messages.
func (t *transcript) redact(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, secret := range t.planted {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// leaks returns the places where a planted secret was seen.
func (t *transcript) leaks() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var where []string
	for _, p := range t.pieces {
		if slices.ContainsFunc(t.planted, func(secret string) bool { return strings.Contains(p.text, secret) }) {
			where = append(where, p.where)
		}
	}
	return where
}

func (t *transcript) fail(method string, err error) {
	s, ok := status.FromError(err)
	if !ok {
		return
	}
	name := shortMethod(method)
	t.add("the error of "+name, s.Message()+"\n"+infoOf(err).GetMetadata()["hint"]+"\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = append(t.errors, failure{name, s})
}

func (t *transcript) unary(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	err := call(ctx, method, req, reply, conn, options...)
	if err == nil {
		t.message(method, reply)
	} else if ctx.Err() == nil {
		t.fail(method, err)
	}
	return err
}

func (t *transcript) stream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	s, err := open(ctx, desc, conn, method, options...)
	if err != nil {
		return nil, err
	}
	return &recorded{ClientStream: s, transcript: t, method: method}, nil
}

// recorded is a stream whose messages and error are recorded.
type recorded struct {
	grpc.ClientStream
	transcript *transcript
	method     string
}

// RecvMsg implements grpc.ClientStream.
func (r *recorded) RecvMsg(m any) error {
	err := r.ClientStream.RecvMsg(m)
	if err == nil {
		r.transcript.message(r.method, m)
	} else if r.Context().Err() == nil {
		r.transcript.fail(r.method, err)
	}
	return err
}

// message records the text of a message, and plants the values of fields for secrets.
func (t *transcript) message(method string, m any) {
	if message, ok := m.(proto.Message); ok && !strings.HasPrefix(method, "/plugin.") {
		t.walk("the answer of "+shortMethod(method), message.ProtoReflect())
	}
}

func (t *transcript) walk(where string, m protoreflect.Message) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		t.add(where, string(unknown)+"\n")
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		secret := field.Options().(*descriptorpb.FieldOptions).GetDebugRedact()
		one := func(v protoreflect.Value) {
			switch {
			case field.Kind() == protoreflect.MessageKind:
				t.walk(where, v.Message())
			case secret && field.Kind() == protoreflect.BytesKind:
				t.plant(string(v.Bytes()))
			case !secret && field.Kind() == protoreflect.StringKind:
				t.add(where, v.String()+"\n")
			}
		}
		switch {
		case field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				one(value.List().Get(i))
			}
		default:
			one(value)
		}
		return true
	})
}

// infoOf returns the protocol's ErrorInfo in err, or nil.
func infoOf(err error) *errdetails.ErrorInfo {
	s, _ := status.FromError(err)
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "zen.provider.v1" {
			return info
		}
	}
	return nil
}

// reasonOf returns the protocol's reason for err, such as CONFIG, or "".
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return infoOf(err).GetReason()
}

// shortMethod returns the short name of a method, Service/Method.
func shortMethod(method string) string {
	service, call, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	return afterDot(service) + "/" + call
}

// afterDot returns what follows the last dot of a full name.
func afterDot(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
