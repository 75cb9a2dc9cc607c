// Command zen-provider-tokenfile is an example of a provider: it returns tokens from a
// file, such as one written by a CI system or Kubernetes.
//
// It is started by zen, not by people.
package main

import "github.com/zen-auth/zen/core/plugin"

func main() { plugin.Serve(&tokenFile{}) }
