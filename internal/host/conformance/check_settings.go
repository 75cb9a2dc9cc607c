package conformance

import (
	"context"
	"fmt"
	"maps"

	"google.golang.org/grpc/status"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// checkSettings tries settings that zen itself would refuse. A provider must not rely on
// that, since a misread setting can be a security hole.
func checkSettings(ctx context.Context, s *suite) (string, error) {
	whole, missing := s.settings()
	tried := 0
	for _, f := range s.description.GetFields() {
		var value string
		switch f.GetType() {
		case pb.FieldType_FIELD_TYPE_BOOL, pb.FieldType_FIELD_TYPE_INT, pb.FieldType_FIELD_TYPE_DURATION:
			value = "not-a-value"
		case pb.FieldType_FIELD_TYPE_URL:
			value = "::not a url"
		}
		if value != "" {
			tried++
			if err := s.refuses(ctx, whole, f.GetKey(), value); err != nil {
				return "", err
			}
		}
		if f.GetRequired() {
			tried++
			if err := s.refuses(ctx, whole, f.GetKey(), ""); err != nil {
				return "", err
			}
		}
	}
	// A setting of a later version may be ignored or refused.
	extra := maps.Clone(whole)
	extra["zen_provider_test"] = "1"
	if err := s.tryConfigure(ctx, extra); err != nil && reasonOf(err) != "CONFIG" {
		return "", fmt.Errorf("for an unknown setting, Configure returns %s, not CONFIG", shortError(err))
	}
	if missing == "" {
		if err := s.tryConfigure(ctx, whole); err != nil && reasonOf(err) != "CONFIG" {
			return "", fmt.Errorf("for the given settings, Configure returns %s, not CONFIG", shortError(err))
		}
	}
	return fmt.Sprintf("%d wrong or missing values", tried), nil
}

// refuses checks that the provider answers CONFIG if the setting key has a wrong value or,
// if value is empty, is missing.
func (s *suite) refuses(ctx context.Context, whole map[string]string, key, value string) error {
	settings, how := maps.Clone(whole), "a wrong "
	settings[key] = value
	if value == "" {
		delete(settings, key)
		how = "a missing "
	}
	err := s.tryConfigure(ctx, settings)
	if err == nil {
		return fmt.Errorf("%s%s is accepted", how, key)
	}
	return errUnless(reasonOf(err) == "CONFIG", "%s%s is %s, not CONFIG", how, key, shortError(err))
}

// tryConfigure configures a new process.
func (s *suite) tryConfigure(ctx context.Context, settings map[string]string) error {
	p, conn, err := s.serving(ctx)
	if err != nil {
		return err
	}
	defer p.kill()
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err = pb.NewProviderClient(conn).Configure(ctx, &pb.ConfigureRequest{Settings: settings})
	return err
}

// shortError returns the reason, or the code, and the text of err.
func shortError(err error) string {
	s := status.Convert(err)
	if reason := reasonOf(err); reason != "" {
		return fmt.Sprintf("%s (%s)", reason, s.Message())
	}
	return fmt.Sprintf("%v (%s)", s.Code(), s.Message())
}
