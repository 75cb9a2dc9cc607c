package conformance

import "google.golang.org/protobuf/encoding/protowire"

// stdio returns the text (field 2) of a plugin.StdioData, a message whose type go-plugin
// does not export.
func stdio(message []byte) string {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return ""
		}
		message = message[n:]
		if number == 2 && kind == protowire.BytesType {
			text, _ := protowire.ConsumeBytes(message)
			return string(text)
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return ""
		}
		message = message[n:]
	}
	return ""
}
