package loopback_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/loopback"
)

// A program signs a person in with a browser, which returns to the loopback with a code.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := loopback.Listen(ctx, loopback.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	// In this example, this is the issuer's page: it sends the browser to the redirect URL.
	page := make(chan string, 1)
	go func() {
		query := url.Values{"state": {l.State()}, "code": {"a-code"}}
		answer, err := http.Get(l.RedirectURL() + "?" + query.Encode())
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		page <- string(body)
	}()

	callback, err := l.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exchange", callback.Get("code"))
	// The browser is still waiting, and now shows the result.
	callback.Succeed("Signed in as alice.")
	fmt.Println(strings.Contains(<-page, "Signed in as alice."))
	// Output:
	// exchange a-code
	// true
}
