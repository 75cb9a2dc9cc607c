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
	{"handshake", "prints one line with its certificate and its address, a socket in the given directory", checkHandshake},
	{"refusal", "exits if the cookie or PLUGIN_CLIENT_CERT is missing", checkRefusal},
	{"versions", "chooses version 1 from those offered, and never claims a version that wasn't offered", checkVersions},
	{"tls", "accepts connections only from the host that started it", checkTLS},
	{"health", "reports the service plugin as SERVING", checkHealth},
	{"describe", "Describe returns the same answer every time, within 100 ms", checkDescribe},
	{"schema", "Describe lists existing services, and settings that are well-formed", checkSchema},
	{"offline", "Describe and Configure make no network requests", checkOffline},
	{"settings", "wrong or missing settings are refused as CONFIG", checkSettings},
	{"unknown", "unknown fields and methods don't disturb it", checkUnknown},
	{"unimplemented", "services that it doesn't provide return UNIMPLEMENTED", checkUnimplemented},
	{"large", "an oversized message is refused, and later calls still work", checkLarge},
	{"concurrency", "32 concurrent calls get the same answers as a single call", checkConcurrency},
	{"login", "Login uses a new id for each request to the host, and succeeds only after its result is stored", checkLogin},
	{"cancellation", "a login can be cancelled, and the next one works", checkCancellation},
	{"deadline", "calls that exceed their deadline don't block others", checkDeadline},
	{"token", "a token is a valid bearer token, with correct times, for the access that was requested", checkToken},
	{"assertion", "an assertion has a requested kind and the requested audience", checkAssertion},
	{"findings", "findings have an id, a severity and a text, and Fix makes only the repairs that they offer", checkFindings},
	{"setup", "Setup makes no network requests, and accepts the topics that it lists and no others", checkSetup},
	{"team", "members and invitations have unique ids, and impossible requests are refused", checkTeam},
	{"organizations", "organizations have unique ids, at most one is active, and switching to one that doesn't exist changes nothing", checkOrganizations},
	{"stop", "exits within a second of Shutdown, along with every process it started", checkStop},
	{"parent", "exits when the host that started it dies", checkParent},
	{"errors", "errors have a matching status, an ErrorInfo, and one line of text", checkErrors},
	{"secrets", "output, errors, findings and arguments contain no secrets", checkSecrets},
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
			Hint:    "NAME consists of lower-case letters and digits, with single dashes between them",
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
					Message: fmt.Sprintf("test provider: %.40q is a secret, but other users can read arguments", f.GetKey()),
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
