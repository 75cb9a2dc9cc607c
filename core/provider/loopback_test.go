package provider

import "testing"

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "app.localhost": true, "a.b.localhost:80": true, "localhost.": true,
		"127.0.0.1": true, "127.8.8.8:1": true, "[::1]:443": true, "::1": true,
		"": false, "localhost.example": false, "notlocalhost": false, "app-localhost": false, "10.0.0.1": false, "0.0.0.0": false, "[::]:80": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}
