package http2quiet_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	_ "github.com/zen-auth/zen/internal/http2quiet"
)

// address makes this test binary send a bearer token to its value.
const address = "HTTP2QUIET_ADDRESS"

const bearer = "planted-bearer"

func TestMain(m *testing.M) {
	if url := os.Getenv(address); url != "" {
		send(url)
		return
	}
	os.Exit(m.Run())
}

func send(url string) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+bearer)
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		_, err = transport.RoundTrip(req)
	}
	fmt.Println(os.Getenv("GODEBUG"), err)
}

func TestBearerIsNotLogged(t *testing.T) {
	type request struct{ proto, sent string }
	requests := make(chan request, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests <- request{r.Proto, r.Header.Get("Authorization")}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for settings, left := range map[string]string{
		"http2debug=2":                "",
		"http2debug=1,http2client=1":  "http2client=1",
		"netdns=go,xhttp2debug=2":     "netdns=go",
		"http2client=1":               "http2client=1",
		"http2debug=1,http2debug=2,,": ",",
	} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), address+"="+server.URL, "GODEBUG="+settings)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || string(out) != left+" <nil>\n" {
			t.Fatalf("%s: %q, %v, %s", settings, out, err, stderr.String())
		}
		if saw := <-requests; saw.proto != "HTTP/2.0" || saw.sent != "Bearer "+bearer {
			t.Errorf("%s: the server saw %s with %q", settings, saw.proto, saw.sent)
		}
		if strings.Contains(stderr.String(), bearer) || strings.Contains(stderr.String(), "http2: ") {
			t.Errorf("%s: HTTP/2 was logged:\n%s", settings, stderr.String())
		}
	}
}
