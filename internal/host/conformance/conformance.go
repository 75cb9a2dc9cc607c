package conformance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Options say what is tested.
type Options struct {
	// Path is the program, absolute, named zen-provider-NAME.
	Path string
	// Settings are the provider's, beside the defaults of its own.
	Settings provider.Settings
	// Visible are the keys of Settings whose values others can read, as those in the
	// arguments of a program. None may be of a setting that is sensitive.
	Visible []string
	// Database is the database that tokens are asked for; empty means one that doesn't exist.
	Database provider.Target
	// Network lets the provider reach what the environment lets it reach.
	Network bool
}

// Status is the outcome of a check.
type Status string

// The ends of a check. One that was skipped had nothing to look at.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Result is the result of one check.
type Result struct {
	// Name is short and stable: "describe".
	Name string
	// Rule is the rule that every provider has to follow.
	Rule   string
	Status Status
	// Detail is a line about what was seen; it has no secret in it.
	Detail string
	Took   time.Duration
}

// Report is the result of a whole run.
type Report struct {
	Path string
	// Name and Version are what the provider says of itself, where it does.
	Name, Version string
	Results       []Result
}

// Passed reports whether no check failed.
func (r Report) Passed() bool {
	for _, result := range r.Results {
		if result.Status == Fail {
			return false
		}
	}
	return true
}

// check is one of the suite. It returns what it saw, or an error: a skipped, or
// whatever is wrong.
type check struct {
	name, rule string
	run        func(ctx context.Context, s *suite) (string, error)
}

// checkLimit bounds one check, whose own limits are shorter.
const checkLimit = 60 * time.Second

// checks are in the order of a provider's life. The last two look back on all that
// was said meanwhile.
var checks = []check{
	{"handshake", "greets in one line, with a certificate, on a socket in the directory it was given", checkHandshake},
	{"refusal", "does not serve without the cookie or without PLUGIN_CLIENT_CERT", checkRefusal},
	{"versions", "chooses version 1 among others, and never one that it wasn't offered", checkVersions},
	{"tls", "lets no one in but the host that started it", checkTLS},
	{"health", "says that the service plugin is SERVING", checkHealth},
	{"describe", "Describe answers the same every time, within 100 ms", checkDescribe},
	{"schema", "Describe names services that are there and settings that make sense", checkSchema},
	{"offline", "Describe and Configure use no network", checkOffline},
	{"settings", "wrong and missing settings are CONFIG", checkSettings},
	{"unknown", "fields, methods and answers that it does not know do no harm", checkUnknown},
	{"unimplemented", "services that it doesn't have are UNIMPLEMENTED", checkUnimplemented},
	{"large", "a message above all limits is refused, and does no harm", checkLarge},
	{"concurrency", "32 calls at once get the answers of one", checkConcurrency},
	{"login", "Login asks with fresh ids, and ends well only with a stored result", checkLogin},
	{"cancellation", "a login that is given up leaves the way free for the next", checkCancellation},
	{"deadline", "calls that run out of time hold nothing up", checkDeadline},
	{"token", "a token is a bearer token with honest times, for what was asked", checkToken},
	{"assertion", "an assertion is of a kind and for the audience that was asked for", checkAssertion},
	{"findings", "findings have an id, a grade and their texts, and Fix does what they offer and nothing else", checkFindings},
	{"setup", "Setup uses no network, and writes each topic that it names and no other", checkSetup},
	{"team", "members and invitations have ids of their own, and what can't be done is refused", checkTeam},
	{"organizations", "organizations have ids of their own, one is active at most, and one that there isn't changes nothing", checkOrganizations},
	{"stop", "ends within a second of Shutdown, with all that it started", checkStop},
	{"parent", "dies with the host that started it", checkParent},
	{"errors", "errors have a status, an ErrorInfo, and one line of text", checkErrors},
	{"secrets", "no secret in output, errors, findings or arguments", checkSecrets},
}

// Run runs the whole suite, and each of its processes ends before it returns. Its
// error is about the suite: ctx ended, a program that isn't there, a setting that
// the provider doesn't have. done, if not nil, gets each result as it comes.
func Run(ctx context.Context, options Options, done func(Result)) (Report, error) {
	report := Report{Path: options.Path}
	s, err := newSuite(options)
	if err != nil {
		return report, err
	}
	defer s.close()
	if err := s.introduce(ctx); err != nil {
		return report, err
	}
	report.Name, report.Version = s.description.GetName(), s.description.GetVersion()
	for _, c := range checks {
		var result Result
		if len(report.Results) > 0 && report.Results[0].Status == Fail {
			// Each of the others would wait for the handshake in vain.
			result = Result{Name: c.name, Rule: c.rule, Status: Skip, Detail: "there is no handshake"}
		} else {
			result = s.check(ctx, c)
		}
		if ctx.Err() != nil {
			return report, fmt.Errorf("test provider: %w", ctx.Err())
		}
		report.Results = append(report.Results, result)
		if done != nil {
			done(result)
		}
	}
	return report, nil
}

func (s *suite) check(ctx context.Context, c check) Result {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	began := time.Now()
	result := Result{Name: c.name, Rule: c.rule, Status: Pass}
	var nothing skipped
	detail, err := c.run(ctx, s)
	s.stopAll()
	switch {
	case errors.As(err, &nothing):
		result.Status, detail = Skip, string(nothing)
	case err != nil:
		result.Status, detail = Fail, err.Error()
	}
	result.Detail, result.Took = oneLine(s.transcript.redact(detail)), time.Since(began)
	return result
}

// skipped is why a check had nothing to look at.
type skipped string

func (s skipped) Error() string { return string(s) }

// suite is one run.
type suite struct {
	options    Options
	name       string
	trap       *trap
	transcript transcript
	// description is the first process's; empty if it gave none.
	description *pb.DescribeResponse
	// secluded starts processes that have no network at all.
	secluded bool
	// running are the processes of the check that is under way.
	running []*process
	// credential is the result of a login of the suite; nil if none succeeded.
	credential *pb.Credential
}

func newSuite(options Options) (*suite, error) {
	file := strings.TrimSuffix(filepath.Base(options.Path), map[bool]string{true: ".exe"}[runtime.GOOS == "windows"])
	name, ok := strings.CutPrefix(file, "zen-provider-")
	if !ok || !names.IsProvider(name) {
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("test provider: the file %.60q is not named zen-provider-NAME", file),
			Hint:    "NAME is of lower-case letters and digits, with single dashes between them",
		}
	}
	if options.Database.URL == "" {
		options.Database.URL = "libsql://conformance.example.invalid"
	}
	trap, err := newTrap()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	return &suite{options: options, name: name, trap: trap, description: &pb.DescribeResponse{}}, nil
}

// introduce asks the provider who it is, for the checks to know what to expect. That
// it can't be asked is for the checks to say; that it can't be started is not.
func (s *suite) introduce(ctx context.Context) error {
	p, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stopAll()
	if client, err := p.dial(ctx); err == nil {
		bounded, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		if d, err := pb.NewProviderClient(client).Describe(bounded, &pb.DescribeRequest{}); err == nil {
			s.description = d
		}
	}
	fields := make(map[string]bool)
	for _, f := range s.description.GetFields() {
		fields[f.GetKey()] = true
		if f.GetSensitive() {
			if slices.Contains(s.options.Visible, f.GetKey()) {
				return &provider.Error{
					Kind:    provider.ErrConfig,
					Message: fmt.Sprintf("test provider: %.40q is a secret, and others can read arguments", f.GetKey()),
					Hint:    fmt.Sprintf("give it in a file: --setting %s=@FILE", f.GetKey()),
				}
			}
			s.transcript.plant(s.options.Settings.Get(f.GetKey()))
		}
	}
	for key := range s.options.Settings {
		if len(fields) > 0 && !fields[key] {
			return &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("test provider: provider %s has no setting %.40q", s.name, key),
			}
		}
	}
	return nil
}

func (s *suite) close() {
	s.stopAll()
	s.trap.close()
}
