package wire

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Domain is the domain of the google.rpc.ErrorInfo in every error of a provider.
// A status without one comes from the transport.
const Domain = "zen.provider.v1"

const hintKey = "hint"

// maxRetryAfter bounds what a server may ask to wait.
const maxRetryAfter = 24 * time.Hour

// class is one row of the table in types.proto.
type class struct {
	reason string
	code   codes.Code
	kind   error // what errors.Is sees of the contract, or nil
	also   error // what it sees beside
}

// other is an error that the contract has no word for.
var other = class{reason: "OTHER", code: codes.Unknown}

// classes are the classes of the contract and those beside; of an error that is several,
// provider.Kind says which one counts. The first of a code is what that code means
// without a reason: plain Unauthenticated is "sign in", not "rejected", which would say
// that a credential was looked at.
var classes = []class{
	{"NO_CREDENTIAL", codes.Unauthenticated, provider.ErrNoCredential, nil},
	{"TOKEN_EXPIRED", codes.Unauthenticated, provider.ErrTokenExpired, nil},
	{"TOKEN_INVALID", codes.Unauthenticated, provider.ErrTokenInvalid, nil},
	{"REJECTED", codes.Unauthenticated, provider.ErrRejected, nil},
	{"PERMISSION", codes.PermissionDenied, provider.ErrPermission, nil},
	{"UNAVAILABLE", codes.Unavailable, provider.ErrUnavailable, nil},
	{"CONFIG", codes.FailedPrecondition, provider.ErrConfig, nil},
	{"NO_PROVIDER", codes.NotFound, provider.ErrNoProvider, nil},
	{"UNSUPPORTED", codes.Unimplemented, nil, errors.ErrUnsupported},
	{"CANCELED", codes.Canceled, nil, context.Canceled},
	{"DEADLINE_EXCEEDED", codes.DeadlineExceeded, provider.ErrUnavailable, context.DeadlineExceeded},
}

// similar are the codes that no class has.
var similar = map[codes.Code]codes.Code{
	codes.InvalidArgument:   codes.FailedPrecondition,
	codes.OutOfRange:        codes.FailedPrecondition,
	codes.ResourceExhausted: codes.Unavailable,
	codes.Aborted:           codes.Unavailable,
}

func classOfError(err error) class {
	kind := provider.Kind(err)
	for _, c := range classes {
		if kind != nil && c.also == nil && c.kind == kind || kind == nil && c.also != nil && errors.Is(err, c.also) {
			return c
		}
	}
	return other
}

func classOfReason(reason string) (class, bool) {
	for _, c := range classes {
		if c.reason == reason {
			return c, true
		}
	}
	return other, reason == other.reason
}

// Reason returns the reason code of an error, as docs/provider-protocol.md lists them; "" is
// no error.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	return classOfError(err).reason
}

// KindOf returns the error of package provider that a reason code stands for, and the one of
// another package; nil if it has none.
func KindOf(reason string) (kind, also error) {
	c, _ := classOfReason(reason)
	return c.kind, c.also
}

func classOfCode(code codes.Code) class {
	if c, ok := similar[code]; ok {
		code = c
	}
	for _, c := range classes {
		if c.code == code {
			return c
		}
	}
	return other
}

// failureOf puts err into a message.
func failureOf(err error) *pb.Failure {
	if err == nil {
		return nil
	}
	return &pb.Failure{
		Reason:     classOfError(err).reason,
		Message:    sentText(err.Error()),
		Hint:       sentText(provider.Hint(err)),
		RetryAfter: duration(provider.RetryAfter(err)),
	}
}

// errorOf returns the inverse of failureOf; text prepares foreign text.
func errorOf(f *pb.Failure, text func(string) string) error {
	if f == nil {
		return nil
	}
	c, _ := classOfReason(f.GetReason())
	e := &provider.Error{Kind: c.kind, Message: text(f.GetMessage()), Hint: text(f.GetHint()), Err: c.also}
	if errors.Is(e, provider.ErrUnavailable) {
		e.RetryAfter = min(span(f.GetRetryAfter()), maxRetryAfter)
	}
	switch {
	case e.Message != "" || e.Kind != nil:
	case e.Err != nil:
		e.Message = e.Err.Error()
	default:
		e.Message = "failed without a reason"
	}
	return e
}

// StatusError turns an error of a provider into the error that a gRPC handler
// returns. A status of some other service, which the provider passed on, keeps
// what its code means.
func StatusError(err error) error {
	if err == nil {
		return nil
	}
	if foreign, ok := status.FromError(err); ok && provider.Kind(err) == nil {
		err = statusFailure(foreign, sentText)
	}
	f := failureOf(err)
	info := &errdetails.ErrorInfo{Reason: f.GetReason(), Domain: Domain}
	if f.GetHint() != "" {
		info.Metadata = map[string]string{hintKey: f.GetHint()}
	}
	details := []protoadapt.MessageV1{info}
	if f.GetRetryAfter() != nil {
		details = append(details, &errdetails.RetryInfo{RetryDelay: f.GetRetryAfter()})
	}
	c, _ := classOfReason(f.GetReason())
	s, detailErr := status.New(c.code, f.GetMessage()).WithDetails(details...)
	if detailErr != nil { // the details are valid by construction
		return status.Error(c.code, f.GetMessage())
	}
	return s.Err()
}

// maxTrace bounds the trace of a panic in a status, which travels as a header.
const maxTrace = 32 << 10

// PanicError is StatusError for a call that panicked, with the trace of that as a
// google.rpc.DebugInfo, for which there is no better place: it belongs to this call,
// and standard error to all of them.
func PanicError(err error, trace string) error {
	failed, _ := status.FromError(StatusError(err))
	s, detailErr := failed.WithDetails(&errdetails.DebugInfo{Detail: strings.ToValidUTF8(trace[:min(len(trace), maxTrace)], "?")})
	if detailErr != nil { // the details are valid by construction
		return failed.Err()
	}
	return s.Err()
}

// Trace returns the trace of the panic that err tells of, whole lines of it of at most
// 32 KiB, or "". It is the provider's text as it is: whatever was in those lines. An
// error of any class but UNAVAILABLE is what it says, however it came about.
func Trace(err error) string {
	s, _ := status.FromError(err)
	if s.Code() != codes.Unavailable {
		return ""
	}
	for _, detail := range s.Details() {
		if debug, ok := detail.(*errdetails.DebugInfo); ok {
			trace := debug.GetDetail()
			if len(trace) >= maxTrace { // cut, maybe in the middle of a secret
				trace = trace[:strings.LastIndexByte(trace[:maxTrace], '\n')+1]
			}
			return trace
		}
	}
	return ""
}

// FromProvider reports whether err is a status that the provider itself sent, and
// not one that the transport made.
func FromProvider(err error) bool {
	s, ok := status.FromError(err)
	return ok && infoOf(s) != nil
}

// decodeError returns the inverse of StatusError. An error that is no status, which an
// interceptor may have made of one, passes.
func decodeError(err error, text func(string) string) error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	return statusFailure(s, text)
}

func statusFailure(s *status.Status, text func(string) string) error {
	f := &pb.Failure{Reason: classOfCode(s.Code()).reason, Message: s.Message()}
	info := infoOf(s)
	if info != nil {
		f.Hint = info.GetMetadata()[hintKey]
		if _, known := classOfReason(info.GetReason()); known {
			f.Reason = info.GetReason()
		}
	}
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			f.RetryAfter = retry.GetRetryDelay()
		}
	}
	return errorOf(f, text)
}

func infoOf(s *status.Status) *errdetails.ErrorInfo {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			return info
		}
	}
	return nil
}
