package jwks_test

import (
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/internal/keytest"
	"github.com/zen-auth/zen/core/provider"
)

func TestParsePassesOverWhatCannotVerify(t *testing.T) {
	small := keytest.NewRSA(1024)
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}
	change := func(key map[string]any, name string, value any) map[string]any {
		key[name] = value
		return key
	}
	fresh := func() map[string]any { return keytest.JWK("bad", keytest.RSAKey().Public()) }
	point := keytest.JWK("bad", keytest.NewEC(elliptic.P256()).Public())
	for name, key := range map[string]map[string]any{
		"a private key":                       change(fresh(), "d", "AQAB"),
		"a private member that is null":       change(fresh(), "d", "null"),
		"a symmetric key":                     {"kty": "oct", "kid": "bad", "k": "AAAA", "alg": "HS256"},
		"a key for encryption":                change(fresh(), "use", "enc"),
		"other key operations":                change(fresh(), "key_ops", []string{"wrapKey"}),
		"HS256":                               change(fresh(), "alg", "HS256"),
		"RSA-OAEP":                            change(fresh(), "alg", "RSA-OAEP"),
		"an RSA key with the algorithm of EC": change(fresh(), "alg", "ES256"),
		"1024 bits":                           keytest.JWK("bad", small.Public()),
		"even modulus":                        keytest.JWK("bad", even),
		"no modulus":                          change(fresh(), "n", ""),
		"padded base64":                       change(fresh(), "e", "AQAB=="),
		"exponent 1":                          change(fresh(), "e", "AQ"),
		"exponent even":                       change(fresh(), "e", "AQAA"),
		"exponent large":                      change(fresh(), "e", "AQAAAAE"),
		"off the curve":                       change(point, "y", keytest.B64(make([]byte, 32))),
		"short point":                         change(keytest.JWK("bad", keytest.NewEC(elliptic.P256()).Public()), "x", "AA"),
		"P-224":                               {"kty": "EC", "crv": "P-224", "x": "AA", "y": "AA"},
		"X25519":                              {"kty": "OKP", "crv": "X25519", "x": keytest.B64(make([]byte, 32))},
		"short Ed25519":                       {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
		"no type":                             {},
		"odd kid":                             change(fresh(), "kid", 5),
	} {
		keys, err := jwks.Parse(keytest.KeySet(keytest.JWK("good", keytest.RSAKey().Public()), key))
		if err != nil || len(keys) != 1 || keys[0].ID != "good" {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}

func TestParseTakes(t *testing.T) {
	good := string(keytest.KeySet(keytest.JWK("good", keytest.RSAKey().Public())))
	point := keytest.JWK("good", keytest.NewEC(elliptic.P521()).Public()) // 66 bytes need no padding, 65 do
	padded := keytest.JWK("good", keytest.NewEC(elliptic.P256()).Public())
	for _, name := range []string{"x", "y"} {
		padded[name] = padded[name].(string) + "="
	}
	withNull := keytest.JWK("good", keytest.RSAKey().Public())
	withNull["d"], withNull["use"], withNull["key_ops"], withNull["x5c"] = nil, nil, nil, nil
	many := make([]map[string]any, 65)
	for i := range many {
		many[i] = keytest.JWK("good", keytest.RSAKey().Public())
	}
	for name, set := range map[string]string{
		"a byte-order mark": "\ufeff" + good, "members that are null": string(keytest.KeySet(withNull)),
		"padding": string(keytest.KeySet(padded)), "no padding": string(keytest.KeySet(point)), "65 keys": string(keytest.KeySet(many...)),
	} {
		if keys, err := jwks.Parse([]byte(set)); err != nil || len(keys) == 0 || keys[0].ID != "good" {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	many := make([]map[string]any, 513)
	for i := range many {
		many[i] = keytest.JWK("k", keytest.RSAKey().Public())
	}
	for name, set := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "no keys": "{}", "keys text": `{"keys":"x"}`,
		"an empty list of keys": `{"keys":[]}`, "odd ones": `{"keys":[1,"x",null,{}]}`, "too many": string(keytest.KeySet(many...)),
	} {
		if keys, err := jwks.Parse([]byte(set)); err == nil {
			t.Errorf("%s: Parse = %v, want an error", name, keys)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(keytest.KeySet(keytest.JWK("a", keytest.RSAKey().Public()), keytest.JWK("b", keytest.NewEC(elliptic.P521()).Public())))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":null},{"kty":"oct","k":"AA"},7]}`))
	f.Fuzz(func(t *testing.T, set []byte) {
		keys, err := jwks.Parse(set)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, key := range keys {
			if key.Public == nil {
				t.Fatal("a parsed key has no public key")
			}
		}
	})
}

func FuzzDecodeUnverified(f *testing.F) {
	f.Add(keytest.SignRS256(f, keytest.Good()).Reveal())
	for _, payload := range []string{
		`{"v":2,"o":{"id":"org_1","rol":"admin","per":"manage,read","fpm":"3,2"},"fea":"o:dashboard,o:teams"}`,
		`{"p":{"rw":{"ns":["a"],"tables":{"all":{"data_read":true}}}},"perm":[{"t":null,"a":["data_read"]}]}`,
		`{"exp":1e300,"aud":["a"],"act":{"sub":"user_1"}}`,
	} {
		f.Add(keytest.B64([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + keytest.B64([]byte(payload)) + ".AA")
	}
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := jwks.DecodeUnverified(provider.NewSecret(token))
		if err != nil {
			if !errors.Is(err, provider.ErrTokenInvalid) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %q, want ErrTokenInvalid in one line", err)
			}
			return
		}
		if strings.Count(token, ".") != 2 {
			t.Fatal("not a JWT")
		}
		if d := claims.Database; d != nil && d.Access != provider.AccessReadOnly && d.Access != provider.AccessReadWrite {
			t.Fatalf("access %q", d.Access)
		}
		if e := claims.Expires; !e.IsZero() && (e.Year() < 1970 || e.Year() > 9999) {
			t.Fatalf("expires %v", e)
		}
	})
}
