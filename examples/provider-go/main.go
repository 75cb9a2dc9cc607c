// Command zen-provider-tokenfile is an example of a provider: it hands out tokens
// that rest in a file, as a CI system or Kubernetes puts them there.
//
// It is started by zen, not by people.
package main

import "github.com/zen-auth/zen/core/plugin"

func main() { plugin.Serve(&tokenFile{}) }
