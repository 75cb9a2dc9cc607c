package conformance

import (
	"cmp"
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
	"google.golang.org/grpc"
)

// Options say which program is tested, and how.
type Options struct {
	// Path is the absolute path of the program, which is named zen-provider-NAME.
	Path string
	// Settings are the provider's settings; the others have the provider's own defaults.
	Settings provider.Settings
	// Visible are the keys of Settings whose values other users can read, because they were
	// given as arguments of a command. None of these settings may be sensitive.
	Visible []string
	// Database is the database that tokens are requested for. If empty, it is one that
	// doesn't exist.
	Database provider.Target
	// Network gives the provider the network access that the environment allows.
	Network bool
}

// Status is the outcome of a check.
type Status string

// The outcomes of a check. It is skipped if there is nothing to check.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Result is the result of one check.
type Result struct {
	// Name is the short, stable name of the check: "describe".
	Name string
	// Rule is the rule that every provider has to follow.
	Rule   string
	Status Status
	// Detail says in one line what was observed; it contains no secrets.
	Detail string
	Took   time.Duration
}

// Report is the result of a whole run.
type Report struct {
	Path string
	// Name and Version come from the provider's description; empty if it gave none.
	Name, Version string
	Results       []Result
}

// Passed reports whether no check failed.
func (r Report) Passed() bool {
	return !slices.ContainsFunc(r.Results, func(result Result) bool { return result.Status == Fail })
}

// check is one check of the suite. run returns what it observed, or an error that says
// what is wrong; if the error is of type skipped, there was nothing to check.
type check struct {
	name, rule string
	run        func(ctx context.Context, s *suite) (string, error)
}

// checkLimit limits one check. The time limits within a check are shorter.
const checkLimit = 60 * time.Second

// checks are in the order of a provider's life. The last two examine everything that the
// provider has said during the others.
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
	{"login", "Login uses a new id for each request to the host, and succeeds only after its result is stored", of(provider.ServiceIdentity, checkLogin)},
	{"cancellation", "a login can be cancelled, and the next one works", of(provider.ServiceIdentity, checkCancellation)},
	{"deadline", "calls that exceed their deadline don't block others", checkDeadline},
	{"token", "a token is a valid bearer token, with correct times, for the access that was requested", of(provider.ServiceTokenSource, checkToken)},
	{"assertion", "an assertion has a requested kind and the requested audience", of(provider.ServiceAssertion, checkAssertion)},
	{"findings", "findings have an id, a severity and a text, and Fix makes only the repairs that they offer", checkFindings},
	{"setup", "Setup makes no network requests, and accepts the topics that it lists and no others", of(provider.ServiceSetup, checkSetup)},
	{"team", "members and invitations have unique ids, and impossible requests are refused", of(provider.ServiceTeam, checkTeam)},
	{"organizations", "organizations have unique ids, at most one is active, and switching to one that doesn't exist changes nothing", of(provider.ServiceOrganizations, checkOrganizations)},
	{"stop", "exits within a second of Shutdown, along with every process it started", checkStop},
	{"parent", "exits when the host that started it dies", checkParent},
	{"errors", "errors have a matching status, an ErrorInfo, and one line of text", checkErrors},
	{"secrets", "output, errors, findings and arguments contain no secrets", checkSecrets},
}

// of makes a check of a service. It is skipped if the provider doesn't have the service, and
// run gets a connection to a provider that has accepted its settings.
func of(service provider.Service, run func(context.Context, *suite, *grpc.ClientConn) (string, error)) func(context.Context, *suite) (string, error) {
	return func(ctx context.Context, s *suite) (string, error) {
		if !s.has(service) {
			return "", skipped("it doesn't provide " + afterDot(string(service)))
		}
		_, conn, err := s.configured(ctx)
		if err != nil {
			return "", err
		}
		return run(ctx, s, conn)
	}
}

// Run runs the whole suite, and returns after all of its processes have ended. It returns
// an error only if the suite itself can't be run: if ctx has ended, the program doesn't
// exist, or the provider has no such setting. done, if not nil, is called with each result.
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
			// All other checks would wait for a handshake that doesn't come.
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

// skipped is the reason why there was nothing to check.
type skipped string

func (s skipped) Error() string { return string(s) }

// suite is one run of the checks.
type suite struct {
	options    Options
	name       string
	trap       *trap
	transcript transcript
	// description is the description that the first process gave; empty if it gave none.
	description *pb.DescribeResponse
	// secluded says that processes are started without any network.
	secluded bool
	// running are the processes of the current check.
	running []*process
	// credential is the result of a login during the checks; nil if none succeeded.
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
	options.Database.URL = cmp.Or(options.Database.URL, "libsql://conformance.example.invalid")
	trap, err := newTrap()
	if err != nil {
		return nil, fmt.Errorf("test provider: %w", err)
	}
	return &suite{options: options, name: name, trap: trap, description: &pb.DescribeResponse{}}, nil
}

// introduce gets the provider's description, from which the checks know what to expect.
// It fails if the provider can't be started; if it gives no description, the checks report
// that.
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
