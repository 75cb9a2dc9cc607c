// Command main is an app with a bridge page.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"bridge.test/app/clibridge"
)

func main() {
	address := os.Args[1]
	http.Handle("/cli", &clibridge.Bridge{
		URL: "http://" + address + "/cli", SignInURL: os.Getenv("CLERK_SIGN_IN_URL"),
		SecretKey: os.Getenv("CLERK_SECRET_KEY"), BackendURL: os.Getenv("CLERK_API_URL"), SignedIn: signedIn,
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
	os.Exit(1)
}

// signedIn returns the user of the session named by the cookie, as Clerk reports it. A real
// app verifies the token.
func signedIn(r *http.Request) (who clibridge.Person, ok bool) {
	cookie, err := r.Cookie("__session")
	if err != nil || strings.Count(cookie.Value, ".") != 2 {
		return who, false
	}
	var claims struct {
		Session string `json:"sid"`
		Actor   any    `json:"act"`
		Active  struct {
			ID   string `json:"id"`
			Slug string `json:"slg"`
			Role string `json:"rol"`
		} `json:"o"`
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(cookie.Value, ".")[1])
	_ = json.Unmarshal(payload, &claims)
	req, err := http.NewRequest(http.MethodGet, os.Getenv("CLERK_API_URL")+"/v1/sessions/"+claims.Session, nil)
	if err != nil {
		return who, false
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("CLERK_SECRET_KEY"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return who, false
	}
	defer res.Body.Close()
	var session struct {
		User   string `json:"user_id"`
		Status string `json:"status"`
	}
	if json.NewDecoder(res.Body).Decode(&session) != nil || session.Status != "active" {
		return who, false
	}
	o := clibridge.Organization{ID: claims.Active.ID, Slug: claims.Active.Slug, Role: "org:" + claims.Active.Role}
	return clibridge.Person{UserID: session.User, Name: "alice@example.test", Acting: claims.Actor != nil, SessionID: claims.Session, Organization: o}, true
}
