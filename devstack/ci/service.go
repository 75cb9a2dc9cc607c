package ci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// Options shape a service.
type Options struct {
	// BaseURL is the URL at which the handler is mounted, without a trailing slash.
	BaseURL string
	// Now is the clock of every token. Nil means time.Now.
	Now func() time.Time
	// Job is the job that the issuers describe. Its zero value is [DefaultJob].
	Job Job
	// Fault, when it returns true for one of the Fault… names, makes the issuers fail
	// that way for this token. It must be safe for concurrent use.
	Fault func(name string) bool
}

// Job is the job that asks: the same for all systems, in each system's terms.
type Job struct {
	Owner, Repository     string // acme, app: organization and project
	OwnerID, RepositoryID int64
	Ref                   string // refs/heads/main
	SHA                   string
	Environment           string // of the deployment, or ""
	Event                 string // push, pull_request, workflow_dispatch
	Actor                 string
	ActorEmail            string
	Workflow              string // the file's name
	// Immutable adds the ids of owner and repository to the subject at GitHub, as it does
	// for repositories since July 2026.
	Immutable bool
	// Namespace and ServiceAccount are Kubernetes'.
	Namespace, ServiceAccount string
}

// DefaultJob deploys the main branch of acme/app.
func DefaultJob() Job {
	return Job{
		Owner: "acme", Repository: "app", OwnerID: 123456, RepositoryID: 456789,
		Ref: "refs/heads/main", SHA: "9fceb02d0ae598e95dc970b74767f19372d61af8", Event: "push",
		Actor: "alice", ActorEmail: "alice@example.test", Workflow: "deploy.yml",
		Namespace: "ci", ServiceAccount: "zen",
	}
}

// branch returns the ref's short name.
func (j Job) branch() string { return strings.TrimPrefix(j.Ref, "refs/heads/") }

// Service is the issuers. Its methods are safe for concurrent use.
type Service struct {
	opts    Options
	handler http.Handler
	issuers map[string]*issuer
	// The secrets with which a job requests tokens.
	requestToken, agentToken, jobID string

	mu   sync.Mutex        // guards last
	last map[string]string // the previous token, by issuer and audience
}

// New makes a service. Its keys are created when first needed.
func New(opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Job == (Job{}) {
		opts.Job = DefaultJob()
	}
	s := &Service{
		opts: opts, issuers: map[string]*issuer{}, last: map[string]string{},
		requestToken: random.String(64), agentToken: random.String(40), jobID: uuid(),
	}
	for _, i := range []*issuer{newGitHub(s), newGitLab(s), newBuildkite(s), newCircleCI(s), newGoogle(s), newKubernetes(s), newSPIFFE(s)} {
		s.issuers[i.name] = i
	}
	s.handler = s.routes()
	return s
}

// uuid returns a random one (RFC 9562, version 4).
func uuid() string {
	h := random.Hex(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// Systems returns the names of the issuers, sorted.
func Systems() []string {
	return []string{"buildkite", "circleci", "github", "gitlab", "google", "kubernetes", "spiffe"}
}

// Patterns returns the http.ServeMux patterns of everything that Handler serves.
func Patterns() []string { return []string{"/ci/", metadataPath} }

// Handler serves all that the package comment lists.
func (s *Service) Handler() http.Handler { return s.handler }

// ErrSystem is the error for an unknown system.
var ErrSystem = errors.New("no such system")

// Token returns a system's token that identifies the job to the audience.
func (s *Service) Token(system, audience string) (string, error) {
	i := s.issuers[system]
	if i == nil {
		return "", fmt.Errorf("%w: %q (known: %s)", ErrSystem, system, strings.Join(Systems(), ", "))
	}
	return i.token(audience)
}

// Issuer returns the iss of a system's tokens.
func (s *Service) Issuer(system string) string { return s.issuers[system].address() }

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	for _, i := range s.issuers {
		i.routes(mux)
	}
	mux.HandleFunc("GET /ci/github/runner/idtoken/{plan}/{job}", s.githubRequest)
	mux.HandleFunc("POST /ci/buildkite/v3/jobs/{id}/oidc/tokens", s.buildkiteRequest)
	mux.HandleFunc("GET "+metadataPath+"v1/instance/service-accounts/{account}/identity", s.googleRequest)
	return mux
}

func (s *Service) fault(name string) bool { return s.opts.Fault != nil && s.opts.Fault(name) }

// refuse answers a request for a token that can't be issued now.
func (s *Service) refuse(w http.ResponseWriter) bool {
	switch {
	case s.fault(FaultUnavailable):
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case s.fault(FaultForbidden):
		http.Error(w, "Forbidden", http.StatusForbidden)
	default:
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// An error here is the client's: it has gone.
	_ = json.NewEncoder(w).Encode(body)
}

// bearer reports whether a request has a secret with a scheme, ignoring the scheme's
// case.
func bearer(r *http.Request, scheme, secret string) bool {
	got, value, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return ok && strings.EqualFold(got, scheme) && random.Same(value, secret)
}
