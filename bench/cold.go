package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const coldRuns = 20

// way is a provider, how to sign in with it, and a setting whose every value has tokens of
// its own, so that none is stored. Without a login nothing is stored at all.
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
func coldToken(s *stack, dir string) error {
	given, err := s.zen("token")
	if err != nil {
		return err
	}
	ways := append(slices.Clone(ways), way{
		"statictoken, kept nowhere", nil, []string{"ZEN_PROVIDER=statictoken", "ZEN_STORAGE=none"},
		func(int) string { return "ZEN_STATICTOKEN__TOKEN=" + given },
	})
	if s.team == "" {
		fmt.Println("\nthere is no bao, so that the way through OpenBao is not measured: scripts/install-test-tools.sh")
	} else {
		// The port is for another way to sign in: it changes nothing but the key of the
		// stored token.
		port := func(n int) string { return fmt.Sprintf("ZEN_OPENBAO__OIDC_PORT=%d", 40000+n) }
		ways = append(ways, way{"clerk with openbao", []string{"--provider", "clerk"}, []string{"ZEN_PROFILE=" + s.team}, port})
	}
	times, cpu := make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
	for run := range coldRuns + 2 {
		for i, w := range ways {
			env := append(slices.Clone(s.env), append(w.env, "ZEN_STATE_DIR="+filepath.Join(dir, fmt.Sprint("cold-", i)))...)
			if run == 0 && w.login != nil {
				cmd := exec.Command("bin/zen", append([]string{"login"}, w.login...)...)
				cmd.Env = env
				if out, err := cmd.CombinedOutput(); err != nil {
					return fmt.Errorf("sign in with %s: %w\n%s", w.name, err, out)
				}
			}
			cmd := exec.Command("bin/zen", "token")
			cmd.Env, cmd.Stderr = append(env, w.setting(run)), os.Stderr
			start := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("zen token by %s: %w", w.name, err)
			}
			if run >= 2 {
				times[i] = append(times[i], time.Since(start))
				cpu[i] = append(cpu[i], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			}
		}
	}
	fmt.Printf("\ncold zen token (starts the provider, one exchange), median of %d, taking turns; and CPU, which a busy machine changes less:\n", coldRuns)
	clerk, clerkCPU := median(times[0]), median(cpu[0])
	for i, w := range ways {
		took, used := median(times[i]), median(cpu[i])
		fmt.Printf("  %-24s %7.1f ms  %.2f x clerk  %7.1f ms  %.2f x clerk\n", w.name,
			ms(took), float64(took)/float64(clerk), ms(used), float64(used)/float64(clerkCPU))
	}
	return nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
