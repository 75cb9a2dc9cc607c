package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func setupToWire(s provider.Setup) *pb.SetupResponse {
	return &pb.SetupResponse{
		Issuer:    optional(s.Issuer, verificationToWire),
		Endpoints: s.Endpoints,
		Steps: each(s.Steps, func(step provider.SetupStep) *pb.SetupStep {
			return &pb.SetupStep{Title: sentText(step.Title), Text: block(step.Text), Url: step.URL}
		}),
		Files: each(s.Files, func(f provider.SetupFile) *pb.SetupFile {
			return &pb.SetupFile{Path: f.Path, Doc: sentText(f.Doc), Text: block(f.Text), Program: f.Program}
		}),
		Topics: each(s.Topics, func(t provider.SetupTopic) *pb.SetupTopic {
			return &pb.SetupTopic{Name: t.Name, Doc: sentText(t.Doc)}
		}),
	}
}

func setupFromWire(s *pb.SetupResponse, text func(string) string) provider.Setup {
	return provider.Setup{
		Issuer:    present(s.GetIssuer(), verificationFromWire),
		Endpoints: each(s.GetEndpoints(), receivedText),
		Steps: each(s.GetSteps(), func(step *pb.SetupStep) provider.SetupStep {
			return provider.SetupStep{Title: text(step.GetTitle()), Text: block(step.GetText()), URL: receivedText(step.GetUrl())}
		}),
		Files: each(s.GetFiles(), func(f *pb.SetupFile) provider.SetupFile {
			return provider.SetupFile{
				Path: receivedText(f.GetPath()), Doc: text(f.GetDoc()), Text: block(f.GetText()), Program: f.GetProgram(),
			}
		}),
		Topics: each(s.GetTopics(), func(t *pb.SetupTopic) provider.SetupTopic {
			return provider.SetupTopic{Name: receivedText(t.GetName()), Doc: receivedText(t.GetDoc())}
		}),
	}
}
