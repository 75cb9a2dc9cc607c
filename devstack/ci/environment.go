package ci

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/private"
)

// Variable is one of a job's environment.
type Variable struct{ Name, Value string }

// TokenVariable is the variable for GitLab's token. The job chooses its name; this is the
// one that zen looks for.
const TokenVariable = "ZEN_OIDC__ID_TOKEN"

// Environment returns the variables of a system's job. A token that is given in
// advance is for the audience.
func (s *Service) Environment(system, audience string) ([]Variable, error) {
	switch system {
	case "github":
		return []Variable{
			{"ACTIONS_ID_TOKEN_REQUEST_URL", s.githubRequestURL()}, {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", s.requestToken},
		}, nil
	case "buildkite":
		return []Variable{
			{"BUILDKITE", "true"}, {"BUILDKITE_JOB_ID", s.jobID}, {"BUILDKITE_AGENT_ACCESS_TOKEN", s.agentToken},
			{"BUILDKITE_AGENT_ENDPOINT", s.opts.BaseURL + "/ci/buildkite/v3"},
		}, nil
	case "google":
		base, err := url.Parse(s.opts.BaseURL)
		if err != nil {
			return nil, err
		}
		return []Variable{{"GCE_METADATA_HOST", base.Host}}, nil
	case "gitlab", "circleci":
		token, err := s.Token(system, audience)
		if err != nil {
			return nil, err
		}
		if system == "gitlab" {
			return []Variable{{"GITLAB_CI", "true"}, {"CI_SERVER_URL", s.Issuer(system)}, {TokenVariable, token}}, nil
		}
		return []Variable{
			{"CIRCLECI", "true"}, {"CIRCLE_OIDC_TOKEN_V2", token}, {"CIRCLE_ORGANIZATION_ID", s.issuers[system].audience},
		}, nil
	case "kubernetes", "spiffe": // a file and a socket: see KeepFile and ServeSPIFFE
		return nil, nil
	}
	return nil, fmt.Errorf("%w: %q (known: %s)", ErrSystem, system, strings.Join(Systems(), ", "))
}

// KeepFile writes a token of a system, for an audience, into a file, and replaces it when
// four fifths of its lifetime are over, as a kubelet does. It returns once the first is
// written; it stops with ctx, and then closes done.
func (s *Service) KeepFile(ctx context.Context, system, audience, path string) (done <-chan struct{}, err error) {
	if err := s.writeFile(system, audience, path); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(s.issuers[system].lifetime * 4 / 5)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				// If it can't be written, the old one stays, as with a full disk.
				_ = s.writeFile(system, audience, path)
			}
		}
	}()
	return ended, nil
}

func (s *Service) writeFile(system, audience, path string) error {
	token, err := s.Token(system, audience)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = private.Replace(path, []byte(token), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write %s token: %w", system, err)
	}
	return nil
}
