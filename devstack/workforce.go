package devstack

import (
	"cmp"
	"time"

	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/oidc"
)

// defaultAudience is the audience of tokens that CI gives before anyone asks.
const defaultAudience = "https://zen.example.test"

// buildOIDC makes the OpenID issuer.
func (s *Stack) buildOIDC(options Options) (err error) {
	seed := s.seed.OIDC
	o := oidc.Options{
		BaseURL: s.url, Now: options.Now, Fault: s.Faults.On, Logger: options.Logger, TokenLifetime: time.Duration(seed.TokenLifetime),
	}
	for _, u := range seed.Users {
		o.Users = append(o.Users, oidc.User{Email: u.Email, Password: u.Password, Name: u.Name, Groups: u.Groups})
	}
	for _, c := range seed.Clients {
		if c.RedirectURIs == nil {
			c.RedirectURIs = []string{"http://127.0.0.1/callback"}
		}
		o.Clients = append(o.Clients, oidc.Client{ID: c.ID, Name: cmp.Or(c.Name, c.ID), Secret: c.Secret, RedirectURIs: c.RedirectURIs})
	}
	s.OIDC, err = oidc.New(o)
	return err
}

// buildCI makes the issuers of CI systems.
func (s *Stack) buildCI(options Options) {
	seed, job := s.seed.CI, ci.DefaultJob()
	job.Owner, job.Repository = cmp.Or(seed.Owner, job.Owner), cmp.Or(seed.Repository, job.Repository)
	job.OwnerID, job.RepositoryID = cmp.Or(seed.OwnerID, job.OwnerID), cmp.Or(seed.RepositoryID, job.RepositoryID)
	job.Ref, job.Event, job.Workflow = cmp.Or(seed.Ref, job.Ref), cmp.Or(seed.Event, job.Event), cmp.Or(seed.Workflow, job.Workflow)
	job.Environment, job.Immutable = seed.Environment, seed.Immutable
	s.CI = ci.New(ci.Options{BaseURL: s.url, Now: options.Now, Fault: s.Faults.On, Job: job})
}
