package conformance

import (
	"errors"
	"strings"
	"testing"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// A default must be valid for its type, by zen's own rules for values.
func TestDefaults(t *testing.T) {
	for text, f := range map[string]*pb.Field{
		"":                        {Type: pb.FieldType_FIELD_TYPE_URL, Default: "https://example.com"},
		"is not an integer":       {Type: pb.FieldType_FIELD_TYPE_INT, Default: "1e3"},
		"write https://":          {Type: pb.FieldType_FIELD_TYPE_URL, Default: "http://example.com"},
		"a user name or a passwo": {Type: pb.FieldType_FIELD_TYPE_URL, Default: "https://me@example.com"},
	} {
		f.Key, f.Doc = "k", "a setting"
		err := errors.Join(fieldFaults(f)...)
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s %s: %v, want %q", f.GetType(), f.GetDefault(), err, text)
		}
	}
}
