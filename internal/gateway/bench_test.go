//go:build !windows

package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/gateway"
	"github.com/zen-auth/zen/internal/link"
)

// BenchmarkSelect1 sends a statement on several connections: to the server itself, through
// httputil.ReverseProxy, which only sets a header, and through a gateway.
func BenchmarkSelect1(b *testing.B) {
	const answer = `{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"1","decltype":null}],"rows":[[{"type":"integer","value":"1"}]],"affected_row_count":0,"last_insert_rowid":null}}},{"type":"ok","response":{"type":"close"}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	}))
	defer server.Close()
	direct, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	plain := &httputil.ReverseProxy{Transport: link.NewBase(), FlushInterval: -1, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(direct)
		p.Out.Header.Set("Authorization", "Bearer token")
	}}
	front := httptest.NewServer(plain)
	defer front.Close()
	s, err := gateway.Listen(b.Context(), gateway.Config{Address: direct, Transport: tokens{link.NewBase()}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close(b.Context())
	h, err := gateway.New(gateway.Config{Address: direct, Transport: tokens{link.NewBase()}, Open: true, Hosts: []string{"*"}})
	if err != nil {
		b.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(b.TempDir(), "socket"))
	if err != nil {
		b.Fatal(err)
	}
	beside := gateway.Serve(socket, h)
	defer beside.Close(b.Context())
	tcp := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}
	unix := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", socket.Addr().String())
	}}}
	for _, connections := range []int{1, 16, 128} {
		for _, way := range []struct {
			name, url string
			client    *http.Client
		}{{"direct", server.URL, tcp}, {"plain", front.URL, tcp}, {"gateway", s.URL(), tcp}, {"socket", "http://localhost", unix}} {
			b.Run(fmt.Sprintf("%d/%s", connections, way.name), func(b *testing.B) {
				b.SetParallelism(max(1, connections/runtime.GOMAXPROCS(0)))
				began := used()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						// The gateway closes the oldest of many new connections that haven't
						// sent the bearer yet.
						err := post(way.client, way.url, s.Bearer().Reveal())
						for try := 0; err != nil && try < 10; try++ {
							err = post(way.client, way.url, s.Bearer().Reveal())
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64((used()-began).Microseconds())/float64(b.N), "CPU-µs/op")
			})
		}
	}
}

// post sends a statement, and reads the response.
func post(client *http.Client, url, bearer string) error {
	req, err := http.NewRequest(http.MethodPost, url+"/v2/pipeline", strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// used returns the CPU time of this process, which varies less on a busy machine than the
// elapsed time.
func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // never fails
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
