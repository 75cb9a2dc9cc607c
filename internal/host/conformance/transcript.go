package conformance

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// transcript is all that the provider let out, for the checks that look back. It is
// safe for concurrent use.
type transcript struct {
	// mu guards what is below.
	mu     sync.Mutex
	pieces []piece
	errors []failure
	// planted are secrets that must not be in pieces.
	planted []string
}

// piece is text and where it was seen. What a process writes comes in order.
type piece struct{ where, text string }

// failure is an error that a provider answered a call with.
type failure struct {
	method string
	status *status.Status
}

// maxPiece bounds what is kept of a flood.
const maxPiece = 1 << 20

// add keeps text. Neighbours from one place become one piece, so that a secret that
// was written in two parts is found.
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

// plant makes value a secret.
func (t *transcript) plant(value string) {
	if len(value) < minSecret {
		return
	}
	quoted, _ := json.Marshal(value)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.planted = append(t.planted, value, strings.Trim(string(quoted), `"`), url.QueryEscape(value))
}

// redact takes planted secrets out of what the suite itself says.
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
		for _, secret := range t.planted {
			if strings.Contains(p.text, secret) {
				where = append(where, p.where)
				break
			}
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

// recorded is a stream whose messages and end are kept.
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

// message keeps the text of a message, and plants what is in fields for secrets.
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

// infoOf returns the ErrorInfo of the contract in err, or nil.
func infoOf(err error) *errdetails.ErrorInfo {
	s, _ := status.FromError(err)
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "zen.provider.v1" {
			return info
		}
	}
	return nil
}

// reasonOf returns the contract's word for err, or "".
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return infoOf(err).GetReason()
}

// shortMethod is Service/Method.
func shortMethod(method string) string {
	service, call, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	return service[strings.LastIndexByte(service, '.')+1:] + "/" + call
}
