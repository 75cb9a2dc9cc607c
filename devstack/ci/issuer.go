package ci

import (
	"cmp"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/random"
)

// issuer is one system's issuer.
type issuer struct {
	*Service
	name     string
	path     string // of its address, below the service's; /ci/NAME if empty
	keysPath string // of its key set, below its address
	lifetime time.Duration
	// early is how long before iat nbf is; negative leaves nbf out.
	early time.Duration
	// audience is the default audience of a token.
	audience string
	// many makes aud a list even for one audience.
	many   bool
	claims func(audience string) map[string]any
	key    func() (jose.Key, error)
	// stranger is the key published instead if the fault is on.
	stranger func() (jose.Key, error)
}

// define completes an issuer.
func (s *Service) define(i issuer) *issuer {
	i.Service = s
	i.path = cmp.Or(i.path, "/ci/"+i.name)
	i.key = sync.OnceValues(func() (jose.Key, error) { return jose.NewKey(random.String(22)) })
	i.stranger = sync.OnceValues(func() (jose.Key, error) { return jose.NewKey(random.String(22)) })
	return &i
}

func (i *issuer) address() string { return i.opts.BaseURL + i.path }

func (i *issuer) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+i.path+"/.well-known/openid-configuration", i.serveDiscovery)
	mux.HandleFunc("GET "+i.path+i.keysPath, i.serveKeys)
}

func (i *issuer) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	if i.fault(FaultJWKSUnavailable) {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, map[string]any{
		"issuer": i.address(), "jwks_uri": i.address() + i.keysPath,
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid"},
	})
}

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	key := i.stranger
	if !i.fault(FaultKeyUnpublished) {
		key = i.key
	}
	published, err := key()
	if err != nil || i.fault(FaultJWKSUnavailable) {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, map[string]any{"keys": []any{published.JWK()}})
}

// token signs a statement for an audience.
func (i *issuer) token(audience string) (string, error) {
	audience = cmp.Or(audience, i.audience)
	i.mu.Lock()
	before := i.last[i.name+" "+audience]
	i.mu.Unlock()
	if before != "" && i.fault(FaultReplayed) {
		return before, nil
	}
	key, err := i.key()
	if err != nil {
		return "", err
	}
	named := audience
	if i.fault(FaultWrongAudience) {
		named = "https://somebody-else.example.test"
	}
	now := i.opts.Now()
	if i.fault(FaultExpired) {
		now = now.Add(-24 * time.Hour)
	}
	claims := map[string]any{"iss": i.address(), "aud": named, "iat": now.Unix(), "exp": now.Add(i.lifetime).Unix(), "jti": uuid()}
	if i.many {
		claims["aud"] = []string{named}
	}
	if i.early >= 0 {
		claims["nbf"] = now.Add(-i.early).Unix()
	}
	maps.Copy(claims, i.claims(named))
	token, err := key.Sign(nil, claims)
	if err != nil {
		return "", err
	}
	if named == audience && !i.fault(FaultExpired) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.last[i.name+" "+audience] = token
	}
	return token, nil
}
