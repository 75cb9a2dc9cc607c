package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/httpclient"
)

// Requests to Google's metadata server bypass the environment's proxy, which would
// answer, if at all, for its own machine.
func TestMetadataServerIsAskedDirectly(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("of.this.machine")) }))
	defer server.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("of.the.proxy")) }))
	defer proxy.Close()
	transport := httpclient.New()
	transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	token, err := google{strings.TrimPrefix(server.URL, "http://")}.token(t.Context(), &http.Client{Transport: transport}, "")
	if err != nil || token.Reveal() != "of.this.machine" {
		t.Errorf("%v: %q", err, token.Reveal())
	}
	if transport.Proxy == nil {
		t.Error("the transport of the issuers has lost its proxy")
	}
}
