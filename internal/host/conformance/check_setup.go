package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"google.golang.org/grpc"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// maxBlock limits the length of a text with several lines.
const maxBlock = 64 << 10

func checkSetup(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	before := s.trap.connections()
	whole, err := s.setUp(ctx, conn, "")
	if err != nil {
		return "", fmt.Errorf("setup: %s", outcome(err))
	}
	if err := setupFault(whole); err != nil {
		return "", err
	}
	topics := make(map[string]bool)
	for _, t := range whole.GetTopics() {
		switch {
		case !namePattern().MatchString(t.GetName()) || topics[t.GetName()]:
			return "", fmt.Errorf("the topic %.40q is listed twice, or doesn't consist of lower-case letters, digits and dashes", t.GetName())
		case t.GetDoc() == "" || !isLine(t.GetDoc()):
			return "", fmt.Errorf("the doc of the topic %s is not one line of text", t.GetName())
		}
		topics[t.GetName()] = true
		one, err := s.setUp(ctx, conn, t.GetName())
		if err != nil {
			return "", fmt.Errorf("for the topic %s, Setup returns %s", t.GetName(), outcome(err))
		}
		if len(one.GetSteps())+len(one.GetFiles()) == 0 {
			return "", fmt.Errorf("the topic %s has neither steps nor files", t.GetName())
		}
		if err := setupFault(one); err != nil {
			return "", fmt.Errorf("the topic %s: %w", t.GetName(), err)
		}
	}
	if _, err := s.setUp(ctx, conn, "zen-test-no-such-topic"); reasonOf(err) != "CONFIG" {
		return "", fmt.Errorf("for an unknown topic, Setup returns %s, not CONFIG", outcome(err))
	}
	if n := s.trap.connections() - before; n > 0 && !s.options.Network {
		return "", fmt.Errorf("%d connections to the proxy", n)
	}
	return fmt.Sprintf("%d steps, %d files, %d topics", len(whole.GetSteps()), len(whole.GetFiles()), len(topics)), nil
}

func (s *suite) setUp(ctx context.Context, conn *grpc.ClientConn, topic string) (*pb.SetupResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return pb.NewSetupClient(conn).Setup(ctx, &pb.SetupRequest{Purpose: s.purpose(), Topic: topic})
}

// setupFault returns what is wrong with an answer to Setup.
func setupFault(r *pb.SetupResponse) error {
	if v := r.GetIssuer(); v != nil && (v.GetIssuer() == "" || v.GetKeySetUrl() == "" || len(v.GetAlgorithms()) == 0) {
		return errors.New("its issuer has no name, no URL of the key set or no algorithms")
	}
	for _, endpoint := range r.GetEndpoints() {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return fmt.Errorf("the endpoint %.60q is not an origin, like https://host", endpoint)
		}
	}
	for i, step := range r.GetSteps() {
		if step.GetTitle() == "" || !isLine(step.GetTitle()) || !isBlock(step.GetText()) {
			return fmt.Errorf("step %d has no title, a title of several lines, or a text of more than 64 KiB", i+1)
		}
	}
	paths := make(map[string]bool)
	for _, f := range r.GetFiles() {
		switch {
		case !fs.ValidPath(f.GetPath()) || f.GetPath() == "." || strings.Contains(f.GetPath(), `\`) || paths[f.GetPath()]:
			return fmt.Errorf("the file %.60q has a path that is not relative, or used twice", f.GetPath())
		case f.GetDoc() == "" || !isLine(f.GetDoc()):
			return fmt.Errorf("the doc of the file %s is not one line of text", f.GetPath())
		case f.GetText() == "" || !isBlock(f.GetText()):
			return fmt.Errorf("the file %s is empty, or larger than 64 KiB", f.GetPath())
		}
		paths[f.GetPath()] = true
	}
	return nil
}

// isBlock reports whether s consists of lines that can be printed to a terminal as they are.
func isBlock(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if !isLine(strings.ReplaceAll(line, "\t", " ")) {
			return false
		}
	}
	return len(s) <= maxBlock
}
