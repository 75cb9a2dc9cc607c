package openbao_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/devstack/bao"
)

// BenchmarkServer compares reads of creds/NAME with those of a kv secret on the same
// server, with the stand-in for Turso minting a token by itself, and with an engine that
// does nothing, or only requests a token (Asks). The goal for (Creds - Mint) / KV is at
// most 2; the server determines Lease / KV. Login uses a cached answer from Clerk. Each
// is done by one client, and by 16 at once.
//
// Plain keeps its connections; TLS has a new one for each request, as bao and zen have.
func BenchmarkServer(b *testing.B) {
	transport := http.DefaultTransport.(*http.Transport)
	transport.MaxIdleConnsPerHost = 64
	b.Run("Plain", func(b *testing.B) { benchServer(b, newTeam(b)) })
	b.Run("TLS", func(b *testing.B) {
		own := httptest.NewTLSServer(nil) // its certificate is for 127.0.0.1
		defer own.Close()
		certificate := own.TLS.Certificates[0]
		key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
		if err != nil {
			b.Fatal(err)
		}
		o := bao.Options{CertFile: filepath.Join(b.TempDir(), "cert.pem"), KeyFile: filepath.Join(b.TempDir(), "key.pem")}
		for path, block := range map[string]pem.Block{
			o.CertFile: {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, o.KeyFile: {Type: "PRIVATE KEY", Bytes: key},
		} {
			if err := os.WriteFile(path, pem.EncodeToMemory(&block), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		// With -count, Plain runs again, and keeps its connections.
		config := transport.TLSClientConfig
		b.Cleanup(func() { transport.TLSClientConfig, transport.DisableKeepAlives = config, false })
		transport.TLSClientConfig = own.Client().Transport.(*http.Transport).TLSClientConfig
		transport.DisableKeepAlives = true
		benchServer(b, teamOf(b, newServerWith(b, o)))
	})
}

func benchServer(b *testing.B, tm *team) {
	const floor = "floor"
	command := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(buildDir, floor), "./testdata/floor")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("build the floor plugin: %v: %s", err, out)
	}
	if err := tm.Register(b.Context(), "secret", floor, filepath.Join(buildDir, floor), ""); err != nil {
		b.Fatal(err)
	}
	tm.write("sys/mounts/floor", object{"type": floor})
	tm.write("turso/roles/app", object{"database": "app"})
	tm.write("kv/app", object{"token": "value"})
	alice := tm.stack.Clerk.UserID("alice@example.test")
	tm.write("auth/clerk/role/app", object{"bound_subjects": alice, "token_ttl": "1m", "token_type": "batch"})
	key := clerkPost(b, tm.stack, "/api_keys", object{"name": "key", "subject": alice})["secret"]
	direct, err := turso.New(turso.Options{BaseURL: tm.stack.URL(), Token: func(context.Context) (string, error) { return tm.stack.APIToken(), nil }})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		do   func() error
	}{
		{"KV", func() error { _, err := tm.Read(b.Context(), "kv/app"); return err }},
		{"Plugin", func() error { _, err := tm.Read(b.Context(), "floor/plain"); return err }},
		{"Lease", func() error { _, err := tm.Read(b.Context(), "floor/lease"); return err }},
		{"Creds", func() error { _, err := tm.creds(tm.Client, "app"); return err }},
		{"Asks", func() error {
			return tm.Write(b.Context(), "floor/asks", object{
				"url":    tm.stack.URL() + "/v1/organizations/acme/databases/app/auth/tokens?expiration=15m&authorization=read-only",
				"secret": tm.stack.APIToken(),
			})
		}},
		{"Mint", func() error {
			_, err := direct.CreateDatabaseToken(b.Context(), "acme", "app", turso.TokenOptions{Expiration: maxLife, Authorization: turso.ReadOnly})
			return err
		}},
		{"Login", func() error {
			return tm.Call(b.Context(), http.MethodPost, "auth/clerk/login", object{"role": "app", "api_key": key}, nil)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var took []time.Duration // its median is least affected by load
			for b.Loop() {
				began := time.Now()
				if err := bench.do(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
		})
		b.Run(bench.name+"16", func(b *testing.B) {
			b.SetParallelism(16 / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := bench.do(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// maxLife is the default lifetime of a token.
const maxLife = 15 * time.Minute
