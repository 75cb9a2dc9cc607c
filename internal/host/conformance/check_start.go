package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func checkHandshake(ctx context.Context, s *suite) (string, error) {
	p, err := s.start(ctx)
	if err != nil {
		return "", err
	}
	g, _, err := p.connection(ctx)
	if err != nil {
		return "", err
	}
	took := time.Since(p.began)
	if now := time.Now(); now.Before(g.certificate.NotBefore) || now.After(g.certificate.NotAfter) {
		return "", errors.New("its certificate is not valid now")
	}
	return fmt.Sprintf("%s, after %v", g.network, took.Round(time.Millisecond)), nil
}

func checkRefusal(ctx context.Context, s *suite) (string, error) {
	for _, c := range []struct{ what, variable string }{
		{"without the cookie", "ZEN_PROVIDER_COOKIE"},
		{"without PLUGIN_CLIENT_CERT", "PLUGIN_CLIENT_CERT"},
	} {
		p, err := s.start(ctx, c.variable)
		if err != nil {
			return "", err
		}
		line, err := p.greeting(ctx)
		switch {
		case err == nil && strings.Contains(line, "|"):
			return "", fmt.Errorf("%s, it prints its line nevertheless", c.what)
		case err != nil && err != errNoGreeting, !p.endsWithin(startLimit):
			return "", fmt.Errorf("%s, it keeps running", c.what)
		case p.cmd.ProcessState.Success():
			return "", fmt.Errorf("%s, it exits with status 0", c.what)
		}
	}
	return "", nil
}

func checkVersions(ctx context.Context, s *suite) (string, error) {
	for _, c := range []struct {
		offered string
		chosen  bool
	}{{"1", true}, {"99,1", true}, {"1,99", true}, {"99", false}} {
		p, err := s.start(ctx, "PLUGIN_PROTOCOL_VERSIONS="+c.offered)
		if err != nil {
			return "", err
		}
		line, err := p.greeting(ctx)
		if errors.Is(err, errNoGreeting) && !c.chosen {
			continue // without a common version it may exit
		}
		if err != nil {
			return "", fmt.Errorf("offered %s: %w", c.offered, err)
		}
		// Without a common version, a provider that doesn't exit prints its own version, so
		// that the host can name both.
		if fields := strings.Split(line, "|"); len(fields) < 2 || fields[1] != "1" {
			return "", fmt.Errorf("offered %s, it answers with %.40q", c.offered, strings.Join(fields[:min(2, len(fields))], "|"))
		}
		p.kill()
	}
	return "", nil
}

func checkTLS(ctx context.Context, s *suite) (string, error) {
	p, err := s.start(ctx)
	if err != nil {
		return "", err
	}
	g, config, err := p.connection(ctx)
	if err != nil {
		return "", err
	}
	stranger, _, err := hostIdentity()
	if err != nil {
		return "", err
	}
	other, anonymous := config.Clone(), config.Clone()
	other.Certificates = []tls.Certificate{stranger}
	anonymous.Certificates = nil
	for _, c := range []struct {
		who         string
		credentials credentials.TransportCredentials
	}{
		{"a client with another certificate", credentials.NewTLS(other)},
		{"a client without a certificate", credentials.NewTLS(anonymous)},
		{"a client without TLS", insecure.NewCredentials()},
	} {
		if err := reaches(ctx, g, c.credentials); err == nil || !broken(err) {
			return "", fmt.Errorf("%s is accepted", c.who)
		}
	}
	if err := reaches(ctx, g, credentials.NewTLS(config)); err != nil {
		return "", fmt.Errorf("the host itself is refused: %w", err)
	}
	return "", nil
}

// reaches calls Describe over a new connection with these TLS credentials.
func reaches(ctx context.Context, g greeting, c credentials.TransportCredentials) error {
	conn, err := g.client(c)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err = pb.NewProviderClient(conn).Describe(ctx, &pb.DescribeRequest{})
	return err
}

func checkHealth(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	reply, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"})
	switch {
	case status.Code(err) == codes.Unimplemented:
		return "", errors.New("it doesn't provide grpc.health.v1.Health")
	case err != nil:
		return "", fmt.Errorf("health: %w", err)
	case reply.GetStatus() != healthpb.HealthCheckResponse_SERVING:
		return "", fmt.Errorf("it reports %v", reply.GetStatus())
	}
	return "", nil
}
