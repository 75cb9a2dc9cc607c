package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/coder/websocket"
)

// socketMain queries the database of the environment over a WebSocket, and prints the
// responses. An argument replaces the token.
func socketMain() {
	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, os.Getenv("TURSO_DATABASE_URL"), &websocket.DialOptions{Subprotocols: []string{"hrana3", "hrana2"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "socket:", err)
		os.Exit(1)
	}
	jwt := os.Getenv("TURSO_AUTH_TOKEN")
	if len(os.Args) > 1 {
		jwt = os.Args[1]
	}
	for _, message := range []string{
		`{"type":"hello","jwt":"` + jwt + `"}`,
		`{"type":"request","request_id":1,"request":{"type":"open_stream","stream_id":1}}`,
		`{"type":"request","request_id":2,"request":{"type":"execute","stream_id":1,"stmt":{"sql":"SELECT 40 + 2"}}}`,
	} {
		_ = c.Write(ctx, websocket.MessageText, []byte(message)) // Read returns the failure
	}
	for range 3 {
		_, answer, err := c.Read(ctx)
		if err != nil {
			fmt.Println("closed", int(websocket.CloseStatus(err)))
			return
		}
		fmt.Println(string(answer))
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
}
