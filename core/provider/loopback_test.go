package provider

import (
	"net"
	"testing"
)

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "app.localhost": true, "a.b.localhost:80": true, "localhost.": true,
		"127.0.0.1": true, "127.8.8.8:1": true, "[::1]:443": true, "::1": true,
		"": false, "localhost.example": false, "notlocalhost": false, "app-localhost": false, "10.0.0.1": false, "0.0.0.0": false, "[::]:80": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t, want %t", host, got, want)
		}
	}
}

// The host is the same as net.SplitHostPort's.
func FuzzWithoutPort(f *testing.F) {
	for _, text := range []string{
		"", ":", "a", "a:", "a:1", "a:b:1", "[]:1", "[::1]:443", "[::1]", "::1", "[[::1]:80", "[::1]]:80", "[::1]x:80", "[::1]:[", "[a:1", "a]:1", "a[:1", "[a][b]:1", "[fe80::1%eth0]:1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, _, err := net.SplitHostPort(text)
		if err != nil {
			want = text
		}
		if got := withoutPort(text); got != want {
			t.Errorf("withoutPort(%q) = %q, want %q", text, got, want)
		}
	})
}
