package wire

import (
	"strings"
	"testing"
	"unicode/utf8"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/zen-auth/zen/core/provider"
)

func FuzzDecodeError(f *testing.F) {
	for _, kind := range provider.Kinds() {
		s, _ := status.FromError(StatusError(&provider.Error{Kind: kind, Message: "m", Hint: "h", RetryAfter: 1}))
		seed, err := proto.Marshal(s.Proto())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	s, _ := status.FromError(PanicError(provider.ErrUnavailable, strings.Repeat("frame\n", maxTrace)))
	seed, err := proto.Marshal(s.Proto())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("\x08\x10\x12\x03\xff\xfe\x1b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var message spb.Status
		if proto.Unmarshal(data, &message) != nil || codes.Code(message.GetCode()) == codes.OK {
			t.Skip()
		}
		err := decodeError(status.FromProto(&message).Err(), receivedText)
		if err == nil || err.Error() == "" {
			t.Fatalf("%v became %v", &message, err)
		}
		for _, text := range []string{err.Error(), provider.Hint(err)} {
			if len(text) > maxReceivedText || !utf8.ValidString(text) {
				t.Errorf("text of %d bytes: %q", len(text), text)
			}
		}
		if wait := provider.RetryAfter(err); wait < 0 || wait > maxRetryAfter {
			t.Errorf("retry after %v", wait)
		}
		if trace := Trace(status.FromProto(&message).Err()); len(trace) > maxTrace {
			t.Errorf("a trace of %d bytes", len(trace))
		}
		again := decodeError(StatusError(err), receivedText)
		if provider.Kind(again) != provider.Kind(err) {
			t.Errorf("the kind of %v became that of %v", err, again)
		}
	})
}
