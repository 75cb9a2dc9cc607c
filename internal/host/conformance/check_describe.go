package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/wire"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// describeLimit is how long zen provider list may wait for each provider.
const describeLimit = 100 * time.Millisecond

func checkDescribe(ctx context.Context, s *suite) (string, error) {
	fastest := time.Hour
	var first *pb.DescribeResponse
	for range 2 {
		// A new process each time: no answer may depend on earlier calls.
		_, conn, err := s.serving(ctx)
		if err != nil {
			return "", err
		}
		for range 3 {
			began := time.Now()
			bounded, cancel := context.WithTimeout(ctx, callLimit)
			d, err := pb.NewProviderClient(conn).Describe(bounded, &pb.DescribeRequest{})
			cancel()
			if err != nil {
				return "", fmt.Errorf("describe: %w", err)
			}
			fastest = min(fastest, time.Since(began))
			first = cmp.Or(first, d)
			if !proto.Equal(first, d) {
				return "", errors.New("two answers differ")
			}
		}
	}
	if fastest > describeLimit {
		return "", fmt.Errorf("the fastest of six answers took %v", fastest.Round(time.Millisecond))
	}
	return fmt.Sprintf("%.1f ms", float64(fastest.Microseconds())/1000), nil
}

var (
	namePattern     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`) })
	keyPattern      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`) })
	variablePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`) })
	servicePattern  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$`)
	})
)

func checkSchema(_ context.Context, s *suite) (string, error) {
	d := s.description
	if proto.Size(d) == 0 {
		return "", errors.New("it doesn't answer Describe")
	}
	var wrong faults
	wrong.when(d.GetName() != s.name, "the file is named for %q, but Describe says that the name is %.40q", s.name, d.GetName())
	wrong.when(d.GetVersion() == "", "the version is empty")
	wrong.when(d.GetSummary() == "", "the summary is empty")
	for _, text := range []string{d.GetVersion(), d.GetSummary(), d.GetHomepage()} {
		wrong.when(!isLine(text), "%.40q is not one line of text", text)
	}
	wrong.when(d.GetHomepage() != "" && !strings.HasPrefix(d.GetHomepage(), "http"), "the homepage is not a URL")
	services := make(map[string]bool)
	for _, name := range d.GetServices() {
		wrong.when(services[name], "the service %q is listed twice", name)
		wrong.when(!servicePattern().MatchString(name), "the service %.60q is not a full name, like zen.provider.v1.Identity", name)
		services[name] = true
	}
	keys := make(map[string]bool)
	for _, f := range d.GetFields() {
		wrong.when(keys[f.GetKey()], "the setting %q is listed twice", f.GetKey())
		keys[f.GetKey()] = true
		wrong = append(wrong, fieldFaults(f)...)
	}
	methods := make(map[string]bool)
	for _, m := range d.GetMethods() {
		wrong.when(methods[m.GetName()] || !namePattern().MatchString(m.GetName()), "the method %.40q is listed twice, or doesn't consist of lower-case letters, digits and dashes", m.GetName())
		methods[m.GetName()] = true
	}
	identity := slices.Contains(d.GetServices(), string(provider.ServiceIdentity))
	wrong.when(len(methods) > 0 && !identity, "it lists methods to sign in, but not the service Identity")
	wrong = append(wrong, assertionFaults(d, services, keys)...)
	if err := errors.Join(wrong...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d services, %d settings, %d methods", len(services)+1, len(keys), len(methods)), nil
}

// faults are what is wrong with a description.
type faults []error

// when adds a fault if there is one.
func (f *faults) when(is bool, format string, args ...any) {
	if is {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// assertionFaults returns what is wrong with the description of assertions.
func assertionFaults(d *pb.DescribeResponse, services, keys map[string]bool) (wrong faults) {
	wrong.when(services[string(provider.ServiceAssertion)] != (len(d.GetAssertions()) > 0),
		"it lists the service Assertion without kinds of assertions, or kinds without the service")
	for _, kind := range append(slices.Clone(d.GetAssertions()), d.GetNeeds().GetKinds()...) {
		wrong.when(!namePattern().MatchString(kind), "the kind of assertion %.40q must consist of lower-case letters, digits and dashes", kind)
	}
	if need := d.GetNeeds(); need != nil {
		wrong.when(len(need.GetKinds()) == 0 || !services[string(provider.ServiceTokenSource)],
			"it needs assertions without naming a kind, or without providing TokenSource")
		wrong.when(need.GetAudienceField() != "" && !keys[need.GetAudienceField()],
			"the audience that it needs is said to be in %.40q, which is not one of its settings", need.GetAudienceField())
	}
	return wrong
}

func fieldFaults(f *pb.Field) (wrong faults) {
	key, preset := f.GetKey(), f.GetDefault() != ""
	wrong.when(!keyPattern().MatchString(key), "the setting %.60q must consist of lower-case letters, digits and _", key)
	wrong.when(f.GetType() == pb.FieldType_FIELD_TYPE_UNSPECIFIED, "the setting %s has no type", key)
	wrong.when(f.GetDoc() == "" || !isLine(f.GetDoc()), "the doc of the setting %s is not one line of text", key)
	wrong.when(f.GetSensitive() && preset, "the setting %s is sensitive, but has a default", key)
	wrong.when(f.GetRequired() && preset, "the setting %s is required, but has a default", key)
	if preset {
		err := wire.FieldType(f.GetType()).Check(f.GetDefault())
		wrong.when(err != nil, "the default of the setting %s %w", key, err)
	}
	for _, name := range f.GetEnv() {
		wrong.when(!variablePattern().MatchString(name) || strings.HasPrefix(name, "ZEN_") || strings.HasPrefix(name, "PLUGIN_"),
			"the setting %s names the variable %.40q, which is not a valid name, or is reserved", key, name)
	}
	for _, name := range f.GetFoundAs() {
		wrong.when(!variablePattern().MatchString(name) || strings.HasPrefix(name, "ZEN_"),
			"the setting %s lists %.40q as a variable to find it in, which is not a valid name", key, name)
	}
	wrong.when(!isLine(f.GetExample()), "the example of the setting %s is not one line of text", key)
	return wrong
}

// isLine reports whether s is one line that can be printed to a terminal as it is.
func isLine(s string) bool {
	return len(s) <= 1<<10 && text.IsPlain(s) && !strings.ContainsRune(s, utf8.RuneError)
}

// oneLine makes s one line that can be printed to a terminal.
func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
	return text.Line(strings.Join(lines, "; "), len(s)*2)
}

func checkOffline(ctx context.Context, s *suite) (string, error) {
	if s.options.Network {
		return "", skipped("the network was allowed")
	}
	before := s.trap.connections()
	s.trap.hang(true) // whoever waits for an answer of the network waits forever
	_, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	settings, _ := s.settings()
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err = pb.NewProviderClient(conn).Configure(ctx, &pb.ConfigureRequest{Settings: settings})
	if n := s.trap.connections() - before; n > 0 {
		return "", fmt.Errorf("%d connections to the proxy", n)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("no answer to Configure within %v", callLimit)
	}
	if err != nil && reasonOf(err) != "CONFIG" {
		return "", fmt.Errorf("configure: %w", err)
	}
	return s.offlineSecluded(ctx, settings, outcome(err))
}

// offlineSecluded repeats the calls without any network, if the system allows that: it
// finds providers that bypass the proxy.
func (s *suite) offlineSecluded(ctx context.Context, settings map[string]string, want string) (string, error) {
	const byProxy = "by its proxy"
	if !canSeclude {
		return byProxy, nil
	}
	s.secluded = true
	p, err := s.start(ctx)
	if err != nil { // containers often forbid this
		return byProxy, nil
	}
	conn, err := p.dial(ctx)
	if err != nil {
		return "", fmt.Errorf("without a network: %w", err)
	}
	d, err := pb.NewProviderClient(conn).Describe(ctx, &pb.DescribeRequest{})
	if err != nil || !proto.Equal(d, s.description) {
		return "", fmt.Errorf("without a network, Describe answers differently (%v)", err)
	}
	_, err = pb.NewProviderClient(conn).Configure(ctx, &pb.ConfigureRequest{Settings: settings})
	return byProxy + ", and without any", errUnless(outcome(err) == want, "without a network, Configure is %s, with one %s", outcome(err), want)
}

// errUnless returns an error, unless ok.
func errUnless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
