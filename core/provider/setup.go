package provider

import "context"

// SetupGuide says what has to be there for a provider to work.
type SetupGuide interface {
	// Setup writes it down for one purpose. It uses no network: what Turso has to say
	// is in the request.
	Setup(ctx context.Context, req SetupRequest) (Setup, error)
}

// SetupRequest says what for.
type SetupRequest struct {
	Purpose
	// Topic is one of Setup.Topics; "" means the whole of what is needed. Another one is
	// ErrConfig.
	Topic string
}

// Setup describes what has to exist at an issuer, for people and programs.
type Setup struct {
	// Issuer says by which keys the provider's tokens are verified; nil if the
	// issuer publishes none.
	Issuer *Verification
	// Endpoints are the origins (https://host) that the provider talks to.
	Endpoints []string
	Steps     []SetupStep
	Files     []SetupFile
	// Topics are further things that can be written: a page in another framework.
	Topics []SetupTopic
}

// SetupStep is something to do by hand.
type SetupStep struct {
	// Title is one line, as an order. Text may have several, of Markdown.
	Title string
	Text  string
	// URL is the page where it is done, or "".
	URL string
}

// SetupFile is a file that does some of it: a script, a page for the app.
type SetupFile struct {
	// Path is relative and has no "..": "turso-action.js", "app/cli/page.tsx".
	Path string
	// Doc is one line that says what it is for.
	Doc  string
	Text string
	// Program is true for a script that is run.
	Program bool
}

// SetupTopic is something that can be set up by itself.
type SetupTopic struct {
	Name string
	Doc  string
}
