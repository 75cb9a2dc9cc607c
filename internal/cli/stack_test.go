package cli

import (
	"testing"

	"github.com/zen-auth/zen/devstack"
)

// inStack returns an environment with the stack's variables. The stack writes its files into
// dir.
func inStack(t *testing.T, stack *devstack.Stack, dir string, environ []string) []string {
	t.Helper()
	variables, err := stack.Environment(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		environ = append(environ, v.Name+"="+v.Value)
	}
	return environ
}
