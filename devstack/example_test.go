package devstack_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/zen-auth/zen/devstack"
)

func Example() {
	stack, err := devstack.Start(devstack.Options{Faults: []string{"clerk-rate-limited"}})
	if err != nil {
		log.Fatal(err)
	}
	defer stack.Close()

	resp, err := http.Get(stack.URL() + "/v1/client")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 429 Too Many Requests
}
