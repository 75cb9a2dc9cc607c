package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// way is a provider, how to sign in with it, and a setting for whose every value tokens
// are stored separately, so that none is found. Without a login nothing is stored at all.
type way struct {
	name    string
	login   []string
	env     []string
	setting func(run int) string
}

var ways = []way{
	{"clerk", []string{"--provider", "clerk"}, nil, func(n int) string { return fmt.Sprintf("ZEN_CLERK__READ_ONLY_TEMPLATE=run-%d", n) }},
	{"auth0", []string{"--provider", "auth0"}, nil, func(n int) string { return fmt.Sprintf("ZEN_AUTH0__PORTS=%d", 40000+n) }},
	{"auth0, a machine", []string{"--provider", "auth0", "--method", "client-credentials"}, nil, func(n int) string { return fmt.Sprintf("ZEN_AUTH0__PORTS=%d", 40000+n) }},
	{"apikey", []string{"--provider", "apikey"}, nil, func(n int) string { return fmt.Sprintf("ZEN_APIKEY__READ_ONLY_TEMPLATE=run-%d", n) }},
	{"platformtoken", []string{"--provider", "platformtoken"}, nil, mintedFor},
	{"oidc with platformtoken", []string{"--provider", "oidc"}, []string{"ZEN_TOKEN_PROVIDER=platformtoken"}, mintedFor},
}

func mintedFor(n int) string { return fmt.Sprintf("ZEN_PLATFORMTOKEN__TOKEN_LIFETIME=%dm", 60+n) }

// coldToken compares zen token without a stored token, by each provider: whole processes
// that start one, which makes one exchange, taking turns.
func (b *bench) coldToken() error {
	given, err := b.stack.zen("token")
	if err != nil {
		return err
	}
	ways := append(slices.Clone(ways), way{
		"statictoken, kept nowhere", nil, []string{"ZEN_PROVIDER=statictoken", "ZEN_STORAGE=none"},
		func(int) string { return "ZEN_STATICTOKEN__TOKEN=" + given },
	})
	if b.stack.team == "" {
		fmt.Fprintln(os.Stderr, "bench: WARNING: there is no bao, so that the way through OpenBao is not measured: scripts/install-test-tools.sh")
	} else {
		// The port belongs to another sign-in method: it changes only the key of the
		// stored token.
		port := func(n int) string { return fmt.Sprintf("ZEN_OPENBAO__OIDC_PORT=%d", 40000+n) }
		ways = append(ways, way{"clerk with openbao", []string{"--provider", "clerk"}, []string{"ZEN_PROFILE=" + b.stack.team}, port})
	}
	var programs []program
	goals := map[string]float64{}
	for i, w := range ways {
		env := append(slices.Clone(b.stack.env), append(w.env, "ZEN_STATE_DIR="+filepath.Join(b.dir, fmt.Sprint("cold-", i)))...)
		if w.login != nil {
			signIn := *b.stack
			signIn.env = env
			if _, err := signIn.zen(append([]string{"login"}, w.login...)...); err != nil {
				return err
			}
		}
		run := 0
		programs = append(programs, program{name: w.name, args: []string{"bin/zen", "token"}, env: func() []string {
			run++
			return append(env[:len(env):len(env)], w.setting(run))
		}})
		if i > 0 {
			goals[w.name] = 1.3
		}
	}
	return b.processes("cold token", processRuns, goals, programs...)
}
