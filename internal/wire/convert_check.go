package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

var severities = map[provider.Severity]pb.Severity{
	provider.SeverityOK:      pb.Severity_SEVERITY_OK,
	provider.SeveritySkipped: pb.Severity_SEVERITY_SKIPPED,
	provider.SeverityWarn:    pb.Severity_SEVERITY_WARN,
	provider.SeverityError:   pb.Severity_SEVERITY_ERROR,
}

func purposeToWire(p provider.Purpose) *pb.Purpose {
	return &pb.Purpose{
		Organization:     p.Organization,
		Target:           targetToWire(p.Target),
		Access:           accessToWire(p.Access),
		Permissions:      each(p.Permissions, permissionToWire),
		Audience:         p.Audience,
		Template:         p.Template,
		ReadOnlyTemplate: p.ReadOnlyTemplate,
	}
}

func purposeFromWire(p *pb.Purpose) (provider.Purpose, error) {
	access, err := requestedAccess(p.GetAccess())
	if err != nil {
		return provider.Purpose{}, err
	}
	return provider.Purpose{
		Organization:     p.GetOrganization(),
		Target:           targetFromWire(p.GetTarget()),
		Access:           access,
		Permissions:      each(p.GetPermissions(), permissionFromWire),
		Audience:         p.GetAudience(),
		Template:         p.GetTemplate(),
		ReadOnlyTemplate: p.GetReadOnlyTemplate(),
	}, nil
}

func findingToWire(f provider.Finding) *pb.Finding {
	finding := &pb.Finding{
		Id: sentText(f.ID), Severity: severities[f.Severity],
		Text: sentText(f.Text), Cause: sentText(f.Cause), Hint: sentText(f.Hint),
		Fix: optional(f.Fix, fixToWire),
	}
	if provider.Kind(f.Kind) != nil {
		finding.Reason = classOfError(f.Kind).reason
	}
	return finding
}

func findingFromWire(f *pb.Finding, text func(string) string) provider.Finding {
	class, _ := classOfReason(f.GetReason())
	return provider.Finding{
		ID: receivedText(f.GetId()), Severity: key(severities, f.GetSeverity(), provider.SeverityWarn), Kind: class.kind,
		Text: text(f.GetText()), Cause: text(f.GetCause()), Hint: text(f.GetHint()),
		Fix: present(f.GetFix(), func(x *pb.Fix) provider.Fix { return fixFromWire(x, text) }),
	}
}

func fixToWire(f provider.Fix) *pb.Fix {
	return &pb.Fix{
		Id: sentText(f.ID), Text: sentText(f.Text),
		Questions: each(f.Questions, func(q provider.Question) *pb.Question {
			return &pb.Question{Key: q.Key, Text: sentText(q.Text), Env: q.Env}
		}),
	}
}

func fixFromWire(f *pb.Fix, text func(string) string) provider.Fix {
	return provider.Fix{
		ID: receivedText(f.GetId()), Text: text(f.GetText()),
		Questions: each(f.GetQuestions(), func(q *pb.Question) provider.Question {
			return provider.Question{Key: receivedText(q.GetKey()), Text: text(q.GetText()), Env: each(q.GetEnv(), receivedText)}
		}),
	}
}

func fixRequestToWire(r provider.FixRequest) *pb.FixRequest {
	request := &pb.FixRequest{Id: r.ID, Credential: optional(r.Credential, credentialToWire), Purpose: purposeToWire(r.Purpose)}
	for key, value := range r.Answers {
		request.Answers = append(request.Answers, &pb.Answer{Key: key, Value: []byte(value.Reveal())})
	}
	return request
}

func fixRequestFromWire(r *pb.FixRequest) (provider.FixRequest, error) {
	purpose, err := purposeFromWire(r.GetPurpose())
	if err != nil {
		return provider.FixRequest{}, err
	}
	request := provider.FixRequest{
		ID: r.GetId(), Credential: present(r.GetCredential(), credentialFromWire), Purpose: purpose,
		Answers: make(map[string]provider.Secret, len(r.GetAnswers())),
	}
	for _, answer := range r.GetAnswers() {
		request.Answers[answer.GetKey()] = provider.NewSecret(string(answer.GetValue()))
	}
	return request, nil
}
