package doctor

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
)

// Providers starts providers.
type Providers interface {
	// Describe starts a provider and returns its description.
	Describe(ctx context.Context, name string) (provider.Description, error)
	// Provider starts a provider with its settings.
	Provider(ctx context.Context, name string) (Provider, error)
}

// Provider is the part of a provider that the doctor uses.
type Provider interface {
	provider.Provider
	provider.Fixer
	provider.SetupGuide
}

// Options say what to check.
type Options struct {
	Config    *config.Config
	Profile   config.Profile
	Session   *session.Session
	Providers Providers
	// WithCredential calls use with the stored credential of a provider's sign-in, or with
	// nil if none is stored or can be read. If use returns another credential, that one is
	// stored before anything else can use the old one.
	WithCredential func(ctx context.Context, provider string, use func(context.Context, *provider.Credential) (*provider.Credential, error)) error
	// Turso is a client of the Platform API; nil if there is no API token. Organization is
	// the slug of the organization to check; "" means the personal one.
	Turso        *turso.Client
	Organization string
	// Client sends the requests to the database and the issuer. If nil, the client of
	// package httpclient is used.
	Client *http.Client
	// Origin is the origin of the web page that a browser would send a query from.
	Origin string
	// Only are the layers to check, besides those that they need. If empty, all layers are
	// checked.
	Only []string
	// Offline skips the layers that need a network.
	Offline bool
	// Environ has the form of os.Environ, and WorkDir is where the .env files are.
	Environ []string
	WorkDir string
	// Report, if not nil, is called with each finding as soon as it is made.
	Report func(Finding)
}

// layer is one of the steps of an examination.
type layer struct {
	name string
	// needs are the layers without which this one can't be checked.
	needs []string
	// network says that the layer can't be checked offline.
	network bool
	look    func(*exam, context.Context)
}

// layers are in the order in which they are checked: each depends only on earlier ones.
var layers = []layer{
	{name: "binaries", look: (*exam).binaries},
	{name: "config", look: (*exam).config},
	{name: "storage", look: (*exam).storage},
	{name: "bundle", look: (*exam).bundle},
	{name: "network", needs: []string{"config"}, network: true, look: (*exam).network},
	{name: "issuer", needs: []string{"binaries", "config"}, network: true, look: (*exam).issuer},
	{name: "signin", needs: []string{"binaries", "config", "storage"}, look: (*exam).signin},
	{name: "token", needs: []string{"signin"}, network: true, look: (*exam).token},
	{name: "turso", needs: []string{"config"}, network: true, look: (*exam).turso},
	{name: "database", needs: []string{"config"}, network: true, look: (*exam).database},
	{name: "cors", needs: []string{"config"}, network: true, look: (*exam).cors},
	{name: "plan", needs: []string{"config"}, network: true, look: (*exam).plan},
}

// Layers returns the names of the layers, the deepest first.
func Layers() []string {
	var names []string
	for _, l := range layers {
		names = append(names, l.name)
	}
	return names
}

// layerAliases are other words for layers that people may try.
var layerAliases = map[string]string{"jwks": "turso", "clock": "network", "providers": "binaries", "claims": "token"}

// ParseLayer returns the layer that has this name or alias, and whether there is one.
func ParseLayer(name string) (string, bool) {
	name = strings.ToLower(name)
	if other, ok := layerAliases[name]; ok {
		name = other
	}
	return name, slices.Contains(Layers(), name)
}

// exam is one examination. Later layers use the results of earlier ones.
type exam struct {
	Options
	current  string
	began    time.Time
	findings []Finding
	failed   map[string]string // layers that failed, with the id of the first error
	skipped  map[string]bool

	// set by the layers
	dates   []dated
	contact *contacted
	pace    pace                  // of the last answer
	issuers provider.Verification // how the profile's tokens are verified
	keys    *jwks.Set
	issued  provider.Token
	claims  provider.Claims
	probed  *probe
	api     apiState
	claimed *provider.Purpose // with the claims that Turso requires
}

// Run makes the checks, and returns the findings in the order of the layers.
func Run(ctx context.Context, o Options) []Finding {
	if o.Client == nil {
		o.Client = httpclient.Client()
	}
	e := &exam{Options: o, failed: map[string]string{}, skipped: map[string]bool{}}
	wanted := e.wanted()
	for _, l := range layers {
		if !wanted[l.name] || ctx.Err() != nil {
			continue
		}
		e.current, e.began = l.name, time.Now()
		if why := e.cannot(l); why != "" {
			e.skip(why)
			continue
		}
		l.look(e, ctx)
	}
	return e.findings
}

// wanted returns the layers to check: those in Only, and those that they need.
func (e *exam) wanted() map[string]bool {
	wanted := map[string]bool{}
	for _, name := range e.Only {
		wanted[name] = true
	}
	if len(e.Only) == 0 {
		for _, l := range layers {
			wanted[l.name] = true
		}
		return wanted
	}
	for _, l := range slices.Backward(layers) {
		if !wanted[l.name] {
			continue
		}
		for _, need := range l.needs {
			wanted[need] = true
		}
		// Whether Turso accepts the keys is tested with a token.
		if l.name == "turso" || l.name == "database" {
			wanted["token"], wanted["signin"] = true, true
		}
	}
	return wanted
}

// cannot returns the reason why a layer can't be checked, or "".
func (e *exam) cannot(l layer) string {
	if l.network && e.Offline {
		return "it needs the network, but --offline was given"
	}
	for _, need := range l.needs {
		if id := e.failed[need]; id != "" {
			return "it needs " + need + ", where " + id + " was found"
		}
		if e.skipped[need] {
			return "it needs " + need + ", which could not be checked"
		}
	}
	return ""
}

// add reports a finding of the layer.
func (e *exam) add(f Finding) {
	f.Layer = e.current
	now := time.Now()
	f.Took, e.began = now.Sub(e.began), now
	if f.Severity == provider.SeverityError && e.failed[f.Layer] == "" {
		e.failed[f.Layer] = f.ID
	}
	e.findings = append(e.findings, f)
	if e.Report != nil {
		e.Report(f)
	}
}

func (e *exam) ok(id, observed string) {
	e.add(Finding{ID: id, Severity: provider.SeverityOK, Observed: observed})
}

// skip reports that the whole layer wasn't checked.
func (e *exam) skip(why string) {
	e.skipped[e.current] = true
	e.add(Finding{ID: e.current + ".skipped", Severity: provider.SeveritySkipped, Observed: why})
}

// fail reports an error, with its class and hint.
func (e *exam) fail(id string, err error, cause, next string) {
	next = cmp.Or(next, provider.Hint(err))
	e.add(Finding{ID: id, Severity: provider.SeverityError, Kind: provider.Kind(err), Observed: err.Error(), Cause: cause, Next: next})
}
