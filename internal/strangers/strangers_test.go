package strangers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// serve runs a server that refuses requests without the bearer good, and reads the bodies of
// the others.
func serve(t *testing.T, max int) string {
	t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "good" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		Admit(w, r, time.Minute)
		body, err := io.ReadAll(r.Body)
		Admit(w, r, 0)
		fmt.Fprintf(w, "%d %v", len(body), err)
	})}
	Protect(server, max)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-ended })
	return l.Addr().String()
}

// send opens a connection and sends a request, or the beginning of one.
func send(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

const noBody = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n%s\r\n"

// A refusal is sent without waiting for the body, and ends the connection.
func TestRefusalWithoutTheBody(t *testing.T) {
	c := send(t, serve(t, 10), fmt.Sprintf(noBody, ""))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !resp.Close {
		t.Fatalf("response %v, %v, want 401 and the end of the connection", resp, err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil { // until the server hangs up
		t.Error(err)
	}
}

// Beyond the limit, the oldest unauthorized connection is closed, and an authorized one
// stays.
func TestOldestConnectionIsClosed(t *testing.T) {
	addr := serve(t, 3)
	authorized := send(t, addr, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: good\r\nContent-Length: 2\r\n\r\nhi")
	answers := bufio.NewReader(authorized)
	read := func() {
		t.Helper()
		resp, err := http.ReadResponse(answers, nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("response %v, %v, want 200", resp, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	read()
	strangers := make([]net.Conn, 5)
	for i := range strangers {
		strangers[i] = send(t, addr, "GET / HTT")
	}
	for _, c := range strangers[:2] {
		if _, err := io.Copy(io.Discard, c); err != nil { // until the server hangs up
			t.Logf("connection ended: %v", err)
		}
	}
	if _, err := io.WriteString(authorized, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: good\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	read()
}

// The body of an authorized request is read to its end, even if it is sent slowly.
func TestAdmittedBody(t *testing.T) {
	c := send(t, serve(t, 1), fmt.Sprintf(noBody, "Authorization: good\r\n"))
	for range 100 {
		if _, err := c.Write([]byte{'x'}); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "100 <nil>" {
		t.Errorf("response %s, %v", body, err)
	}
}

// A hijacked connection counts as unauthorized until it was admitted or has ended.
func TestHijackedStranger(t *testing.T) {
	ended := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer Leave(r)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(c, "hijacked")
		_, _ = io.Copy(io.Discard, c)
		close(ended)
	})}
	Protect(server, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	first := send(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := io.ReadFull(first, make([]byte, len("hijacked"))); err != nil {
		t.Fatal(err)
	}
	send(t, l.Addr().String(), "")
	<-ended // the oldest connection is closed
}
