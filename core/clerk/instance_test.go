package clerk

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func encodeKey(prefix, decoded string) string {
	return prefix + base64.RawStdEncoding.EncodeToString([]byte(decoded))
}

func TestParseKey(t *testing.T) {
	for key, want := range map[string]Instance{
		// From Clerk's documentation.
		"pk_test_Y2xlYW4tbWF5Zmx5LTYyLmNsZXJrLmFjY291bnRzLmRldiQ": {"clean-mayfly-62.clerk.accounts.dev", "https://clean-mayfly-62.clerk.accounts.dev", false},
		// From the tests of clerk/javascript: padded, a legacy development instance, Clerk's
		// own staging, and a keyless development instance, which has an ordinary key.
		"pk_live_ZmFrZS1jbGVyay10ZXN0LmNsZXJrLmFjY291bnRzLmRldiQ=":             {"fake-clerk-test.clerk.accounts.dev", "https://fake-clerk-test.clerk.accounts.dev", true},
		"pk_test_Y2xlcmsuYm9yaW5nLnNhd2ZseS05MS5sY2wuZGV2JA==":                 {"clerk.boring.sawfly-91.lcl.dev", "https://clerk.boring.sawfly-91.lcl.dev", false},
		"pk_test_ZW5vdWdoLWFscGFjYS04Mi5jbGVyay5hY2NvdW50cy5sY2xjbGVyay5jb20k": {"enough-alpaca-82.clerk.accounts.lclclerk.com", "https://enough-alpaca-82.clerk.accounts.lclclerk.com", false},
		"pk_test_Zm9vLWJhci0xMy5jbGVyay5hY2NvdW50cy5kZXYk":                     {"foo-bar-13.clerk.accounts.dev", "https://foo-bar-13.clerk.accounts.dev", false},
		encodeKey("pk_live_", "clerk.example.com$"):                            {"clerk.example.com", "https://clerk.example.com", true},
		encodeKey("pk_live_", "clerk.example.com$") + "==":                     {"clerk.example.com", "https://clerk.example.com", true},
		encodeKey("pk_test_", "127.0.0.1:4000$"):                               {"127.0.0.1:4000", "http://127.0.0.1:4000", false},
		encodeKey("pk_test_", "127.0.0.1$"):                                    {"127.0.0.1", "http://127.0.0.1", false},
		encodeKey("pk_test_", "10.0.0.1$"):                                     {"10.0.0.1", "https://10.0.0.1", false},
	} {
		got, err := ParseKey(key)
		if err != nil || got != want {
			t.Errorf("ParseKey(%s) = %+v, %v, want %+v", key, got, err, want)
		}
	}
	for _, bad := range []string{
		"", "pk_", "pk_test_", "pk_live_pk_test_" + encodeKey("", "a.b$"), "PK_TEST_" + encodeKey("", "a.b$"), "pk_test_%%%",
		encodeKey("pk_test_", "a.b"), encodeKey("pk_test_", "a.b$$"), encodeKey("pk_test_", "a$.b$"), encodeKey("pk_test_", "$"),
		encodeKey("pk_test_", "localhost$"), encodeKey("pk_test_", "localhost:80$"), encodeKey("pk_test_", "a.b:80$"),
		encodeKey("pk_test_", "https://a.b$"), encodeKey("pk_test_", "a.b/x$"), encodeKey("pk_test_", "u:p@a.b$"), encodeKey("pk_test_", "u@a.b$"),
		encodeKey("pk_test_", "a.b?x$"), encodeKey("pk_test_", "a.b#x$"), encodeKey("pk_test_", "a b.c$"), encodeKey("pk_test_", "a.b\n$"),
		encodeKey("pk_test_", ".a.b$"), encodeKey("pk_test_", "a..b$"), encodeKey("pk_test_", "-a.b$"), encodeKey("pk_test_", "a.b:$"),
		encodeKey("pk_test_", "127.0.0.1:$"), encodeKey("pk_test_", "127.0.0.1:x$"), encodeKey("pk_test_", "127.0.0.1:99999$"),
		encodeKey("pk_test_", "10.0.0.1:80$"), encodeKey("pk_test_", "[::1].x:80$"), encodeKey("pk_test_", strings.Repeat("a.", 200)+"b$"),
	} {
		if got, err := ParseKey(bad); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" {
			t.Errorf("ParseKey(%q) = %+v, %v, want ErrConfig with a hint", bad, got, err)
		}
	}
}

func TestBehind(t *testing.T) {
	i, err := ParseKey(encodeKey("pk_live_", "clerk.example.com$"))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"https://app.example/__clerk":      "https://app.example/__clerk",
		"https://app.example/__clerk/":     "https://app.example/__clerk", // also written this way in Clerk's documentation
		"https://clerk.satellite.example":  "https://clerk.satellite.example",
		"https://clerk.satellite.example/": "https://clerk.satellite.example",
		"https://app.example:8443/a/b-c~d": "https://app.example:8443/a/b-c~d",
		"http://127.0.0.1:4000/__clerk":    "http://127.0.0.1:4000/__clerk",
		"http://localhost:4000/__clerk":    "http://localhost:4000/__clerk",
	} {
		got, err := i.Behind(address)
		if err != nil || got.URL != want || got.KeySetURL() != want+"/.well-known/jwks.json" || !strings.HasSuffix(want, got.Host) || !got.Production {
			t.Errorf("Behind(%s) = %+v, %v", address, got, err)
		}
		if got.Policy().Issuer != want || got.Verification().Issuer != want || got.Fingerprint() == i.Fingerprint() {
			t.Errorf("%s: pinned to %+v", address, got.Policy())
		}
	}
	for _, bad := range []string{
		"", "/", "/__clerk", "app.example/__clerk", "http://app.example/__clerk", "ftp://app.example", "javascript:alert(1)",
		"https://u:planted@app.example/__clerk", "https://app.example/__clerk?x=planted", "https://app.example/__clerk?", "https://app.example/#planted", "https://app.example/#",
		"https://app.example/../x", "https://app.example/a/./b", "https://app.example//a", "https://app.example/a//b", "https://app.example/%2e%2e/planted",
		"https://app.example/a b", "https://app.example/a\\b", "https://app.example:/x", "https://:80/x", "https://a..b/x", "https://app.example/\n", "https://[::1/x",
	} {
		if got, err := i.Behind(bad); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" || strings.Contains(err.Error(), "planted") {
			t.Errorf("Behind(%q) = %+v, %v, want ErrConfig with a hint", bad, got, err)
		}
	}
}

func TestSecretKeyIsRefusedWithoutAnEcho(t *testing.T) {
	const planted = "sk_test_planted-secret"
	_, err := ParseKey(planted)
	if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "secret key") || !strings.Contains(provider.Hint(err), "publishable key") {
		t.Fatalf("ParseKey of a secret key: %v, want ErrConfig that names both kinds of key", err)
	}
	if strings.Contains(err.Error()+provider.Hint(err), "planted") {
		t.Errorf("the error repeats the key: %v", err)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(encodeKey("pk_test_", "clean-mayfly-62.clerk.accounts.dev$"))
	f.Add(encodeKey("pk_live_", "127.0.0.1:4000$"))
	f.Add("sk_test_x")
	f.Fuzz(func(t *testing.T, key string) {
		if i, err := ParseKey(key); err == nil && (strings.ContainsAny(i.Host, "/@?#$ \n\\%") || !strings.Contains(i.Host, ".")) {
			t.Fatalf("host %q", i.Host)
		}
	})
}
