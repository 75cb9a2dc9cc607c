package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
)

// encoding is the form of a socket's messages. Of a message it knows what it is
// and what is in a hello; the rest is passed on as it came.
type encoding struct {
	kind websocket.MessageType
	// fromClient reports whether a message is a hello, and what token is in it. A message
	// that one reader could take for a hello and another for a request is an error.
	fromClient func(message []byte) (hello bool, jwt string, err error)
	// fromServer reports whether a message answers to a hello, and with which refusal.
	fromServer func(message []byte) (hello bool, refusal string, err error)
	hello      func(jwt string) []byte
	helloOK    []byte
	helloError func(message, code string) []byte
}

// subprotocols are in the order in which libsql-server prefers them. Version 1 knows no
// second hello, so that its tokens couldn't be renewed.
var subprotocols = []string{"hrana3-protobuf", "hrana3", "hrana2"}

var errMessage = errors.New("the message is neither a hello nor a request")

var jsonMessages = &encoding{
	kind: websocket.MessageText,
	fromClient: func(message []byte) (bool, string, error) {
		kind, times := memberOf(message, "type")
		switch {
		case !json.Valid(message) || times != 1:
			return false, "", errMessage
		case kind == "request":
			return false, "", nil
		case kind != "hello":
			return false, "", errMessage
		}
		jwt, times := memberOf(message, "jwt")
		if times > 1 {
			return false, "", errMessage
		}
		return true, jwt, nil
	},
	fromServer: func(message []byte) (bool, string, error) {
		switch kind, _ := memberOf(message, "type"); kind {
		case "response_ok", "response_error":
			return false, "", nil
		case "hello_ok":
			return true, "", nil
		case "hello_error":
			var m struct{ Error helloError }
			if err := json.Unmarshal(message, &m); err != nil {
				return false, "", err
			}
			return true, m.Error.text(), nil
		}
		return false, "", errors.New("the database's message is no answer")
	},
	hello: func(jwt string) []byte {
		b, _ := json.Marshal(map[string]string{"type": "hello", "jwt": jwt})
		return b
	},
	helloOK: []byte(`{"type":"hello_ok"}`),
	helloError: func(message, code string) []byte {
		b, _ := json.Marshal(map[string]any{"type": "hello_error", "error": helloError{message, code}})
		return b
	},
}

type helloError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

func (e helloError) text() string {
	return cmp.Or(e.Message, "the hello was refused")
}

// memberOf returns the text of a member of a JSON object, and how many have its name.
func memberOf(message []byte, name string) (text string, times int) {
	message = bytes.TrimLeft(message, " \t\r\n")
	if len(message) == 0 || message[0] != '{' {
		return "", 0
	}
	s := scan{name: name}
	var value []byte
	for i := 0; i < len(message) && !s.over; i++ {
		before := s.inValue
		if i += s.skip(message[i:]); i == len(message) {
			break
		}
		if s.next(message[i]); !s.inValue {
			continue
		}
		if !before {
			times++
			value = value[:0]
		}
		value = append(value, message[i])
	}
	if times > 0 && json.Unmarshal(value, &text) != nil {
		return "", times
	}
	return text, times
}

// The fields are those of libsql-server/src/hrana/ws/proto.rs.
var protobufMessages = &encoding{
	kind: websocket.MessageBinary,
	fromClient: func(message []byte) (bool, string, error) {
		field, body, err := onlyField(message)
		if err != nil || field != 1 && field != 2 {
			return false, "", errMessage
		}
		if field == 2 {
			return false, "", nil
		}
		_, jwt, err := onlyField(body)
		if len(body) > 0 && err != nil {
			return false, "", errMessage
		}
		return true, string(jwt), nil
	},
	fromServer: func(message []byte) (bool, string, error) {
		field, body, err := onlyField(message)
		switch {
		case err != nil:
			return false, "", err
		case field == 1:
			return true, "", nil
		case field == 2:
			var e helloError
			if _, inner, err := onlyField(body); err == nil {
				if number, _, n := protowire.ConsumeTag(inner); n > 0 && number == 1 {
					text, _ := protowire.ConsumeBytes(inner[n:])
					e.Message = string(text)
				}
			}
			return true, e.text(), nil
		}
		return false, "", nil
	},
	hello:   func(jwt string) []byte { return field(1, field(1, []byte(jwt))) },
	helloOK: field(1, nil),
	helloError: func(message, code string) []byte {
		return field(2, field(1, append(field(1, []byte(message)), field(2, []byte(code))...)))
	},
}

// onlyField returns the one field of a message, which is bytes.
func onlyField(message []byte) (protowire.Number, []byte, error) {
	number, kind, n := protowire.ConsumeTag(message)
	if n < 0 || kind != protowire.BytesType {
		return 0, nil, errMessage
	}
	body, m := protowire.ConsumeBytes(message[n:])
	if m < 0 || n+m != len(message) {
		return 0, nil, errMessage
	}
	return number, body, nil
}

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}
