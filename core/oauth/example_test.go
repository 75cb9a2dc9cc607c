package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// The issuer's metadata decides where requests go; its issuer must match exactly.
func ExampleDiscover() {
	var issuer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer": %q, "token_endpoint": "https://tokens.example/token"}`, issuer)
	}))
	defer server.Close()
	issuer = server.URL + "/"

	metadata, err := oauth.Discover(context.Background(), issuer, oauth.DiscoverOptions{})
	fmt.Println(metadata.TokenEndpoint, err)
	_, err = oauth.Discover(context.Background(), server.URL, oauth.DiscoverOptions{}) // a slash is missing
	fmt.Println(err != nil)
	// Output:
	// https://tokens.example/token <nil>
	// true
}

// A rotating refresh token can be used once: the new one is stored before anything else.
func ExampleClient_Refresh() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "for-%s", "refresh_token": "second"}`, r.PostFormValue("refresh_token"))
	}))
	defer server.Close()
	client := &oauth.Client{Name: "example", ID: "my-app", Metadata: oauth.Metadata{TokenEndpoint: server.URL}}

	tokens, err := client.Refresh(context.Background(), provider.NewSecret("first"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tokens.Refresh.Reveal(), tokens.Access.Reveal(), tokens.Access)
	// Output: second for-first [redacted]
}

// Without a browser, a person enters a code on another device.
func ExampleClient_Device() {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("POST /device", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "%s/activate", "interval": 0.01}`, server.URL)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "a"}`)
	})
	client := &oauth.Client{Name: "example", ID: "my-app", Metadata: oauth.Metadata{
		TokenEndpoint: server.URL + "/token", DeviceEndpoint: server.URL + "/device",
	}}

	host := &person{} // in a provider, this is the provider.Host passed to Login
	tokens, err := client.Device(context.Background(), host, oauth.DeviceOptions{Scopes: []string{"openid"}})
	fmt.Println(tokens.Access.IsZero(), err)
	// Output: false <nil>
}
